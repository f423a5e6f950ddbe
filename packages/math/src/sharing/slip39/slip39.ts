/**
 * SLIP-39: a secret split into shares of words, in two levels. A threshold of groups gives the secret, and a
 * threshold of its members gives the share of a group. A digest inside tells whether the shares fit together.
 *
 * Spec: https://github.com/satoshilabs/slips/blob/master/slip-0039.md
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, Fault, type Random, utf8, wipe } from '@quorate/base'
import { decryptMaster, encryptMaster } from './cipher.ts'
import { interpolate, type Point } from './gf256.ts'
import { formatShare, parseShare, type Share } from './share.ts'

const MAX_SHARES = 16
const DIGEST_BYTES = 4
const DIGEST_AT = 254
const SECRET_AT = 255
const MIN_SECRET_BYTES = 16
const MAX_SECRET_BYTES = 64

export type GroupShape = { readonly threshold: number; readonly members: number }

export type SplitOptions = {
  /** Groups that are needed. */
  readonly groupThreshold: number
  readonly groups: readonly GroupShape[]
  /** Printable ASCII; none unless told. */
  readonly passphrase?: string
  /** PBKDF2 runs 10000·2ᵉ times in all; 1 unless told. */
  readonly iterationExponent?: number
  /** Whether further sets of the same secret may be made later under other identifiers; true unless told. */
  readonly isExtendable?: boolean
  readonly random: Random
}

const refuse = (detail: string): never => {
  throw new Fault('math/bad-shares', { detail })
}

const isCount = (value: number, max: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= max

function passphraseBytes(passphrase: string): Uint8Array {
  return /^[\x20-\x7e]*$/.test(passphrase) ? utf8(passphrase) : refuse('a passphrase is ASCII')
}

const digestOf = (secret: Uint8Array, random: Uint8Array): Uint8Array =>
  hmac(sha256, random, secret).subarray(0, DIGEST_BYTES)

/** Points 0 … count−1 of polynomials of degree threshold−1 through the secret. Treats it as secret. */
function split(
  threshold: number,
  count: number,
  secret: Uint8Array,
  random: Random,
): readonly Point[] {
  if (threshold === 1) return Array.from({ length: count }, (_, x) => ({ x, y: secret.slice() }))
  const free = Array.from({ length: threshold - 2 }, (_, x) => ({
    x,
    y: random.bytes(secret.length),
  }))
  const filler = random.bytes(secret.length - DIGEST_BYTES)
  const base = [
    ...free,
    { x: DIGEST_AT, y: concatBytes(digestOf(secret, filler), filler) },
    { x: SECRET_AT, y: secret },
  ]
  wipe(filler)
  const rest = Array.from({ length: count - free.length }, (_, i) => {
    const x = free.length + i
    return { x, y: interpolate(base, x) }
  })
  wipe(base.find(({ x }) => x === DIGEST_AT)?.y)
  return [...free, ...rest]
}

/** @throws math/bad-shares where the points are not of one secret */
function join(threshold: number, points: readonly Point[]): Uint8Array {
  const [first] = points
  if (first === undefined) return refuse('no shares')
  if (threshold === 1) return first.y.slice()
  const secret = interpolate(points, SECRET_AT)
  const check = interpolate(points, DIGEST_AT)
  const isSound = equalBytes(
    check.subarray(0, DIGEST_BYTES),
    digestOf(secret, check.subarray(DIGEST_BYTES)),
  )
  wipe(check)
  if (isSound) return secret
  wipe(secret)
  return refuse('they are not shares of one secret')
}

/**
 * The words of every share, group by group. `secret`: 16 to 64 bytes, an even number. Treats it as secret.
 * @throws math/bad-shares for a shape that the standard does not have
 */
export function splitMnemonics(
  secret: Uint8Array,
  options: SplitOptions,
): readonly (readonly string[])[] {
  const { groupThreshold, groups, random, iterationExponent = 1, isExtendable = true } = options
  if (
    secret.length < MIN_SECRET_BYTES ||
    secret.length > MAX_SECRET_BYTES ||
    secret.length % 2 !== 0
  )
    refuse('a secret has 16 to 64 bytes, an even number')
  if (!isCount(groups.length, MAX_SHARES) || !isCount(groupThreshold, groups.length))
    refuse('1 to 16 groups, and no more needed than there are')
  for (const { threshold, members } of groups) {
    if (!isCount(members, MAX_SHARES) || !isCount(threshold, members))
      refuse('1 to 16 members, and no more needed than there are')
    if (threshold === 1 && members > 1) refuse('a threshold of 1 has one member')
  }
  if (!Number.isInteger(iterationExponent) || iterationExponent < 0 || iterationExponent > 15)
    refuse('an iteration exponent is 0 to 15')
  const [high = 0, low = 0] = random.bytes(2)
  const identifier = ((high << 8) | low) & 0x7fff
  const passphrase = passphraseBytes(options.passphrase ?? '')
  const common = { identifier, isExtendable, iterationExponent }
  const encrypted = encryptMaster(secret, { ...common, passphrase })
  const groupSecrets = split(groupThreshold, groups.length, encrypted, random)
  const words = groups.map(({ threshold, members }, groupIndex) => {
    const points = split(threshold, members, groupSecrets[groupIndex]!.y, random)
    return points.map(({ x, y }) => {
      const share: Share = {
        ...common,
        groupIndex,
        groupThreshold,
        groupCount: groups.length,
        memberIndex: x,
        memberThreshold: threshold,
        value: y,
      }
      const text = formatShare(share)
      wipe(y)
      return text
    })
  })
  wipe(encrypted, ...groupSecrets.map(({ y }) => y))
  return words
}

/**
 * The secret that the shares were made of, where there are exactly as many groups and members as are needed.
 * Wipe it. A wrong passphrase gives another secret, without an error.
 * @throws math/bad-share for words that are no share, math/bad-shares for shares that do not fit together
 */
export function combineMnemonics(mnemonics: readonly string[], passphrase = ''): Uint8Array {
  const shares = mnemonics.map(parseShare)
  const [first] = shares
  if (first === undefined) return refuse('no shares')
  for (const share of shares)
    if (
      share.identifier !== first.identifier ||
      share.isExtendable !== first.isExtendable ||
      share.iterationExponent !== first.iterationExponent ||
      share.groupThreshold !== first.groupThreshold ||
      share.groupCount !== first.groupCount ||
      share.value.length !== first.value.length
    )
      refuse('they are not of one set')
  const groups = new Map<number, Share[]>()
  for (const share of shares)
    groups.set(share.groupIndex, [...(groups.get(share.groupIndex) ?? []), share])
  if (groups.size !== first.groupThreshold)
    refuse(`${first.groupThreshold} groups are needed, ${groups.size} are there`)
  const points = [...groups].map(([x, members]) => ({ x, y: joinGroup(members) }))
  const encrypted = join(first.groupThreshold, points)
  const secret = decryptMaster(encrypted, { ...first, passphrase: passphraseBytes(passphrase) })
  wipe(encrypted, ...points.map(({ y }) => y), ...shares.map(({ value }) => value))
  return secret
}

function joinGroup(members: readonly Share[]): Uint8Array {
  const threshold = members[0]!.memberThreshold
  if (members.some(({ memberThreshold }) => memberThreshold !== threshold))
    refuse('they are not of one group')
  if (new Set(members.map(({ memberIndex }) => memberIndex)).size !== members.length)
    refuse('a share is there twice')
  if (members.length !== threshold)
    refuse(`${threshold} shares of a group are needed, ${members.length} are there`)
  return join(
    threshold,
    members.map(({ memberIndex, value }) => ({ x: memberIndex, y: value })),
  )
}
