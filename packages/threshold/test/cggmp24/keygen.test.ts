import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { equalBytes } from '@quorate/base'
import { interpolate, secp256k1 } from '@quorate/math'
import type { SharedEcdsaKey } from '#src/cggmp24/key.js'
import type { PartyId } from '#src/session/party.js'
import { outputsOf } from '#src/testing/index.js'
import { idsOf, keygenScene, play, TESTED } from './stage.js'

type Shared = ReadonlyMap<PartyId, SharedEcdsaKey>
const { order } = secp256k1
const keygen = (...args: Parameters<typeof keygenScene>): Shared =>
  outputsOf(play(keygenScene(...args)))
const shareOf = (of: Shared, party: PartyId): bigint =>
  secp256k1.decodeScalar(of.get(party)!.share.expose())

/** The public key of what these parties' shares interpolate to; each from one of the generations. */
const jointKey = (parties: readonly PartyId[], from: (i: number) => Shared): Uint8Array => {
  const shares = parties.map((party, i) => shareOf(from(i), party))
  return secp256k1.encode(secp256k1.mulBase(interpolate(parties.map(BigInt), shares, order)))
}
const groupKeyOf = (of: Shared): Uint8Array => secp256k1.encode([...of.values()][0]!.key.groupKey)

/** All hold one key; any `threshold` shares are it, one fewer are not; Xⱼ = xⱼ·G for everybody. */
function assertShared(of: Shared, threshold: number): void {
  const parties = [...of.keys()]
  const keys = [...of.values()].map(({ key }) => key)
  for (const key of keys) assert.deepEqual(key, keys[0])
  assert.equal(keys[0]!.commitment.length, threshold)
  for (const party of parties)
    assert.ok(
      secp256k1.equals(secp256k1.mulBase(shareOf(of, party)), keys[0]!.verifyingShares.get(party)!),
    )
  const own = (): Shared => of
  for (let from = 0; from + threshold <= parties.length; from++)
    assert.deepEqual(jointKey(parties.slice(from, from + threshold), own), groupKeyOf(of))
  assert.notDeepEqual(jointKey(parties.slice(0, threshold - 1), own), groupKeyOf(of))
}

describe('key generation', () => {
  for (const [threshold, count] of [
    [2, 2],
    [2, 3],
    [3, 5],
  ] as const)
    test(`${threshold} of ${count}`, () => {
      const made = keygen(TESTED, threshold, count, `${threshold} of ${count}`)
      assertShared(made, threshold)
      const { chainCode, rid } = made.get(idsOf(1)[0]!)!.key
      assert.ok(!equalBytes(chainCode, new Uint8Array(32)))
      assert.ok(!equalBytes(chainCode, rid))
    })

  test('another session makes another key', () => {
    assert.notDeepEqual(
      groupKeyOf(keygen(TESTED, 2, 2, 'one')),
      groupKeyOf(keygen(TESTED, 2, 2, 'another')),
    )
  })
})

describe('refresh', () => {
  for (const [threshold, count] of [
    [2, 3],
    [3, 5],
  ] as const)
    test(`new shares of one key, ${threshold} of ${count}`, () => {
      const old = keygen(TESTED, threshold, count, 'old')
      const now = keygen(TESTED, threshold, count, 'new', old)
      assertShared(now, threshold)
      assert.deepEqual(groupKeyOf(now), groupKeyOf(old))
      const [before, after] = [old, now].map((of) => of.get(idsOf(1)[0]!)!.key)
      assert.deepEqual(after!.chainCode, before!.chainCode)
      assert.notDeepEqual(after!.rid, before!.rid)
      for (const [party, { share }] of now)
        assert.ok(!equalBytes(share.expose(), old.get(party)!.share.expose()))
      // Shares of two generations are no key together, however they are mixed.
      const signers = [...old.keys()].slice(0, threshold)
      for (let mix = 1; mix < 2 ** threshold - 1; mix++)
        assert.notDeepEqual(
          jointKey(signers, (i) => ((mix >> i) & 1 ? now : old)),
          groupKeyOf(old),
        )
    })
})
