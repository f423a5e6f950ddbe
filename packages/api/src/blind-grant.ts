/**
 * A blind grant: the administrators' word that one wallet may sign digests, which nobody can read. Such
 * a wallet is made blind or never becomes so. `adminThreshold` administrators of the cluster record in
 * force sign the label, key and policy that it will have; each node checks that before it makes a key.
 */
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  type Id,
  int,
  oneOf,
  record,
  type Signer,
  TAGS,
  tagged,
  text,
} from '@quorate/base'
import { hash32, id, name, signature64, slug, timeMs, VERSION_KEY, versioned } from './format.ts'
import { MAX_GRANT_BYTES, MAX_PARTIES } from './intent.ts'
import type { VerifySignature } from './request.ts'

/** The longest time between a grant's making and its use. */
export const MAX_GRANT_MS: number = 30 * 86_400_000

export type BlindGrant = {
  readonly v: 1
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  readonly project: Id<'prj'>
  readonly label: string
  readonly network: string
  /** Exact. */
  readonly suite: string
  readonly threshold: number
  /** Of the wallet's first policy, 32 bytes: it says who may ask for digests. */
  readonly policyHash: Uint8Array
  /** No wallet is made with it from then on. */
  readonly expiresAt: number
}

export type SignedBlindGrant = {
  /** Canonical bytes of the grant, exactly as signed. */
  readonly grant: Uint8Array
  readonly signatures: readonly { readonly admin: string; readonly signature: Uint8Array }[]
}

const grantCodec: Codec<BlindGrant> = versioned(
  1,
  record({
    v: field(VERSION_KEY, oneOf(1)),
    cluster: field(1, hash32),
    project: field(2, id('prj')),
    label: field(3, name),
    network: field(4, slug),
    suite: field(5, text(64)),
    threshold: field(6, int(1, MAX_PARTIES)),
    policyHash: field(7, hash32),
    expiresAt: field(8, timeMs),
  }),
)

const signedCodec: Codec<SignedBlindGrant> = record({
  grant: field(1, bytes({ max: 1024 })),
  signatures: field(
    2,
    array(record({ admin: field(1, name), signature: field(2, signature64) }), { max: 50 }),
  ),
})

/** The canonical bytes of a grant that nobody has signed yet. @throws base/malformed */
export const encodeBlindGrant = (grant: BlindGrant): Uint8Array => encode(grantCodec, grant)

/** @throws base/malformed, base/not-canonical, base/unknown-version */
export const decodeBlindGrant = (encoded: Uint8Array): BlindGrant =>
  decode(grantCodec, encoded, { maxBytes: 1024 })

/** One administrator's signature under a grant. */
export const signBlindGrant = async (
  grant: Uint8Array,
  admin: string,
  signer: Signer,
): Promise<SignedBlindGrant['signatures'][number]> => ({
  admin,
  signature: await signer.sign(tagged(TAGS.blindGrant, grant)),
})

/** @throws base/malformed */
export const encodeSignedGrant = (signed: SignedBlindGrant): Uint8Array =>
  encode(signedCodec, signed)

/** Nothing is verified yet. @throws base/too-large, base/malformed, base/not-canonical */
export const decodeSignedGrant = (encoded: Uint8Array): SignedBlindGrant =>
  decode(signedCodec, encoded, { maxBytes: MAX_GRANT_BYTES })

export type GrantCheck = {
  /** What the wallet will be; `now` is when it was asked for. */
  readonly wallet: Omit<BlindGrant, 'v' | 'expiresAt'> & { readonly now: number }
  readonly admins: readonly { readonly id: string; readonly key: Uint8Array }[]
  readonly adminThreshold: number
  readonly verify: VerifySignature
}

/**
 * Refuses a grant that is for another wallet, over, meant to last too long, or signed by too few
 * administrators; each counts once. @throws api/bad-blind-grant, and those of `decodeSignedGrant`
 */
export function checkBlindGrant(
  encoded: Uint8Array,
  { wallet, admins, adminThreshold, verify }: GrantCheck,
): void {
  const refuse = (detail: string): never => {
    throw new Fault('api/bad-blind-grant', { detail })
  }
  const { grant: bytes, signatures } = decodeSignedGrant(encoded)
  const grant = decodeBlindGrant(bytes)
  const isForIt =
    equalBytes(grant.cluster, wallet.cluster) &&
    grant.project === wallet.project &&
    grant.label === wallet.label &&
    grant.network === wallet.network &&
    grant.suite === wallet.suite &&
    grant.threshold === wallet.threshold &&
    equalBytes(grant.policyHash, wallet.policyHash)
  if (!isForIt) refuse('it is for another wallet')
  if (wallet.now >= grant.expiresAt) refuse('it has expired')
  if (grant.expiresAt - wallet.now > MAX_GRANT_MS) refuse('it lasts for too long')
  const message = tagged(TAGS.blindGrant, bytes)
  const signed = admins.filter(({ id: admin, key }) =>
    signatures.some((each) => each.admin === admin && verify(key, message, each.signature)),
  )
  if (signed.length < adminThreshold)
    refuse(`${signed.length} administrators signed, ${adminThreshold} must`)
}
