/** The program: finds the command, runs it, and turns what went wrong into words and an exit code. */
import { readFileSync } from 'node:fs'
import { Fault, isFault } from '@quorate/base'
import { type Command, parse } from './command.ts'
import { COMMANDS } from './commands/index.ts'
import { commandHelp, commandsJson, overview } from './help.ts'
import { nearest } from './nearest.ts'
import { Output } from './output.ts'

const version = (): string => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { readonly version: string }).version
}

/** Here and not among the others, because it is made of them. */
const HELP: Command = {
  name: 'help',
  summary: 'List all commands, or show what one takes',
  arguments: [{ name: 'COMMAND', about: 'its name', isOptional: true, isMany: true }],
  examples: ['quorate help', 'quorate help tx sign'],
  load: () => Promise.resolve((given, output) => help(given.arguments, output)),
}
const ALL: readonly Command[] = [...COMMANDS, HELP]
/** Of the longest name, such as `tx new transfer`. */
const MAX_WORDS = Math.max(...ALL.map(({ name }) => name.split(' ').length))

/** The command that `words` begin with, and what is left for it. @throws cli/unknown-command */
function find(words: readonly string[]): {
  readonly command: Command
  readonly rest: readonly string[]
} {
  for (let count = MAX_WORDS; count > 0; count--) {
    const command = ALL.find(({ name }) => name === words.slice(0, count).join(' '))
    if (command !== undefined) return { command, rest: words.slice(count) }
  }
  const [noun = '', verb = ''] = words
  const [group, nearer] = [below(noun), below(`${noun} ${verb}`)]
  const verbs = (nearer.length > 0 ? nearer : group).map(({ name }) => name)
  const asked = verb === '' || verb.startsWith('-') ? noun : `${noun} ${verb}`
  const near = nearest(asked, verbs.length > 0 ? verbs : nounsAndCommands())
  const hint = near === undefined ? '' : `; did you mean quorate ${near}?`
  const list = verbs.length > 0 ? `; there are ${verbs.join(', ')}` : ''
  throw new Fault('cli/unknown-command', { detail: `${asked}${verbs.length > 0 ? list : hint}` })
}

/** The commands whose names go on after these words. */
const below = (words: string): readonly Command[] =>
  ALL.filter(({ name }) => name.startsWith(`${words} `))

const nounsAndCommands = (): readonly string[] => [
  ...new Set(ALL.flatMap(({ name }) => [name, name.split(' ')[0] ?? name])),
]

async function help(words: readonly string[], output: Output): Promise<void> {
  const asked = words.filter((word) => !word.startsWith('-')).slice(0, MAX_WORDS)
  const name = asked.join(' ')
  const named = ALL.filter((each) => each.name === name)
  const among = name === '' ? ALL : [...named, ...below(name)]
  if (among.length > 1) {
    const commands = output.isJson ? await commandsJson(among) : []
    output.result({ commands }, () => overview(among))
    return
  }
  const command = among[0] ?? find(asked).command
  const [json] = output.isJson ? await commandsJson([command]) : []
  const lines = await commandHelp(command)
  output.result(json, () => lines)
}

const ownWords = (argv: readonly string[]): readonly string[] => {
  const end = argv.indexOf('--')
  return end < 0 ? argv : argv.slice(0, end)
}

async function run(argv: readonly string[], output: Output): Promise<void> {
  const [first] = argv
  if (first === '--version' || first === 'version') {
    output.result({ version: version() }, () => [version()])
    return
  }
  if (first === undefined || first.startsWith('-')) {
    if (first !== undefined && !['--help', '-h', '--json'].includes(first))
      throw new Fault('cli/unknown-option', { detail: first })
    return help([], output)
  }
  // What follows -- belongs to a program that the command runs.
  if (ownWords(argv).some((word) => word === '--help' || word === '-h'))
    return help(
      argv.slice(
        0,
        argv.findIndex((word) => word.startsWith('-')),
      ),
      output,
    )
  const { command, rest } = find(argv)
  const given = await parse(command, rest)
  const action = await command.load()
  await action(given, output)
}

/** The exit code. Nothing escapes it: an error that is no Fault becomes one line and a hint. */
async function main(argv: readonly string[]): Promise<number> {
  const output = new Output(ownWords(argv).includes('--json'), {
    out: process.stdout,
    err: process.stderr,
  })
  try {
    await run(argv, output)
    return 0
  } catch (error) {
    const isKnown = isFault(error)
    const fault = isKnown ? error : new Fault('cli/internal', { cause: error })
    if (process.env['QUORATE_DEBUG'] !== undefined) output.note(...traceOf(error))
    output.fault(fault)
    return fault.entry.exit
  }
}

const traceOf = (error: unknown): readonly string[] =>
  error instanceof Error
    ? [
        ...(error.stack ?? error.message).split('\n'),
        ...(error.cause === undefined ? [] : traceOf(error.cause)),
      ]
    : [String(error)]

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  process.exitCode = code === 'EPIPE' ? 0 : 1
  process.exit()
})
process.exitCode = await main(process.argv.slice(2))
