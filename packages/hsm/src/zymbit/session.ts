/** A Zymbit, as one thread of the provider host sees it: one operation at a time, as its bus has it. */
import { Fault } from '@quorate/base'
import type {
  DeviceKeyRequest,
  DeviceSession,
  DeviceSettings,
  MechanismFacts,
  ObjectFacts,
  OpenDevice,
  PinnedKey,
  TokenFacts,
} from '../device.ts'
import { DeviceFault } from '../errors.ts'
import type { Encrypted, KeyAlgorithm, KeyId, KeyInfo, KeyQuery } from '../provider.ts'
import { decrypt, encrypt, mac } from './cipher.ts'
import type { ZymbitCommands } from './commands.ts'
import { ZymbitContext } from './context.ts'
import { deviceCommands } from './device-commands.ts'
import { asFaults, isRefusal } from './faults.ts'
import { type IndexedKey, LabelIndex } from './label-index.ts'
import { Slip39Session } from './slip39-session.ts'
import { infoOf, type SlotKey, SlotKeys, USER_SLOTS } from './slot-keys.ts'
import { WalletCommands } from './wallet-commands.ts'

/** The device signs digests by ECDSA, and nothing by Ed25519, though it makes such keys. */
const SIGNING = ['p256', 'secp256k1'] as const
type PairAlgorithm = IndexedKey['algorithm']

const isSigning = (algorithm: KeyAlgorithm): algorithm is (typeof SIGNING)[number] =>
  SIGNING.some((each) => each === algorithm)

/**
 * A context of the device that `settings` mean. It asks no PIN of anybody.
 * @throws hsm/library-missing, hsm/token-absent, hsm/bad-config
 */
export const openDevice: OpenDevice = (settings, pin) => {
  pin?.[Symbol.dispose]()
  return new ZymbitSession(settings)
}

class ZymbitSession implements DeviceSession {
  readonly zymbit: ZymbitCommands
  readonly #context: ZymbitContext
  readonly #serial: string
  readonly #library: string
  readonly #index: LabelIndex
  readonly #keys: SlotKeys
  readonly #slip39: Slip39Session
  readonly #wallets: WalletCommands

  constructor({ library, directory, token }: DeviceSettings) {
    if (directory === undefined)
      throw new Fault('hsm/bad-config', { detail: 'a directory for the labels is needed' })
    this.#library = library
    this.#context = asFaults(() => new ZymbitContext(library))
    this.#serial = asFaults(() => this.#context.text('zkGetSerialNumberString'))
    if (!/^[\w-]{1,64}$/.test(this.#serial))
      throw new DeviceFault('hsm/wrong-result', { detail: 'a serial number of another form' })
    if (token.serial !== undefined && token.serial !== this.#serial)
      throw new DeviceFault('hsm/token-absent', { detail: `the serial number is ${this.#serial}` })
    this.#index = new LabelIndex(this.#context, directory, this.#serial)
    this.#keys = new SlotKeys(this.#context, this.#index, this.#serial)
    this.#slip39 = new Slip39Session(this.#context)
    const keys = (): SlotKeys => this.#keys
    this.#wallets = new WalletCommands(this.#context, this.#serial, keys, this.#slip39)
    this.zymbit = {
      ...commandsOf(this.#wallets),
      ...deviceCommands(this.#context, this.#serial, keys),
      claim: (slot, request) => this.#claim(slot, request),
      removeWallet: (name, confirm) => this.#removeWallet(name, confirm),
    }
  }

  token(): TokenFacts {
    return asFaults(() => ({
      library: { description: this.#library, version: 'unknown', cryptoki: '' },
      slot: '0',
      label: `Zymbit ${this.#serial}`,
      manufacturer: 'Zymbit',
      model: this.#context.text('zkGetModelNumberString'),
      serial: this.#serial,
      firmware: this.#context.text('zkGetFirmwareVersionString'),
      flags: [],
      maxSessions: 1,
      openSessions: undefined,
      mechanisms: [] as readonly MechanismFacts[],
      algorithms: this.#algorithms(),
      capabilities: ['derive', 'tamper'],
    }))
  }

  probe(): void {
    const serial = asFaults(() => this.#context.text('zkGetSerialNumberString'))
    if (serial !== this.#serial)
      throw new DeviceFault('hsm/token-absent', { detail: 'another device has taken its place' })
  }

  objects(): readonly ObjectFacts[] {
    return asFaults(() => this.#keys.all().map(objectOf))
  }

  generateKey(request: DeviceKeyRequest): KeyInfo {
    const algorithm = this.#checked(request)
    this.#slip39.demandNone()
    return asFaults(() =>
      this.#index.exclusively(() => {
        this.#demandNew(request.id)
        if (this.#keys.taken().length >= USER_SLOTS) throw new DeviceFault('hsm/device-full')
        const slot = this.#context.generateKeyPair(isSigning(algorithm) ? algorithm : 'p256')
        this.#keys.forget(slot)
        try {
          return this.#label(slot, request, algorithm)
        } catch (error) {
          // Where that fails too the key is shown by its slot, as one without a label.
          this.#context.ask('zkRemoveKey', slot, false)
          throw error
        }
      }),
    )
  }

  find(query: KeyQuery): KeyInfo {
    return asFaults(() => infoOf(this.#keys.find(query)))
  }

  list(): readonly KeyInfo[] {
    return asFaults(() => this.#keys.all().map(infoOf))
  }

  sign(key: PinnedKey, data: Uint8Array): Uint8Array {
    if (!isSigning(key.algorithm)) throw wrongUse(key.algorithm, 'sign')
    if (data.length !== 32) throw new Fault('hsm/bad-argument', { detail: 'a digest has 32 bytes' })
    return asFaults(() => {
      const { slot } = this.#keys.resolve(key)
      try {
        return this.#context.signDigest(slot, data)
      } catch (error) {
        if (!isRefusal(error)) throw error
        // Somebody else may have removed the key.
        return this.#context.signDigest(this.#keys.resolve(key, true).slot, data)
      }
    })
  }

  encrypt(key: PinnedKey, plaintext: Uint8Array, aad: Uint8Array): Encrypted {
    return asFaults(() => encrypt(this.#context, this.#pairFor('aes-256', key), plaintext, aad))
  }

  decrypt(key: PinnedKey, encrypted: Encrypted, aad: Uint8Array): Uint8Array {
    return asFaults(() => decrypt(this.#context, this.#pairFor('aes-256', key), encrypted, aad))
  }

  hmac(key: PinnedKey, message: Uint8Array): Uint8Array {
    return asFaults(() => mac(this.#context, this.#pairFor('hmac-sha256', key), message))
  }

  random(length: number): Uint8Array {
    if (!Number.isInteger(length) || length < 1 || length > 1024)
      throw new Fault('hsm/bad-argument', { detail: '1 to 1024 random bytes at once' })
    return asFaults(() => this.#context.random(length))
  }

  destroy(id: KeyId, label: string): void {
    asFaults(() =>
      this.#index.exclusively(() => {
        const key = this.#keys.find({ id })
        if (key.label !== label) throw new Fault('hsm/label-mismatch')
        this.#context.removeKey(key.slot)
        this.#keys.forget(key.slot)
        if (key.isIndexed) this.#index.write(this.#index.keys().filter((each) => each.id !== id))
      }),
    )
  }

  deriveKey(parent: KeyId, path: string, request: DeviceKeyRequest): KeyInfo {
    const algorithm = this.#checked(request)
    if (!isSigning(algorithm)) throw wrongUse(algorithm, 'belong to a wallet')
    return asFaults(() =>
      this.#index.exclusively(() => {
        this.#demandNew(request.id)
        const { slot } = this.#wallets.derive(parent, path, request)
        return this.#label(slot, request, algorithm)
      }),
    )
  }

  wrapKey(): never {
    return cannot('wrap keys')
  }

  unwrapKey(): never {
    return cannot('unwrap keys')
  }

  importKey(): never {
    return cannot('import keys')
  }

  close(): void {
    this.#index.close()
    this.#context.close()
  }

  #algorithms(): readonly KeyAlgorithm[] {
    const { library } = this.#context
    if (!library.has('zkGenKeyPair')) return []
    return library.has('zkDoECDHAndKDF') ? [...SIGNING, 'aes-256', 'hmac-sha256'] : SIGNING
  }

  #claim(slot: number, request: DeviceKeyRequest): KeyInfo {
    const algorithm = this.#checked(request)
    return asFaults(() =>
      this.#index.exclusively(() => {
        this.#demandNew(request.id)
        const key = this.#keys.taken().includes(slot) ? this.#keys.at(slot) : undefined
        if (key === undefined) throw new Fault('hsm/key-not-found', { detail: `slot ${slot}` })
        if (key.isIndexed)
          throw new Fault('hsm/key-exists', { detail: 'the slot has a label already' })
        if (key.algorithm !== (isSigning(algorithm) ? algorithm : 'p256'))
          throw new Fault('hsm/bad-argument', {
            detail: `the slot holds a key of ${key.algorithm}`,
          })
        return this.#label(slot, request, algorithm)
      }),
    )
  }

  /** With its labels, which would name the same keys again once the wallet is restored. */
  #removeWallet(name: string, confirm: string): void {
    asFaults(() =>
      this.#index.exclusively(() => {
        const slots = this.#wallets.removeWallet(name, confirm)
        const keys = this.#index.keys()
        const left = keys.filter(({ slot }) => !slots.includes(slot))
        if (left.length < keys.length) this.#index.write(left)
      }),
    )
  }

  /** Enters the key of a slot into the index; afterwards it is known by its id. */
  #label(slot: number, { id, label }: DeviceKeyRequest, algorithm: PairAlgorithm): KeyInfo {
    const key = this.#keys.at(slot)
    if (key === undefined)
      throw new DeviceFault('hsm/wrong-result', { detail: 'a new key without a public key' })
    const { publicKey } = key
    const entry: IndexedKey = { id, slot, label, algorithm, publicKey, createdAt: Date.now() }
    this.#index.write([...this.#index.keys().filter((each) => each.slot !== slot), entry])
    return infoOf({ ...key, ...entry })
  }

  #demandNew(id: KeyId): void {
    if (this.#index.keys().some((each) => each.id === id && this.#keys.taken().includes(each.slot)))
      throw new Fault('hsm/key-exists')
  }

  /** @throws hsm/bad-argument, hsm/unsupported */
  #checked({ label, algorithm, use, isWrappable }: DeviceKeyRequest): PairAlgorithm {
    if (label.length === 0 || label.length > 128)
      throw new Fault('hsm/bad-argument', { detail: 'a label has 1 to 128 characters' })
    if (use !== undefined || isWrappable === true) return cannot('wrap keys')
    if (algorithm === 'ed25519' || !this.#algorithms().includes(algorithm))
      throw new DeviceFault('hsm/unsupported', { detail: 'keys of this algorithm' })
    return algorithm
  }

  /** The key pair of a secret key. The device is asked again: under another pair data would be lost. */
  #pairFor(algorithm: KeyAlgorithm, key: PinnedKey): SlotKey {
    if (key.algorithm !== algorithm) throw wrongUse(key.algorithm, `work as ${algorithm}`)
    return this.#keys.resolve(key, true)
  }
}

const wrongUse = (algorithm: KeyAlgorithm, what: string): Fault =>
  new Fault('hsm/bad-argument', { detail: `a key for ${algorithm} does not ${what}` })

function cannot(what: string): never {
  throw new DeviceFault('hsm/unsupported', { detail: `a Zymbit does not ${what}` })
}

/** In the words of PKCS#11, for `doctor`; of keys of wallets it is not known where they have been. */
const objectOf = ({ algorithm, label, id, publicKey, node }: SlotKey): ObjectFacts => ({
  class: isSigning(algorithm) ? 'CKO_PRIVATE_KEY' : 'CKO_SECRET_KEY',
  keyType: isSigning(algorithm) ? 'CKK_EC' : 'CKK_GENERIC_SECRET',
  label,
  id,
  flags: { SENSITIVE: true, EXTRACTABLE: false, ...(node === undefined && { LOCAL: true }) },
  ...(isSigning(algorithm) && { publicKey }),
})

const commandsOf = (wallets: WalletCommands) =>
  ({
    wallets: () => wallets.wallets(),
    createWallet: (...args) => wallets.createWallet(...args),
    restoreWallet: (...args) => wallets.restoreWallet(...args),
    nodeOf: (id) => wallets.nodeOf(id),
    keyAt: (...args) => wallets.keyAt(...args),
    beginShares: (...args) => wallets.beginShares(...args),
    nextShare: (...args) => wallets.nextShare(...args),
    beginRecovery: (...args) => wallets.beginRecovery(...args),
    addShare: (...args) => wallets.addShare(...args),
    cancelSession: () => wallets.cancelSession(),
  }) satisfies Partial<ZymbitCommands>
