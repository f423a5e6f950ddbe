/**
 * What clients ask of a cluster, as the bytes that are hashed and signed: an intent to sign one
 * transaction, a new wallet, a refresh. Each has an absolute expiry and its own id.
 *
 * Nodes never sign a digest that a client supplies: an intent carries the exact unsigned bytes and
 * the context needed to read them, and every node parses them itself.
 */
import {
  array,
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  Fault,
  field,
  type Id,
  int,
  mapped,
  oneOf,
  optional,
  record,
  TAGS,
  taggedHash,
  text,
} from '@quorate/base'
import { generation, hash32, id, name, slug, timeMs, VERSION_KEY, versioned } from './format.ts'
import { PROTOCOLS, type Protocol } from './protocol.ts'

export const MAX_UNSIGNED_BYTES: number = 1 << 20
export const MAX_CONTEXT_BYTES: number = 1 << 20
export const MAX_PARAMS_BYTES: number = 1 << 16
/** Of an encoded intent: both byte strings and room for the rest. */
export const MAX_INTENT_BYTES: number = MAX_UNSIGNED_BYTES + MAX_CONTEXT_BYTES + (1 << 12)
/** Longest time between a request's making and its expiry. */
export const MAX_LIFETIME_MS: number = 5 * 60_000
/** The same for a request that makes shares: those of an ECDSA key need primes, which take minutes on a slow machine. */
export const MAX_MAKING_MS: number = 15 * 60_000
/** The same for a request that waits for approvals or for a delay. */
export const MAX_WAIT_MS: number = 24 * 60 * 60_000
/** How far a client's clock may be from ours. */
export const ALLOWED_SKEW_MS = 30_000
/** Of a signed grant for a blind wallet. */
export const MAX_GRANT_BYTES = 8192
/** Largest cluster. */
export const MAX_PARTIES = 50

/** The times that every request carries, in milliseconds since the Unix epoch. */
export type Lifetime = { readonly createdAt: number; readonly expiresAt: number }

/** The wish that a wallet signs one transaction. */
export type Intent = Lifetime & {
  readonly v: 1
  readonly requestId: Id<'req'>
  readonly project: Id<'prj'>
  readonly wallet: Id<'wal'>
  /** Of the wallet's shares; a node whose shares are of another one refuses. */
  readonly generation: number
  /** Slug; it also names the adapter that reads `unsigned`. */
  readonly network: string
  /** The exact unsigned transaction in the network's own encoding. */
  readonly unsigned: Uint8Array
  /** What the transaction alone does not tell: canonical CBOR whose structure the adapter defines. */
  readonly context: Uint8Array
  /** Non-hardened derivation steps below the wallet's key; empty for the key itself. */
  readonly path: readonly number[]
  /** Of the policy that the client expects to be in force. */
  readonly policyHash: Uint8Array
}

/** The wish for a new wallet, made by all parties together. */
export type WalletRequest = Lifetime & {
  readonly v: 1
  readonly requestId: Id<'req'>
  readonly project: Id<'prj'>
  readonly label: string
  readonly protocol: Protocol
  /** Exact and versioned, e.g. `FROST-ED25519-SHA512-v1`. */
  readonly suite: string
  readonly network: string
  /** Number of signers needed. */
  readonly threshold: number
  /** Number of parties that hold a share. */
  readonly parties: number
  readonly policy: PolicyChoice
  /** Accepts a threshold at which two signer sets need not meet. */
  readonly unsafeThreshold: boolean
  /** For a wallet that may sign digests: the administrators' signed grant (`blind-grant.ts`). */
  readonly blindGrant?: Uint8Array | undefined
}

/** A policy template by name, with its parameters as canonical CBOR that the template defines. */
export type PolicyChoice = { readonly template: string; readonly params: Uint8Array }

/** The wish for new shares of the same key among the same parties. */
export type RefreshRequest = Lifetime & {
  readonly v: 1
  readonly requestId: Id<'req'>
  readonly project: Id<'prj'>
  readonly wallet: Id<'wal'>
  /** The generation to leave. */
  readonly generation: number
}

/**
 * Refuses a threshold outside 2 ≤ t ≤ n ≤ 50, and one below ⌊n/2⌋+1 unless `unsafeThreshold` is set:
 * below a majority two signer sets may have no party in common, so no limit holds across both.
 * @throws api/bad-threshold, api/unsafe-threshold
 */
export function checkThreshold(
  choice: Pick<WalletRequest, 'threshold' | 'parties' | 'unsafeThreshold'>,
): void {
  const { threshold, parties, unsafeThreshold } = choice
  const isWhole = Number.isInteger(threshold) && Number.isInteger(parties)
  if (!isWhole || threshold < 2 || threshold > parties || parties > MAX_PARTIES)
    throw new Fault('api/bad-threshold', { detail: `${threshold} of ${parties}` })
  const majority = Math.floor(parties / 2) + 1
  if (threshold < majority && !unsafeThreshold)
    throw new Fault('api/unsafe-threshold', {
      detail: `${threshold} of ${parties}; a majority is ${majority}`,
    })
}

/**
 * Refuses a request that is over, not begun, or meant to live longer than `maxMs`.
 * `now` in milliseconds since the Unix epoch; clocks may differ by `ALLOWED_SKEW_MS`.
 * @throws api/lifetime, api/expired, api/from-the-future
 */
export function checkLifetime(
  { createdAt, expiresAt }: Lifetime,
  now: number,
  maxMs: number = MAX_LIFETIME_MS,
): void {
  const lifetime = expiresAt - createdAt
  if (lifetime <= 0 || lifetime > maxMs)
    throw new Fault('api/lifetime', { detail: `it would live ${lifetime} ms` })
  if (now > expiresAt + ALLOWED_SKEW_MS)
    throw new Fault('api/expired', { detail: `${now - expiresAt} ms ago` })
  if (createdAt > now + ALLOWED_SKEW_MS)
    throw new Fault('api/from-the-future', { detail: `${createdAt - now} ms ahead` })
}

export const intentCodec: Codec<Intent> = versioned(
  1,
  record({
    v: field(VERSION_KEY, oneOf(1)),
    requestId: field(1, id('req')),
    project: field(2, id('prj')),
    wallet: field(3, id('wal')),
    generation: field(4, generation),
    network: field(5, slug),
    unsigned: field(6, bytes({ min: 1, max: MAX_UNSIGNED_BYTES })),
    context: field(7, bytes({ max: MAX_CONTEXT_BYTES })),
    path: field(8, array(int(0, 0x7fffffff), { max: 10 })),
    policyHash: field(9, hash32),
    createdAt: field(10, timeMs),
    expiresAt: field(11, timeMs),
  }),
)

const policyChoice: Codec<PolicyChoice> = record({
  template: field(1, name),
  params: field(2, bytes({ max: MAX_PARAMS_BYTES })),
})

function withSoundThreshold(request: WalletRequest): WalletRequest {
  checkThreshold(request)
  return request
}

/** Its values keep `checkThreshold`, whichever way they come. */
export const walletRequestCodec: Codec<WalletRequest> = mapped(
  versioned(
    1,
    record({
      v: field(VERSION_KEY, oneOf(1)),
      requestId: field(1, id('req')),
      project: field(2, id('prj')),
      label: field(3, name),
      protocol: field(4, oneOf(...PROTOCOLS)),
      suite: field(5, text(64, /^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/)),
      network: field(6, slug),
      threshold: field(7, int()),
      parties: field(8, int()),
      policy: field(9, policyChoice),
      unsafeThreshold: field(10, bool),
      createdAt: field(11, timeMs),
      expiresAt: field(12, timeMs),
      blindGrant: optional(13, bytes({ min: 1, max: MAX_GRANT_BYTES })),
    }),
  ),
  withSoundThreshold,
  withSoundThreshold,
)

export const refreshRequestCodec: Codec<RefreshRequest> = versioned(
  1,
  record({
    v: field(VERSION_KEY, oneOf(1)),
    requestId: field(1, id('req')),
    project: field(2, id('prj')),
    wallet: field(3, id('wal')),
    generation: field(4, generation),
    createdAt: field(5, timeMs),
    expiresAt: field(6, timeMs),
  }),
)

/** The canonical bytes. @throws base/malformed */
export const encodeIntent = (intent: Intent): Uint8Array => encode(intentCodec, intent)

/** @throws base/too-large, base/malformed, base/not-canonical, base/bad-id, base/unknown-version */
export const decodeIntent = (encoded: Uint8Array): Intent =>
  decode(intentCodec, encoded, { maxBytes: MAX_INTENT_BYTES })

/** What approvals and logs name an intent by: 32 bytes over its canonical encoding. */
export const intentHash = (intent: Intent): Uint8Array =>
  taggedHash(TAGS.intentHash, encodeIntent(intent))
