/**
 * A device for tests, backed by the platform's crypto library and a directory: `keys/` holds its keys,
 * `log` has a line for each call, and a file `plan/<call>` says what goes wrong with the next call of
 * that name. It is as synchronous as a vendor's library, and hangs and crashes like one.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { Fault, fromHex, toHex } from '@quorate/base'
import type {
  DeviceKeyRequest,
  DeviceSession,
  DeviceSettings,
  OpenDevice,
  PinnedKey,
} from '#src/device.js'
import { generateEcdsaKey, signDigest } from '#src/ecdsa.js'
import { generateEd25519Key, signEd25519 } from '#src/ed25519.js'
import { type DeviceCode, DeviceFault } from '#src/errors.js'
import type { KeyAlgorithm, KeyId, KeyInfo, KeyQuery } from '#src/provider.js'

/** What goes wrong, in the order of the array; one call each. `at` is before the work unless told. */
export type Mishap = { readonly at?: 'before' | 'after' } & (
  | { readonly kind: 'hang'; readonly ms?: number }
  | { readonly kind: 'crash' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'throw' }
  | { readonly kind: 'fault'; readonly code: DeviceCode; readonly ckr?: number }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'wrong' }
  /** Bytes on the connection of the thread, in hex. */
  | { readonly kind: 'write'; readonly fd: number; readonly hex: string }
)

type Stored = {
  readonly label: string
  readonly algorithm: KeyAlgorithm
  readonly secret: string
  readonly publicKey?: string
  readonly isExtractable: boolean
}

export const PIN = 'correct horse'
const MAKE: { readonly [A in KeyAlgorithm]: () => { secret: Uint8Array; publicKey?: Uint8Array } } =
  {
    ed25519: generateEd25519Key,
    p256: () => generateEcdsaKey('p256'),
    secp256k1: () => generateEcdsaKey('secp256k1'),
    'aes-256': () => ({ secret: randomBytes(32) }),
    'hmac-sha256': () => ({ secret: randomBytes(32) }),
  }

const sleep = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

export class FakeSession implements DeviceSession {
  readonly #directory: string
  readonly #settings: DeviceSettings
  #isClosed = false

  constructor(settings: DeviceSettings) {
    this.#settings = settings
    this.#directory = settings.library
  }

  token: DeviceSession['token'] = () =>
    this.run('token', () => ({
      library: { description: 'fake', version: '1.0', cryptoki: '2.40' },
      slot: '18446744073709551615',
      label: this.#settings.token.label ?? '',
      manufacturer: 'Quorate',
      model: 'fake',
      serial: this.#settings.env['FAKE_SERIAL'] ?? '0001',
      firmware: '1.0',
      flags: ['LOGIN_REQUIRED'],
      maxSessions: Number(this.#settings.env['FAKE_MAX_SESSIONS'] ?? '0') || undefined,
      openSessions: undefined,
      mechanisms: [
        { name: 'CKM_EDDSA', code: 0x1057, flags: ['SIGN'], minKeySize: 255, maxKeySize: 255 },
      ],
      algorithms: ['ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256'],
      capabilities: this.#settings.env['FAKE_CAPABILITIES'] === 'all' ? ['wrap', 'import'] : [],
    }))

  probe: DeviceSession['probe'] = () => this.run('probe', () => undefined)

  objects: DeviceSession['objects'] = () =>
    this.run('objects', () => [
      {
        class: 'CKO_SECRET_KEY',
        keyType: 'CKK_AES',
        label: 'e\u0301', // not normalised
        id: '',
        flags: { SENSITIVE: true, EXTRACTABLE: false },
        allowedMechanisms: [],
      },
    ])

  generateKey: DeviceSession['generateKey'] = (request) =>
    this.run('generateKey', () => this.#create(request, MAKE[request.algorithm]()))

  find: DeviceSession['find'] = (query) => this.run('find', () => this.#find(query))

  list: DeviceSession['list'] = () => this.run('list', () => this.#all())

  sign: DeviceSession['sign'] = (key, data) =>
    this.run('sign', () => {
      const { algorithm, secret } = this.#use(key)
      if (algorithm === 'ed25519') return signEd25519(fromHex(secret), data)
      return signDigest(algorithm as 'p256' | 'secp256k1', fromHex(secret), data)
    })

  encrypt: DeviceSession['encrypt'] = (key, plaintext, aad) =>
    this.run('encrypt', () => seal(fromHex(this.#use(key).secret), plaintext, aad))

  decrypt: DeviceSession['decrypt'] = (key, { iv, ciphertext }, aad) =>
    this.run('decrypt', () => {
      const decipher = createDecipheriv('aes-256-gcm', fromHex(this.#use(key).secret), iv)
      decipher.setAAD(aad)
      decipher.setAuthTag(ciphertext.subarray(-16))
      const plaintext = decipher.update(ciphertext.subarray(0, -16))
      try {
        decipher.final()
      } catch {
        throw new Fault('hsm/cannot-open')
      }
      return new Uint8Array(plaintext)
    })

  hmac: DeviceSession['hmac'] = (key, message) =>
    this.run('hmac', () =>
      createHmac('sha256', fromHex(this.#use(key).secret))
        .update(message)
        .digest(),
    )

  random: DeviceSession['random'] = (length) => this.run('random', () => randomBytes(length))

  destroy: DeviceSession['destroy'] = (id, label) =>
    this.run('destroy', () => {
      if (this.#find({ id }).label !== label) throw new Fault('hsm/label-mismatch')
      rmSync(this.#fileOf(id))
    })

  wrapKey: DeviceSession['wrapKey'] = (wrapping, target) =>
    this.run('wrapKey', () => {
      const { iv, ciphertext } = seal(
        fromHex(this.#use(wrapping).secret),
        fromHex(this.#use(target).secret),
        new Uint8Array(),
      )
      return new Uint8Array([...iv, ...ciphertext])
    })

  unwrapKey: DeviceSession['unwrapKey'] = (wrapping, wrapped, request) =>
    this.run('unwrapKey', () => {
      const secret = createDecipheriv(
        'aes-256-gcm',
        fromHex(this.#use(wrapping).secret),
        wrapped.subarray(0, 12),
      ).update(wrapped.subarray(12, -16))
      return this.#create(request, { secret })
    })

  importKey: DeviceSession['importKey'] = (request, secret) =>
    this.run('importKey', () => this.#create(request, { secret }))

  deriveKey: DeviceSession['deriveKey'] = () =>
    this.run('deriveKey', () => {
      throw new DeviceFault('hsm/unsupported')
    })

  close(): void {
    this.run('close', () => undefined)
    this.#isClosed = true
  }

  /** The call, with what is planned to go wrong with it. */
  run<T>(call: string, work: () => T): T {
    if (this.#isClosed) throw new DeviceFault('hsm/closed')
    appendFileSync(join(this.#directory, 'log'), `${call}\n`)
    const mishap = this.#mishap(call)
    if (mishap.at !== 'after') happen(mishap)
    let result = work()
    if (mishap.at === 'after') happen(mishap)
    if (mishap.kind === 'wrong' && result instanceof Uint8Array) {
      result = result.slice() as T & Uint8Array
      ;(result as Uint8Array)[5]! ^= 1
    }
    return result
  }

  #mishap(call: string): Mishap {
    const file = join(this.#directory, 'plan', call)
    if (!existsSync(file)) return { kind: 'none' }
    const taken = `${file}.${randomBytes(8).toString('hex')}`
    try {
      renameSync(file, taken)
    } catch {
      return { kind: 'none' }
    }
    const [first, ...rest] = JSON.parse(readFileSync(taken, 'utf8')) as Mishap[]
    rmSync(taken)
    if (rest.length > 0) writeFileSync(file, JSON.stringify(rest))
    return first ?? { kind: 'none' }
  }

  #fileOf(id: KeyId): string {
    return join(this.#directory, 'keys', id)
  }

  #create(
    { id, label, algorithm, isWrappable = false }: DeviceKeyRequest,
    { secret, publicKey }: { secret: Uint8Array; publicKey?: Uint8Array },
  ): KeyInfo {
    if (existsSync(this.#fileOf(id))) throw new Fault('hsm/key-exists')
    const stored: Stored = {
      label,
      algorithm,
      secret: toHex(secret),
      ...(publicKey === undefined ? {} : { publicKey: toHex(publicKey) }),
      isExtractable: isWrappable,
    }
    writeFileSync(this.#fileOf(id), JSON.stringify(stored))
    return this.#find({ id })
  }

  #read(id: KeyId): Stored {
    if (!existsSync(this.#fileOf(id))) throw new Fault('hsm/key-not-found')
    return JSON.parse(readFileSync(this.#fileOf(id), 'utf8')) as Stored
  }

  #use({ id, algorithm, publicKey }: PinnedKey): Stored {
    const stored = this.#read(id)
    if (stored.algorithm !== algorithm || stored.publicKey !== (publicKey && toHex(publicKey)))
      throw new Fault('hsm/key-changed')
    return stored
  }

  #all(): readonly KeyInfo[] {
    return readdirSync(join(this.#directory, 'keys')).map((id) => this.#find({ id: id as KeyId }))
  }

  #find({ id, label }: KeyQuery): KeyInfo {
    if (id === undefined) {
      const [found, another] = this.#all().filter((key) => key.label === label)
      if (found === undefined) throw new Fault('hsm/key-not-found')
      if (another !== undefined) throw new Fault('hsm/key-ambiguous')
      return found
    }
    const stored = this.#read(id)
    if (label !== undefined && label !== stored.label) throw new Fault('hsm/key-not-found')
    return {
      id,
      label: stored.label,
      algorithm: stored.algorithm,
      ...(stored.publicKey === undefined ? {} : { publicKey: fromHex(stored.publicKey) }),
      isExtractable: stored.isExtractable,
      isSensitive: true,
      createdAt: 0,
    }
  }
}

function seal(
  key: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): { iv: Uint8Array; ciphertext: Uint8Array } {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(aad)
  const body = cipher.update(plaintext)
  cipher.final()
  return { iv, ciphertext: new Uint8Array([...body, ...cipher.getAuthTag()]) }
}

function happen(mishap: Mishap): void {
  switch (mishap.kind) {
    case 'hang':
      sleep(mishap.ms ?? 3_600_000)
      return
    case 'crash':
      process.kill(process.pid, 'SIGSEGV')
      sleep(3_600_000)
      return
    case 'abort':
      process.kill(process.pid, 'SIGABRT')
      sleep(3_600_000)
      return
    case 'throw':
      throw new RangeError('a secret that must not cross')
    case 'fault':
      throw new DeviceFault(mishap.code, mishap.ckr === undefined ? {} : { ckr: mishap.ckr })
    case 'print':
      writeSync(2, mishap.text)
      return
    case 'write':
      writeSync(mishap.fd, fromHex(mishap.hex))
      return
    case 'wrong':
    case 'none':
  }
}

export const openFake: OpenDevice = (settings, pin) => {
  mkdirSync(join(settings.library, 'keys'), { recursive: true })
  mkdirSync(join(settings.library, 'plan'), { recursive: true })
  const session = new FakeSession(settings)
  session.run('open', () => undefined)
  const isWrong = settings.userType !== 'none' && pin?.expose() !== undefined
  if (isWrong && Buffer.from(pin.expose()).toString() !== PIN)
    throw new DeviceFault('hsm/pin-incorrect', { ckr: 0xa0 })
  return session
}
