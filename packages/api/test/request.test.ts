import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkRequestSignature,
  decodeRequest,
  encodeRequest,
  type RequestBody,
  requestHash,
  type SignedRequest,
  signRequest,
} from '@quorate/api'
import { isFault, toHex } from '@quorate/base'
import {
  CLUSTER,
  fill,
  id,
  intent,
  refreshRequest,
  signer,
  verifyEd25519,
  walletRequest,
} from './sample.ts'

const client = signer(2)
const bodies: readonly RequestBody[] = [
  { kind: 'createWallet', value: walletRequest },
  { kind: 'sign', value: intent },
  { kind: 'refresh', value: refreshRequest },
]
const isSigned = (request: SignedRequest): boolean => {
  try {
    checkRequestSignature(request, client.publicKey, verifyEd25519)
    return true
  } catch (error) {
    assert.ok(isFault(error, 'api/bad-signature'))
    return false
  }
}

test('a request of each kind verifies after a round trip', async () => {
  for (const body of bodies) {
    const request = await signRequest(client, CLUSTER, id('cli', 9), body)
    const again = decodeRequest(encodeRequest(request))
    assert.deepEqual(again, request)
    assert.ok(isSigned(again))
  }
})

test('the signature holds for no other cluster, client, kind, value or key', async () => {
  const request = await signRequest(client, CLUSTER, id('cli', 9), bodies[1]!)
  const changed: readonly SignedRequest[] = [
    { ...request, cluster: fill(32, 0xc2) },
    { ...request, client: id('cli', 8) },
    { ...request, body: { kind: 'sign', value: { ...intent, generation: 2 } } },
    { ...request, body: { kind: 'sign', value: { ...intent, expiresAt: intent.expiresAt + 1 } } },
    { ...request, body: bodies[2]! },
    { ...request, signature: request.signature.with(0, request.signature[0]! ^ 1) },
  ]
  for (const [i, each] of changed.entries()) assert.equal(isSigned(each), false, `case ${i}`)
  const foreign = await signRequest(signer(3), CLUSTER, id('cli', 9), bodies[1]!)
  assert.equal(isSigned(foreign), false)
})

test('one request has one hash, whatever its signature, and no other request has it', async () => {
  const requests = await Promise.all(
    bodies.flatMap((body) => [
      signRequest(client, CLUSTER, id('cli', 9), body),
      signRequest(client, CLUSTER, id('cli', 8), body),
      signRequest(client, fill(32, 1), id('cli', 9), body),
    ]),
  )
  const hashes = requests.map((request) => toHex(requestHash(request)))
  assert.equal(new Set(hashes).size, requests.length)
  const again = { ...requests[0]!, signature: fill(64, 1) }
  assert.equal(toHex(requestHash(again)), hashes[0])
})
