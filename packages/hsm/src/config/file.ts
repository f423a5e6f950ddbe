/**
 * The configuration of one device in a file of its own, JSON or YAML: the keys of `settings.ts` in
 * camel case or with underscores, alone or under `hsm:`, and the names that guides use for them.
 */
import { Fault, fromUtf8 } from '@quorate/base'
import { type FileValue, parseConfigFile, readFile } from '@quorate/platform'
import { CUSTODY_SETTINGS } from './custody-settings.ts'
import { laterKeys, refuseLater } from './later.ts'
import { HSM_ENVIRONMENTS, type HsmEnvironment } from './model.ts'
import { MONITORING_SETTINGS } from './monitoring-settings.ts'
import { ROTATION_SETTINGS } from './rotation-settings.ts'
import { type SectionTable, type SectionValues, spellingsOf } from './section.ts'
import { HSM_SETTINGS, type HsmValues } from './settings.ts'

const MAX_FILE_BYTES = 256 * 1024

/** Other names of a key. */
const ALIASES: { readonly [key: string]: readonly string[] } = {
  type: ['hsmProvider', 'vendor', 'provider'],
  library: ['libraryPath', 'libPath', 'modulePath'],
  token: ['tokenLabel'],
  slot: ['slotId'],
  directory: ['path'],
  endpoint: ['endpointUrl'],
  requestTimeout: ['requestTimeoutMs'],
  'pool.acquireTimeout': ['pool.acquireTimeoutMs'],
  'pool.idleTimeout': ['pool.idleTimeoutMs'],
}
/** Secrets that people put where they are read by all. */
const SECRETS = ['pin', 'userPin', 'password', 'credentials'] as const

/** What stands around the device, part by part. */
const SECTIONS: SectionTable = { ...CUSTODY_SETTINGS, ...ROTATION_SETTINGS, ...MONITORING_SETTINGS }

/** Every spelling of every key, with the key that it stands for. */
function spellings(): ReadonlyMap<string, string> {
  const own = Object.keys(HSM_SETTINGS)
    .map((key) => key.slice('hsm.'.length))
    .filter((key) => key !== 'pin' && key !== 'file')
  const keys = [
    ...own,
    'environment',
    'pinFile',
    ...SECRETS,
    ...Object.keys(SECTIONS),
    ...laterKeys(),
  ]
  return new Map(
    keys.flatMap((key) =>
      [key, ...(ALIASES[key] ?? []), ...(SECTIONS[key]?.aliases ?? [])]
        .flatMap(spellingsOf)
        .flatMap((name) => [[name, key] as const, [`hsm.${name}`, key] as const]),
    ),
  )
}

export type FromFile = {
  readonly values: { readonly [K in keyof HsmValues]?: HsmValues[K] }
  /** By key: the file and the line. */
  readonly where: ReadonlyMap<string, string>
  readonly environment: HsmEnvironment | undefined
  readonly pinFile: string | undefined
  /** Of `SECTIONS`. */
  readonly sections: SectionValues
}

/**
 * What the file at `path` says.
 * @throws platform/unknown-setting with line and nearest name, platform/bad-setting,
 *   platform/settings-disagree, hsm/pin-in-config, hsm/not-yet-supported, platform/bad-config-file
 */
export function readHsmFile(path: string): FromFile {
  const text = fromUtf8(readFile(path, { maxBytes: MAX_FILE_BYTES }))
  if (text === undefined)
    throw new Fault('platform/bad-config-file', { detail: `${path}: not UTF-8 text` })
  const known = spellings()
  const found = new Map<string, FileValue & { readonly where: string }>()
  for (const [name, value] of parseConfigFile(text, path, [...known.keys()])) {
    const key = known.get(name) ?? name
    const where = `${path}:${value.line}`
    const other = found.get(key)
    if (other !== undefined && other.texts.join() !== value.texts.join())
      throw new Fault('platform/settings-disagree', {
        detail: `${key}: ${other.where} and ${where}`,
      })
    found.set(key, { ...value, where })
  }
  for (const key of SECRETS) {
    const place = found.get(key)
    if (place !== undefined) throw new Fault('hsm/pin-in-config', { detail: place.where })
  }
  const later = new Set(laterKeys())
  refuseLater(new Map([...found].filter(([key]) => later.has(key))))
  const values = Object.fromEntries(
    [...found].flatMap(([key, value]) => {
      const parsed = parsedValue(key, value)
      return parsed === undefined ? [] : [[key, parsed]]
    }),
  )
  return {
    values,
    where: new Map([...found].map(([key, { where }]) => [key, where])),
    environment: environmentOf(found.get('environment')),
    pinFile: found.get('pinFile')?.texts[0],
    sections: new Map(
      [...found].flatMap(([key, place]) => {
        const setting = Object.hasOwn(SECTIONS, key) ? SECTIONS[key] : undefined
        if (setting === undefined) return []
        return [[key, { value: parsedBy(key, place, setting.type), where: place.where }] as const]
      }),
    ),
  }
}

type Placed = Pick<FileValue, 'texts' | 'isList'> & { readonly where: string }

/** The value of a setting; `undefined` for keys that are none. */
function parsedValue(key: string, { texts, isList, where }: Placed): unknown {
  const setting = Object.hasOwn(HSM_SETTINGS, `hsm.${key}`)
    ? HSM_SETTINGS[`hsm.${key}` as keyof typeof HSM_SETTINGS]
    : undefined
  if (setting === undefined) return undefined
  return parsedBy(key, { texts, isList, where }, setting.type)
}

/** @throws platform/bad-setting */
function parsedBy(
  key: string,
  { texts, isList, where }: Placed,
  type: SectionTable[string]['type'],
): unknown {
  const value = isList === type.isList || texts.length === 1 ? type.parse(texts) : undefined
  if (value === undefined)
    throw new Fault('platform/bad-setting', {
      detail: `${key}: expected ${type.expects} (${where})`,
    })
  return value
}

function environmentOf(found: Placed | undefined): HsmEnvironment | undefined {
  if (found === undefined) return undefined
  const environment = HSM_ENVIRONMENTS.find((each) => each === found.texts[0])
  if (environment === undefined)
    throw new Fault('platform/bad-setting', {
      detail: `environment: expected one of ${HSM_ENVIRONMENTS.join(', ')} (${found.where})`,
    })
  return environment
}
