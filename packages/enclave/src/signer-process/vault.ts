/**
 * What this node keeps sealed: its identity key in the HSM, and the node secrets (store key, host
 * seed) under an HSM key. Shares, auxiliary secrets and primes are sealed row by row under the store
 * key, so the HSM is asked once per start and a stolen disk without the HSM is worth nothing.
 *
 *   row  = IV (12) ‖ AES-256-GCM(store key, plaintext, AAD) ‖ tag (16)
 *   AAD  = tag ‖ CBOR {store id, table, row id, version, column, algorithm, key version, facts of the row}
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import type { Custody } from '@quorate/auth'
import {
  bytes,
  concatBytes,
  decode,
  encode,
  Fault,
  field,
  type Id,
  idFrom,
  int,
  oneOf,
  optional,
  type Random,
  record,
  type Sealer,
  Secret,
  type Signer,
  TAGS,
  tagged,
  taggedHash,
  text,
  utf8,
  wipe,
} from '@quorate/base'

/** The key custody and objects that `hsm` offers this node. */
export type NodeHsm = {
  readonly custody: Custody
  /** Ed25519, never leaves the HSM. */
  readonly identity: Signer
  /** Seals under an AES key that never leaves the HSM. */
  readonly sealer: Sealer
}

const nodeSecrets = record({
  v: field(0, oneOf(1)),
  /** Also in the database in the clear: two stores cannot be mixed. */
  storeId: field(1, text(64)),
  storeKey: field(2, bytes(32)),
  /** Host keys of distributed key generation are derived from it. */
  hostSeed: field(3, bytes(32)),
})

const rowContext = record({
  storeId: field(0, text(64)),
  table: field(1, text(32)),
  row: field(2, text(200)),
  version: field(3, int()),
  column: field(4, text(32)),
  algorithm: field(5, text(32)),
  keyVersion: field(6, int()),
  wallet: optional(7, text(64)),
  generation: optional(8, int()),
  threshold: optional(9, int()),
  verifyingShare: optional(10, bytes({ max: 33 })),
  level: optional(11, text(64)),
})

/** Where a sealed value stands, and what else it is bound to. */
export type SealedPlace =
  | {
      readonly table: 'wallets'
      readonly row: string
      readonly wallet: string
      readonly generation: number
      readonly threshold: number
      readonly verifyingShare: Uint8Array
    }
  | { readonly table: 'aux' | 'aux_primes'; readonly row: string; readonly level: string }

const IV_BYTES = 12
const TAG_BYTES = 16

/** The id that a node has by its identity key alone. */
export const nodeIdOf = (identityKey: Uint8Array): Id<'nod'> =>
  idFrom('nod', 0, taggedHash(TAGS.nodeId, identityKey).slice(0, 10))

export class Vault {
  readonly hsm: NodeHsm
  readonly nodeId: Id<'nod'>
  /** The node secrets sealed by the HSM, for the daemon to keep. */
  readonly sealedSecrets: Uint8Array
  readonly #storeId: string
  readonly #random: Random
  readonly #hostSeed: Secret<Uint8Array>
  #storeKey: KeyObject | undefined

  private constructor(o: {
    hsm: NodeHsm
    storeId: string
    sealed: Uint8Array
    storeKey: Uint8Array
    hostSeed: Uint8Array
    random: Random
  }) {
    this.hsm = o.hsm
    this.nodeId = nodeIdOf(o.hsm.identity.publicKey)
    this.sealedSecrets = o.sealed
    this.#storeId = o.storeId
    this.#random = o.random
    this.#hostSeed = new Secret(o.hostSeed)
    this.#storeKey = createSecretKey(o.storeKey)
    wipe(o.storeKey)
  }

  /**
   * Opens the store of `storeId`; on a fresh one (`sealed` null) makes its secrets.
   * @throws enclave/store-mismatch where another HSM sealed it or it is another store's
   */
  static async open(o: {
    hsm: NodeHsm
    storeId: string
    sealed: Uint8Array | null
    random: Random
  }): Promise<Vault> {
    const context = tagged(TAGS.storeKey, utf8(o.storeId))
    if (o.sealed === null) {
      const storeKey = o.random.bytes(32)
      const hostSeed = o.random.bytes(32)
      const plain = encode(nodeSecrets, { v: 1, storeId: o.storeId, storeKey, hostSeed })
      const sealed = await o.hsm.sealer.seal(plain, context)
      wipe(plain)
      return new Vault({ ...o, sealed, storeKey, hostSeed })
    }
    const plain = await o.hsm.sealer.open(o.sealed, context).catch((cause: unknown) => {
      throw new Fault('enclave/store-mismatch', { cause })
    })
    const secrets = decode(nodeSecrets, plain, { maxBytes: 256 })
    wipe(plain)
    if (secrets.storeId !== o.storeId) throw new Fault('enclave/store-mismatch')
    return new Vault({
      ...o,
      sealed: o.sealed,
      storeKey: secrets.storeKey,
      hostSeed: secrets.hostSeed,
    })
  }

  /** 64 bytes from which a suite takes its host key; the same at every start. The caller wipes them. */
  hostKeyMaterial(suite: string): Uint8Array {
    return new Uint8Array(
      hkdfSync(
        'sha256',
        this.#hostSeed.expose(),
        new Uint8Array(),
        tagged(TAGS.dkgHostKey, utf8(suite)),
        64,
      ),
    )
  }

  #aad(place: SealedPlace): Uint8Array {
    const context = encode(rowContext, {
      storeId: this.#storeId,
      version: 1,
      column: 'sealed',
      algorithm: 'AES-256-GCM',
      keyVersion: 1,
      ...place,
    })
    return tagged(TAGS.storeRow, context)
  }

  get #key(): KeyObject {
    if (this.#storeKey === undefined) throw new Fault('base/wiped')
    return this.#storeKey
  }

  /** Treats `plaintext` as secret; the caller wipes it. */
  seal(plaintext: Uint8Array, place: SealedPlace): Uint8Array {
    const iv = this.#random.bytes(IV_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv)
    cipher.setAAD(this.#aad(place))
    return concatBytes(iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
  }

  /** The plaintext; the caller wipes it. @throws enclave/store-mismatch, whatever is wrong */
  open(sealed: Uint8Array, place: SealedPlace): Uint8Array {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, IV_BYTES))
      decipher.setAAD(this.#aad(place))
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
      const body = decipher.update(sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES))
      const plain = concatBytes(body, decipher.final())
      wipe(body)
      return plain
    } catch (cause) {
      throw new Fault('enclave/store-mismatch', { cause })
    }
  }

  /** Drops every key. */
  [Symbol.dispose](): void {
    this.#hostSeed[Symbol.dispose]()
    this.#storeKey = undefined
  }
}
