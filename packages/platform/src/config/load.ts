/**
 * Configuration: flag before environment before file before default. Nothing unknown is passed
 * over in silence, and every value remembers where it came from.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, fromUtf8, Secret, wipe } from '@quorate/base'
import { readFile } from '../files/atomic.ts'
import { type FileValue, parseConfigFile } from './file.ts'
import {
  environmentNames,
  nearest,
  type Setting,
  type Settings,
  type SettingValue,
} from './settings.ts'

export type Origin = {
  readonly kind: 'flag' | 'environment' | 'credential' | 'file' | 'default'
  /** E.g. `--node.port`, `QUORATE_NODE_PORT`, `/etc/quorate.yaml:12`. */
  readonly where: string
  /** A secret that stood in the environment itself and not in a file: visible to others of this user. */
  readonly isPlainSecret: boolean
}

export type ConfigSources = {
  /** By key; `<key>File` for a secret. */
  readonly flags?: { readonly [key: string]: string }
  /** Plain secrets are deleted from it, so hand in `process.env` itself. */
  readonly env: { [name: string]: string | undefined }
  /** Path of the file; one that is not there is an error. */
  readonly file?: string
  /** Names beginning with QUORATE_ that are no settings. */
  readonly otherNames?: readonly string[]
}

export type ShownSetting = {
  readonly key: string
  /** As text; `[secret]` for secrets, empty where there is none. */
  readonly value: string
  readonly origin: Origin | undefined
  readonly description: string
}

export class Config<S extends Settings> {
  readonly #settings: S
  readonly #values: ReadonlyMap<string, Found>

  constructor(settings: S, values: ReadonlyMap<string, Found>) {
    this.#settings = settings
    this.#values = values
  }

  get<K extends keyof S & string>(key: K): SettingValue<S[K]> {
    return this.#values.get(key)?.value as SettingValue<S[K]>
  }

  /** @throws platform/missing-setting */
  require<K extends keyof S & string>(key: K): NonNullable<SettingValue<S[K]>> {
    const value = this.get(key)
    if (value === undefined || value === null)
      throw new Fault('platform/missing-setting', {
        detail: `${key}: ${this.#settings[key]?.description ?? ''}`,
      })
    return value
  }

  origin(key: keyof S & string): Origin | undefined {
    return this.#values.get(key)?.origin
  }

  /** Every setting, for `config show --origin`. */
  show(): readonly ShownSetting[] {
    return Object.entries(this.#settings).map(([key, { description }]) => {
      const found = this.#values.get(key)
      return { key, value: shown(found?.value), origin: found?.origin, description }
    })
  }

  /** Wipes all secrets. */
  [Symbol.dispose](): void {
    for (const { value } of this.#values.values())
      if (value instanceof Secret) value[Symbol.dispose]()
  }
}

const shown = (value: unknown): string =>
  value === undefined
    ? ''
    : Array.isArray(value)
      ? value.join(', ')
      : String(value as string | number | boolean | Secret<unknown>)

type Found = { readonly value: unknown; readonly origin: Origin }
type AnySetting = Setting<unknown>

/**
 * The values of all settings.
 * @throws platform/unknown-setting, platform/bad-setting, platform/settings-disagree,
 *   platform/bad-config-file, platform/file-unreadable, platform/file-too-large
 */
export function loadConfig<S extends Settings>(settings: S, sources: ConfigSources): Config<S> {
  const { env, flags = {}, file, otherNames = [] } = sources
  const names = environmentNames(settings)
  const keys = Object.entries(settings).flatMap(([key, { type }]) =>
    type.isSecret ? [key, `${key}File`] : [key],
  )
  refuseUnknown(Object.keys(flags), keys, (key) => `--${key}`)
  const allNames = [...names].flatMap(([key, list]) =>
    settings[key]?.type.isSecret === true ? list.flatMap((name) => [name, `${name}_FILE`]) : list,
  )
  const ours = Object.keys(env).filter((name) => name.startsWith('QUORATE_'))
  refuseUnknown(ours, [...allNames, ...otherNames], (name) => name)
  const inFile =
    file === undefined
      ? new Map<string, FileValue>()
      : parseConfigFile(textOf(file, false), file, keys, namesInFile(settings))

  const values = new Map<string, Found>()
  for (const [key, setting] of Object.entries(settings)) {
    // All sources are read, so that a wrong value is an error even where another one wins.
    const found = [
      fromFlag(key, setting, flags),
      fromEnvironment(key, setting, names.get(key) ?? [], env),
      fromCredential(key, setting, env),
      fromFile(key, setting, inFile, file ?? ''),
      setting.default === undefined
        ? undefined
        : { value: setting.default as unknown, origin: origin('default', 'default') },
    ].filter((each) => each !== undefined)
    for (const { value } of found.slice(1)) if (value instanceof Secret) value[Symbol.dispose]()
    if (found[0] !== undefined) values.set(key, found[0])
  }
  return new Config(settings, values)
}

/** Keys by the names that other programs use in their files: those of the environment in lower case. */
const namesInFile = (settings: Settings): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(settings).flatMap(([key, { aliases, type }]) =>
      aliases.flatMap((alias): [string, string][] => {
        const name = alias.toLowerCase()
        return type.isSecret
          ? [
              [name, key],
              [`${name}_file`, `${key}File`],
            ]
          : [[name, key]]
      }),
    ),
  )

function refuseUnknown(
  given: readonly string[],
  known: readonly string[],
  show: (name: string) => string,
): void {
  for (const name of given) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    const hint = near === undefined ? '' : `; did you mean ${show(near)}?`
    throw new Fault('platform/unknown-setting', { detail: `${show(name)}${hint}` })
  }
}

const origin = (kind: Origin['kind'], where: string, isPlainSecret = false): Origin => ({
  kind,
  where,
  isPlainSecret,
})

function parse(key: string, { type }: AnySetting, texts: readonly string[], from: Origin): Found {
  const value = texts.length === 1 || type.isList ? type.parse(texts) : undefined
  // The value itself is not repeated: it may be a secret put under the wrong name.
  if (value === undefined)
    throw new Fault('platform/bad-setting', {
      detail: `${key}: expected ${type.expects} (${from.where})`,
    })
  return { value, origin: from }
}

const splitList = (text: string): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')

const parseText = (key: string, setting: AnySetting, text: string, from: Origin): Found =>
  parse(key, setting, setting.type.isList ? splitList(text) : [text], from)

/** The text of a small file; of a secret one without the line end that editors add. */
function textOf(path: string, isSecret: boolean): string {
  const bytes = readFile(path, { maxBytes: 256 * 1024, isSecret })
  const text = fromUtf8(bytes)
  wipe(bytes)
  if (text === undefined)
    throw new Fault('platform/bad-config-file', { detail: `${path}: not UTF-8 text` })
  return isSecret ? text.replace(/\r?\n$/, '') : text
}

const fromSecretFile = (key: string, setting: AnySetting, path: string, from: Origin): Found =>
  parse(key, setting, [textOf(path, true)], from)

function fromFlag(
  key: string,
  setting: AnySetting,
  flags: { readonly [key: string]: string },
): Found | undefined {
  const path = setting.type.isSecret ? flags[`${key}File`] : undefined
  if (path !== undefined) return fromSecretFile(key, setting, path, origin('flag', `--${key}File`))
  const text = flags[key]
  if (text === undefined) return undefined
  // Arguments of a process are open to every user of the machine.
  if (setting.type.isSecret)
    throw new Fault('platform/bad-setting', {
      detail: `${key}: secrets do not go on the command line; use --${key}File`,
    })
  return parseText(key, setting, text, origin('flag', `--${key}`))
}

function fromEnvironment(
  key: string,
  setting: AnySetting,
  names: readonly string[],
  env: ConfigSources['env'],
): Found | undefined {
  const { isSecret } = setting.type
  const found = names.flatMap((name): Found[] => {
    const list: Found[] = []
    const text = env[name]
    // Set to nothing means not set, as composing tools write it.
    if (text !== undefined && text !== '') {
      if (isSecret) delete env[name]
      list.push(parseText(key, setting, text, origin('environment', name, isSecret)))
    }
    const path = isSecret ? env[`${name}_FILE`] : undefined
    if (path !== undefined)
      list.push(fromSecretFile(key, setting, path, origin('environment', `${name}_FILE`)))
    return list
  })
  const [first, ...others] = found
  for (const other of others) {
    const agrees = isSame(first?.value, other.value)
    if (other.value instanceof Secret) other.value[Symbol.dispose]()
    if (!agrees)
      throw new Fault('platform/settings-disagree', {
        detail: `${key}: ${first?.origin.where} and ${other.origin.where}`,
      })
  }
  return first
}

function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Secret && b instanceof Secret)
    return Buffer.compare(a.expose() as Uint8Array, b.expose() as Uint8Array) === 0
  return JSON.stringify(a) === JSON.stringify(b)
}

/** A credential that systemd put into a directory of this service (systemd.exec(5), LoadCredential=). */
function fromCredential(
  key: string,
  setting: AnySetting,
  env: ConfigSources['env'],
): Found | undefined {
  const directory = env['CREDENTIALS_DIRECTORY']
  if (!setting.type.isSecret || directory === undefined) return undefined
  const path = join(directory, key)
  return existsSync(path)
    ? fromSecretFile(key, setting, path, origin('credential', path))
    : undefined
}

function fromFile(
  key: string,
  setting: AnySetting,
  values: ReadonlyMap<string, FileValue>,
  file: string,
): Found | undefined {
  const value = values.get(key)
  const path = setting.type.isSecret ? values.get(`${key}File`) : undefined
  if (path !== undefined)
    return fromSecretFile(key, setting, path.texts[0] ?? '', origin('file', `${file}:${path.line}`))
  if (value === undefined) return undefined
  const from = origin('file', `${file}:${value.line}`)
  if (setting.type.isSecret)
    throw new Fault('platform/bad-setting', {
      detail: `${key}: secrets do not go into the file; use ${key}File (${from.where})`,
    })
  return value.isList
    ? parse(key, setting, setting.type.isList ? value.texts : [], from)
    : parseText(key, setting, value.texts[0] ?? '', from)
}
