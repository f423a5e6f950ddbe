/** From the sections of a file to what a custody of roles is made of: devices by priority, limits, policy. */
import { Fault, fromUtf8 } from '@quorate/base'
import { readFile } from '@quorate/platform'
import {
  type CustodyPolicy,
  custodyPolicyFromPlain,
  type EmergencyRules,
  ROLES,
} from '@quorate/policy'
import type { SectionValues } from './section.ts'

export type Retries = { readonly maxRetries: number; readonly retryIntervalMs: number }

/** A device besides the one of the file: a URI, or the path of a file of its own. */
export type DeviceSource = string

export type CustodyConfig = {
  readonly name: string
  readonly primary: Retries
  readonly secondary: Retries & { readonly devices: readonly DeviceSource[] }
  readonly emergency: EmergencyRules & { readonly device: DeviceSource | undefined }
  readonly fallback:
    | {
        readonly device: DeviceSource
        readonly isAutomatic: boolean
        readonly timeoutMs: number
        readonly maxOperations: number
      }
    | undefined
  readonly policy: CustodyPolicy
  /** Labels of the keys of roles, of which those without a key get theirs. */
  readonly keys: ReadonlyMap<string, string>
  readonly cacheSize: number | undefined
}

const MAX_POLICY_BYTES = 256 * 1024
const CACHE_SIZE = 1000
/** How soon a device without failover is asked whether it works again. */
const PROBE_MS = 1000

/** Values by key, as their types give them. */
class Sections {
  readonly #values: SectionValues

  constructor(values: SectionValues) {
    this.#values = values
  }

  get<T>(key: string, usual: T): T {
    const found = this.#values.get(key)
    return found === undefined ? usual : (found.value as T)
  }

  find<T>(key: string): T | undefined {
    return this.#values.get(key)?.value as T | undefined
  }

  where(key: string): string {
    return this.#values.get(key)?.where ?? key
  }

  /** Keys of a section that stand in the file. */
  of(section: string): readonly string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(`${section}.`))
  }

  /** A section that says nothing of itself is switched on by what stands in it. */
  isOn(section: string): boolean {
    return this.get(`${section}.enabled`, this.of(section).length > 0)
  }
}

/**
 * For a program that uses one device, and no roles of others: whether policy wants hardware for its own role.
 * @throws hsm/not-yet-supported for a file that asks for more, so that nobody believes in a failover that
 *   is not there
 */
export function needsHardware(values: SectionValues, role: string): boolean {
  const sections = new Sections(values)
  const isFailoverOff = sections.find('failover.enabled') === false
  const parts = ['failover', 'fallback', 'cache', ...(isFailoverOff ? [] : ['emergency'])]
  const key =
    parts.filter((each) => sections.isOn(each)).flatMap((each) => sections.of(each))[0] ??
    sections.of('roles').find((each) => each.endsWith('.key'))
  if (key !== undefined)
    throw new Fault('hsm/not-yet-supported', {
      detail: `${key} (${sections.where(key)}): this program uses one device, without roles`,
    })
  const says = sections.of('policy').length + sections.of('roles').length > 0
  return says && policyOf(sections).policy.roles.get(role)?.requireHsm === true
}

/**
 * What the sections of a file say; where they say nothing: one device, and the usual policy.
 * @throws hsm/bad-config naming the line, policy/malformed, platform/bad-config-file
 */
export function custodyConfigOf(values: SectionValues): CustodyConfig {
  const sections = new Sections(values)
  const hasFailover = sections.find('failover.enabled') !== false
  const hasEmergency = hasFailover ? sections.get('emergency.enabled', true) : false
  const { policy, emergency } = policyOf(sections)
  return {
    name: sections.get('failover.name', 'hsm'),
    primary: retriesOf(sections, hasFailover, 'Primary', 5000),
    secondary: {
      ...retriesOf(sections, hasFailover, 'Secondary', 10_000),
      devices: hasFailover ? sections.get<readonly string[]>('failover.secondary', []) : [],
    },
    emergency: {
      ...emergency,
      device: hasEmergency ? sections.find<string>('emergency.device') : undefined,
    },
    fallback: fallbackOf(sections),
    policy,
    keys: keysOf(sections, policy),
    cacheSize: sections.isOn('cache') ? sections.get('cache.size', CACHE_SIZE) : undefined,
  }
}

const retriesOf = (
  sections: Sections,
  isOn: boolean,
  place: 'Primary' | 'Secondary',
  usualMs: number,
): Retries => ({
  // Where failover is switched off, an operation ends with its first fault.
  maxRetries: isOn ? sections.get(`failover.max${place}Retries`, 3) : 0,
  retryIntervalMs: isOn
    ? sections.get(`failover.${place.toLowerCase()}RetryInterval`, usualMs)
    : PROBE_MS,
})

function fallbackOf(sections: Sections): CustodyConfig['fallback'] {
  if (!sections.isOn('fallback')) return undefined
  const device = sections.find<string>('fallback.device')
  if (device === undefined)
    throw new Fault('hsm/bad-config', {
      detail: `fallback.device is missing: the HSM with software keys, such as software:DIR (${sections.where(sections.of('fallback')[0] ?? 'fallback')})`,
    })
  return {
    device,
    isAutomatic: sections.get('fallback.autoFallbackOnError', true),
    timeoutMs: sections.get('fallback.fallbackTimeout', 5000),
    maxOperations: sections.get('fallback.maxFallbackOperations', 100),
  }
}

/** The values below `prefix`, nested as the keys are. */
function nested(sections: Sections, prefix: string, without: readonly string[]): object {
  const out: { [name: string]: unknown } = {}
  for (const key of sections.of(prefix)) {
    const parts = key.slice(prefix.length + 1).split('.')
    const last = parts.pop() ?? ''
    if (without.includes(last) && parts.length <= 1) continue
    let at = out
    for (const part of parts) {
      at[part] ??= {}
      at = at[part] as typeof out
    }
    at[last] = sections.find(key)
  }
  return out
}

function policyOf(sections: Sections): {
  readonly policy: CustodyPolicy
  readonly emergency: EmergencyRules
} {
  const file = sections.find<string>('policy.file')
  const inline = [...sections.of('policy'), ...sections.of('roles')].find(
    (key) => key !== 'policy.file' && !/^roles\.\w+\.key$/.test(key),
  )
  if (file !== undefined && inline !== undefined)
    throw new Fault('hsm/bad-config', {
      detail: `${inline} (${sections.where(inline)}) belongs into the policy file`,
    })
  const own = sections.get<readonly string[]>('roles.own', [])
  const roles = {
    ...Object.fromEntries(own.map((role) => [role, {}])),
    ...nested(sections, 'roles', ['key', 'own']),
  }
  const plain = {
    ...(file === undefined ? nested(sections, 'policy', []) : policyIn(file)),
    ...(Object.keys(roles).length > 0 && { roles }),
    ...(sections.of('emergency').length > 0 && {
      emergency: nested(sections, 'emergency', ['enabled', 'device']),
    }),
  }
  const policy = custodyPolicyFromPlain(plain)
  return { policy, emergency: policy.emergency }
}

/** @throws platform/bad-config-file for what is no JSON object */
function policyIn(path: string): object {
  const text = fromUtf8(readFile(path, { maxBytes: MAX_POLICY_BYTES }))
  try {
    const value: unknown = JSON.parse(text ?? '')
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Said below, without what stands in the file.
  }
  throw new Fault('platform/bad-config-file', { detail: `${path}: not an object of JSON` })
}

function keysOf(sections: Sections, policy: CustodyPolicy): ReadonlyMap<string, string> {
  const labels = new Map<string, string>()
  for (const role of ROLES) {
    const label = sections.find<string>(`roles.${role}.key`)
    if (label !== undefined && policy.roles.has(role)) labels.set(role, label)
  }
  return labels
}
