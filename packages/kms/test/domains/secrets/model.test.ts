import assert from 'node:assert/strict'
import test from 'node:test'
import { isFault } from '@quorate/base'
import fc from 'fast-check'
import { type Content, decodeContent, encodeContent } from '#src/domains/secrets/model.js'

const content: fc.Arbitrary<Content> = fc
  .tuple(
    fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/),
    fc.oneof(fc.constant(''), fc.string({ maxLength: 40 })),
    fc.oneof(fc.constant([]), fc.constant(['a', 'b'])),
    fc.uint8Array({ maxLength: 600 }),
    fc.boolean(),
  )
  .map(([name, comment, tags, value, isBinary]) => ({ name, comment, tags, value, isBinary }))

test('what was sealed of a content is what comes back', () => {
  fc.assert(
    fc.property(content, (one) => {
      const { name, comment, tags, value, isBinary } = decodeContent(encodeContent(one))
      assert.deepEqual({ name, comment, tags, value, isBinary }, one)
    }),
  )
})

test('bytes that mean a content are the only ones that do', () => {
  const change = fc.record({ at: fc.nat(), to: fc.nat(255), cut: fc.nat(3) })
  fc.assert(
    fc.property(content, change, (one, { at, to, cut }) => {
      const bytes = encodeContent(one)
      bytes[at % bytes.length] = to
      const altered = bytes.slice(0, bytes.length - cut)
      try {
        assert.deepEqual(encodeContent(decodeContent(altered)), altered)
      } catch (error) {
        assert.ok(isFault(error), String(error))
      }
    }),
    { numRuns: 3000 },
  )
})
