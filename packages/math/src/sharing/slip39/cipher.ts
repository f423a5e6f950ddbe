/**
 * The encryption of the master secret in SLIP-39: a Feistel network of four rounds whose round function is
 * PBKDF2-HMAC-SHA-256. Any passphrase opens, each to another secret, so a wrong one cannot be told.
 */
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8, wipe } from '@quorate/base'

const ROUNDS = [0, 1, 2, 3] as const
const BASE_ITERATIONS = 10_000

export type CipherOptions = {
  /** Printable ASCII, as bytes. */
  readonly passphrase: Uint8Array
  readonly identifier: number
  readonly isExtendable: boolean
  readonly iterationExponent: number
}

function feistel(text: Uint8Array, rounds: readonly number[], options: CipherOptions): Uint8Array {
  const { passphrase, identifier, isExtendable, iterationExponent } = options
  const salt = isExtendable
    ? new Uint8Array(0)
    : concatBytes(utf8('shamir'), Uint8Array.of(identifier >> 8, identifier & 0xff))
  const half = text.length / 2
  let left = text.slice(0, half)
  let right = text.slice(half)
  for (const round of rounds) {
    const f = pbkdf2(
      sha256,
      concatBytes(Uint8Array.of(round), passphrase),
      concatBytes(salt, right),
      { c: (BASE_ITERATIONS << iterationExponent) / ROUNDS.length, dkLen: half },
    )
    for (let i = 0; i < half; i++) f[i] = f[i]! ^ left[i]!
    wipe(left)
    left = right
    right = f
  }
  const out = concatBytes(right, left)
  wipe(left, right)
  return out
}

/** Treats `secret` (of even length) and passphrase as secret. */
export const encryptMaster = (secret: Uint8Array, options: CipherOptions): Uint8Array =>
  feistel(secret, ROUNDS, options)

/** The inverse. Treats both as secret. */
export const decryptMaster = (encrypted: Uint8Array, options: CipherOptions): Uint8Array =>
  feistel(encrypted, ROUNDS.toReversed(), options)
