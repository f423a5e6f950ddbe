import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytes, encode, fromHex, type Secret, toHex } from '@quorate/base'
import { interpolate, lagrangeCoefficients } from '@quorate/math'
import {
  addScalars,
  beginHelping,
  beginRepair,
  type RepairSession,
  splitAdditively,
} from '#src/frost/repair.js'
import { type PartyId, partyId } from '#src/session/party.js'
import type { Step } from '#src/session/round.js'
import {
  alterBody,
  misbehave,
  type RunOptions,
  type RunResult,
  runSessions,
  seededRandom,
} from '#src/testing/index.js'
import { readVectors, withVectors } from '../vectors.js'
import { keygen, SUITES } from './dkg-setup.js'

type Result = Secret<Uint8Array> | undefined

const ZF = {
  'FROST-ED25519-SHA512-v1': 'frost-ed25519',
  'FROST-secp256k1-SHA256-TR-v1': 'frost-secp256k1-tr',
} as const

for (const id of SUITES)
  describe(id, () => {
    const keys = keygen(id, 3, 5)
    const { key } = keys.get(partyId(1))!
    const { group } = key.suite
    const sessionOf = (helpers: readonly number[], repaired: number): RepairSession => ({
      key,
      helpers: helpers.map(partyId),
      repaired: partyId(repaired),
    })
    const repair = (
      session: RepairSession,
      more: Partial<RunOptions<Result>> = {},
    ): RunResult<Result> =>
      runSessions<Result>({
        parties: [...session.helpers, session.repaired].sort((a, b) => a - b),
        make: (self): Step<Result> =>
          self === session.repaired
            ? beginRepair(session)
            : beginHelping(session, self, keys.get(self)!.share, seededRandom(`repair/${self}`)),
        ...more,
      })
    const culpritsFor = (
      { states }: RunResult<Result>,
      party: number,
    ): readonly [string, readonly number[]] => {
      const state = states.get(partyId(party))!
      assert.ok(state.kind === 'aborted')
      return [state.abort.code, state.abort.culprits]
    }

    for (const [helpers, repaired] of [
      [[1, 2, 3], 5],
      [[2, 4, 5], 3],
      [[1, 2, 3, 4], 5],
    ] as const)
      test(`parties ${helpers.join(', ')} give party ${repaired} its share back`, () => {
        for (const orderSeed of [1, 2]) {
          const { states } = repair(sessionOf(helpers, repaired), { orderSeed })
          const state = states.get(partyId(repaired))!
          assert.ok(state.kind === 'done')
          assert.deepEqual(state.output!.expose(), keys.get(partyId(repaired))!.share.expose())
          for (const helper of helpers)
            assert.deepEqual(states.get(partyId(helper)), { kind: 'done', output: undefined })
        }
      })

    test('a key of threshold one is repaired by any one other', () => {
      const single = keygen(id, 1, 2)
      const session: RepairSession = {
        key: single.get(partyId(1))!.key,
        helpers: [partyId(1)],
        repaired: partyId(2),
      }
      const { states } = runSessions<Result>({
        parties: [partyId(1), partyId(2)],
        make: (self): Step<Result> =>
          self === 2
            ? beginRepair(session)
            : beginHelping(session, self, single.get(self)!.share, seededRandom(1)),
      })
      const state = states.get(partyId(2))!
      assert.ok(state.kind === 'done')
      assert.deepEqual(state.output!.expose(), single.get(partyId(2))!.share.expose())
    })

    test('a helper that deals another value than its share is named by all', () => {
      const session = sessionOf([1, 2, 3], 5)
      const other = beginHelping(session, partyId(1), keys.get(partyId(1))!.share, seededRandom(9))
        .send[0]!.body
      const result = repair(session, { cheat: misbehave({ from: 2, round: 1 }, () => other) })
      for (const party of [1, 3, 5])
        assert.deepEqual(culpritsFor(result, party), ['threshold/invalid-share', [2]])
    })

    const wrongScalar = (): Uint8Array => encode(bytes(32), group.encodeScalar(7n))
    test('a helper that sends another value than it dealt is named by its receiver', () => {
      const result = repair(sessionOf([1, 2, 3], 5), {
        tamper: alterBody({ from: 2, to: 1, kind: 'direct' }, wrongScalar),
      })
      assert.deepEqual(culpritsFor(result, 1), ['threshold/invalid-share', [2]])
      assert.deepEqual(culpritsFor(result, 5), ['threshold/timeout', []])
    })

    test('a helper that adds up wrongly is named, and the share refused', () => {
      const result = repair(sessionOf([1, 2, 3], 5), {
        tamper: alterBody({ from: 3, to: 5, kind: 'direct' }, wrongScalar),
      })
      assert.deepEqual(culpritsFor(result, 5), ['threshold/invalid-share', [3]])
    })

    test('values outside the group are malformed', () => {
      const result = repair(sessionOf([1, 2, 3], 5), {
        tamper: alterBody({ from: 3, to: 5, kind: 'direct' }, () =>
          encode(bytes(32), new Uint8Array(32).fill(0xff)),
        ),
      })
      assert.deepEqual(culpritsFor(result, 5), ['threshold/malformed-message', [3]])
    })

    test('a helper whose own share is wrong says so before it deals', () => {
      const wrong = keys.get(partyId(4))!.share
      assert.throws(
        () => beginHelping(sessionOf([1, 2, 3], 5), partyId(2), wrong, seededRandom(1)),
        { code: 'threshold/inconsistent-share' },
      )
    })

    test('too few helpers, strangers and the repaired party itself are refused', () => {
      for (const [helpers, repaired] of [
        [[1, 2], 5],
        [[1, 2, 5], 5],
        [[1, 2, 9], 5],
        [[2, 1, 3], 5],
        [[1, 1, 2], 5],
        [[1, 2, 3], 9],
      ] as const)
        assert.throws(() => beginRepair(sessionOf(helpers, repaired)), {
          code: 'threshold/bad-parameters',
        })
      assert.throws(
        () =>
          beginHelping(
            sessionOf([1, 2, 3], 5),
            partyId(4),
            keys.get(partyId(4))!.share,
            seededRandom(1),
          ),
        { code: 'threshold/bad-parameters' },
      )
    })

    const path = `zf-frost/${ZF[id]}/tests/helpers/repair-share.json`
    test('ZF FROST vectors', withVectors(path), () => {
      type Scalars = Readonly<Record<string, string>>
      const file = readVectors<{ scalar_generation: Scalars; sigma_generation: Scalars }>(path)
      const scalars = (of: Scalars, name: string, count: number): bigint[] =>
        Array.from({ length: count }, (_, i) =>
          group.decodeScalar(fromHex(of[`${name}_${i + 1}`]!)),
        )
      const sums = [
        addScalars(group, scalars(file.scalar_generation, 'random_scalar', 3)),
        addScalars(group, scalars(file.sigma_generation, 'sigma', 4)),
      ]
      const hex = sums.map((sum) => toHex(group.encodeScalar(sum)))
      assert.deepEqual(hex, [
        file.scalar_generation['random_scalar_sum'],
        file.sigma_generation['sigma_sum'],
      ])
    })

    test('what a helper splits is its part of the interpolation', () => {
      const indices = [1n, 4n, 5n]
      const shares = indices.map((i) =>
        group.decodeScalar(keys.get(Number(i) as PartyId)!.share.expose()),
      )
      const lambda = lagrangeCoefficients(indices, group.order, 2n)
      const parts = shares.map((share, i) =>
        splitAdditively(group, lambda[i]! * share, 3, seededRandom(i)),
      )
      assert.equal(addScalars(group, parts.flat()), interpolate(indices, shares, group.order, 2n))
      assert.equal(new Set(parts.flat()).size, 9)
    })
  })
