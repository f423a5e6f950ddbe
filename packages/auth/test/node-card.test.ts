import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeNodeCard, type NodeCard, nodeCardHash, readNodeCard } from '@quorate/auth'
import { type FaultCode, isFault } from '@quorate/base'
import { idOf, NOW, node, verify } from './kit.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const card: NodeCard = {
  v: 1,
  id: idOf('nod', 1),
  identityKey: node(1).publicKey,
  name: 'zurich-1',
  custody: 'software',
  createdAt: NOW,
}

test('a card is read back as it was made', async () => {
  const signed = await makeNodeCard(card, node(1))
  assert.deepEqual(readNodeCard(signed, verify), card)
  assert.equal(nodeCardHash(signed).length, 32)
})

test('a card for a key that is not held is refused, made or read', async () => {
  await assert.rejects(makeNodeCard(card, node(2)), isCode('auth/bad-signature'))
  const signed = await makeNodeCard(card, node(1))
  const theirs = await makeNodeCard({ ...card, identityKey: node(2).publicKey }, node(2))
  // The document of one, the signature of the other.
  const mixed = Uint8Array.of(...signed.subarray(0, -64), ...theirs.subarray(-64))
  assert.throws(() => readNodeCard(mixed, verify), isCode('auth/bad-signature'))
})

test('every changed byte is noticed', async () => {
  const signed = await makeNodeCard(card, node(1))
  for (let i = 0; i < signed.length; i++) {
    const changed = signed.slice()
    changed[i]! ^= 1
    assert.throws(() => readNodeCard(changed, verify), `byte ${i}`)
  }
})
