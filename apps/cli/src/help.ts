/** What `--help` and `quorate help` print, all of it made from the commands themselves. */
import { type Command, GLOBAL_OPTIONS, type Option, type Options, optionsOf } from './command.ts'
import { table } from './output.ts'

const argumentText = ({ arguments: declared = [] }: Command): string =>
  declared
    .map(({ name, isOptional = false, isMany = false }) => {
      const text = isMany ? `${name}…` : name
      return isOptional ? `[${text}]` : text
    })
    .join(' ')

export const usageOf = (command: Command): string =>
  `quorate ${[command.name, argumentText(command)].filter((part) => part !== '').join(' ')}`

const optionRow = ([name, { kind, value, about }]: readonly [
  string,
  Option,
]): readonly string[] => [
  `  --${name}${kind === 'flag' ? '' : ` ${value ?? kind.toUpperCase()}`}`,
  kind === 'list' ? `${about} (may be repeated)` : about,
]

/** The help of one command. */
export async function commandHelp(command: Command): Promise<readonly string[]> {
  const own: Options = await optionsOf(command)
  const declared = command.arguments ?? []
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', title, ...lines]
  return [
    command.summary,
    ...section('Usage', [
      `  ${usageOf(command)}${Object.keys(own).length === 0 ? '' : ' [options]'}`,
    ]),
    ...section('Arguments', table(declared.map(({ name, about }) => [`  ${name}`, about]))),
    ...section(
      'Options',
      table([...Object.entries(own), ...Object.entries(GLOBAL_OPTIONS)].map(optionRow)),
    ),
    ...section(
      'Examples',
      command.examples.map((line) => `  ${line}`),
    ),
  ]
}

/** All commands with their summaries. */
export const overview = (commands: readonly Command[]): readonly string[] => [
  'quorate: keys that nobody can steal alone',
  '',
  'Usage',
  '  quorate <command> [options]',
  '',
  'Commands',
  ...table(commands.map(({ name, summary }) => [`  ${name}`, summary])),
  '',
  'quorate <command> --help shows what a command takes, with examples.',
  'Exit codes: 0 ok, 1 failed, 2 usage, 3 denied, 4 not found or conflict,',
  '5 unavailable or timeout, 6 does not verify, 7 findings.',
]

/** The same as data. */
export const commandsJson = (commands: readonly Command[]): Promise<readonly object[]> =>
  Promise.all(
    commands.map(async (command) => ({
      name: command.name,
      summary: command.summary,
      usage: usageOf(command),
      options: Object.entries(await optionsOf(command)).map(([name, { kind, about }]) => ({
        name,
        kind,
        about,
      })),
      examples: command.examples,
    })),
  )
