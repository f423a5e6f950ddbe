/**
 * Which keys of an HSM are this node's: the identity key, and the key that seals the node's secrets.
 *
 * They are found by label once, then pinned: the node's own files name them, and another key in their
 * place is refused. Labels hold the id of the store, so that nodes can share a token. Where the HSM
 * has no Ed25519 the identity key is made here, and sealed by the HSM instead of living in it.
 */
import {
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  isFault,
  mapped,
  nullable,
  oneOf,
  type Random,
  record,
  TAGS,
  tagged,
  text,
  utf8,
} from '@quorate/base'
import {
  type HsmProvider,
  hsmSealer,
  hsmSigner,
  type KeyId,
  makeSealedKey,
  type OpenHsm,
  openSealedKey,
  parseKeyId,
  weaker,
} from '@quorate/hsm'
import type { NodeHsm } from './vault.ts'

const keyId: Codec<KeyId> = mapped(text(64), parseKeyId, (id) => id)

type NodeKeys = {
  readonly v: 1
  readonly identityKey: Uint8Array
  /** Null where it is sealed. */
  readonly identity: KeyId | null
  readonly sealedSeed: Uint8Array | null
  readonly sealing: KeyId
}
const nodeKeys: Codec<NodeKeys> = record({
  v: field(0, oneOf(1)),
  identityKey: field(1, bytes(32)),
  identity: field(2, nullable(keyId)),
  sealedSeed: field(3, nullable(bytes({ max: 256 }))),
  sealing: field(4, keyId),
})

export const identityLabel = (storeId: string): string => `quorate-identity-${storeId}`
export const sealingLabel = (storeId: string): string => `quorate-store-${storeId}`

type Wanted = {
  readonly device: OpenHsm
  readonly storeId: string
  /** What an earlier call gave. */
  readonly known: Uint8Array | null
  /** Instead of the store's own. */
  readonly keyLabel: string | null
  readonly identityLabel: string | null
  /** Whether keys may be made: a store that was used before needs those it was used with. */
  readonly isFresh: boolean
  readonly random: Random
}

/**
 * The node's keys, and what to keep of them.
 * @throws enclave/store-mismatch where they are not in this HSM, hsm/key-changed, hsm/key-ambiguous,
 *   hsm/unsupported where the HSM cannot seal
 */
export async function openNodeHsm(
  wanted: Wanted,
): Promise<{ readonly hsm: NodeHsm; readonly keys: Uint8Array }> {
  try {
    return wanted.known === null ? await claimKeys(wanted) : await openKeys(wanted, wanted.known)
  } catch (cause) {
    if (!isFault(cause, 'hsm/key-not-found')) throw cause
    throw new Fault('enclave/store-mismatch', { detail: 'its keys are not in this HSM', cause })
  }
}

async function openKeys({ device, storeId, keyLabel }: Wanted, known: Uint8Array) {
  const { provider, custody } = device
  const { identity, identityKey, sealedSeed, sealing } = decode(nodeKeys, known, { maxBytes: 1024 })
  const { label } = await provider.find({ id: sealing })
  // To go on with the old key would be to believe a configuration that is not in force.
  if (keyLabel !== null && label !== keyLabel)
    throw new Fault('enclave/store-mismatch', { detail: 'it is sealed by a key of another label' })
  const sealer = hsmSealer(provider, sealing)
  if (identity !== null) {
    const signer = await hsmSigner(provider, identity, identityKey)
    return { hsm: { custody, identity: signer, sealer }, keys: known }
  }
  if (sealedSeed === null) throw new Fault('enclave/store-mismatch')
  const signer = await openSealedKey(sealer, seedContext(storeId), sealedSeed)
  if (!equalBytes(signer.publicKey, identityKey)) throw new Fault('hsm/key-changed')
  return { hsm: { custody: weaker(custody, 'sealed'), identity: signer, sealer }, keys: known }
}

async function claimKeys(wanted: Wanted): Promise<{ hsm: NodeHsm; keys: Uint8Array }> {
  const { device, storeId, keyLabel, identityLabel: asked, isFresh, random } = wanted
  const { provider } = device
  const keyOf = isFresh ? findOrMake : findOnly
  const { algorithms } = await provider.info()
  if (!algorithms.includes('aes-256'))
    throw new Fault('enclave/hsm-cannot-seal', { detail: `it has ${algorithms.join(', ')}` })
  const sealing = await keyOf(provider, keyLabel ?? sealingLabel(storeId), 'aes-256')
  const sealer = hsmSealer(provider, sealing)
  let named: Pick<NodeKeys, 'identity' | 'sealedSeed'>
  let identityKey: Uint8Array
  if (algorithms.includes('ed25519')) {
    const identity = await keyOf(provider, asked ?? identityLabel(storeId), 'ed25519')
    named = { identity, sealedSeed: null }
    identityKey = await provider.publicKey(identity)
  } else {
    if (!isFresh) throw new Fault('hsm/key-not-found')
    const { sealed, publicKey } = await makeSealedKey(sealer, seedContext(storeId), random)
    named = { identity: null, sealedSeed: sealed }
    identityKey = publicKey
  }
  const keys = encode(nodeKeys, { v: 1, identityKey, sealing, ...named })
  return openKeys(wanted, keys)
}

async function findOnly(provider: HsmProvider, label: string): Promise<KeyId> {
  return (await provider.find({ label })).id
}

/** Two keys of one label are an operator's mistake and refused. */
async function findOrMake(
  provider: HsmProvider,
  label: string,
  algorithm: 'ed25519' | 'aes-256',
): Promise<KeyId> {
  try {
    return await findOnly(provider, label)
  } catch (error) {
    if (!isFault(error, 'hsm/key-not-found')) throw error
    return (await provider.generateKey({ label, algorithm })).id
  }
}

const seedContext = (storeId: string): Uint8Array => tagged(TAGS.identitySeed, utf8(storeId))
