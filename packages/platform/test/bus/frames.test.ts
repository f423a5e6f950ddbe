import assert from 'node:assert/strict'
import test from 'node:test'
import { concatBytes, isFault } from '@quorate/base'
import fc from 'fast-check'
import { FrameReader, framed } from '#src/bus/frames.js'

test('frames survive any cutting of the stream', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 6000 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
      (frames, cuts) => {
        const stream = concatBytes(...frames.map(framed))
        const reader = new FrameReader(6000)
        const seen: Uint8Array[] = []
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const end = at + cuts[cut % cuts.length]!
          reader.push(stream.subarray(at, end))
          at = end
          for (let frame = reader.next(); frame !== undefined; frame = reader.next())
            seen.push(frame)
        }
        assert.deepEqual(seen, frames)
      },
    ),
  )
})

test('a length over the cap is refused once it is known, before its bytes arrive', () => {
  const reader = new FrameReader(100)
  reader.push(Uint8Array.of(0, 0, 0))
  assert.equal(reader.next(), undefined)
  reader.push(Uint8Array.of(101))
  assert.throws(
    () => reader.next(),
    (error) => isFault(error, 'platform/frame-too-large'),
  )
})
