import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type BlindGrant,
  checkBlindGrant,
  decodeBlindGrant,
  encodeBlindGrant,
  encodeSignedGrant,
  type GrantCheck,
  MAX_GRANT_MS,
  signBlindGrant,
} from '@quorate/api'
import { isFault, type Signer } from '@quorate/base'
import { CLUSTER, fill, id, NOW, signer, verifyEd25519 } from './sample.ts'

const grant: BlindGrant = {
  v: 1,
  cluster: CLUSTER,
  project: id('prj', 1),
  label: 'till',
  network: 'ethereum',
  suite: 'CGGMP24-secp256k1-SHA256-128-v1',
  threshold: 2,
  policyHash: fill(32, 0xab),
  expiresAt: NOW + 60_000,
}
const ADMINS: readonly (readonly [string, Signer])[] = [
  ['alice', signer(11)],
  ['bob', signer(12)],
  ['carol', signer(13)],
]
const { v: _version, expiresAt: _expiry, ...wallet } = grant
const check: GrantCheck = {
  wallet: { ...wallet, now: NOW },
  admins: ADMINS.map(([name, { publicKey }]) => ({ id: name, key: publicKey })),
  adminThreshold: 2,
  verify: verifyEd25519,
}

async function signedBy(
  signers: readonly (readonly [string, Signer])[],
  what: BlindGrant = grant,
): Promise<Uint8Array> {
  const encoded = encodeBlindGrant(what)
  const signatures = await Promise.all(
    signers.map(([name, key]) => signBlindGrant(encoded, name, key)),
  )
  return encodeSignedGrant({ grant: encoded, signatures })
}

const isTaken = (encoded: Uint8Array, change: Partial<GrantCheck> = {}): boolean => {
  try {
    checkBlindGrant(encoded, { ...check, ...change })
    return true
  } catch (error) {
    assert.ok(isFault(error, 'api/bad-blind-grant'))
    return false
  }
}

test('enough administrators make a wallet blind, whoever of them they are', async () => {
  assert.deepEqual(decodeBlindGrant(encodeBlindGrant(grant)), grant)
  assert.ok(isTaken(await signedBy(ADMINS.slice(0, 2))))
  assert.ok(isTaken(await signedBy(ADMINS.slice(1))))
  assert.ok(isTaken(await signedBy(ADMINS)))
})

test('one administrator twice, a stranger, or another key under their names are not enough', async () => {
  const [alice, bob] = [ADMINS[0]!, ADMINS[1]!]
  assert.ok(!isTaken(await signedBy([alice])))
  assert.ok(!isTaken(await signedBy([alice, alice])))
  assert.ok(!isTaken(await signedBy([alice, ['mallory', signer(14)]])))
  assert.ok(!isTaken(await signedBy([alice, ['bob', signer(14)]])))
  assert.ok(!isTaken(await signedBy([alice, ['bob', alice[1]]])))
  assert.ok(!isTaken(await signedBy([alice, bob]), { adminThreshold: 3 }))
})

test('a grant is for one wallet alone', async () => {
  const encoded = await signedBy(ADMINS)
  const others: readonly Partial<GrantCheck['wallet']>[] = [
    { cluster: fill(32, 1) },
    { project: id('prj', 2) },
    { label: 'till-2' },
    { network: 'ethereum-sepolia' },
    { suite: 'CGGMP24-secp256k1-SHA256-112-v1' },
    { threshold: 3 },
    { policyHash: fill(32, 1) },
  ]
  for (const other of others)
    assert.ok(!isTaken(encoded, { wallet: { ...check.wallet, ...other } }), JSON.stringify(other))
})

test('it counts for a time', async () => {
  const encoded = await signedBy(ADMINS)
  const at = (now: number) => ({ wallet: { ...check.wallet, now } })
  assert.ok(isTaken(encoded, at(grant.expiresAt - 1)))
  assert.ok(!isTaken(encoded, at(grant.expiresAt)))
  const endless = { ...grant, expiresAt: NOW + MAX_GRANT_MS + 1 }
  assert.ok(!isTaken(await signedBy(ADMINS, endless)))
})
