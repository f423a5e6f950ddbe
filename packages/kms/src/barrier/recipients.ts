/**
 * Who can open the instance key. Every recipient holds the same key, wrapped for it alone, so that one that
 * is lost costs nothing while another is left.
 *
 *   hsm       sealed by an AES key of the device, and where the device can, under a MAC of a second key
 *   recovery  sealed to an X25519 key that only a SLIP-39 quorum can put together
 *   software  sealed under ENCRYPTION_KEY
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import {
  bytes,
  concatBytes,
  decode,
  encode,
  encodeCbor,
  equalBytes,
  Fault,
  field,
  isFault,
  optional,
  type Random,
  record,
  type Secret,
  type Signer,
  TAGS,
  tagged,
  toHex,
  wipe,
} from '@quorate/base'
import { type HsmProvider, hsmSealer, type KeyAlgorithm, type KeyId } from '@quorate/hsm'
import { signerOf } from './ed25519.ts'

export type RecipientKind = 'hsm' | 'recovery' | 'software'

/** What the wrapped key is bound to. */
export type WrapContext = {
  readonly storeId: string
  readonly term: number
  readonly recipient: string
}

/** One that can wrap; and open, if it holds a secret of its own. */
export type Recipient = {
  /** Names it in the store: `hsm-…`, `recovery-…`, `software`. */
  readonly id: string
  readonly kind: RecipientKind
  /** What is needed to wrap for it again; public. */
  readonly params: Uint8Array
  wrap(key: Uint8Array, context: WrapContext): Promise<Uint8Array>
  /** @throws kms/no-recipient */
  unwrap?(wrapped: Uint8Array, context: WrapContext): Promise<Uint8Array>
}

const KEY_BYTES = 32
const MAX_WRAPPED = 4096

const contextBytes = ({ storeId, term, recipient }: WrapContext): Uint8Array =>
  tagged(TAGS.kmsInstanceKey, encodeCbor([storeId, term, recipient]))

const refuse = (cause?: unknown): never => {
  throw new Fault('kms/no-recipient', { cause })
}

const hsmWrapped = record({
  sealed: field(1, bytes({ max: MAX_WRAPPED })),
  mac: optional(2, bytes(KEY_BYTES)),
})

export type HsmLabels = { readonly key: string; readonly mac: string }

/**
 * The device as a recipient; its keys are made where they are missing, unless `mayMake` is false.
 * @throws kms/unfit-hsm, kms/no-recipient for a key that is missing, and what the device throws
 */
export async function hsmRecipient(
  provider: HsmProvider,
  labels: HsmLabels,
  mayMake = true,
): Promise<Recipient> {
  const { algorithms } = await provider.info()
  if (!algorithms.includes('aes-256'))
    throw new Fault('kms/unfit-hsm', { detail: 'it makes no AES-256 key' })
  const key = await findOrMake(provider, labels.key, 'aes-256', mayMake)
  const macKey = algorithms.includes('hmac-sha256')
    ? await findOrMake(provider, labels.mac, 'hmac-sha256', mayMake)
    : undefined
  const sealer = hsmSealer(provider, key)
  const macOf = async (sealed: Uint8Array, context: Uint8Array): Promise<Uint8Array | undefined> =>
    macKey === undefined
      ? undefined
      : provider.hmac(macKey, tagged(TAGS.kmsKeyring, concatBytes(context, sealed)))
  return {
    id: `hsm-${key}`,
    kind: 'hsm',
    params: new Uint8Array(0),
    async wrap(secret, context) {
      const sealed = await sealer.seal(secret, contextBytes(context))
      return encode(hsmWrapped, { sealed, mac: await macOf(sealed, contextBytes(context)) })
    },
    async unwrap(wrapped, context) {
      const { sealed, mac } = decode(hsmWrapped, wrapped, { maxBytes: MAX_WRAPPED })
      const expected = await macOf(sealed, contextBytes(context))
      // A MAC that was there once and is gone, or the other way round, is as wrong as another one.
      if ((mac === undefined) !== (expected === undefined)) refuse()
      if (mac !== undefined && expected !== undefined && !equalBytes(mac, expected)) refuse()
      return sealer.open(sealed, contextBytes(context))
    },
  }
}

async function findOrMake(
  provider: HsmProvider,
  label: string,
  algorithm: KeyAlgorithm,
  mayMake: boolean,
): Promise<KeyId> {
  try {
    const found = await provider.find({ label })
    if (found.algorithm !== algorithm)
      throw new Fault('kms/unfit-hsm', { detail: `the key at its label is not ${algorithm}` })
    return found.id
  } catch (error) {
    if (!isFault(error, 'hsm/key-not-found')) throw error
    if (!mayMake) return refuse(error)
    return (await provider.generateKey({ label, algorithm })).id
  }
}

const NONCE = 12
const TAG = 16

function gcmSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  text: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(aad)
  return concatBytes(nonce, cipher.update(text), cipher.final(), cipher.getAuthTag())
}

function gcmOpen(key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length < NONCE + TAG) return refuse()
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), {
    authTagLength: TAG,
  })
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
  const text = decipher.update(sealed.subarray(NONCE, sealed.length - TAG))
  try {
    decipher.final()
    return new Uint8Array(text.buffer, text.byteOffset, text.byteLength)
  } catch (error) {
    return refuse(error)
  }
}

/** ENCRYPTION_KEY as a recipient. Treats `secret` as secret, and uses it for nothing else. */
export function softwareRecipient(secret: Secret<Uint8Array>, random: Random): Recipient {
  const withKey = <T>(context: WrapContext, use: (key: Uint8Array) => T): T => {
    const key = createHmac('sha256', secret.expose()).update(contextBytes(context)).digest()
    try {
      return use(key)
    } finally {
      wipe(key)
    }
  }
  return {
    id: 'software',
    kind: 'software',
    params: new Uint8Array(0),
    wrap: async (key, context) =>
      withKey(context, (kek) => gcmSeal(kek, random.bytes(NONCE), contextBytes(context), key)),
    unwrap: async (wrapped, context) =>
      withKey(context, (kek) => gcmOpen(kek, contextBytes(context), wrapped)),
  }
}

/** PKCS #8 and SubjectPublicKeyInfo of X25519 keys (RFC 8410) up to the 32 bytes of the key. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')

const privateOf = (seed: Uint8Array): KeyObject => {
  const der = Buffer.concat([PKCS8, seed])
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    wipe(der)
  }
}
const publicOf = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' })
const rawOf = (key: KeyObject): Uint8Array =>
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length))

/** What a quorum signs with: an Ed25519 key that follows from its secret. Treats `secret` as secret. */
export const recoverySigner = (secret: Uint8Array): Signer =>
  signerOf(createHmac('sha256', secret).update(TAGS.kmsRollback).digest())

/** The public keys of a quorum: X25519 to seal to, then Ed25519 that it signs with, 32 bytes each. */
export const recoveryParams = (secret: Uint8Array): Uint8Array =>
  concatBytes(rawOf(privateOf(secret)), recoverySigner(secret).publicKey)

function agreed(own: KeyObject, other: Uint8Array, info: Uint8Array): Uint8Array {
  const shared = diffieHellman({ privateKey: own, publicKey: publicOf(other) })
  try {
    return new Uint8Array(hkdfSync('sha256', shared, new Uint8Array(0), info, KEY_BYTES))
  } finally {
    wipe(shared)
  }
}

/** Seals to an X25519 key: ephemeral key ‖ nonce ‖ ciphertext ‖ tag. Treats `text` as secret. */
export function sealTo(
  publicKey: Uint8Array,
  random: Random,
  context: Uint8Array,
  text: Uint8Array,
): Uint8Array {
  const seed = random.bytes(KEY_BYTES)
  const ephemeral = privateOf(seed)
  wipe(seed)
  const own = rawOf(ephemeral)
  const info = concatBytes(context, own, publicKey)
  const key = agreed(ephemeral, publicKey, info)
  try {
    return concatBytes(own, gcmSeal(key, random.bytes(NONCE), info, text))
  } finally {
    wipe(key)
  }
}

/** Opens what `sealTo` sealed. Treats `secret` as secret. @throws kms/no-recipient */
export function openWith(secret: Uint8Array, context: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length < KEY_BYTES) return refuse()
  const own = privateOf(secret)
  const ephemeral = sealed.subarray(0, KEY_BYTES)
  const info = concatBytes(context, ephemeral, rawOf(own))
  const key = agreed(own, ephemeral, info)
  try {
    return gcmOpen(key, info, sealed.subarray(KEY_BYTES))
  } finally {
    wipe(key)
  }
}

/** The id of a quorum, by its `recoveryParams`. */
export const recoveryId = (params: Uint8Array): string => `recovery-${toHex(params.subarray(0, 8))}`

/** A quorum by its `recoveryParams`; with its secret too it opens. */
export function recoveryRecipient(
  params: Uint8Array,
  random: Random,
  secret?: Uint8Array,
): Recipient {
  const publicKey = params.subarray(0, KEY_BYTES)
  return {
    id: recoveryId(params),
    kind: 'recovery',
    params,
    wrap: async (key, context) => sealTo(publicKey, random, contextBytes(context), key),
    ...(secret !== undefined && {
      unwrap: async (wrapped: Uint8Array, context: WrapContext) =>
        openWith(secret, contextBytes(context), wrapped),
    }),
  }
}
