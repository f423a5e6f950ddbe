/** completion: what bash, zsh and fish need to complete every command, made from the command table. */
import { Fault } from '@quorate/base'
import { type Command, GLOBAL_OPTIONS, type Option, optionsOf, type Run } from '../../command.ts'

export type Completed = {
  readonly words: readonly string[]
  readonly summary: string
  readonly options: readonly (readonly [name: string, option: Option])[]
}

/** `kms` is `quorate kms`, and completes as it. */
const PREFIXES = { quorate: '', kms: 'kms' } as const

const SHELLS: { readonly [shell: string]: (commands: readonly Completed[]) => readonly string[] } =
  {
    bash,
    zsh: (commands) => [
      '#compdef quorate kms',
      'autoload -U +X bashcompinit && bashcompinit',
      ...bash(commands),
    ],
    fish,
  }

/** The action for these commands. */
export const completionOf =
  (commands: readonly Command[]): Run =>
  async (given, output) => {
    const shell = given.argument(0)
    const make = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined
    if (make === undefined)
      throw new Fault('cli/bad-value', {
        detail: `SHELL is one of ${Object.keys(SHELLS).join(', ')}`,
      })
    const script = make(await Promise.all(commands.map(completed)))
    output.result({ shell, script: script.join('\n') }, () => script)
  }

async function completed(command: Command): Promise<Completed> {
  return {
    words: command.name.split(' '),
    summary: command.summary,
    options: Object.entries({ ...(await optionsOf(command)), ...GLOBAL_OPTIONS }),
  }
}

/** Every beginning of a command, with the words that may follow it. */
function followers(commands: readonly Completed[]): ReadonlyMap<string, ReadonlySet<string>> {
  const all = new Map<string, Set<string>>()
  for (const { words } of commands)
    words.forEach((word, i) => {
      const before = words.slice(0, i).join(' ')
      const known = all.get(before) ?? new Set<string>()
      all.set(before, known.add(word))
    })
  return all
}

function bash(commands: readonly Completed[]): readonly string[] {
  const words = [...followers(commands)].map(
    ([before, after]) => `    '${before}') words='${[...after].join(' ')}' ;;`,
  )
  const options = commands.map(
    ({ words: name, options: each }) =>
      `    '${name.join(' ')}') options='${each.map(([option]) => `--${option}`).join(' ')}' ;;`,
  )
  return [
    '_quorate() {',
    `  local current=\${COMP_WORDS[COMP_CWORD]} before= command= words= options= i next`,
    `  [[ \${COMP_WORDS[0]##*/} == kms ]] && before=kms`,
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    `    [[ \${COMP_WORDS[i]} == -* ]] && break`,
    `    next="\${before:+$before }\${COMP_WORDS[i]}"`,
    '    before=$next',
    '  done',
    '  case $before in',
    ...words,
    '  esac',
    '  command=$before',
    // An argument is no part of the name: the longest beginning that is a command counts.
    '  while [[ -n $command ]]; do',
    '    case $command in',
    ...options.map((line) => `  ${line}`),
    '    esac',
    '    [[ -n $options || $command != *" "* ]] && break',
    `    command=\${command% *}`,
    '  done',
    '  if [[ $current == -* ]]; then words=$options; fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    ...Object.keys(PREFIXES).map((program) => `complete -o default -F _quorate ${program}`),
  ]
}

const fishQuoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function fish(commands: readonly Completed[]): readonly string[] {
  const lines = [
    'function __quorate_words',
    '  set -l words (commandline -opc)',
    "  set -l name (string replace -r '.*/' '' $words[1])",
    '  set -e words[1]',
    '  test $name = kms; and set -p words kms',
    "  string join ' ' (string match -v -- '-*' $words)",
    'end',
    'function __quorate_is',
    '  test (__quorate_words) = "$argv"',
    'end',
    'function __quorate_in',
    '  string match -q -- "$argv*" (__quorate_words)',
    'end',
  ]
  for (const program of Object.keys(PREFIXES)) {
    for (const [before, after] of followers(commands))
      for (const word of after) {
        const name = before === '' ? word : `${before} ${word}`
        const summary = commands.find(({ words }) => words.join(' ') === name)?.summary ?? ''
        lines.push(
          `complete -c ${program} -f -n ${fishQuoted(`__quorate_is ${before}`)} -a ${word} -d ${fishQuoted(summary)}`,
        )
      }
    for (const { words, options } of commands)
      for (const [option, { about, kind }] of options)
        lines.push(
          `complete -c ${program} -n ${fishQuoted(`__quorate_in ${words.join(' ')}`)} -l ${option} ${kind === 'flag' ? '' : '-r '}-d ${fishQuoted(about)}`,
        )
  }
  return lines
}
