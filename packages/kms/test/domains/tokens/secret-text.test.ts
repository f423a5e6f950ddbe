import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { mintSecret, parseSecret } from '#src/domains/tokens/secret-text.js'

const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
const mint = (secret: Uint8Array): string => mintSecret('qkt', { bytes: () => secret })

test('every secret comes back, under its own prefix only', () => {
  fc.assert(
    fc.property(bytes, (secret) => {
      const text = mint(secret)
      assert.match(text, /^qkt_[0-9a-hjkmnp-tv-z]{59}$/)
      assert.deepEqual(parseSecret('qkt', text), secret)
      assert.equal(parseSecret('qks', `qks${text.slice(3)}`), undefined)
    }),
  )
})

test('whatever is changed, cut off or added, it is no secret', () => {
  const digit = fc.constantFrom(...'0123456789abcdefghjkmnpqrstvwxyz'.split(''))
  fc.assert(
    fc.property(bytes, fc.nat(58), digit, (secret, at, other) => {
      const text = mint(secret)
      const changed = `${text.slice(0, 4 + at)}${other}${text.slice(5 + at)}`
      if (changed !== text) assert.equal(parseSecret('qkt', changed), undefined)
      assert.equal(parseSecret('qkt', text.slice(0, -1)), undefined)
      assert.equal(parseSecret('qkt', `${text}0`), undefined)
      assert.equal(parseSecret('qkt', text.toUpperCase()), undefined)
    }),
    { numRuns: 500 },
  )
})
