import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes, Secret, toHex } from '@quorate/base'
import { recover } from '#src/frost/keygen/certificate.js'
import { chillDkg, chillDkgOutput } from '#src/frost/keygen/chilldkg.js'
import { dkgSuite, sharedKey } from '#src/frost/keygen/keygen.js'
import { SigningKey } from '#src/frost/sign/key.js'
import { type PartyId, partyId } from '#src/session/party.js'
import { outputsOf } from '#src/testing/index.js'
import { dkgSetup, keygen, runKeygen, SUITES, secretOf } from './dkg-setup.js'

for (const id of SUITES) {
  for (const [t, n] of [
    [1, 1],
    [1, 2],
    [2, 2],
    [2, 3],
    [3, 5],
  ] as const) {
    test(`${id}: ${t}-of-${n} parties agree on a key that any ${t} of them hold`, () => {
      const keys = keygen(id, t, n)
      const [first] = [...keys.values()]
      const { group } = first!.key.suite
      for (const { key, commitment, recoveryData } of keys.values()) {
        assert.ok(group.equals(key.groupKey, first!.key.groupKey))
        assert.equal(commitment.length, t)
        assert.deepEqual(recoveryData, first!.recoveryData)
      }
      for (const [party, { key, share }] of keys)
        assert.ok(
          group.equals(
            group.mulBase(group.decodeScalar(share.expose())),
            key.verifyingShares.get(party)!,
          ),
        )
      const last = Array.from({ length: t }, (_, i) => n - i)
      assert.ok(group.equals(group.mulBase(secretOf(keys, last)), first!.key.groupKey))
      if (t > 1)
        assert.ok(!group.equals(group.mulBase(secretOf(keys, last.slice(1))), first!.key.groupKey))
    })
  }

  test(`${id}: order of delivery does not change the result`, () => {
    const setup = dkgSetup(id, 2, 3)
    const plain = outputsOf(runKeygen(setup))
    for (const orderSeed of ['a', 'b', 'c']) {
      const other = outputsOf(runKeygen(setup, { orderSeed }))
      for (const [party, { share }] of other)
        assert.ok(equalBytes(share.expose(), plain.get(party)!.share.expose()))
    }
  })

  test(`${id}: the recovery data gives every party its share back`, () => {
    const setup = dkgSetup(id, 2, 3)
    const keys = outputsOf(runKeygen(setup))
    for (const [party, { recoveryData, share }] of keys) {
      const { hostSecret } = setup.optionsOf(party)
      const { output } = recover(dkgSuite(id), recoveryData, hostSecret)
      assert.ok(equalBytes(output.share!.expose(), share.expose()))
      const again = sharedKey(id, output, recoveryData)
      assert.deepEqual(again.key.verifyingShares.size, 3)
    }
    const data = keys.get(partyId(1))!.recoveryData.slice()
    data[data.length - 1]! ^= 1
    assert.throws(() => recover(dkgSuite(id), data), { code: 'threshold/bad-recovery-data' })
    const stranger = new Secret(dkgSuite(id).group.encodeScalar(77n))
    assert.throws(() => recover(dkgSuite(id), keys.get(partyId(1))!.recoveryData, stranger), {
      code: 'threshold/bad-host-key',
    })
  })
}

test('records stay untweaked: the Taproot commitment is applied once, by the signing key', () => {
  const keys = keygen('FROST-secp256k1-SHA256-TR-v1', 2, 3)
  const { key, commitment, share, tweaks } = keys.get(1 as PartyId)!
  const tweakedOnce = new SigningKey(key, tweaks).publicKey
  // ChillDKG adds the tweak to P as it is, BIP-341 to P of even y: they meet where P's y is even.
  const standard = chillDkgOutput({ commitment, share, parties: 3 })
  const isEven = chillDkg.group.encode(key.groupKey)[0] === 2
  assert.equal(toHex(standard.thresholdKey.subarray(1)) === toHex(tweakedOnce), isEven)
  assert.notDeepEqual(standard.share!.expose(), share.expose())
  // What would happen if a ChillDKG output were stored in place of the untweaked key.
  const { group } = key.suite
  const stored = { ...key, groupKey: group.decode(standard.thresholdKey) }
  assert.notDeepEqual(new SigningKey(stored, tweaks).publicKey, tweakedOnce)
})

test('a wallet of twelve parties', () => {
  const keys = keygen('FROST-secp256k1-SHA256-TR-v1', 3, 12)
  const { group } = [...keys.values()][0]!.key.suite
  assert.ok(
    group.equals(group.mulBase(secretOf(keys, [2, 7, 12])), keys.get(1 as PartyId)!.key.groupKey),
  )
})
