import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { TAGS, tagged, taggedHash, toHex, utf8 } from '#src/index.js'

const tags = Object.values(TAGS)

test('every tag has the form quorate/<thing>/v<n>', () => {
  for (const tag of tags) assert.match(tag, /^quorate\/[a-z0-9]+(-[a-z0-9]+)*\/v[1-9][0-9]*$/)
})

test('no tag is a prefix of another, nor twice in the table', () => {
  for (const [i, tag] of tags.entries())
    for (const [j, other] of tags.entries())
      assert.ok(i === j || !other.startsWith(tag), `${tag} is a prefix of ${other}`)
})

test('tagged puts the tag before the parts, and taggedHash is SHA-256 of that', () => {
  const body = [utf8('ab'), utf8('c')] as const
  assert.deepEqual(tagged(TAGS.receipt, ...body), utf8(`${TAGS.receipt}abc`))
  const expected = createHash('sha256').update(`${TAGS.receipt}abc`).digest('hex')
  assert.equal(toHex(taggedHash(TAGS.receipt, ...body)), expected)
})
