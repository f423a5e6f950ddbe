/** Output scripts in their standard forms. Only the exact bytes of a form are one: a longer push is another script. */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '@quorate/base'

export type ScriptKind = 'p2pkh' | 'p2sh' | 'p2wpkh' | 'p2wsh' | 'p2tr' | 'p2sh32'

/** Of a script that begins and ends with these bytes and has `length` others between them. */
type Pattern = {
  readonly before: readonly number[]
  readonly length: number
  readonly after: readonly number[]
}

/**
 * Hash of a key or of a script, as base58 addresses and cashaddr hold them; witness programs of
 * version 0 for a key and for a script, and of version 1; and Bitcoin Cash's longer script hash.
 */
const PATTERNS: { readonly [Kind in ScriptKind]: Pattern } = {
  p2pkh: { before: [0x76, 0xa9, 20], length: 20, after: [0x88, 0xac] },
  p2sh: { before: [0xa9, 20], length: 20, after: [0x87] },
  p2wpkh: { before: [0x00, 20], length: 20, after: [] },
  p2wsh: { before: [0x00, 32], length: 32, after: [] },
  p2tr: { before: [0x51, 32], length: 32, after: [] },
  p2sh32: { before: [0xaa, 32], length: 32, after: [0x87] },
}

export type StandardScript = {
  readonly kind: ScriptKind
  /** The hash, or the x-only output key of Taproot. */
  readonly payload: Uint8Array
}

/** The script of that kind around `payload`, which has the right length. */
export function scriptOf(kind: ScriptKind, payload: Uint8Array): Uint8Array {
  const { before, after } = PATTERNS[kind]
  return concatBytes(Uint8Array.from(before), payload, Uint8Array.from(after))
}

/** What `script` is; `undefined` for any other script, and for a Taproot output that holds no point. */
export function standardScript(script: Uint8Array): StandardScript | undefined {
  for (const kind of Object.keys(PATTERNS) as ScriptKind[]) {
    const { before, length } = PATTERNS[kind]
    const payload = script.slice(before.length, before.length + length)
    if (payload.length !== length || !equalBytes(scriptOf(kind, payload), script)) continue
    return kind === 'p2tr' && !isPoint(payload) ? undefined : { kind, payload }
  }
  return undefined
}

/** A witness program that anybody may spend, to raise the fee of the transaction that made it. */
export const ANCHOR: Uint8Array = Uint8Array.of(0x51, 0x02, 0x4e, 0x73)

/** RIPEMD-160 of SHA-256. */
export const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes))

/** The x-only output key (32 bytes) of an internal key, with or without a script root (BIP-341). */
export function tweakedKey(xOnly: Uint8Array, merkleRoot?: Uint8Array): Uint8Array {
  const tweak = schnorr.utils.taggedHash('TapTweak', xOnly, merkleRoot ?? new Uint8Array(0))
  // Below the group order except for one hash in 2^128, which nobody can find.
  const t = secp256k1.Point.Fn.fromBytes(tweak)
  return secp256k1.Point.BASE.multiply(t).add(liftX(xOnly)).toBytes(true).slice(1)
}

/** The point with that x and an even y. */
const liftX = (xOnly: Uint8Array): InstanceType<typeof secp256k1.Point> =>
  secp256k1.Point.fromBytes(concatBytes(Uint8Array.of(2), xOnly))

function isPoint(xOnly: Uint8Array): boolean {
  try {
    liftX(xOnly)
    return true
  } catch {
    return false
  }
}

/** Whether `script` is a witness program, so that spending it never touches the txid (BIP-141). */
export const isWitnessProgram = (script: Uint8Array): boolean =>
  script.length >= 4 &&
  script.length <= 42 &&
  (script[0] === 0 || (script[0]! >= 0x51 && script[0]! <= 0x60)) &&
  script[1] === script.length - 2
