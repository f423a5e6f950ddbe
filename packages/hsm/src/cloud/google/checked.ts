/** The checksums that Google Cloud KMS asks its clients to send and to compare (its guide on data integrity). */
import { ServiceFailure } from '../failure.ts'
import { crc32c } from './crc32c.ts'

/** As it crosses the wire: an Int64Value. */
export type Checksum = { readonly value?: unknown } | null | undefined

export const checksumOf = (bytes: Uint8Array): { readonly value: number } => ({
  value: crc32c(bytes),
})

/** `content`, where it is bytes that fit their checksum. @throws ServiceFailure corrupted */
export function intact(content: unknown, checksum: Checksum): Uint8Array {
  if (!(content instanceof Uint8Array) || Number(checksum?.value) !== crc32c(content))
    throw new ServiceFailure('corrupted')
  return new Uint8Array(content)
}

/** Demands that the service says it compared our checksums. @throws ServiceFailure corrupted */
export function confirmed(...flags: readonly (boolean | null | undefined)[]): void {
  if (!flags.every((flag) => flag === true)) throw new ServiceFailure('corrupted')
}

/** The same bytes as a Buffer: of any other view its client sends the start of the memory that it looks at. */
export const onWire = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
