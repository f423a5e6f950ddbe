/**
 * Authenticated encryption: AES-256-GCM with the IV as the vendor's profile has it, or for tokens
 * without it AES-256-CBC-PAD and then HMAC-SHA-256 over tag ‖ length-framed (AAD, IV, ciphertext).
 *
 * Nothing of why a ciphertext does not open gets out: every reason is the same hsm/cannot-open.
 */
import { randomBytes } from 'node:crypto'
import { concatBytes, equalBytes, Fault, TAGS, tagged } from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import type { Encrypted } from '../provider.ts'
import type { OpenSession } from './connection.ts'
import { CKR } from './constants.ts'
import { CkrError } from './cryptoki.ts'
import type { LoadedKey } from './keys.ts'
import { inOnePart, putGcmParams, putMechanism } from './mechanism.ts'
import type { GcmIv } from './profiles/profile.ts'
import { mac } from './sign.ts'

const TAG_BYTES = 16
const MAC_BYTES = 32
const BLOCK_BYTES = 16
/** What the IV of each strategy measures. */
const IV_BYTES: { readonly [S in Exclude<GcmIv, 'none'>]: number } = {
  caller12: 12,
  hsmWritesParam: 12,
  hsmAppends16: 16,
}

/** `length` random bytes of the device. @throws CkrError */
export function deviceRandom(
  { cryptoki, arena, session }: OpenSession,
  length: number,
): Uint8Array {
  const at = arena.reserve(length)
  cryptoki.C_GenerateRandom(session, at, length)
  return arena.read(at, length)
}

const newIv = (connection: OpenSession, length: number): Uint8Array =>
  connection.profile.ivSource === 'device'
    ? deviceRandom(connection, length)
    : new Uint8Array(randomBytes(length))

/** Under an AES key. @throws hsm/bad-argument for too long a plaintext, CkrError */
export function encrypt(
  connection: OpenSession,
  key: LoadedKey,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Encrypted {
  if (key.mac !== undefined) return encryptCbc(connection, key.handle, key.mac, plaintext, aad)
  const { gcmIv, gcmMaxBytes = Number.MAX_SAFE_INTEGER } = connection.profile
  if (plaintext.length > gcmMaxBytes)
    throw new Fault('hsm/bad-argument', { detail: `at most ${gcmMaxBytes} bytes at once` })
  if (gcmIv === 'none') throw noMacKey()
  return encryptGcm(connection, key.handle, gcmIv, plaintext, aad)
}

/** Under an AES key. @throws hsm/cannot-open, CkrError */
export function decrypt(
  connection: OpenSession,
  key: LoadedKey,
  encrypted: Encrypted,
  aad: Uint8Array,
): Uint8Array {
  if (key.mac !== undefined) return decryptCbc(connection, key.handle, key.mac, encrypted, aad)
  const { gcmIv } = connection.profile
  if (gcmIv === 'none') throw noMacKey()
  // What was sealed before the device changed its way, as by a firmware, still opens.
  const lengths = Object.values(IV_BYTES)
  if (!lengths.includes(encrypted.iv.length) || encrypted.ciphertext.length < TAG_BYTES)
    throw new Fault('hsm/cannot-open')
  return decryptGcm(connection, key.handle, encrypted, aad)
}

const noMacKey = (): Fault =>
  new Fault('hsm/bad-argument', { detail: 'the MAC key that belongs to this AES key is missing' })

function encryptGcm(
  connection: OpenSession,
  handle: bigint,
  strategy: Exclude<GcmIv, 'none'>,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Encrypted {
  const { cryptoki, arena, session } = connection
  const length = IV_BYTES[strategy]
  const ivAt =
    strategy === 'caller12' ? arena.put(newIv(connection, length)) : arena.reserve(length)
  const iv = {
    caller12: { address: ivAt, length, bits: 8 * length },
    hsmWritesParam: { address: ivAt, length, bits: 0 },
    hsmAppends16: { address: 0, length: 0, bits: 0 },
  }[strategy]
  const mechanism = putMechanism(arena, 'AES_GCM', putGcmParams(arena, iv, aad))
  cryptoki.C_EncryptInit(session, mechanism, handle)
  const room = plaintext.length + TAG_BYTES + length
  const out = inOnePart(connection, cryptoki.C_Encrypt, plaintext, room)
  const end = plaintext.length + TAG_BYTES
  const encrypted =
    strategy === 'hsmAppends16'
      ? { iv: out.slice(end), ciphertext: out.slice(0, end) }
      : { iv: arena.read(ivAt, length), ciphertext: out }
  demandSound(encrypted, end, length)
  return encrypted
}

/** A device that made no IV, or put it elsewhere, would reuse one or lose it. */
function demandSound({ iv, ciphertext }: Encrypted, end: number, ivBytes: number): void {
  if (ciphertext.length === end && iv.length === ivBytes && iv.some((byte) => byte !== 0)) return
  throw new DeviceFault('hsm/unsupported', {
    detail: 'AES-GCM of this device does not follow its profile',
  })
}

function decryptGcm(
  connection: OpenSession,
  handle: bigint,
  { iv, ciphertext }: Encrypted,
  aad: Uint8Array,
): Uint8Array {
  const { cryptoki, arena, session } = connection
  const params = { address: arena.put(iv), length: iv.length, bits: 8 * iv.length }
  const mechanism = putMechanism(arena, 'AES_GCM', putGcmParams(arena, params, aad))
  cryptoki.C_DecryptInit(session, mechanism, handle)
  return openWith(connection, ciphertext)
}

/** Of the standard, for a ciphertext that does not verify. */
const DOES_NOT_OPEN: readonly number[] = [
  CKR.ENCRYPTED_DATA_INVALID,
  CKR.ENCRYPTED_DATA_LEN_RANGE,
  CKR.AEAD_DECRYPT_FAILED,
  CKR.DATA_INVALID,
  CKR.DATA_LEN_RANGE,
  CKR.SIGNATURE_INVALID,
]

function openWith(connection: OpenSession, ciphertext: Uint8Array): Uint8Array {
  try {
    // Some tokens write the whole blocks before they know where the padding begins.
    return inOnePart(
      connection,
      connection.cryptoki.C_Decrypt,
      ciphertext,
      ciphertext.length + BLOCK_BYTES,
    )
  } catch (error) {
    if (!(error instanceof CkrError)) throw error
    if (![...DOES_NOT_OPEN, ...connection.profile.cannotOpen].includes(error.ckr)) throw error
    throw new Fault('hsm/cannot-open')
  }
}

function encryptCbc(
  connection: OpenSession,
  handle: bigint,
  macHandle: bigint,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Encrypted {
  const { cryptoki, arena, session } = connection
  const iv = newIv(connection, BLOCK_BYTES)
  const parameter = [arena.put(iv), BLOCK_BYTES] as const
  cryptoki.C_EncryptInit(session, putMechanism(arena, 'AES_CBC_PAD', parameter), handle)
  const room = plaintext.length + BLOCK_BYTES
  const body = inOnePart(connection, cryptoki.C_Encrypt, plaintext, room)
  return { iv, ciphertext: concatBytes(body, mac(connection, macHandle, framed(aad, iv, body))) }
}

function decryptCbc(
  connection: OpenSession,
  handle: bigint,
  macHandle: bigint,
  { iv, ciphertext }: Encrypted,
  aad: Uint8Array,
): Uint8Array {
  const { cryptoki, arena, session } = connection
  const end = ciphertext.length - MAC_BYTES
  if (iv.length !== BLOCK_BYTES || end < BLOCK_BYTES || end % BLOCK_BYTES !== 0)
    throw new Fault('hsm/cannot-open')
  const body = ciphertext.subarray(0, end)
  // Before anything is decrypted, so that no padding is ever judged that we did not make.
  if (!equalBytes(mac(connection, macHandle, framed(aad, iv, body)), ciphertext.subarray(end)))
    throw new Fault('hsm/cannot-open')
  const parameter = [arena.put(iv), BLOCK_BYTES] as const
  cryptoki.C_DecryptInit(session, putMechanism(arena, 'AES_CBC_PAD', parameter), handle)
  return openWith(connection, body)
}

/** tag ‖ for each part: length (8 bytes, big-endian) ‖ part. */
function framed(...parts: readonly Uint8Array[]): Uint8Array {
  const framedParts = parts.flatMap((part) => {
    const length = new Uint8Array(8)
    new DataView(length.buffer).setBigUint64(0, BigInt(part.length))
    return [length, part]
  })
  return tagged(TAGS.hsmCbcMac, ...framedParts)
}
