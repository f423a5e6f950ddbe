/** Encoded mechanisms, and operations in one part: Init, then the whole input at once. */
import { type Arena, ULONG_BYTES } from './arena.ts'
import type { OpenSession } from './connection.ts'
import { CKM, CKR, type MechanismName } from './constants.ts'
import { type Argument, CkrError } from './cryptoki.ts'

/** The address of a CK_MECHANISM. `parameter`: address and length of what it points to. */
export function putMechanism(
  arena: Arena,
  name: MechanismName,
  [parameter, length]: readonly [number, number] = [0, 0],
): number {
  const at = arena.reserve(3 * ULONG_BYTES)
  arena.writeUlong(at, CKM[name])
  arena.writeUlong(at + ULONG_BYTES, parameter)
  arena.writeUlong(at + 2 * ULONG_BYTES, length)
  return at
}

/** CK_GCM_PARAMS of PKCS#11 2.40 errata 1, with ulIvBits; tag of 16 bytes. */
export function putGcmParams(
  arena: Arena,
  iv: { readonly address: number; readonly length: number; readonly bits: number },
  aad: Uint8Array,
): readonly [number, number] {
  const aadAt = aad.length === 0 ? 0 : arena.put(aad)
  const at = arena.putUlongs(iv.address, iv.length, iv.bits, aadAt, aad.length, 128)
  return [at, 6 * ULONG_BYTES]
}

type Call = (...args: readonly Argument[]) => void

/**
 * What `call` (C_Sign, C_Encrypt, C_Decrypt) makes of `input` after its Init. `guess`: room for the
 * answer; where that is too small the operation is still active, and is asked again with more.
 */
export function inOnePart(
  { arena, session }: OpenSession,
  call: Call,
  input: Uint8Array,
  guess: number,
): Uint8Array {
  const data = arena.put(input)
  const length = arena.putUlongs(guess)
  let out = arena.reserve(guess)
  try {
    call(session, data, input.length, out, length)
  } catch (error) {
    if (!(error instanceof CkrError && error.ckr === CKR.BUFFER_TOO_SMALL)) throw error
    out = arena.reserve(Number(arena.readUlong(length)))
    call(session, data, input.length, out, length)
  }
  return arena.read(out, Number(arena.readUlong(length)))
}
