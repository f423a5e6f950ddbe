import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance } from '@quorate/base'

test('edit distance counts insertions, deletions and substitutions', () => {
  for (const [a, b, distance] of [
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['status', 'staus', 1],
    ['same', 'same', 0],
  ] as const) {
    assert.equal(editDistance(a, b), distance)
    assert.equal(editDistance(b, a), distance)
  }
})
