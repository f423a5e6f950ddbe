/**
 * Judging signatures off the event loop, with code that is not the device's: a signature that does
 * not hold may give its key away. ECDSA signatures are judged before they leave the provider, those of
 * Ed25519 by whoever gives them out. Variable-time: public inputs only.
 */
import { createHash, createPublicKey, type KeyObject, verify, webcrypto } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { concatBytes, Fault, fromHex, isFault } from '@quorate/base'
import { WorkerPool } from '@quorate/platform/workers'
import { toLowS } from '../ecdsa.ts'
import type { SignInput, SigningAlgorithm } from '../provider.ts'
import type { DigestJobs } from './digest-thread.ts'

/** SubjectPublicKeyInfo up to the key itself (RFC 8410; RFC 5480 with a compressed point). */
const SPKI: { readonly [A in SigningAlgorithm]: Uint8Array } = {
  ed25519: fromHex('302a300506032b6570032100'),
  p256: fromHex('3039301306072a8648ce3d020106082a8648ce3d030107032200'),
  secp256k1: fromHex('3036301006072a8648ce3d020106052b8104000a032200'),
}

const MAX_THREADS = 4
/** Larger messages are hashed off the event loop. */
const MAX_HASHED_HERE = 1 << 18

export class PublicKey {
  readonly algorithm: SigningAlgorithm
  readonly bytes: Uint8Array
  #key: KeyObject | undefined

  constructor(algorithm: SigningAlgorithm, bytes: Uint8Array) {
    this.algorithm = algorithm
    this.bytes = bytes
  }

  /** Parsed once: to find the point of a compressed key costs as much as a signature. @throws hsm/bad-argument */
  get key(): KeyObject {
    try {
      this.#key ??= createPublicKey({
        key: Buffer.from(concatBytes(SPKI[this.algorithm], this.bytes)),
        format: 'der',
        type: 'spki',
      })
    } catch (error) {
      throw new Fault('hsm/bad-argument', { detail: 'not a public key', cause: error })
    }
    return this.#key
  }
}

/** Judges signatures; close it when no more are to be judged. */
export class SignatureJudge {
  readonly #threads: WorkerPool<DigestJobs> = new WorkerPool<DigestJobs>({
    entry: new URL('./digest-thread.js', import.meta.url),
    size: Math.min(MAX_THREADS, availableParallelism()),
  })

  /** Whether the signature (64 bytes, for ECDSA with s in either half) holds. @throws hsm/bad-argument for a key that is none */
  holds(key: PublicKey, input: SignInput, signature: Uint8Array): Promise<boolean> {
    if ('message' in input) return holdsForMessage(key, input.message, signature)
    const { algorithm, bytes } = key
    // The platform's library hashes whatever it is given.
    return this.#threads.run('verify', {
      algorithm: algorithm === 'p256' ? 'p256' : 'secp256k1',
      publicKey: bytes,
      digest: input.digest,
      signature,
    })
  }

  async close(): Promise<void> {
    await this.#threads.close()
  }
}

const holdsForMessage = (
  { algorithm, key }: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const isEdwards = algorithm === 'ed25519'
    verify(
      isEdwards ? null : 'sha256',
      message,
      isEdwards ? key : { key, dsaEncoding: 'ieee-p1363' },
      signature,
      (error, holds) => {
        if (error === null) resolve(holds)
        else reject(error)
      },
    )
  })

/** @throws hsm/bad-argument for a digest of another length, or where only messages are signed */
export function checkInput({ algorithm }: PublicKey, input: SignInput): void {
  if ('message' in input) return
  if (algorithm === 'ed25519')
    throw new Fault('hsm/bad-argument', { detail: 'Ed25519 signs messages, not digests' })
  if (input.digest.length !== 32)
    throw new Fault('hsm/bad-argument', { detail: 'a digest of 32 bytes is needed' })
}

/** What the device signs: for ECDSA the digest. @throws hsm/bad-argument */
export function dataOf(key: PublicKey, input: SignInput): Uint8Array | Promise<Uint8Array> {
  checkInput(key, input)
  if ('digest' in input) return input.digest
  const { message } = input
  if (key.algorithm === 'ed25519') return message
  if (message.length <= MAX_HASHED_HERE) return createHash('sha256').update(message).digest()
  return webcrypto.subtle
    .digest('SHA-256', message as Uint8Array<ArrayBuffer>)
    .then((digest) => new Uint8Array(digest))
}

/** In the one form that leaves any provider, or `undefined` for what is no signature. */
export function normalised(
  { algorithm }: PublicKey,
  signature: Uint8Array,
): Uint8Array | undefined {
  if (signature.length !== 64) return undefined
  if (algorithm === 'ed25519') return signature
  try {
    return toLowS(algorithm, signature)
  } catch (error) {
    if (isFault(error, 'hsm/bad-argument')) return undefined
    throw error
  }
}
