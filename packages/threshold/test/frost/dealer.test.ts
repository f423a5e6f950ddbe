import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '@quorate/base'
import { interpolate } from '@quorate/math'
import { deal, isDealtShare } from '#src/frost/dealer.js'
import { frostSuites } from '#src/frost/suites/table.js'
import { partyId } from '#src/session/party.js'
import { random } from './sign/fixtures.ts'

for (const suite of Object.values(frostSuites)) {
  const { group } = suite

  test(`${suite.id}: any t shares give the key back, and each fits the commitment`, () => {
    const secret = group.randomScalar(random)
    const { key, commitment, shares } = deal({ suite, threshold: 3, parties: 5, secret, random })
    assert.equal(key.threshold, 3)
    assert.ok(group.equals(key.groupKey, group.mulBase(secret)))
    const value = (i: number): bigint => group.decodeScalar(shares.get(partyId(i))!.expose())
    for (const set of [
      [1, 2, 3],
      [5, 1, 4],
      [1, 2, 3, 4, 5],
    ])
      assert.equal(interpolate(set.map(BigInt), set.map(value), group.order), secret)
    assert.notEqual(interpolate([1n, 2n], [value(1), value(2)], group.order), secret)
    for (const [party, share] of shares) {
      assert.ok(isDealtShare(suite, commitment, party, share))
      assert.ok(
        group.equals(
          key.verifyingShares.get(party)!,
          group.mulBase(group.decodeScalar(share.expose())),
        ),
      )
    }
    assert.ok(!isDealtShare(suite, commitment, partyId(1), shares.get(partyId(2))!))
    assert.throws(
      () => isDealtShare(suite, commitment, partyId(1), new Secret(new Uint8Array(31))),
      {
        code: 'math/bad-scalar',
      },
    )
  })

  test(`${suite.id}: parameters out of range are refused`, () => {
    for (const [threshold, parties] of [
      [0, 3],
      [4, 3],
      [1.5, 3],
      [2, 51],
      [1, 0],
    ] as const)
      assert.throws(() => deal({ suite, threshold, parties, random }), {
        code: 'threshold/bad-parameters',
      })
    for (const secret of [0n, group.order])
      assert.throws(() => deal({ suite, threshold: 1, parties: 1, secret, random }), {
        code: 'threshold/bad-parameters',
      })
  })
}
