/**
 * Signatures that need not be made twice: only of schemes that give the same signature for the same
 * message, found by key and message, the one not used for longest making room. What it saves is the
 * device's time and nothing else: whoever asks is judged, counted and written down as before.
 */
import { Fault, TAGS, taggedHash, toHex } from '@quorate/base'
import type { SignInput, SigningAlgorithm } from '../provider.ts'

/**
 * Whether a key signs the same message the same way each time. No device of ours promises that of ECDSA:
 * its nonce comes from RFC 6979 with randomness added, or from the device's own generator.
 */
const IS_DETERMINISTIC: { readonly [A in SigningAlgorithm]: boolean } = {
  ed25519: true,
  p256: false,
  secp256k1: false,
}

export type CacheFigures = {
  readonly hits: number
  readonly misses: number
  readonly size: number
  readonly capacity: number
}

export const MAX_CACHED_SIGNATURES = 1_000_000

export class SignatureCache {
  readonly #capacity: number
  readonly #signatures = new Map<string, Uint8Array>()
  #hits = 0
  #misses = 0

  /** Of so many signatures. @throws hsm/bad-argument */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_CACHED_SIGNATURES)
      throw new Fault('hsm/bad-argument', { detail: `1 to ${MAX_CACHED_SIGNATURES} signatures` })
    this.#capacity = capacity
  }

  get figures(): CacheFigures {
    const size = this.#signatures.size
    return { hits: this.#hits, misses: this.#misses, size, capacity: this.#capacity }
  }

  /** The signature that is there, else the one that `make` makes and that is kept then. */
  async signature(
    algorithm: SigningAlgorithm,
    publicKey: Uint8Array,
    input: SignInput,
    make: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    if (!IS_DETERMINISTIC[algorithm]) return make()
    const key = keyOf(publicKey, input)
    const known = this.#signatures.get(key)
    if (known === undefined) {
      this.#misses++
      const made = await make()
      this.#keep(key, made)
      return made
    }
    this.#hits++
    this.#keep(key, known)
    return known.slice()
  }

  /** As the last used one. */
  #keep(key: string, signature: Uint8Array): void {
    this.#signatures.delete(key)
    this.#signatures.set(key, signature.slice())
    const [oldest] = this.#signatures.keys()
    if (this.#signatures.size > this.#capacity && oldest !== undefined)
      this.#signatures.delete(oldest)
  }
}

/** Message and digest never share one: what is signed differs. */
function keyOf(publicKey: Uint8Array, input: SignInput): string {
  const [kind, data] = 'message' in input ? [0, input.message] : [1, input.digest]
  const head = Uint8Array.of(kind, publicKey.length)
  return toHex(taggedHash(TAGS.hsmSignatureCache, head, publicKey, data))
}
