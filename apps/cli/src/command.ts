/**
 * Commands as data: a name, what it takes, and where the code is that runs it. The code is loaded
 * only for the one command that runs, so that help and mistakes answer at once.
 */
import { parseArgs } from 'node:util'
import { bug, Fault } from '@quorate/base'
import { nearest } from './nearest.ts'
import type { Output } from './output.ts'

export type Option = {
  readonly kind: 'text' | 'integer' | 'list' | 'flag'
  /** What stands for its value in the help, e.g. `FILE`. */
  readonly value?: string
  readonly about: string
}
export type Options = { readonly [name: string]: Option }

export type Argument = {
  readonly name: string
  readonly about: string
  readonly isOptional?: boolean
  /** Takes all that follow, too. */
  readonly isMany?: boolean
}

export type Run = (given: Given, output: Output) => Promise<void>

export type Command = {
  /** Noun and verb, e.g. `wallet create`. */
  readonly name: string
  /** One line. */
  readonly summary: string
  readonly arguments?: readonly Argument[]
  /** A function where they come from a package that is heavy to load. */
  readonly options?: Options | (() => Promise<Options>)
  /** Each a whole command line. */
  readonly examples: readonly string[]
  readonly load: () => Promise<Run>
}

/** What every command takes. */
export const GLOBAL_OPTIONS: Options = {
  json: { kind: 'flag', about: 'print one JSON document, and errors as JSON' },
  home: {
    kind: 'text',
    value: 'DIR',
    about:
      'where the development cluster lives (default: QUORATE_HOME, else the XDG state directory)',
  },
  help: { kind: 'flag', about: 'show this help' },
}

export const optionsOf = async ({ options = {} }: Command): Promise<Options> =>
  typeof options === 'function' ? options() : options

type Values = { readonly [name: string]: string | boolean | (string | boolean)[] | undefined }

/** What was given on the command line, already known to fit the command. */
export class Given {
  readonly #options: Options
  readonly #values: Values
  readonly arguments: readonly string[]

  constructor(options: Options, values: Values, positional: readonly string[]) {
    this.#options = options
    this.#values = values
    this.arguments = positional
  }

  #value(name: string, kind: Option['kind']): Values[string] {
    if (this.#options[name]?.kind !== kind) bug(`the command has no ${kind} --${name}`)
    return this.#values[name]
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined
  }
  text(name: string): string | undefined {
    return this.#value(name, 'text') as string | undefined
  }
  /** @throws cli/missing-argument */
  required(name: string): string {
    const value = this.text(name)
    if (value === undefined || value === '')
      throw new Fault('cli/missing-argument', { detail: `--${name}` })
    return value
  }
  flag(name: string): boolean {
    return this.#value(name, 'flag') === true
  }
  list(name: string): readonly string[] {
    return (this.#value(name, 'list') as readonly string[] | undefined) ?? []
  }
  /** @throws cli/bad-value unless it is an integer from `min` to `max` */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.#value(name, 'integer') as string | undefined
    return text === undefined ? undefined : integerOf(`--${name}`, text, min, max)
  }
  /** The argument at that place, which the command declares as needed. */
  argument(place: number): string {
    return this.arguments[place] ?? bug(`argument ${place} is not declared as needed`)
  }
}

/** @throws cli/bad-value naming `what` */
export function integerOf(what: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new Fault('cli/bad-value', { detail: `${what} takes a whole number from ${min} to ${max}` })
}

/**
 * What `argv` gives to a command.
 * @throws cli/unknown-option, cli/bad-value, cli/missing-argument, cli/unexpected-argument
 */
export async function parse(command: Command, argv: readonly string[]): Promise<Given> {
  const options: Options = { ...(await optionsOf(command)), ...GLOBAL_OPTIONS }
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { kind }]) => [
        name,
        { type: kind === 'flag' ? 'boolean' : 'string' } as const,
      ]),
    ),
  })
  const values: { [name: string]: string | boolean | string[] } = {}
  const positional: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positional.push(token.value)
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (option === undefined) throw unknownOption(token.rawName, Object.keys(options))
    if (option.kind === 'flag') {
      if (token.value !== undefined)
        throw new Fault('cli/bad-value', { detail: `--${token.name} takes no value` })
      values[token.name] = true
    } else {
      const text = token.value
      if (text === undefined || (token.inlineValue === false && /^--[a-z]/.test(text)))
        throw new Fault('cli/bad-value', { detail: `--${token.name} takes a value` })
      if (option.kind === 'list')
        values[token.name] = [...((values[token.name] as string[] | undefined) ?? []), text]
      else if (values[token.name] !== undefined)
        throw new Fault('cli/bad-value', { detail: `--${token.name} is given twice` })
      else values[token.name] = text
    }
  }
  if (values['help'] !== true) checkArguments(command.arguments ?? [], positional)
  return new Given(options, values, positional)
}

function unknownOption(raw: string, known: readonly string[]): Fault {
  const near = nearest(raw.replace(/^-+/, ''), known)
  const hint = near === undefined ? '' : `; did you mean --${near}?`
  return new Fault('cli/unknown-option', { detail: `${raw}${hint}` })
}

function checkArguments(declared: readonly Argument[], given: readonly string[]): void {
  const missing = declared.slice(given.length).find(({ isOptional }) => isOptional !== true)
  if (missing !== undefined) throw new Fault('cli/missing-argument', { detail: missing.name })
  const takesMore = declared.at(-1)?.isMany === true
  if (given.length > declared.length && !takesMore)
    throw new Fault('cli/unexpected-argument', { detail: given[declared.length] ?? '' })
}
