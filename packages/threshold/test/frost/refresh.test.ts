import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { equalBytes, utf8 } from '@quorate/base'
import { judgeDkg } from '#src/frost/keygen/judge.js'
import { beginKeygen, type SharedKey } from '#src/frost/keygen/keygen.js'
import {
  beginRefresh,
  type Generation,
  generationDigest,
  recoverRefresh,
} from '#src/frost/refresh.js'
import { nobleVerifier } from '#src/session/envelope-crypto.js'
import { verifyEvidence } from '#src/session/evidence.js'
import { type PartyId, partiesUpTo } from '#src/session/party.js'
import {
  drop,
  keysOf,
  misbehave,
  outputsOf,
  participants,
  type RunOptions,
  type RunResult,
  runSessions,
} from '#src/testing/index.js'
import { dkgSetup, keygen, type Setup, SUITES, secretOf } from './dkg-setup.js'

type Keys = ReadonlyMap<PartyId, SharedKey>
const sid = new Uint8Array(32).fill(5)

for (const id of SUITES)
  describe(id, () => {
    const old = keygen(id, 3, 5)
    const [{ key, commitment }] = [...old.values()] as [SharedKey]
    const { group } = key.suite
    const setupFor = (number: number, of = commitment): Setup =>
      dkgSetup(id, 3, 5, {
        seed: `refresh ${number}`,
        sid,
        refreshes: generationDigest(group, number, of),
      })
    const generation = (keys: Keys, party: PartyId, number: number): Generation => ({
      ...keys.get(party)!,
      number,
    })
    const refresh = (
      keys: Keys,
      number: number,
      more: Partial<RunOptions<SharedKey>> = {},
    ): RunResult<SharedKey> => {
      const setup = setupFor(number, keys.get(1 as PartyId)!.commitment)
      return runSessions({
        parties: setup.parties,
        sid,
        make: (self) => beginRefresh(setup.optionsOf(self), generation(keys, self, number)),
        ...more,
      })
    }
    const fresh = outputsOf(refresh(old, 0))

    test('all get new shares of the same key', () => {
      for (const [party, { key: newKey, share, commitment: newCommitment, tweaks }] of fresh) {
        assert.ok(group.equals(newKey.groupKey, key.groupKey))
        assert.ok(!equalBytes(share.expose(), old.get(party)!.share.expose()))
        assert.ok(
          group.equals(
            group.mulBase(group.decodeScalar(share.expose())),
            newKey.verifyingShares.get(party)!,
          ),
        )
        assert.equal(newCommitment.length, 3)
        assert.deepEqual(tweaks, old.get(party)!.tweaks)
      }
      assert.equal(secretOf(fresh, [1, 3, 5]), secretOf(old, [2, 3, 4]))
      assert.equal(secretOf(outputsOf(refresh(fresh, 1)), [1, 2, 3]), secretOf(old, [2, 3, 4]))
    })

    test('old and new shares do not make the key together, in any mixture', () => {
      const secret = secretOf(old, [1, 2, 3])
      for (const mixed of [[3], [1, 2], [2]]) {
        const mixture = new Map(
          [...old].map(([party, each]) => [
            party,
            mixed.includes(party) ? fresh.get(party)! : each,
          ]),
        )
        assert.notEqual(secretOf(mixture, [1, 2, 3]), secret)
      }
      // Nor do t−1 stolen old shares and t−1 stolen new ones.
      assert.notEqual(
        secretOf(
          new Map([...old].map(([p, each]) => [p, p <= 2 ? each : fresh.get(p)!])),
          [1, 2, 4],
        ),
        secret,
      )
    })

    test('a party that missed the certificate gets its share from another’s recovery data', () => {
      const result = refresh(old, 0, { tamper: drop({ from: 2, to: 4, round: 2 }) })
      const lost = result.states.get(4 as PartyId)!
      assert.ok(lost.kind === 'aborted' && lost.abort.code === 'threshold/timeout')
      const { recoveryData } = fresh.get(1 as PartyId)!
      const setup = setupFor(0)
      const recovered = recoverRefresh(
        setup.optionsOf(4 as PartyId),
        generation(old, 4 as PartyId, 0),
        recoveryData,
      )
      assert.deepEqual(recovered.share.expose(), fresh.get(4 as PartyId)!.share.expose())
      // It is for this generation only.
      const next = setupFor(1)
      assert.throws(
        () =>
          recoverRefresh(
            next.optionsOf(4 as PartyId),
            generation(old, 4 as PartyId, 1),
            recoveryData,
          ),
        {
          code: 'threshold/bad-recovery-data',
        },
      )
    })

    test('a party that refreshes another generation takes no part unnoticed', () => {
      const setup = setupFor(0)
      const stale = setupFor(7)
      const { states } = runSessions({
        parties: setup.parties,
        sid,
        make: (self) =>
          beginRefresh((self === 2 ? stale : setup).optionsOf(self), generation(old, self, 0)),
      })
      const state = states.get(1 as PartyId)!
      assert.ok(state.kind === 'aborted')
      assert.deepEqual(state.abort.culprits, [2])
    })

    test('a change of the key itself cannot be dealt: there is no place for a constant term', () => {
      const everyone = participants(partiesUpTo(5), 'refresh')
      const newKey = dkgSetup(id, 3, 5)
      const dealing = beginKeygen(newKey.optionsOf(3 as PartyId)).send[0]!.body
      const result = refresh(old, 0, {
        envelopes: everyone,
        cheat: misbehave({ from: 3, round: 1 }, () => dealing),
      })
      const state = result.states.get(1 as PartyId)!
      assert.ok(state.kind === 'aborted')
      assert.deepEqual(
        [state.abort.code, state.abort.culprits],
        ['threshold/malformed-message', [3]],
      )
      const verifier = {
        ...keysOf(everyone),
        ...nobleVerifier,
        cluster: new Uint8Array(32),
        judge: judgeDkg(setupFor(0).session),
      }
      assert.deepEqual(verifyEvidence(state.abort.evidence!, verifier), [3])
    })
  })

test('a key that one share makes is not refreshed', () => {
  assert.throws(() => dkgSetup(SUITES[0]!, 1, 3, { refreshes: utf8('x'.repeat(32)) }), {
    code: 'threshold/bad-parameters',
  })
})
