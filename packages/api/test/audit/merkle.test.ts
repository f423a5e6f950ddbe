import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inclusionProof, merkleRoot, stateLeaf, stateRoot, verifyInclusion } from '@quorate/api'
import { isFault, TAGS, taggedHash, toHex, utf8 } from '@quorate/base'
import fc from 'fast-check'
import { fill } from '../sample.ts'

const leavesOf = (size: number): readonly Uint8Array[] =>
  Array.from({ length: size }, (_, i) => utf8(`leaf ${i}`))

/** RFC 6962 §2.1, word for word: MTH(D[0:k]) and MTH(D[k:n]) for the largest power of two k < n. */
function byDefinition(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return taggedHash(TAGS.auditNode)
  if (leaves.length === 1) return taggedHash(TAGS.auditLeaf, leaves[0]!)
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return taggedHash(TAGS.auditNode, byDefinition(leaves.slice(0, k)), byDefinition(leaves.slice(k)))
}

test('roots of every size up to 40 follow the definition', () => {
  for (let size = 0; size <= 40; size++)
    assert.equal(toHex(merkleRoot(leavesOf(size))), toHex(byDefinition(leavesOf(size))), `${size}`)
})

test('every leaf of every size up to 20 has a proof of at most ⌈log₂ n⌉ hashes', () => {
  for (let size = 1; size <= 20; size++) {
    const leaves = leavesOf(size)
    const root = merkleRoot(leaves)
    for (const [index, leaf] of leaves.entries()) {
      const proof = inclusionProof(leaves, index)
      assert.ok(proof.length <= Math.ceil(Math.log2(size)))
      assert.ok(verifyInclusion({ leaf, index, size, proof, root }))
    }
  }
})

test('a proof holds for nothing else', () => {
  const sizes = fc.integer({ min: 2, max: 33 })
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), fc.nat(), (size, a, b, c) => {
      const leaves = leavesOf(size)
      const root = merkleRoot(leaves)
      const index = a % size
      const leaf = leaves[index]!
      const proof = inclusionProof(leaves, index)
      const good = { leaf, index, size, proof, root }
      const other = (index + 1 + (b % (size - 1))) % size
      const at = c % proof.length
      assert.equal(verifyInclusion({ ...good, index: other }), false)
      assert.equal(verifyInclusion({ ...good, leaf: leaves[other]! }), false)
      assert.equal(verifyInclusion({ ...good, proof: proof.slice(1) }), false)
      assert.equal(verifyInclusion({ ...good, proof: [...proof, fill(32, 0)] }), false)
      assert.equal(verifyInclusion({ ...good, proof: proof.with(at, fill(32, 7)) }), false)
      assert.equal(verifyInclusion({ ...good, root: fill(32, 7) }), false)
    }),
  )
})

test('an inner node does not pass for a leaf', () => {
  const leaves = leavesOf(4)
  const [right] = inclusionProof(leaves, 0).slice(-1)
  const inner = taggedHash(TAGS.auditNode)
  assert.equal(
    verifyInclusion({ leaf: inner, index: 0, size: 2, proof: [right!], root: merkleRoot(leaves) }),
    false,
  )
  const left = Uint8Array.of(
    ...taggedHash(TAGS.auditLeaf, leaves[0]!),
    ...taggedHash(TAGS.auditLeaf, leaves[1]!),
  )
  assert.equal(
    verifyInclusion({ leaf: left, index: 0, size: 2, proof: [right!], root: merkleRoot(leaves) }),
    false,
  )
})

test('indices outside the tree are refused', () => {
  assert.throws(
    () => inclusionProof(leavesOf(3), 3),
    (error) => isFault(error, 'api/bad-tree'),
  )
  const root = merkleRoot(leavesOf(1))
  const leaf = leavesOf(1)[0]!
  assert.equal(verifyInclusion({ leaf, index: 1, size: 1, proof: [], root }), false)
  assert.equal(verifyInclusion({ leaf, index: -1, size: 1, proof: [], root }), false)
  assert.equal(verifyInclusion({ leaf, index: 0, size: 0, proof: [], root }), false)
})

test('a state is rows in ascending order, each once', () => {
  const rows = ['a', 'b', 'é'].map((key, i) => ({ key, hash: fill(32, i) }))
  assert.equal(toHex(stateRoot(rows)), toHex(merkleRoot(rows.map(stateLeaf))))
  for (const wrong of [rows.toReversed(), [rows[0]!, rows[0]!]])
    assert.throws(
      () => stateRoot(wrong),
      (error) => isFault(error, 'api/bad-tree'),
    )
})
