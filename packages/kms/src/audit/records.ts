/** How the records of one group lie in one row. */
import { Fault } from '@quorate/base'

const LENGTH_BYTES = 4

/** Records one after the other, each with its length in four bytes. */
export function packRecords(records: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const record of records) length += LENGTH_BYTES + record.length
  const packed = new Uint8Array(length)
  const view = new DataView(packed.buffer)
  let at = 0
  for (const record of records) {
    view.setUint32(at, record.length)
    packed.set(record, at + LENGTH_BYTES)
    at += LENGTH_BYTES + record.length
  }
  return packed
}

/** The records of one row. @throws kms/rolled-back where the bytes are not whole records */
export function unpackRecords(packed: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const records: Uint8Array[] = []
  for (let at = 0; at < packed.length; ) {
    const length = at + LENGTH_BYTES <= packed.length ? view.getUint32(at) : 0
    if (length === 0 || at + LENGTH_BYTES + length > packed.length)
      throw new Fault('kms/rolled-back', { detail: 'a row of the audit log' })
    records.push(packed.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length))
    at += LENGTH_BYTES + length
  }
  return records
}
