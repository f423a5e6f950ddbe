/**
 * Custody policies as plain objects, the form that people write in YAML or JSON: names in camel case or
 * with underscores, what is not said as `model.ts` has it. What stands at the top holds for every role;
 * `roles` refines it for one, but neither lifts a role out of `requireHsmForRoles` nor one that always
 * needs hardware.
 */
import { Fault } from '@quorate/base'
import { Plain, type PlainProblem, type PlainReader, problemText } from '../plain-reader.ts'
import { listOf, readAmount, readBool, readCount, readText, wordOf } from '../plain-values.ts'
import {
  BRIDGE_RULES,
  type BridgeRules,
  CURVES,
  type CustodyPolicy,
  EMERGENCY_RULES,
  type EmergencyRules,
  HARDWARE_ROLES,
  KEY_OPERATIONS,
  KEY_RULES,
  type KeyRules,
  MAX_SIGNING_RATE,
  ROLE_RULES,
  ROLES,
  type RoleRules,
} from './model.ts'

const ROLE = /^[a-z][a-z0-9_]{0,63}$/
const MAX_ROLES = 256
/** Who signs for a bridge unless it is said. */
const BRIDGE_ROLES: readonly string[] = ['transaction_signer']

/** From `min` to `max`. */
const countOf =
  (min: number, max: number): PlainReader<number> =>
  (plain) => {
    const value = readCount(plain)
    if (value === undefined || (value >= min && value <= max)) return value
    return plain.expected(`a whole number from ${min} to ${max}`)
  }

const readRole: PlainReader<string> = (plain) => {
  const text = readText(plain)
  if (text === undefined || ROLE.test(text)) return text
  return plain.expected('the name of a role, such as transaction_signer')
}

/** A list without repetitions of which one member at least is there. */
const readOperations: PlainReader<RoleRules['operations']> = (plain) => {
  const operations = listOf(wordOf(KEY_OPERATIONS))(plain)
  if (operations?.length === 0) return plain.expected(`some of ${KEY_OPERATIONS.join(', ')}`)
  return operations === undefined ? undefined : [...new Set(operations)]
}

type Readers<T> = { readonly [K in keyof T]-?: PlainReader<NonNullable<T[K]>> }

const underscored = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The members by their names in camel case; a name that stands there in both spellings is a problem. */
function membersOf(plain: Plain, names: readonly string[]): ReadonlyMap<string, Plain> | undefined {
  const given = plain.known(names.flatMap((name) => [...new Set([name, underscored(name)])]))
  if (given === undefined) return undefined
  const found = new Map<string, Plain>()
  for (const name of names)
    for (const spelling of new Set([name, underscored(name)])) {
      const member = given.get(spelling)
      if (member === undefined) continue
      if (found.has(name)) member.wrong('it is said twice, in two spellings')
      found.set(name, member)
    }
  return found
}

/** What the members say of `readers`, over `base`. */
function overlaid<T extends object>(
  given: ReadonlyMap<string, Plain>,
  readers: Partial<Readers<T>>,
  base: T,
): T {
  const said = Object.entries<PlainReader<unknown> | undefined>(readers).flatMap(([name, read]) => {
    const member = given.get(name)
    const value = member === undefined ? undefined : read?.(member)
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...base, ...Object.fromEntries(said) }
}

/** An object of exactly these members, each of which may be left out. */
const objectOf =
  <T extends object>(readers: Readers<T>, base: T): PlainReader<T> =>
  (plain) => {
    const given = membersOf(plain, Object.keys(readers))
    return given === undefined ? undefined : overlaid(given, readers, base)
  }

const KEY_READERS: Readers<KeyRules> = {
  defaultBackend: readText,
  extractable: readBool,
  sensitive: readBool,
  size: countOf(1, 4096),
  curve: wordOf(CURVES),
}
const BRIDGE_READERS: Readers<BridgeRules> = {
  nonExportableKeys: readBool,
  minimumSignatures: countOf(0, 1000),
  maximumTransactionValue: readAmount,
  requireProductionMode: readBool,
}
const EMERGENCY_READERS: Readers<EmergencyRules> = {
  maxTransactions: countOf(0, 1_000_000_000),
  maxTimeSeconds: countOf(0, 31_536_000),
  allowedOperations: readOperations,
}

const RULE_NAMES = [
  'operations',
  'allowSoftwareFallback',
  'maxSigningRate',
  'auditAllOperations',
  'keyGeneration',
  'bridge',
] as const

/** What the members say of a role, over `base`. */
const rulesOver = (given: ReadonlyMap<string, Plain>, base: RoleRules): RoleRules =>
  overlaid<RoleRules>(
    given,
    {
      operations: readOperations,
      requireHsm: readBool,
      allowSoftwareFallback: readBool,
      maxSigningRate: countOf(1, MAX_SIGNING_RATE),
      auditAllOperations: readBool,
      keyGeneration: objectOf(KEY_READERS, base.keyGeneration),
      bridge: objectOf<BridgeRules>(BRIDGE_READERS, base.bridge ?? BRIDGE_RULES),
    },
    base,
  )

/** What is wrong with a plain object that should say a custody policy, or the policy. */
export function readCustodyPolicy(
  value: unknown,
): { readonly policy: CustodyPolicy } | { readonly problems: readonly PlainProblem[] } {
  const plain = new Plain(value)
  const given = membersOf(plain, ['v', 'requireHsmForRoles', 'roles', 'emergency', ...RULE_NAMES])
  const bridge = given && bridgeFor(given)
  if (given === undefined) return { problems: plain.problems }
  const version = given.get('v')
  if (version !== undefined && version.value !== 1) version.wrong('v is 1')

  const inHardware = new Set(HARDWARE_ROLES)
  const required = given.get('requireHsmForRoles')
  for (const role of (required && listOf(readRole)(required)) ?? []) inHardware.add(role)
  const common = new Map([...given].filter(([name]) => name !== 'bridge'))
  const base = rulesOver(common, { ...ROLE_RULES, keyGeneration: KEY_RULES })
  const baseOf = (role: string): RoleRules =>
    bridge?.roles.includes(role) === true ? { ...base, bridge: bridge.rules } : base
  const own = ownRules(given.get('roles'), baseOf)
  const names = new Set([...ROLES, ...inHardware, ...(bridge?.roles ?? []), ...own.keys()])
  if (names.size > MAX_ROLES) plain.wrong(`at most ${MAX_ROLES} roles`)
  const roles = [...names].map((name) => {
    const rules = own.get(name) ?? baseOf(name)
    return [name, { ...rules, requireHsm: rules.requireHsm || inHardware.has(name) }] as const
  })
  const emergency = given.get('emergency')
  const read = emergency && objectOf(EMERGENCY_READERS, EMERGENCY_RULES)(emergency)
  if (plain.problems.length > 0) return { problems: plain.problems }
  return { policy: { v: 1, roles: new Map(roles), emergency: read ?? EMERGENCY_RULES } }
}

/** Roles that sign for a bridge, and what they obey besides. */
function bridgeFor(
  given: ReadonlyMap<string, Plain>,
): { readonly roles: readonly string[]; readonly rules: BridgeRules } | undefined {
  const plain = given.get('bridge')
  const members = plain && membersOf(plain, ['roles', ...Object.keys(BRIDGE_READERS)])
  if (members === undefined) return undefined
  const roles = members.get('roles')
  return {
    roles: (roles && listOf(readRole)(roles)) ?? BRIDGE_ROLES,
    rules: overlaid<BridgeRules>(members, BRIDGE_READERS, BRIDGE_RULES),
  }
}

/** Rules of single roles: an object of them, or a list of names that have no rules of their own. */
function ownRules(
  plain: Plain | undefined,
  baseOf: (role: string) => RoleRules,
): ReadonlyMap<string, RoleRules> {
  if (plain === undefined) return new Map()
  if (Array.isArray(plain.value))
    return new Map((listOf(readRole)(plain) ?? []).map((name) => [name, baseOf(name)]))
  return new Map(
    [...(plain.members() ?? [])].flatMap(([name, member]) => {
      if (!ROLE.test(name)) member.wrong('a role is named like transaction_signer')
      const rules = membersOf(member, [...RULE_NAMES, 'requireHsm'])
      return rules === undefined ? [] : [[name, rulesOver(rules, baseOf(name))] as const]
    }),
  )
}

/** The policy that a plain object says. @throws policy/malformed naming the first thing that is wrong */
export function custodyPolicyFromPlain(value: unknown): CustodyPolicy {
  const read = readCustodyPolicy(value)
  if ('policy' in read) return read.policy
  throw new Fault('policy/malformed', { detail: problemText(read.problems[0]!) })
}

/** The plain object that says the policy in full; `custodyPolicyFromPlain` gives the same policy back. */
export function custodyPolicyToPlain({ roles, emergency }: CustodyPolicy): object {
  return {
    v: 1,
    emergency,
    roles: Object.fromEntries(
      [...roles].map(([name, { bridge, ...rules }]) => [
        name,
        { ...rules, ...(bridge !== undefined && { bridge: bridgeToPlain(bridge) }) },
      ]),
    ),
  }
}

const bridgeToPlain = ({ maximumTransactionValue: value, ...rules }: BridgeRules): object => ({
  ...rules,
  ...(value !== undefined && { maximumTransactionValue: String(value) }),
})
