/**
 * The context of a session: 32 bytes over everything that its parties must agree on before a proof of
 * one means anything to another. Every proof and every opening is hashed with it. Parties that differ
 * in it abort before any check, and nobody is blamed.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes } from '@quorate/base'
import { Transcript } from '@quorate/math'
import { Abort } from '../session/abort.ts'
import type { PartyId } from '../session/party.ts'
import type { Level } from './level.ts'

export type ContextFacts = {
  readonly level: Level
  /** Session id, 32 bytes: the hash of a manifest that names cluster, request, wallet, generation and epochs. */
  readonly sid: Uint8Array
  /** Of the session, ascending. */
  readonly parties: readonly PartyId[]
  readonly threshold: number
}

/** What only some sessions agree on. */
export const contextOf = (
  purpose: 'auxiliary' | 'keygen' | 'refresh' | 'presign' | 'sign',
  { level, sid, parties, threshold }: ContextFacts,
  more: (transcript: Transcript) => void = () => undefined,
): Uint8Array => {
  const transcript = new Transcript('cggmp24-context', sha256)
    .text('purpose', purpose)
    .text('level', level.id)
    .bytes('session', sid)
    .number('threshold', threshold)
    .bytes('parties', Uint8Array.from(parties))
  for (const name of LENGTHS) transcript.number(name, level[name])
  more(transcript)
  return transcript.digest()
}

const LENGTHS = [
  'primeBits',
  'minModulusBits',
  'maxModulusBits',
  'ell',
  'ellPrime',
  'epsilon',
  'epsilonStar',
  'repetitions',
] as const

/**
 * The context in a first broadcast, whatever else is in it: 32 bytes as the record's field 1.
 * `undefined` for bytes that have none.
 */
export function contextIn(body: Uint8Array): Uint8Array | undefined {
  // A map; key 1; a byte string of 32 bytes.
  const isFirstField = body[0]! >> 5 === 5 && body[1] === 1 && body[2] === 0x58 && body[3] === 32
  return isFirstField && body.length >= 36 ? body.subarray(4, 36) : undefined
}

/** @throws Abort threshold/ssid-mismatch, blaming nobody: an honest party on another generation looks the same */
export function checkContext(own: Uint8Array, theirs: Uint8Array): void {
  if (!equalBytes(own, theirs))
    throw new Abort('threshold/ssid-mismatch', {
      detail: 'another key, generation, path, message or set of signers',
    })
}

/** The sum modulo 2 of byte strings of one length. */
export function xorAll(values: Iterable<Uint8Array>, length: number): Uint8Array {
  const sum = new Uint8Array(length)
  for (const value of values) for (let i = 0; i < length; i++) sum[i] = sum[i]! ^ value[i]!
  return sum
}
