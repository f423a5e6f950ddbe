/**
 * One thing to sign with, wherever the key is: code that had a key pair has a key manager instead, and
 * `keypair.sign(m)` becomes `keyManager.sign(m)`. Behind it stands a key in this process's memory, a key of
 * a device, or a role.
 */
import { equalBytes, Fault, Secret } from '@quorate/base'
import type { HsmEnvironment } from '../config/model.ts'
import { parseHsmUri } from '../config/uri.ts'
import { DeviceFault } from '../errors.ts'
import { checkInput, normalised, PublicKey, SignatureJudge } from '../host/signatures.ts'
import { materialOf, SIGNING } from '../keyfiles/algorithms.ts'
import type { HsmProvider, KeyQuery, SignInput, SigningAlgorithm } from '../provider.ts'
import { type HsmPorts, openHsm } from '../registry.ts'
import type { RoleSigner, SignRequest } from '../roles/role-signer.ts'
import { type BatchResult, signBatch } from './batch.ts'
import { judged } from './judging.ts'

/** A message, or `{ digest }` of ECDSA keys: 32 bytes that are signed as they are. */
export type ToSign = Uint8Array | SignInput

export type KeyManager = {
  readonly algorithm: SigningAlgorithm
  /** Ed25519: 32 bytes. P-256, secp256k1: compressed SEC1, 33 bytes. */
  readonly publicKey: Uint8Array
  /**
   * 64 bytes: Ed25519, or ECDSA over SHA-256 of the message as r ‖ s with s in the lower half. `request` says
   * who asks, for roles. @throws hsm/bad-argument, and what stands behind it throws
   */
  sign(message: ToSign, request?: SignRequest): Promise<Uint8Array>
  /** As `sign`, in order; what fails does not keep the others from being signed. @throws hsm/bad-argument for too many */
  signBatch(messages: readonly ToSign[], request?: SignRequest): Promise<readonly BatchResult[]>
  verify(message: ToSign, signature: Uint8Array): Promise<boolean>
  /** Wipes a key in memory, closes a device that was opened for it; a role stays as it is. */
  close(): Promise<void>
}

/** Where the key of a manager is. */
export type KeySource =
  /** In this process: 32 bytes, which are copied; the caller wipes its own. For development. */
  | { readonly algorithm: SigningAlgorithm; readonly secretKey: Uint8Array }
  /** A key of a device, by its address; `key` where the address names none. */
  | { readonly uri: string; readonly environment: HsmEnvironment; readonly key?: KeyQuery }
  /** A key of a device that is open, and stays so. */
  | { readonly provider: HsmProvider; readonly key: KeyQuery }
  /** Whatever key the role has. */
  | { readonly role: RoleSigner }

export type KeySourceOptions = {
  /** For a device that is opened. */
  readonly ports?: HsmPorts
  /** The public key that is expected: another one is refused. */
  readonly expected?: Uint8Array
}

/**
 * The manager of the key at `source`.
 * @throws hsm/bad-argument, hsm/key-changed, hsm/key-not-found, hsm/key-ambiguous, hsm/role-unbound, and what
 *   opening a device throws
 */
export async function openKeyManager(
  source: KeySource,
  { ports, expected }: KeySourceOptions = {},
): Promise<KeyManager> {
  const backend = await backendOf(source, ports)
  if (expected === undefined || equalBytes(expected, backend.publicKey)) return managerOver(backend)
  await backend.close()
  throw new Fault('hsm/key-changed')
}

/** What differs from source to source. */
type Backend = {
  readonly algorithm: SigningAlgorithm
  readonly publicKey: Uint8Array
  sign(input: SignInput, request: SignRequest | undefined): Promise<Uint8Array>
  verify(input: SignInput, signature: Uint8Array): Promise<boolean>
  close(): Promise<void>
}

const inputOf = (message: ToSign): SignInput =>
  message instanceof Uint8Array ? { message } : message

const managerOver = (backend: Backend): KeyManager => ({
  get algorithm() {
    return backend.algorithm
  },
  get publicKey() {
    return backend.publicKey.slice()
  },
  sign: (message, request) => backend.sign(inputOf(message), request),
  signBatch: (messages, request) =>
    signBatch(messages.map(inputOf), (input) => backend.sign(input, request)),
  verify: (message, signature) => backend.verify(inputOf(message), signature),
  close: () => backend.close(),
})

async function backendOf(source: KeySource, ports: HsmPorts | undefined): Promise<Backend> {
  if ('secretKey' in source) return inMemory(source.algorithm, source.secretKey)
  if ('provider' in source) return onDevice(source.provider, source.key)
  if ('role' in source) return asRole(source.role)
  if (ports === undefined) throw new Fault('hsm/bad-argument', { detail: 'a clock is needed' })
  const { uri, environment, key } = source
  const { keyLabel } = parseHsmUri(uri)
  const query = key ?? (keyLabel === undefined ? undefined : { label: keyLabel })
  if (query === undefined)
    throw new Fault('hsm/bad-argument', { detail: 'the address names no key (object=…)' })
  const device = await openHsm({ uri, environment }, ports)
  try {
    const backend = await onDevice(device.provider, query)
    return {
      ...backend,
      async close() {
        await backend.close()
        await device.close()
      },
    }
  } catch (error) {
    await device.close()
    throw error
  }
}

/** A role rotates its key, so what it is is asked anew each time. */
const asRole = (role: RoleSigner): Backend => ({
  get algorithm() {
    return role.algorithm
  },
  get publicKey() {
    return role.publicKey
  },
  sign: (input, request) => role.sign(input, request),
  verify: (input, signature) => role.verify(input, signature),
  close: () => Promise.resolve(),
})

function inMemory(algorithm: SigningAlgorithm, secretKey: Uint8Array): Backend {
  const { secret, publicKey } = materialOf(algorithm, secretKey.slice())
  if (publicKey === undefined) throw new Fault('hsm/bad-argument', { detail: 'a key that signs' })
  const held = new Secret(secret)
  const key = new PublicKey(algorithm, publicKey)
  return {
    algorithm,
    publicKey,
    async sign(input) {
      if (held.isWiped) throw new DeviceFault('hsm/closed')
      checkInput(key, input)
      return SIGNING[algorithm].sign(held.expose(), input)
    },
    async verify(input, signature) {
      checkInput(key, input)
      return SIGNING[algorithm].verify(publicKey, input, signature)
    },
    async close() {
      held[Symbol.dispose]()
    },
  }
}

/** The key is pinned as it is found: a signature leaves only if it holds under that one. */
async function onDevice(provider: HsmProvider, query: KeyQuery): Promise<Backend> {
  const { id, algorithm, publicKey } = await provider.find(query)
  if (publicKey === undefined || algorithm === 'aes-256' || algorithm === 'hmac-sha256')
    throw new Fault('hsm/bad-argument', { detail: 'a key that signs is needed' })
  const key = new PublicKey(algorithm, publicKey)
  const judge = new SignatureJudge()
  return {
    algorithm,
    publicKey,
    async sign(input) {
      checkInput(key, input)
      const signature = normalised(key, await provider.sign(id, input))
      if (signature !== undefined && (await judged(judge, key, input, signature))) return signature
      throw new Fault('hsm/key-changed')
    },
    async verify(input, signature) {
      checkInput(key, input)
      return signature.length === 64 && judged(judge, key, input, signature)
    },
    close: () => judge.close(),
  }
}
