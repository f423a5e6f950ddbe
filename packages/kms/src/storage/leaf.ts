/** The digest of what a row holds, as the tree keeps it. */
import { hash } from 'node:crypto'
import { TAGS } from '@quorate/base'

/** Bytes of a digest. Who changes the store may only choose among blobs that we made, so 2⁶⁴ work finds nothing. */
export const DIGEST_BYTES = 16

const TAG = Buffer.from(TAGS.kmsLeaf)
const VERSION_BYTES = 8
/** What stands before each part: its kind and its length in UTF-8. */
const MARK_BYTES = 5
/** For rows of the usual size; larger ones get room of their own. */
const scratch: Buffer = Buffer.allocUnsafeSlow(8192)

/**
 * The first 16 bytes of SHA-256 over the version and each part with its kind and length. `parts`: the sealed
 * columns as they are stored, and plain ones that a decision rests on; `null` for a column without a value.
 * Variable-time: public inputs only.
 */
export function leafDigest(
  version: number,
  ...parts: readonly (Uint8Array | string | null)[]
): Uint8Array {
  let room = TAG.length + VERSION_BYTES
  // A unit of UTF-16 has three bytes at most in UTF-8.
  for (const part of parts)
    room += MARK_BYTES + (typeof part === 'string' ? 3 * part.length : (part?.length ?? 0))
  const buffer = room <= scratch.length ? scratch : Buffer.allocUnsafeSlow(room)
  buffer.set(TAG)
  let at = buffer.writeUInt32BE(Math.floor(version / 0x100000000), TAG.length)
  at = buffer.writeUInt32BE(version >>> 0, at)
  for (const part of parts) {
    const start = at + MARK_BYTES
    let length = 0
    if (typeof part === 'string') length = buffer.write(part, start, 'utf8')
    else if (part !== null) {
      buffer.set(part, start)
      length = part.length
    }
    // No value, text and bytes of the same content are three different things.
    buffer[at] = part === null ? 0 : typeof part === 'string' ? 1 : 2
    buffer.writeUInt32BE(length, at + 1)
    at = start + length
  }
  return hash('sha256', buffer.subarray(0, at), 'buffer').subarray(0, DIGEST_BYTES)
}
