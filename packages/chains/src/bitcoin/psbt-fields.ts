/**
 * The fields of a PSBT (BIP-174, BIP-370, BIP-371): what each looks like and which versions have it.
 * Fields of later standards are carried along unread, as BIP-174 asks.
 */
import { ByteReader } from '../encoding/reader.ts'

type Check = (bytes: Uint8Array) => boolean

export type Field = {
  readonly type: number
  /** What follows the type in the key. */
  readonly hasKey: Check
  readonly hasValue: Check
  readonly versions: readonly (0 | 2)[]
  /** The version in which the field must be there. */
  readonly required?: 0 | 2
}

/** The fields of one kind of map, by name. */
export type Fields<Name extends string = string> = { readonly [N in Name]: Field }

const any: Check = () => true
const some: Check = ({ length }) => length > 0
const sizes =
  (...allowed: readonly number[]): Check =>
  ({ length }) =>
    allowed.includes(length)
const none = sizes(0)
const u32 = sizes(4)
const publicKey: Check = ({ length, 0: first }) =>
  (length === 33 && (first === 2 || first === 3)) || (length === 65 && first === 4)
const origin: Check = ({ length }) => length >= 4 && length % 4 === 0
const signature = sizes(64, 65)
const controlBlock: Check = ({ length }) =>
  length >= 33 && length <= 33 + 128 * 32 && (length - 33) % 32 === 0
const count: Check = (value) => endsAfter(value, (reader) => reader.compactSize())
const taprootOrigin: Check = (value) =>
  endsAfter(value, (reader) => {
    reader.skip(32 * reader.compactSize())
    return origin(reader.rest())
  })

/** Below is a height, from it on a Unix time (BIP-65). */
export const FIRST_LOCK_TIME = 500_000_000
const lockAt =
  (isTime: boolean): Check =>
  (value) =>
    u32(value) && isTime === u32Of(value) >= FIRST_LOCK_TIME && u32Of(value) > 0

/** The number in four bytes. */
export const u32Of = (value: Uint8Array): number => new ByteReader(value).u32()

function endsAfter(value: Uint8Array, read: (reader: ByteReader) => unknown): boolean {
  try {
    const reader = new ByteReader(value)
    return read(reader) !== false && reader.isAtEnd
  } catch {
    return false
  }
}

const BOTH = [0, 2] as const
const both = (type: number, hasKey: Check, hasValue: Check): Field => ({
  type,
  hasKey,
  hasValue,
  versions: BOTH,
})
const second = (type: number, hasValue: Check): Field => ({
  type,
  hasKey: none,
  hasValue,
  versions: [2],
})
const must = (field: Field, required: 0 | 2): Field => ({
  ...field,
  versions: [required],
  required,
})

export const GLOBAL: Fields<
  | 'unsignedTx'
  | 'xpub'
  | 'txVersion'
  | 'fallbackLockTime'
  | 'inputCount'
  | 'outputCount'
  | 'txModifiable'
  | 'version'
> = {
  unsignedTx: must(both(0x00, none, any), 0),
  xpub: both(0x01, sizes(78), origin),
  txVersion: must(second(0x02, u32), 2),
  fallbackLockTime: second(0x03, u32),
  inputCount: must(second(0x04, count), 2),
  outputCount: must(second(0x05, count), 2),
  txModifiable: second(0x06, sizes(1)),
  version: both(0xfb, none, u32),
}

export const INPUT: Fields<
  | 'previousTx'
  | 'witnessUtxo'
  | 'partialSig'
  | 'sighashType'
  | 'redeemScript'
  | 'witnessScript'
  | 'origin'
  | 'finalScriptSig'
  | 'finalScriptWitness'
  | 'ripemd160'
  | 'sha256'
  | 'hash160'
  | 'hash256'
  | 'previousTxid'
  | 'outputIndex'
  | 'sequence'
  | 'requiredTime'
  | 'requiredHeight'
  | 'tapKeySig'
  | 'tapScriptSig'
  | 'tapLeafScript'
  | 'tapOrigin'
  | 'tapInternalKey'
  | 'tapMerkleRoot'
> = {
  previousTx: both(0x00, none, some),
  witnessUtxo: both(0x01, none, some),
  partialSig: both(0x02, publicKey, some),
  sighashType: both(0x03, none, u32),
  redeemScript: both(0x04, none, any),
  witnessScript: both(0x05, none, any),
  origin: both(0x06, publicKey, origin),
  finalScriptSig: both(0x07, none, any),
  finalScriptWitness: both(0x08, none, some),
  ripemd160: both(0x0a, sizes(20), any),
  sha256: both(0x0b, sizes(32), any),
  hash160: both(0x0c, sizes(20), any),
  hash256: both(0x0d, sizes(32), any),
  previousTxid: must(second(0x0e, sizes(32)), 2),
  outputIndex: must(second(0x0f, u32), 2),
  sequence: second(0x10, u32),
  requiredTime: second(0x11, lockAt(true)),
  requiredHeight: second(0x12, lockAt(false)),
  tapKeySig: both(0x13, none, signature),
  tapScriptSig: both(0x14, sizes(64), signature),
  tapLeafScript: both(0x15, controlBlock, some),
  tapOrigin: both(0x16, sizes(32), taprootOrigin),
  tapInternalKey: both(0x17, none, sizes(32)),
  tapMerkleRoot: both(0x18, none, sizes(32)),
}

export const OUTPUT: Fields<
  | 'redeemScript'
  | 'witnessScript'
  | 'origin'
  | 'amount'
  | 'script'
  | 'tapInternalKey'
  | 'tapTree'
  | 'tapOrigin'
> = {
  redeemScript: both(0x00, none, any),
  witnessScript: both(0x01, none, any),
  origin: both(0x02, publicKey, origin),
  amount: must(second(0x03, sizes(8)), 2),
  script: must(second(0x04, any), 2),
  tapInternalKey: both(0x05, none, sizes(32)),
  tapTree: both(0x06, none, some),
  tapOrigin: both(0x07, sizes(32), taprootOrigin),
}
