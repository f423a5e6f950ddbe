import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fault, idFrom } from '@quorate/base'
import { Abort } from '#src/session/abort.js'
import { nobleVerifier } from '#src/session/envelope-crypto.js'
import {
  countersign,
  decodeManifest,
  encodeManifest,
  type Manifest,
  partiesOf,
  sessionId,
  verifyCountersignature,
} from '#src/session/manifest.js'
import { type PartyId, partyId } from '#src/session/party.js'
import { type Participant, participants } from '#src/testing/index.js'

const [one, two] = participants([1, 2, 3] as PartyId[], 'manifests') as [Participant, Participant]
const filled = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value)
const signer = (party: number) => ({
  party: partyId(party),
  bootId: filled(party, 16),
  epoch: filled(party, 16),
})
const manifest: Manifest = {
  v: 1,
  cluster: filled(1),
  request: filled(2),
  purpose: 'sign',
  wallet: idFrom('wal', 1_700_000_000_000, filled(3, 10)),
  generation: 0,
  protocol: 'frost',
  suite: 'FROST-ED25519-SHA512-v1',
  threshold: 2,
  signers: [signer(1), signer(2)],
  attempt: 0,
  coordinator: partyId(2),
  policyHash: filled(4),
  createdAt: 1000,
  expiresAt: 2000,
  minVersion: 1,
}

test('a manifest comes back from its bytes, and every field is in the session id', () => {
  assert.deepEqual(decodeManifest(encodeManifest(manifest)), manifest)
  assert.deepEqual(partiesOf(manifest), [1, 2])
  const variants: readonly Partial<Manifest>[] = [
    { cluster: filled(9) },
    { request: filled(9) },
    { purpose: 'keygen' },
    { purpose: 'aux' },
    { purpose: 'keygen', aux: filled(9) },
    { wallet: idFrom('wal', 1, filled(3, 10)) },
    { generation: 1 },
    { protocol: 'cggmp24' },
    { suite: 'FROST-secp256k1-SHA256-TR-v1' },
    { threshold: 1 },
    { signers: [signer(1), signer(2), signer(3)] },
    { signers: [signer(1), { ...signer(2), bootId: filled(9, 16) }] },
    { signers: [signer(1), { ...signer(2), epoch: filled(9, 16) }] },
    { attempt: 1 },
    { coordinator: partyId(1) },
    { policyHash: filled(9) },
    { createdAt: 1001 },
    { expiresAt: 2001 },
    { minVersion: 2 },
  ]
  const ids = [{}, ...variants].map((change) =>
    Buffer.from(sessionId({ ...manifest, ...change })).toString('hex'),
  )
  assert.equal(new Set(ids).size, ids.length)
})

test('a manifest that contradicts itself is neither made nor read', () => {
  const wrong: readonly Partial<Manifest>[] = [
    { signers: [signer(2), signer(1)] },
    { signers: [signer(2), signer(2)] },
    { coordinator: partyId(3) },
    { threshold: 3 },
    { expiresAt: 1000 },
    { aux: filled(9) },
    { purpose: 'aux', aux: filled(9) },
    { purpose: 'repair' },
    { repaired: partyId(2) },
    { purpose: 'repair', repaired: partyId(3) },
    { purpose: 'repair', repaired: partyId(2) }, // one helper, two needed
  ]
  for (const change of wrong)
    assert.throws(() => encodeManifest({ ...manifest, ...change }), {
      code: 'threshold/bad-manifest',
    })
  const repair = {
    ...manifest,
    purpose: 'repair',
    repaired: partyId(2),
    signers: [1, 2, 3].map(signer),
  } as const
  assert.deepEqual(decodeManifest(encodeManifest(repair)), repair)
})

test('a countersignature is for one party and one manifest', () => {
  const given = countersign(manifest, one.party, one.crypto)
  verifyCountersignature(manifest, given, one.signingKey, nobleVerifier)
  const bad = { code: 'threshold/bad-signature' }
  assert.throws(() => verifyCountersignature(manifest, given, two.signingKey, nobleVerifier), bad)
  assert.throws(
    () =>
      verifyCountersignature(
        manifest,
        { ...given, party: partyId(2) },
        one.signingKey,
        nobleVerifier,
      ),
    bad,
  )
  assert.throws(
    () =>
      verifyCountersignature(
        manifest,
        { ...given, party: partyId(3) },
        one.signingKey,
        nobleVerifier,
      ),
    { code: 'threshold/bad-manifest' },
  )
  assert.throws(() => countersign(manifest, partyId(3), one.crypto), {
    code: 'threshold/bad-manifest',
  })
})

test('parties with different manifests are told so, and nobody is blamed', () => {
  const other = countersign({ ...manifest, attempt: 1 }, one.party, one.crypto)
  assert.throws(
    () => verifyCountersignature(manifest, other, one.signingKey, nobleVerifier),
    (error: Fault) =>
      error instanceof Abort &&
      error.code === 'threshold/ssid-mismatch' &&
      error.culprits.length === 0,
  )
  // Nobody but the signer can make it look so.
  const forged = { ...other, sid: sessionId({ ...manifest, attempt: 2 }) }
  assert.throws(() => verifyCountersignature(manifest, forged, one.signingKey, nobleVerifier), {
    code: 'threshold/bad-signature',
  })
})
