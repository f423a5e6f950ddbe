import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret, utf8 } from '@quorate/base'
import { commit } from '#src/frost/nonces.js'
import { SigningKey } from '#src/frost/sign/key.js'
import { SigningSession } from '#src/frost/sign/session.js'
import { SignerSet } from '#src/frost/sign/signer-set.js'
import { frostSuites } from '#src/frost/suites/table.js'
import { dealt, ids, random } from './sign/fixtures.ts'

for (const suite of Object.values(frostSuites)) {
  const { group } = suite

  test(`${suite.id}: nonces make of themselves what everybody makes of their commitment`, () => {
    using share = new Secret(group.encodeScalar(group.randomScalar(random)))
    for (let i = 0; i < 8; i++) {
      const nonces = commit(suite, share, random)
      const { hiding, binding } = nonces.commitment
      const factor = i === 0 ? 0n : group.randomScalar(random)
      const expected = group.add(hiding, group.mul(factor, binding))
      assert.ok(group.equals(nonces.boundBy(factor), expected))
      assert.ok(!nonces.isUsed)
      nonces.take()
      assert.throws(() => nonces.boundBy(factor), { code: 'threshold/nonce-used' })
    }
  })

  test(`${suite.id}: a session is the same for whoever signs in it and whoever looks on`, () => {
    const { key, shares } = dealt(suite, 2, 3)
    const parties = ids(1, 3)
    const nonces = new Map(
      parties.map((party) => [party, commit(suite, shares.get(party)!, random)]),
    )
    const options = {
      key: new SigningKey(key),
      signers: new SignerSet(key, parties),
      message: utf8('message'),
      commitments: new Map([...nonces].map(([party, { commitment }]) => [party, commitment])),
    }
    const made = new Map(
      parties.map((party) => {
        const own = { party, nonces: nonces.get(party)! }
        return [
          party,
          new SigningSession({ ...options, own }).sign(party, shares.get(party)!, own.nonces),
        ]
      }),
    )
    const observer = new SigningSession(options)
    assert.deepEqual(observer.cheaters(made), [])
    assert.equal(observer.aggregate(made).length, 64)
  })
}
