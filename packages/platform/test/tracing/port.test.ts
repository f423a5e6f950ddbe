import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTraceparent, traceparent } from '#src/tracing/port.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

test('a traceparent is read and written as W3C has it', () => {
  const context = { traceId: TRACE, spanId: SPAN, isSampled: true }
  assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-01`), context)
  assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-00`), { ...context, isSampled: false })
  assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes-later`), context)
  assert.equal(traceparent(context), `00-${TRACE}-${SPAN}-01`)
})

test('anything else is as if there were none', () => {
  for (const bad of [
    undefined,
    '',
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
  ])
    assert.equal(parseTraceparent(bad), undefined, bad)
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(parseTraceparent(text), undefined)
    }),
  )
})
