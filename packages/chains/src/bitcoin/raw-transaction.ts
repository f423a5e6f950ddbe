/**
 * Transactions as the network has them (BIP-144):
 *
 *   version ‖ [00 01] ‖ inputs ‖ outputs ‖ [witnesses] ‖ lock time
 *
 * Reading is strict and linear: a whole previous transaction of tens of thousands of outputs may
 * stand beside an input, only to have its id checked.
 */
import { concatBytes, Fault, toHex } from '@quorate/base'
import { digestOf } from '../ecdsa.ts'
import { ByteReader } from '../encoding/reader.ts'
import { compactSize, littleEndian, sized } from './encode.ts'

/** What spends a coin: a script, a witness (BIP-141), or both. */
export type Unlocking = {
  readonly scriptSig: Uint8Array
  readonly witness: readonly Uint8Array[]
}

export type RawInput = Unlocking & {
  /** Transaction id, not reversed, and output number: 36 bytes. */
  readonly outpoint: Uint8Array
  readonly sequence: number
}

export type RawOutput = { readonly script: Uint8Array; readonly amount: bigint }

export type RawTx = {
  readonly version: number
  readonly inputs: readonly RawInput[]
  readonly outputs: readonly RawOutput[]
  readonly lockTime: number
}

export type ReadTx = RawTx & {
  /** All of it but the witnesses, which is what the id is the hash of. */
  readonly stripped: Uint8Array
  readonly hasWitnesses: boolean
}

export const NOTHING: Unlocking = { scriptSig: new Uint8Array(0), witness: [] }

/** The transaction in `bytes`, with at least one input. @throws chains/malformed-transaction */
export function readTx(bytes: Uint8Array): ReadTx {
  const reader = new ByteReader(bytes)
  const version = reader.u32()
  const hasWitnesses = bytes[4] === 0
  if (hasWitnesses && bytes[5] !== 1)
    throw new Fault('chains/malformed-transaction', { detail: 'a transaction without inputs' })
  if (hasWitnesses) reader.skip(2)
  const from = reader.position
  const inputs = list(reader, () => ({
    outpoint: reader.bytes(36),
    scriptSig: reader.bytes(reader.compactSize()),
    sequence: reader.u32(),
  }))
  const outputs = list(reader, readOutputFrom(reader))
  const to = reader.position
  const witnesses = hasWitnesses ? inputs.map(() => readStackFrom(reader)) : []
  if (hasWitnesses && witnesses.every(({ length }) => length === 0))
    throw new Fault('chains/malformed-transaction', { detail: 'a witness part without witnesses' })
  const lockTime = reader.u32()
  reader.end()
  return {
    version,
    inputs: inputs.map((input, i) => ({ ...input, witness: witnesses[i] ?? [] })),
    outputs,
    lockTime,
    stripped: hasWitnesses
      ? concatBytes(bytes.subarray(0, 4), bytes.subarray(from, to), bytes.subarray(-4))
      : bytes,
    hasWitnesses,
  }
}

/** Amount and script of one output alone. @throws chains/malformed-transaction */
export const readOutput = (bytes: Uint8Array): RawOutput => readWhole(bytes, readOutputFrom)

/** The items of one witness. @throws chains/malformed-transaction */
export const readWitness = (bytes: Uint8Array): readonly Uint8Array[] =>
  readWhole(bytes, (reader) => () => readStackFrom(reader))

function readWhole<T>(bytes: Uint8Array, part: (reader: ByteReader) => () => T): T {
  const reader = new ByteReader(bytes)
  const value = part(reader)()
  reader.end()
  return value
}

/** Every item takes up at least one byte, so a count that lies ends where the bytes do. */
function list<T>(reader: ByteReader, item: () => T): T[] {
  const items: T[] = []
  for (let left = reader.compactSize(); left > 0; left--) items.push(item())
  return items
}

const readOutputFrom = (reader: ByteReader) => (): RawOutput => ({
  amount: reader.u64(),
  script: reader.bytes(reader.compactSize()),
})

const readStackFrom = (reader: ByteReader): readonly Uint8Array[] =>
  list(reader, () => reader.bytes(reader.compactSize()))

/** `tx` as the network takes it: with witnesses where an input has one. */
export function writeTx(tx: RawTx): Uint8Array {
  if (tx.inputs.every(({ witness }) => witness.length === 0)) return writeStripped(tx)
  const stripped = writeStripped(tx)
  return concatBytes(
    stripped.subarray(0, 4),
    Uint8Array.of(0, 1),
    stripped.subarray(4, -4),
    ...tx.inputs.map(({ witness }) => writeWitness(witness)),
    stripped.subarray(-4),
  )
}

/** `tx` without witnesses. */
export const writeStripped = ({ version, inputs, outputs, lockTime }: RawTx): Uint8Array =>
  concatBytes(
    littleEndian(version, 4),
    compactSize(inputs.length),
    ...inputs.flatMap(({ outpoint, scriptSig, sequence }) => [
      outpoint,
      sized(scriptSig),
      littleEndian(sequence, 4),
    ]),
    compactSize(outputs.length),
    ...outputs.map(writeOutput),
    littleEndian(lockTime, 4),
  )

export const writeOutput = ({ amount, script }: RawOutput): Uint8Array =>
  concatBytes(littleEndian(amount, 8), sized(script))

export const writeWitness = (items: readonly Uint8Array[]): Uint8Array =>
  concatBytes(compactSize(items.length), ...items.map(sized))

/** The id of the transaction of which `stripped` are all bytes but the witnesses, not reversed. */
export const hashOf = (stripped: Uint8Array): Uint8Array => digestOf('sha256d', stripped)

/** The id as explorers show it. */
export const txidOf = (tx: RawTx): string => toHex(hashOf(writeStripped(tx)).toReversed())

/** Virtual bytes (BIP-141): a byte of a witness counts a quarter. */
export const virtualSize = (tx: RawTx): number =>
  Math.ceil((3 * writeStripped(tx).length + writeTx(tx).length) / 4)
