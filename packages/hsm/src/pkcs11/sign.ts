/** Signatures and MACs. */
import { Fault } from '@quorate/base'
import type { SigningAlgorithm } from '../provider.ts'
import type { OpenSession } from './connection.ts'
import { rawSignature } from './ec.ts'
import { inOnePart, putMechanism } from './mechanism.ts'

/** Room for any ECDSA signature of these curves in DER. */
const SIGNATURE_ROOM = 80
const HMAC_BYTES = 32

/**
 * 64 bytes under the private key with that handle. ECDSA: of a digest of exactly 32 bytes (tokens would
 * take others), s in either half. Ed25519: pure, of the whole message.
 * @throws hsm/bad-argument for another digest, CkrError
 */
export function sign(
  connection: OpenSession,
  algorithm: SigningAlgorithm,
  handle: bigint,
  data: Uint8Array,
): Uint8Array {
  const { cryptoki, arena, session } = connection
  const isEdwards = algorithm === 'ed25519'
  if (!isEdwards && data.length !== 32)
    throw new Fault('hsm/bad-argument', { detail: 'a digest of 32 bytes is needed' })
  cryptoki.C_SignInit(session, putMechanism(arena, isEdwards ? 'EDDSA' : 'ECDSA'), handle)
  const signature = inOnePart(connection, cryptoki.C_Sign, data, SIGNATURE_ROOM)
  return isEdwards ? signature : rawSignature(algorithm, signature)
}

/** HMAC-SHA-256 under the MAC key with that handle, 32 bytes. @throws CkrError */
export function mac(connection: OpenSession, handle: bigint, message: Uint8Array): Uint8Array {
  const { cryptoki, arena, session } = connection
  cryptoki.C_SignInit(session, putMechanism(arena, 'SHA256_HMAC'), handle)
  return inOnePart(connection, cryptoki.C_Sign, message, HMAC_BYTES)
}
