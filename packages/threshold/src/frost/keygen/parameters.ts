/**
 * What all parties of a key generation know before it begins: threshold, and everyone's host keys in
 * the order of parties. A refresh is the same thing for polynomials whose constant term is zero:
 * f(x) = x·g(x) with t−1 coefficients in g, so no dealing can move the key.
 */
import {
  type Branded,
  concatBytes,
  Fault,
  isFault,
  type Secret,
  TAGS,
  tagged,
  toHex,
} from '@quorate/base'
import {
  type Commitment,
  type Element,
  evaluate,
  evaluateCommitment,
  mod,
  type Polynomial,
} from '@quorate/math'
import { MAX_PARTIES } from '../../session/party.ts'
import { type DkgSuite, uint32 } from './suite.ts'

type Checked = {
  readonly suite: DkgSuite
  readonly threshold: number
  /** Encoded, of party 1 first. */
  readonly hostKeys: readonly Uint8Array[]
  readonly hostElements: readonly Element[]
  /** Digest of the generation that is refreshed (32 bytes); absent where a new key is made. */
  readonly refreshes: Uint8Array | undefined
  /** Number of coefficients that each party commits to. */
  readonly coefficients: number
  /** What every encryption is bound to. */
  readonly context: Uint8Array
}
export type DkgParameters = Branded<Checked, 'DkgParameters'>

export type DkgParametersInput = {
  readonly suite: DkgSuite
  readonly threshold: number
  readonly hostKeys: readonly Uint8Array[]
  readonly refreshes?: Uint8Array
}

/**
 * Checked parameters: 1 ≤ threshold ≤ number of host keys ≤ 50, every host key valid and no two alike.
 * @throws threshold/bad-parameters, threshold/bad-host-key, threshold/duplicate-host-key
 */
export function dkgParameters({
  suite,
  threshold,
  hostKeys,
  refreshes,
}: DkgParametersInput): DkgParameters {
  const n = hostKeys.length
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > n || n > MAX_PARTIES)
    throw new Fault('threshold/bad-parameters', {
      detail: `threshold ${threshold} of ${n} parties`,
    })
  if (refreshes !== undefined && threshold === 1)
    throw new Fault('threshold/bad-parameters', {
      detail: 'every share of a 1-of-n key is the key itself, which a refresh keeps',
    })
  const hostElements = hostKeys.map((key, i) => decodeHostKey(suite, key, i))
  const seen = new Map<string, number>()
  for (const [i, key] of hostKeys.entries()) {
    const other = seen.get(toHex(key))
    if (other !== undefined)
      throw new Fault('threshold/duplicate-host-key', {
        detail: `parties ${other + 1} and ${i + 1}`,
      })
    seen.set(toHex(key), i)
  }
  const context = concatBytes(
    uint32(threshold),
    ...hostKeys,
    refreshes === undefined ? new Uint8Array() : tagged(TAGS.refresh, refreshes),
  )
  const coefficients = refreshes === undefined ? threshold : threshold - 1
  const checked: Checked = {
    suite,
    threshold,
    hostKeys,
    hostElements,
    refreshes,
    coefficients,
    context,
  }
  return checked as DkgParameters
}

function decodeHostKey({ group }: DkgSuite, key: Uint8Array, index: number): Element {
  try {
    return group.decode(key)
  } catch (cause) {
    throw new Fault('threshold/bad-host-key', {
      detail: `host public key of party ${index + 1}`,
      cause,
    })
  }
}

/** A digest of threshold and host keys (32 bytes) for people to compare. */
export const parametersHash = ({ suite, context }: DkgParameters): Uint8Array =>
  suite.hash('parameters', context)

/** The public key of a host secret key (32 bytes, a scalar of the suite's group). Treats it as secret. @throws threshold/bad-host-key */
export const hostPublicKey = ({ group }: DkgSuite, hostSecret: Uint8Array): Uint8Array =>
  group.encode(group.mulBase(hostScalar(group, hostSecret)))

/** The scalar of a host secret key. @throws threshold/bad-host-key */
export function hostScalar(group: DkgSuite['group'], hostSecret: Uint8Array): bigint {
  try {
    const d = group.decodeScalar(hostSecret)
    if (d !== 0n) return d
  } catch (cause) {
    if (!isFault(cause)) throw cause
  }
  throw new Fault('threshold/bad-host-key', { detail: 'host secret key' })
}

/** The index of the party whose host key this is. @throws threshold/bad-host-key */
export function indexOfHostKey(
  { suite, hostKeys }: DkgParameters,
  hostSecret: Secret<Uint8Array>,
): number {
  const own = toHex(hostPublicKey(suite, hostSecret.expose()))
  const index = hostKeys.findIndex((key) => toHex(key) === own)
  if (index < 0)
    throw new Fault('threshold/bad-host-key', { detail: 'its public key is none of the session' })
  return index
}

/** The share of party `index` of a dealt polynomial. Treats the coefficients as secret. */
export function shareFor(
  { suite, refreshes }: DkgParameters,
  polynomial: Polynomial,
  index: number,
): bigint {
  const x = BigInt(index + 1)
  const { order } = suite.group
  const value = evaluate(polynomial, x, order)
  return refreshes === undefined ? value : mod(x * value, order)
}

/** That share times G, from the commitment. Variable-time: public inputs only. */
export function publicShareFor(
  { suite: { group }, refreshes }: DkgParameters,
  commitment: Commitment,
  index: number,
): Element {
  const x = BigInt(index + 1)
  const value = evaluateCommitment(group, commitment, x)
  return refreshes === undefined ? value : group.mul(x, value)
}
