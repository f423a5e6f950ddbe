import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Fault } from '@quorate/base'
import { DeviceFault } from '@quorate/hsm'
import fc from 'fast-check'
import { FrameAssembler, faultFrame, readResponse, responseFrame, setId } from '#src/host/frames.js'
import { MAX_FRAME_BYTES, OPERATIONS } from '#src/host/operations.js'
import { bytes, nothing, putU32 } from '#src/host/wire.js'
import { isCode } from './kit.ts'

const isMalformed = isCode('base/malformed')
const blob = bytes(1 << 16)

test('a frame is put together from whatever pieces it comes in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (values, sizes) => {
        const assembler = new FrameAssembler()
        for (const [n, value] of values.entries()) {
          const frame = responseFrame(n + 1, blob, value)
          let got: Uint8Array | undefined
          for (let at = 0, piece = 0; at < frame.length; piece++) {
            assert.equal(got, undefined)
            const size = sizes[piece % sizes.length] ?? 1
            got = assembler.push(frame.slice(at, at + size))
            at += size
          }
          assert.deepEqual(readResponse(got ?? new Uint8Array(), blob), { id: n + 1, value })
        }
      },
    ),
  )
})

describe('a stream is refused', () => {
  const header = (length: number): Uint8Array => {
    const start = new Uint8Array(9)
    putU32(start, 0, length)
    return start
  }
  test('for a length beyond the limit, before anything is kept', () => {
    assert.throws(() => new FrameAssembler().push(header(MAX_FRAME_BYTES + 1)), isMalformed)
  })
  test('for a length that leaves no room for id and status', () => {
    assert.throws(() => new FrameAssembler().push(header(4)), isMalformed)
  })
  test('for a second frame behind the first', () => {
    const frame = responseFrame(1, nothing, undefined)
    assert.throws(() => new FrameAssembler().push(Buffer.concat([frame, frame])), isMalformed)
  })
  test('for an unknown status', () => {
    const frame = responseFrame(1, nothing, undefined)
    frame[8] = 7
    assert.throws(() => readResponse(frame, nothing), isMalformed)
  })
  test('for a fault that is not in the table, or not of a device', () => {
    const frame = Buffer.from(faultFrame(1, new Fault('hsm/closed')))
    for (const code of ['hsm/clothed', 'api/denied'])
      assert.throws(() => readResponse(renamed(frame, code), nothing), isMalformed)
  })
})

/** The fault frame with another code of ten or eleven letters. */
function renamed(frame: Buffer, code: string): Uint8Array {
  const text = Buffer.from(code)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const changed = Buffer.concat([
    frame.subarray(0, 9),
    length,
    text,
    frame.subarray(9 + 4 + 'hsm/closed'.length),
  ])
  putU32(changed, 0, changed.length - 4)
  return changed
}

describe('a fault arrives', () => {
  const crossed = (error: unknown): Fault => {
    const answer = readResponse(faultFrame(3, error), nothing)
    assert.ok('fault' in answer)
    return answer.fault
  }
  test('of a device, with all that says where to go', () => {
    const fault = crossed(
      new DeviceFault('hsm/unavailable', {
        ckr: 0x30,
        failover: 'next',
        detail: 'CKR_DEVICE_ERROR',
      }),
    )
    assert.ok(fault instanceof DeviceFault)
    assert.deepEqual(
      [fault.code, fault.ckr, fault.failover, fault.detail],
      ['hsm/unavailable', 0x30, 'next', 'CKR_DEVICE_ERROR'],
    )
  })
  test('of the caller, as a plain one', () => {
    const fault = crossed(new Fault('hsm/key-not-found'))
    assert.ok(!(fault instanceof DeviceFault))
    assert.deepEqual([fault.code, fault.detail], ['hsm/key-not-found', undefined])
  })
  test('of neither, by its kind alone', () => {
    const fault = crossed(new RangeError('pin 1234'))
    assert.equal(fault.code, 'hsm/unavailable')
    assert.doesNotMatch(fault.message, /1234/)
    assert.match(fault.message, /RangeError/)
  })
  test('with a detail that is cut, not refused', () => {
    const fault = crossed(new Fault('hsm/bad-argument', { detail: 'ä'.repeat(5000) }))
    assert.equal(fault.detail, 'ä'.repeat(500))
  })
})

test('a frame gets another id without being made anew', () => {
  const frame = responseFrame(1, OPERATIONS.random.response, Uint8Array.of(1))
  setId(frame, 0xffff_ffff)
  assert.deepEqual(readResponse(frame, OPERATIONS.random.response), {
    id: 0xffff_ffff,
    value: Uint8Array.of(1),
  })
})
