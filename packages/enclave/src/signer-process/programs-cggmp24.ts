/** The programs of CGGMP24. Each session of it computes for long enough to be worth a worker. */
import { equalBytes, Fault, type Secret } from '@quorate/base'
import { fromBytesBe } from '@quorate/math'
import {
  type AuxPrimes,
  beginAux,
  beginEcdsaKeygen,
  beginPresign,
  beginSigning,
  decodeAuxInfo,
  decodeKeyShare,
  describeEcdsaKey,
  type EcdsaKey,
  encodeAuxInfo,
  encodeAuxKeys,
  encodePresignature,
  levelOf,
  type Message,
  type Prehash,
  type SharedEcdsaKey,
  type Step,
  validateEcdsaShare,
} from '@quorate/threshold'
import { PRIMES } from './prime-maker.ts'
import type { Environment, Program } from './session-environment.ts'

type AuxInput = {
  /** Suite. */
  readonly level: string
  /** Four, one after the other. */
  readonly primes: Secret<Uint8Array>
}
export type MadeAux = {
  readonly digest: Uint8Array
  /** The public keys of all parties, encoded. */
  readonly public: Uint8Array
  /** An `AuxInfo`, encoded. */
  readonly secrets: Secret<Uint8Array>
}

const aux: Program<AuxInput, MadeAux> = {
  begin({ level: suite, primes }, { sid, self, parties, random }) {
    const level = levelOf(suite)
    const begun = beginAux({ level, sid, parties, self, primes: split(primes.expose()), random })
    return withOutput(begun, (info) => ({
      digest: info.digest,
      public: encodeAuxKeys(level, info.keys),
      secrets: encodeAuxInfo(info),
    }))
  },
}

function split(primes: Uint8Array): AuxPrimes {
  const length = primes.length / PRIMES
  const at = (i: number): bigint => fromBytesBe(primes.subarray(i * length, (i + 1) * length))
  return [at(0), at(1), at(2), at(3)]
}

type KeygenInput = {
  readonly level: string
  readonly threshold: number
  /** Digest of the auxiliary information that the shares are for. */
  readonly aux: Uint8Array
}
export type MadeEcdsaKey = {
  /** What a `WalletKey` says of it. */
  readonly fields: ReturnType<typeof describeEcdsaKey>
  readonly share: Secret<Uint8Array>
}

const described =
  (digest: Uint8Array) =>
  ({ key, share }: SharedEcdsaKey): MadeEcdsaKey => ({
    fields: describeEcdsaKey(key, digest),
    share,
  })

const keygen: Program<KeygenInput, MadeEcdsaKey> = {
  begin({ level, threshold, aux: digest }, { sid, self, parties, random }) {
    const facts = { level: levelOf(level), sid, parties, threshold, aux: digest }
    return withOutput(beginEcdsaKeygen({ ...facts, self, random }), described(digest))
  },
}

type RefreshInput = {
  /** The `KeyShare` to be replaced, encoded. */
  readonly share: Secret<Uint8Array>
  readonly aux: Uint8Array
}

const refresh: Program<RefreshInput, MadeEcdsaKey> = {
  begin({ share: encoded, aux: digest }, environment) {
    const { sid, self, parties, random } = environment
    const { key, secret: oldShare } = openShare(encoded, environment)
    const { level, threshold } = key
    const facts = { level, sid, parties, threshold, aux: digest, refreshes: key }
    return withOutput(beginEcdsaKeygen({ ...facts, self, random, oldShare }), described(digest))
  },
}

export type EcdsaSigningInput = {
  /** A `KeyShare`, encoded. */
  readonly share: Secret<Uint8Array>
  /** The `AuxInfo` that the share names, encoded. */
  readonly aux: Secret<Uint8Array>
  readonly items: readonly {
    readonly message: Message | Prehash
    readonly path: readonly number[]
  }[]
}

/** r ‖ s, 64 bytes each, in the order of the items. */
const sign: Program<EcdsaSigningInput, readonly Uint8Array[]> = {
  begin({ share: encoded, aux: encodedAux, items }, environment) {
    const { sid, self, parties, random } = environment
    const { key, secret: share, aux: named } = openShare(encoded, environment)
    const { keys, own, digest } = decodeAuxInfo(encodedAux.expose())
    if (!equalBytes(named, digest)) throw new Fault('threshold/inconsistent-share')
    const facts = { level: key.level, sid, signers: parties, key, aux: keys }
    return withOutput(beginSigning({ ...facts, self, own, share, random, items }), (signatures) =>
      signatures.map(({ bytes }) => bytes),
    )
  },
}

type PresignInput = Pick<EcdsaSigningInput, 'share' | 'aux'> & { readonly count: number }
export type MadePresignature = {
  /** What everybody knows of it, encoded. */
  readonly public: Uint8Array
  readonly secrets: Secret<Uint8Array>
}

/** Presignatures of the group key itself. */
const presign: Program<PresignInput, readonly MadePresignature[]> = {
  begin({ share: encoded, aux: encodedAux, count }, environment) {
    const { sid, self, parties, random } = environment
    const { key, secret: share, aux: named } = openShare(encoded, environment)
    const { keys, own, digest } = decodeAuxInfo(encodedAux.expose())
    if (!equalBytes(named, digest)) throw new Fault('threshold/inconsistent-share')
    const items = Array.from({ length: count }, () => ({ path: [] }))
    const facts = { level: key.level, sid, signers: parties, key, aux: keys, items }
    return withOutput(beginPresign({ ...facts, self, own, share, random }), (made) =>
      made.map((each) => ({ public: encodePresignature(each.public), secrets: each.moveOut() })),
    )
  },
}

type OpenedShare = {
  readonly key: EcdsaKey
  readonly secret: Secret<Uint8Array>
  /** Digest of the auxiliary information that it signs with. */
  readonly aux: Uint8Array
}

function openShare(encoded: Secret<Uint8Array>, { keep }: Environment): OpenedShare {
  const share = decodeKeyShare(encoded.expose())
  const secret = keep(share.secret)
  return { key: validateEcdsaShare(share), secret, aux: share.key.aux! }
}

/** The same protocol with its output turned into plain data. */
export function withOutput<In, Out>(step: Step<In>, turn: (output: In) => Out): Step<Out> {
  if (step.kind === 'done') return { ...step, output: turn(step.output) }
  const { round } = step
  return {
    ...step,
    round: {
      ...round,
      advance: () => withOutput(round.advance(), turn),
      [Symbol.dispose]: () => round[Symbol.dispose]?.(),
    },
  }
}

export const CGGMP24_PROGRAMS = {
  'cggmp24-aux': aux,
  'cggmp24-keygen': keygen,
  'cggmp24-refresh': refresh,
  'cggmp24-sign': sign,
  'cggmp24-presign': presign,
} as const
