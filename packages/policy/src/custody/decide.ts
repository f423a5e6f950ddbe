/**
 * The decision on one use of a role's key. Every rule that has something to say gives its reason; one that
 * does not hold denies, whatever the others say, and a role that the policy does not have is denied.
 * What is not known counts against the use where a rule asks for it.
 */
import { Fault } from '@quorate/base'
import type { Decision, Reason } from '../decision.ts'
import {
  type BridgeRules,
  type CustodyLevel,
  type CustodyPolicy,
  type EmergencyRules,
  HARDWARE_ROLES,
  type KeyOperation,
  type Place,
  type RoleRules,
} from './model.ts'

export type CustodyFacts = {
  readonly role: string
  readonly operation: KeyOperation
  readonly environment: 'development' | 'staging' | 'production'
  /** Why the role is locked, where it is. */
  readonly lockedBecause?: string | undefined
  /** Signatures of the role within the last second, this one not among them; `Infinity` where that is not known. */
  readonly recentSignatures?: number
  /** The device that would do it; absent while none is chosen. */
  readonly device?: { readonly place: Place; readonly custody: CustodyLevel }
  /** What was used of the present emergency; asked for where `device` is the emergency one. */
  readonly emergency?: { readonly used: number; readonly elapsedMs: number }
  /** What is left of the software fallback; asked for where `device` holds software keys. */
  readonly fallback?: { readonly isEnabled: boolean; readonly left: number }
  /** The key that was made for the role. */
  readonly key?: {
    readonly isExtractable: boolean
    readonly isSensitive: boolean
    readonly bits: number
  }
  /** Of a role with bridge rules: what is to be signed. */
  readonly transaction?: {
    readonly value?: bigint | undefined
    /** Valid signatures of others that it has already. */
    readonly signatures: number
  }
}

/** Without approvals and delays: a key is used now, or it is not. */
export type CustodyDecision = Pick<Decision, 'rule' | 'reasons'> & {
  readonly decision: 'allow' | 'deny'
}

type Finding = { readonly holds: boolean; readonly because: string }
type Check = (
  rules: RoleRules,
  facts: CustodyFacts,
  emergency: EmergencyRules,
) => Finding | undefined

const yes = (because: string): Finding => ({ holds: true, because })
const no = (because: string): Finding => ({ holds: false, because })

/** In the order in which they are told; each is silent on what it has nothing to say to. */
const CHECKS: readonly (readonly [rule: string, check: Check])[] = [
  [
    'lock',
    (_rules, { lockedBecause }) =>
      lockedBecause === undefined ? undefined : no(`The role is locked: ${lockedBecause}.`),
  ],
  [
    'operation',
    ({ operations }, { operation }) =>
      operations.includes(operation)
        ? yes(`Keys of the role may ${operation}.`)
        : no(`Keys of the role may not ${operation}.`),
  ],
  ['rate', rate],
  ['hardware', hardware],
  ['emergency', inEmergency],
  ['software-fallback', inSoftware],
  ['key-attributes', keyAttributes],
  ['production-mode', productionMode],
  ['quorum', quorum],
  ['transaction-value', transactionValue],
]

function rate({ maxSigningRate }: RoleRules, { operation, recentSignatures }: CustodyFacts) {
  if (operation !== 'sign' || recentSignatures === undefined) return undefined
  if (!Number.isFinite(recentSignatures))
    return no('How fast the role has been signing is not known yet, a second after a restart.')
  return recentSignatures < maxSigningRate
    ? yes(`It is one of at most ${maxSigningRate} signatures a second.`)
    : no(
        `The role has made ${recentSignatures} signatures within a second, and may make ${maxSigningRate}.`,
      )
}

/** A role that needs hardware is kept from the last resorts even where these claim to be hardware. */
function hardware({ requireHsm }: RoleRules, { role, device }: CustodyFacts) {
  const isNeeded = requireHsm || HARDWARE_ROLES.includes(role)
  if (!isNeeded || device === undefined) return undefined
  const { place, custody } = device
  if (place === 'emergency' || place === 'software')
    return no(`The role needs hardware, and never goes to the ${place} device.`)
  return custody === 'hardware'
    ? yes('The role needs hardware, and the device is.')
    : no(`The role needs hardware, and the device is ${custody}.`)
}

function inEmergency(
  _rules: RoleRules,
  { device, operation, emergency }: CustodyFacts,
  { allowedOperations, maxTransactions, maxTimeSeconds }: EmergencyRules,
) {
  if (device?.place !== 'emergency') return undefined
  if (!allowedOperations.includes(operation))
    return no(`In an emergency keys may ${allowedOperations.join(', ')}, not ${operation}.`)
  const { used = 0, elapsedMs = 0 } = emergency ?? {}
  if (used >= maxTransactions)
    return no(`All ${maxTransactions} operations of this emergency are used.`)
  return elapsedMs < maxTimeSeconds * 1000
    ? yes(`It is within the limits of an emergency, ${used} of ${maxTransactions} being used.`)
    : no(`The ${maxTimeSeconds} seconds of this emergency are over.`)
}

function inSoftware({ allowSoftwareFallback }: RoleRules, { device, fallback }: CustodyFacts) {
  if (device?.place !== 'software') return undefined
  if (!allowSoftwareFallback) return no('The role does not fall back to software keys.')
  if (fallback?.isEnabled !== true) return no('The fallback to software keys is switched off.')
  return fallback.left > 0
    ? yes(`The role may fall back to software keys, ${fallback.left} times more.`)
    : no('The operations of the fallback to software keys are used up.')
}

function keyAttributes({ keyGeneration, bridge }: RoleRules, { key }: CustodyFacts) {
  if (key === undefined) return undefined
  const staysInside = !keyGeneration.extractable || bridge?.nonExportableKeys === true
  if (staysInside && key.isExtractable)
    return no('The secret part of the key can leave its device.')
  if (keyGeneration.sensitive && !key.isSensitive)
    return no('The device would reveal the secret part of the key.')
  return key.bits >= keyGeneration.size
    ? yes('The key has the attributes that are asked for.')
    : no(`The key has ${key.bits} bits, and ${keyGeneration.size} are asked for.`)
}

function productionMode({ bridge }: RoleRules, { operation, environment }: CustodyFacts) {
  const makesKeys = operation === 'generate' || operation === 'import'
  if (bridge?.requireProductionMode !== true || !makesKeys) return undefined
  return environment === 'production'
    ? yes('Keys of a bridge are made in production.')
    : no(`Keys of a bridge are made in production, and this is ${environment}.`)
}

const signsForBridge = (
  { bridge }: RoleRules,
  { operation }: CustodyFacts,
): BridgeRules | undefined => (operation === 'sign' ? bridge : undefined)

function quorum(rules: RoleRules, facts: CustodyFacts) {
  const bridge = signsForBridge(rules, facts)
  if (bridge === undefined) return undefined
  const { minimumSignatures } = bridge
  const have = facts.transaction?.signatures ?? 0
  return have >= minimumSignatures
    ? yes(`The transaction has ${have} signatures of others, ${minimumSignatures} are asked for.`)
    : no(
        `The transaction has ${have} signatures of others, and ${minimumSignatures} are asked for.`,
      )
}

function transactionValue(rules: RoleRules, facts: CustodyFacts) {
  const maximum = signsForBridge(rules, facts)?.maximumTransactionValue
  if (maximum === undefined) return undefined
  const value = facts.transaction?.value
  if (value === undefined) return no('The value of the transaction is not known.')
  return value <= maximum
    ? yes(`The value of the transaction is at most ${maximum}.`)
    : no(`The value of the transaction is more than ${maximum}.`)
}

/** What the policy says to this use of a key. Pure: the same facts always give the same answer. */
export function decideCustody(policy: CustodyPolicy, facts: CustodyFacts): CustodyDecision {
  const rules = policy.roles.get(facts.role)
  if (rules === undefined)
    return {
      decision: 'deny',
      rule: 'role',
      reasons: [{ rule: 'role', matched: true, because: 'The policy has no such role.' }],
    }
  const reasons: Reason[] = []
  let denying: string | undefined
  for (const [rule, check] of CHECKS) {
    const finding = check(rules, facts, policy.emergency)
    if (finding === undefined) continue
    reasons.push({ rule, matched: !finding.holds, because: finding.because })
    if (!finding.holds) denying ??= rule
  }
  return denying === undefined
    ? { decision: 'allow', rule: 'role', reasons }
    : { decision: 'deny', rule: denying, reasons }
}

/** @throws policy/rate-limited, policy/role-denied naming rule and reason, unless the decision is to allow */
export function checkCustodyAllowed({ decision, rule, reasons }: CustodyDecision): void {
  if (decision === 'allow') return
  const because = reasons.find((each) => each.rule === rule)?.because.replace(/\.$/, '')
  throw new Fault(rule === 'rate' ? 'policy/rate-limited' : 'policy/role-denied', {
    detail: `${rule}: ${because}`,
  })
}
