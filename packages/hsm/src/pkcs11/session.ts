/** A device behind PKCS#11, as one thread of the provider host sees it. */
import { Fault, isFault } from '@quorate/base'
import type {
  DeviceKeyRequest,
  DeviceSession,
  MechanismFacts,
  ObjectFacts,
  OpenDevice,
  PinnedKey,
  TokenFacts,
} from '../device.ts'
import { DeviceFault } from '../errors.ts'
import type { Encrypted, KeyAlgorithm, KeyId, KeyInfo, KeyQuery } from '../provider.ts'
import { decrypt, deviceRandom, encrypt } from './cipher.ts'
import { Connection } from './connection.ts'
import { CKM, CKR } from './constants.ts'
import { checkRequest } from './create.ts'
import { CkrError } from './cryptoki.ts'
import { algorithmsOf, cipherModeOf, objectFacts, readMechanisms, tokenFacts } from './facts.ts'
import { type CipherMode, generateKey } from './generate.ts'
import { Keys, type LoadedKey } from './keys.ts'
import { LoginGate } from './login.ts'
import { importKey, unwrapKey, wrapKey } from './move.ts'
import { destroyObjects } from './objects.ts'
import { profileById } from './profiles/find.ts'
import { checkPin } from './profiles/pin.ts'
import type { WrapMechanism } from './profiles/profile.ts'
import { mac, sign } from './sign.ts'
import { readTokenInfo } from './slots.ts'

/**
 * A session with the one token that `settings` mean, logged in.
 * @throws hsm/unknown-profile, hsm/bad-pin, hsm/library-missing, hsm/token-absent, hsm/slot-ambiguous, hsm/pin-…
 */
export const openDevice: OpenDevice = (settings, pin, gate) => {
  const profile = profileById(settings.profile)
  if (pin !== undefined) checkPin(profile, pin.expose())
  const credentials = { pin, userType: settings.userType ?? 'user' }
  return new Pkcs11Session(new Connection(settings, profile, credentials, new LoginGate(gate)))
}

const wrongUse = (algorithm: KeyAlgorithm, what: string): Fault =>
  new Fault('hsm/bad-argument', { detail: `a key for ${algorithm} does not ${what}` })

/** Some devices answer so for a ciphertext that does not verify, and so do all when they are broken. */
const DOUBTFUL: readonly number[] = [CKR.GENERAL_ERROR, CKR.FUNCTION_FAILED, CKR.DEVICE_ERROR]

const isDoubtful = (error: unknown): boolean =>
  error instanceof DeviceFault &&
  error.cause instanceof CkrError &&
  error.cause.call === 'C_Decrypt' &&
  DOUBTFUL.includes(error.cause.ckr)

class Pkcs11Session implements DeviceSession {
  readonly #connection: Connection
  readonly #keys: Keys
  /** Of the token, which does not change them while it is in use. */
  #mechanisms: readonly MechanismFacts[] | undefined
  #algorithms: readonly KeyAlgorithm[] | undefined

  constructor(connection: Connection) {
    this.#connection = connection
    this.#keys = new Keys(connection)
  }

  token(): TokenFacts {
    return this.#connection.run(() => {
      const mechanisms = this.#readMechanisms()
      this.#algorithms ??= algorithmsOf(this.#connection, mechanisms)
      return tokenFacts(this.#connection, mechanisms, this.#algorithms)
    })
  }

  probe(): void {
    const { cryptoki, arena } = this.#connection
    this.#connection.run(() => {
      readTokenInfo(cryptoki, arena, this.#connection.slot)
      this.#connection.demandLogin()
    })
  }

  objects(): readonly ObjectFacts[] {
    return this.#connection.run(() => objectFacts(this.#connection))
  }

  generateKey(request: DeviceKeyRequest): KeyInfo {
    return generateKey(this.#connection, this.#keys, request, this.#modeFor(request))
  }

  find(query: KeyQuery): KeyInfo {
    return this.#connection.run(() => this.#keys.find(query).info)
  }

  list(): readonly KeyInfo[] {
    return this.#connection.run(() => this.#keys.all().map(({ info }) => info))
  }

  sign(key: PinnedKey, data: Uint8Array): Uint8Array {
    const { algorithm } = key
    if (algorithm === 'aes-256' || algorithm === 'hmac-sha256') throw wrongUse(algorithm, 'sign')
    return this.#with(key, ({ handle }) => sign(this.#connection, algorithm, handle, data))
  }

  encrypt(key: PinnedKey, plaintext: Uint8Array, aad: Uint8Array): Encrypted {
    if (key.algorithm !== 'aes-256') throw wrongUse(key.algorithm, 'encrypt')
    return this.#with(key, (loaded) => encrypt(this.#connection, loaded, plaintext, aad))
  }

  decrypt(key: PinnedKey, encrypted: Encrypted, aad: Uint8Array): Uint8Array {
    if (key.algorithm !== 'aes-256') throw wrongUse(key.algorithm, 'decrypt')
    try {
      return this.#with(key, (loaded) => decrypt(this.#connection, loaded, encrypted, aad))
    } catch (error) {
      if (isDoubtful(error) && this.#canOpenItsOwn(key)) throw new Fault('hsm/cannot-open')
      throw error
    }
  }

  /** The MAC key of an AES-CBC key never comes here: whoever has MACs under it can forge ciphertexts. */
  hmac(key: PinnedKey, message: Uint8Array): Uint8Array {
    if (key.algorithm !== 'hmac-sha256') throw wrongUse(key.algorithm, 'make MACs')
    return this.#with(key, ({ handle }) => mac(this.#connection, handle, message))
  }

  random(length: number): Uint8Array {
    if (!Number.isInteger(length) || length < 1 || length > 1024)
      throw new Fault('hsm/bad-argument', { detail: '1 to 1024 random bytes at once' })
    return this.#connection.run(() => deviceRandom(this.#connection, length))
  }

  destroy(id: KeyId, label: string): void {
    let isHalfDone = false
    this.#connection.run(() => {
      const keys = this.#keys.withId(id)
      // A first try may have destroyed it and lost the answer.
      if (keys.length === 0 && isHalfDone) return
      if (keys.length === 0) throw new Fault('hsm/key-not-found')
      const [key, another] = keys.filter(({ info }) => info.label === label)
      if (key === undefined) throw new Fault('hsm/label-mismatch')
      if (another !== undefined) throw new Fault('hsm/key-ambiguous')
      isHalfDone = true
      this.#keys.forget(id)
      // The public half last: alone it does no harm, a private key without it cannot be found.
      const handles = [key.mac, key.handle, key.publicHandle]
      destroyObjects(
        this.#connection,
        handles.filter((handle) => handle !== undefined),
      )
    })
  }

  wrapKey(wrapping: PinnedKey, target: PinnedKey): Uint8Array {
    return this.#connection.run(() => {
      const mechanism = this.#wrapMechanism()
      const [by, what] = [this.#keys.resolve(wrapping), this.#keys.resolve(target)]
      return wrapKey(this.#connection, mechanism, by, what)
    })
  }

  unwrapKey(wrapping: PinnedKey, wrapped: Uint8Array, request: DeviceKeyRequest): KeyInfo {
    checkRequest(request)
    const unwrapping = (): LoadedKey => this.#keys.resolve(wrapping)
    return unwrapKey(this.#connection, this.#keys, unwrapping, wrapped, request)
  }

  importKey(request: DeviceKeyRequest, secret: Uint8Array): KeyInfo {
    const mode = this.#modeFor(request)
    return importKey(this.#connection, this.#keys, request, secret, mode)
  }

  deriveKey(): never {
    throw new DeviceFault('hsm/unsupported', { detail: 'no derivation in PKCS#11 is common' })
  }

  close(): void {
    this.#connection.close()
  }

  /** Whether the device opens what it has just sealed, so that it was the other ciphertext that is wrong. */
  #canOpenItsOwn(key: PinnedKey): boolean {
    const nothing = new Uint8Array()
    try {
      return this.#with(key, (loaded) => {
        const sealed = encrypt(this.#connection, loaded, nothing, nothing)
        return decrypt(this.#connection, loaded, sealed, nothing).length === 0
      })
    } catch (error) {
      if (isFault(error)) return false
      throw error
    }
  }

  #with<T>(key: PinnedKey, use: (loaded: LoadedKey) => T): T {
    return this.#connection.run(() => use(this.#keys.resolve(key)))
  }

  #readMechanisms(): readonly MechanismFacts[] {
    this.#mechanisms ??= readMechanisms(this.#connection)
    return this.#mechanisms
  }

  /** Only AES keys have modes. @throws hsm/unsupported */
  #modeFor({ algorithm, use }: DeviceKeyRequest): CipherMode {
    if (algorithm !== 'aes-256' || use === 'wrapping') return 'gcm'
    const mode = this.#connection.run(() => cipherModeOf(this.#connection, this.#readMechanisms()))
    if (mode !== undefined) return mode
    throw new DeviceFault('hsm/unsupported', { detail: 'no authenticated encryption' })
  }

  /** @throws hsm/unsupported */
  #wrapMechanism(): WrapMechanism {
    const codes = this.#readMechanisms().map(({ code }) => code)
    const found = this.#connection.profile.wrap.find((name) => codes.includes(CKM[name]))
    if (found !== undefined) return found
    throw new DeviceFault('hsm/unsupported', { detail: 'no mechanism to wrap keys' })
  }
}
