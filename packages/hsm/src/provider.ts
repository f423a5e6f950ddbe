/**
 * One interface over every place where a key can live. Callers never learn which vendor is behind
 * it; what not every vendor can do is an optional capability.
 *
 * A provider says what it is, but not how far it is to be trusted: the custody level stands in the
 * table of `registry.ts`.
 */
import { type Branded, Fault } from '@quorate/base'

/** Where a secret lives, weakest first. */
export type Custody = 'software' | 'sealed' | 'hardware'

export type SigningAlgorithm = 'ed25519' | 'p256' | 'secp256k1'
export type KeyAlgorithm = SigningAlgorithm | 'aes-256' | 'hmac-sha256'

/** Names one key of a provider: 1 to 32 bytes in lower-case hex. A key keeps it for life. */
export type KeyId = Branded<string, 'KeyId'>

/** `text` as a key id. @throws hsm/bad-argument */
export function parseKeyId(text: string): KeyId {
  if (!/^([0-9a-f]{2}){1,32}$/.test(text))
    throw new Fault('hsm/bad-argument', { detail: 'a key id is 1 to 32 bytes in lower-case hex' })
  return text as KeyId
}

export type KeyInfo = {
  readonly id: KeyId
  /** For people; need not be unique. */
  readonly label: string
  readonly algorithm: KeyAlgorithm
  /** Ed25519: 32 bytes. P-256, secp256k1: compressed SEC1, 33 bytes. Absent for secret keys. */
  readonly publicKey?: Uint8Array
  /** Whether the secret part can leave the device in plaintext, or wrapped. */
  readonly isExtractable: boolean
  /** Whether the device refuses to reveal the secret part. */
  readonly isSensitive: boolean
  readonly createdAt: number
}

export type KeyRequest = {
  readonly label: string
  readonly algorithm: KeyAlgorithm
  /** Drawn at random unless given. */
  readonly id?: KeyId
}

export type KeyQuery = { readonly id?: KeyId; readonly label?: string }

/**
 * What to sign. ECDSA keys hash a message with SHA-256, and take a digest of 32 bytes as it is;
 * Ed25519 keys take messages only.
 */
export type SignInput = { readonly message: Uint8Array } | { readonly digest: Uint8Array }

/**
 * AES-256-GCM, or of a device without it AES-256-CBC with HMAC-SHA-256 over everything, made by a
 * second key of the device. The provider makes the IV; vendors differ in its length.
 */
export type Encrypted = {
  readonly iv: Uint8Array
  /** With the tag at its end: 16 bytes, or 32 of an HMAC. Of a service, what it puts before that belongs to the IV. */
  readonly ciphertext: Uint8Array
}

export type ProviderInfo = {
  readonly type: string
  /** What people read. */
  readonly name: string
  readonly serial: string
  readonly algorithms: readonly KeyAlgorithm[]
  /** Bytes of the longest message that an Ed25519 key signs, where that is little. */
  readonly maxEd25519Message?: number
  /** For so many days an administrator of the service can bring a destroyed key back. */
  readonly deletionDays?: number
}

export type ProviderHealth =
  | { readonly state: 'ok' }
  /** `reason` is an error code. */
  | { readonly state: 'failed'; readonly reason: string }

export type HsmProvider = {
  info(): Promise<ProviderInfo>
  /** Never throws: a device that cannot answer is `failed`. */
  health(): Promise<ProviderHealth>
  /** A key that never leaves the device. It survives a crash once this has resolved. @throws hsm/key-exists */
  generateKey(request: KeyRequest): Promise<KeyInfo>
  /** The only key that matches everything given. @throws hsm/key-not-found, hsm/key-ambiguous */
  find(query: KeyQuery): Promise<KeyInfo>
  list(): Promise<readonly KeyInfo[]>
  /** In the form of `KeyInfo.publicKey`. @throws hsm/key-not-found, hsm/bad-argument for a secret key */
  publicKey(id: KeyId): Promise<Uint8Array>
  /** 64 bytes: Ed25519, or ECDSA as r ‖ s with s in the lower half. @throws hsm/key-not-found, hsm/bad-argument */
  sign(id: KeyId, input: SignInput): Promise<Uint8Array>
  /** Also true for an ECDSA signature with s in the upper half. @throws hsm/key-not-found, hsm/bad-argument */
  verify(id: KeyId, input: SignInput, signature: Uint8Array): Promise<boolean>
  /** @throws hsm/key-not-found, hsm/bad-argument for a key that does not encrypt */
  encrypt(id: KeyId, plaintext: Uint8Array, aad: Uint8Array): Promise<Encrypted>
  /** @throws hsm/cannot-open, hsm/key-not-found, hsm/bad-argument */
  decrypt(id: KeyId, encrypted: Encrypted, aad: Uint8Array): Promise<Uint8Array>
  /** HMAC-SHA-256, 32 bytes. @throws hsm/key-not-found, hsm/bad-argument */
  hmac(id: KeyId, message: Uint8Array): Promise<Uint8Array>
  /** 1 to 1024 bytes of the device's own random generator. @throws hsm/bad-argument */
  random(length: number): Promise<Uint8Array>
  /** For ever. `label` must be the label of the key. @throws hsm/label-mismatch, hsm/key-not-found */
  destroy(id: KeyId, confirm: { readonly label: string }): Promise<void>
  /** Afterwards every operation fails with hsm/closed. */
  close(): Promise<void>
}

/** Moves keys under another key of the device, which does nothing else. */
export type KeyWrapper = {
  /**
   * A key that may leave the device wrapped, never in plaintext. `withTrusted`: only under a key that the
   * security officer trusts (CKA_WRAP_WITH_TRUSTED). @throws hsm/key-exists
   */
  generateWrappableKey(request: WrappableRequest): Promise<KeyInfo>
  /**
   * An AES-256 key that wraps and unwraps other keys, encrypts nothing and never leaves: out of `secret`
   * (32 bytes), else made in the device. Treats `secret` as secret.
   * @throws hsm/unsupported for a `secret` where the device takes no keys from outside, hsm/key-exists
   */
  makeWrappingKey(request: Pick<KeyRequest, 'id' | 'label'>, secret?: Uint8Array): Promise<KeyInfo>
  /** @throws hsm/forbidden or hsm/bad-argument for a key that may not leave */
  wrapKey(wrapping: KeyId, target: KeyId): Promise<Uint8Array>
  /** A key that stays, whatever it was before. @throws hsm/cannot-open */
  unwrapKey(wrapping: KeyId, wrapped: Uint8Array, request: KeyRequest): Promise<KeyInfo>
}

export type WrappableRequest = KeyRequest & { readonly withTrusted?: boolean }

export type Attestation = {
  /** Which verifier understands it. */
  readonly format: string
  readonly document: Uint8Array
}

/** Proves to a stranger that a key lives in the device. */
export type Attester = {
  /** `nonce`: 16 to 64 bytes from whoever will verify. */
  attestKey(id: KeyId, nonce: Uint8Array): Promise<Attestation>
}

/** Takes keys that were made elsewhere. */
export type Importer = {
  importKey(request: KeyRequest, secret: Uint8Array): Promise<KeyInfo>
}

/** Makes child keys inside the device. */
export type Deriver = {
  deriveKey(parent: KeyId, path: string, request: KeyRequest): Promise<KeyInfo>
}

export type TamperEvent = {
  /** Milliseconds since the epoch, by the clock of the device. */
  readonly time: number
  readonly what: string
  /** Of the device's sensors, where it has several. */
  readonly channel?: number
}

/** Reports that somebody tried to open the device. */
export type Tamper = {
  /** What the device has noted and nobody has cleared. */
  tamperEvents(): Promise<readonly TamperEvent[]>
  /**
   * Calls `listener` with each event, those that are noted already included, until the function that it
   * gives is called. A device whose watch is lost is not healthy.
   */
  onTamper(listener: (event: TamperEvent) => void): () => void
}

export type Capabilities = {
  readonly wrap: KeyWrapper
  readonly attest: Attester
  readonly import: Importer
  readonly derive: Deriver
  readonly tamper: Tamper
}

const METHODS: { readonly [C in keyof Capabilities]: readonly (keyof Capabilities[C])[] } = {
  wrap: ['generateWrappableKey', 'makeWrappingKey', 'wrapKey', 'unwrapKey'],
  attest: ['attestKey'],
  import: ['importKey'],
  derive: ['deriveKey'],
  tamper: ['tamperEvents', 'onTamper'],
}

/** Whether `provider` has every operation of the capability. */
export const hasCapability = <C extends keyof Capabilities>(
  provider: HsmProvider,
  capability: C,
): provider is HsmProvider & Capabilities[C] =>
  METHODS[capability].every(
    (method) => typeof (provider as Partial<Record<PropertyKey, unknown>>)[method] === 'function',
  )
