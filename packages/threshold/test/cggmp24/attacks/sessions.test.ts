/**
 * Attacks on sessions: parties that say different things to different others, that take messages from
 * elsewhere, or that are in another session than they seem to be.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode, encode, isFault } from '@quorate/base'
import { lagrangeCoefficients, secp256k1 } from '@quorate/math'
import { keyOfCommitment } from '#src/cggmp24/key.js'
import { commitCodec as keygenCommit, shareCodec } from '#src/cggmp24/keygen/checks.js'
import { commitCodec, commitProofsCodec } from '#src/cggmp24/presign/messages.js'
import { type PartyId, partyId } from '#src/session/party.js'
import { Session } from '#src/session/session.js'
import {
  alterBody,
  conspire,
  misbehave,
  outputsOf,
  type RunResult,
  recoded,
  type Tamper,
} from '#src/testing/index.js'
import * as stage from '../stage.js'
import {
  assertConvicted,
  assertNobodyBlamed,
  idsOf,
  keygenScene,
  play,
  presignScene,
  record,
  type Scene,
  type Spoken,
  sidOf,
  TESTED,
  walletOf,
} from '../stage.js'
import { type Stage, stageWithout } from './without-guard.js'

const [ONE, TWO, THREE] = idsOf(1, 2, 3) as [PartyId, PartyId, PartyId]
const wallet = walletOf(TESTED)
const dist = 'threshold/dist/src'
const bodyOf = (spoken: readonly Spoken[], round: number, from: PartyId, to = 0): Uint8Array =>
  spoken.find((each) => each.round === round && each.from === from && each.to === to)!.body

describe('equivocation', () => {
  /** Party 2 tells 3 another chain code than 1, and has committed to both. */
  const twoFaced = (on: Stage) => {
    const scene = on.keygenScene(on.TESTED, 2, 3, 'two faces')
    const checks = scene.checks()
    const codec = on.keygenOpenCodec(2)
    const open = decode(codec, bodyOf(on.record(scene).spoken, 2, TWO), { maxBytes: 999 })
    const other = { ...open, chainCode: new Uint8Array(32).fill(1) }
    const opening = checks.openingOf(TWO, other)
    const commit = recoded(keygenCommit, (body) => ({ ...body, opening }))
    const toThree = { from: TWO, to: THREE, kind: 'broadcast' } as const
    const first = alterBody({ ...toThree, round: 1 }, commit)
    const second = alterBody({ ...toThree, round: 2 }, () => encode(codec, other))
    const tamper: Tamper = (delivery) => first(delivery).flatMap(second)
    return { scene, result: on.play(scene, { tamper }) }
  }

  test('in key generation: both who were told different things convict, and neither is blamed', () => {
    const { scene, result } = twoFaced(stage)
    assertConvicted(scene, result, 2, 'threshold/equivocation')
  })

  test('without the echo two honest parties keep different keys', async () => {
    const on = await stageWithout({
      file: `${dist}/session/echo.js`,
      guard: '!equalBytes(echo, own)',
      instead: 'false',
    })
    const made = outputsOf(twoFaced(on).result)
    assert.notDeepEqual(made.get(ONE)!.key.chainCode, made.get(THREE)!.key.chainCode)
  })

  test('in presigning, of two commitments to k', () => {
    const scene = presignScene(wallet, idsOf(1, 2, 3), 'two commitments')
    const change = recoded(commitCodec(TESTED, 1), (body) => ({
      ...body,
      items: body.items.map((item) => ({ ...item, A2: secp256k1.add(item.A2, item.A1) })),
    }))
    const tamper = alterBody({ from: 2, to: THREE, round: 1, kind: 'broadcast' }, change)
    assertConvicted(scene, play(scene, { tamper }), 2, 'threshold/equivocation')
  })

  test('a false report of what was broadcast blames nobody, since nothing proves it', () => {
    const scene = keygenScene(TESTED, 2, 3, 'false echo')
    const tamper = alterBody({ from: 2, round: 1, kind: 'echo' }, (body) => body.map((b) => b ^ 1))
    assertNobodyBlamed(play(scene, { tamper }))
  })
})

describe('parties that are in different sessions, under one session id', () => {
  const signers = idsOf(1, 2)
  const keyOf = (on: Stage) => on.walletOf(on.TESTED).key
  const oldOf = (on: Stage) => outputsOf(on.play(on.keygenScene(on.TESTED, 2, 2, 'old')))
  const presigning = (on: Stage, more: Parameters<typeof presignScene>[3] = {}) =>
    on.presignScene(on.walletOf(on.TESTED), signers, 'which', more)
  const keygen = (on: Stage, threshold: number, more: stage.KeygenExtra = {}) =>
    on.keygenScene(on.TESTED, threshold, 2, 'which', undefined, more)
  const pairs: Readonly<Record<string, (on: Stage) => readonly [Scene<unknown>, Scene<unknown>]>> =
    {
      'another path': (on) => [presigning(on), presigning(on, { items: [{ path: [1] }] })],
      'another message': (on) => [
        presigning(on, { items: [{ path: [], digest: sidOf('m') }] }),
        presigning(on, { items: [{ path: [], digest: sidOf('another') }] }),
      ],
      'more items': (on) => [
        presigning(on),
        presigning(on, { items: [{ path: [] }, { path: [] }] }),
      ],
      'another kind of presignature': (on) => [
        presigning(on),
        presigning(on, { isRerandomised: true }),
      ],
      'another generation': (on) => [
        presigning(on),
        presigning(on, { key: { ...keyOf(on), rid: new Uint8Array(32) } }),
      ],
      'another key': (on) => [
        presigning(on),
        presigning(on, { key: on.walletOf(on.TESTED, 'b').key }),
      ],
      'another level': (on) => [
        presigning(on),
        on.presignScene(on.walletOf(on.TESTED === on.L128 ? on.L112 : on.L128), signers, 'which'),
      ],
      'another threshold': (on) => [keygen(on, 2), keygen(on, 1)],
      'another auxiliary information': (on) => [
        keygen(on, 2),
        keygen(on, 2, { aux: sidOf('aux') }),
      ],
      'a refresh of another generation': (on) => {
        const old = oldOf(on)
        const now = outputsOf(on.play(on.keygenScene(on.TESTED, 2, 2, 'now', old)))
        return [
          on.keygenScene(on.TESTED, 2, 2, 'which', old),
          on.keygenScene(on.TESTED, 2, 2, 'which', now),
        ]
      },
      'a refresh and a new key': (on) => [
        keygen(on, 2),
        on.keygenScene(on.TESTED, 2, 2, 'which', oldOf(on)),
      ],
    }
  const meet = (
    on: Stage,
    [one, two]: readonly [Scene<unknown>, Scene<unknown>],
  ): RunResult<unknown> =>
    on.play({ ...one, make: (self) => (self === ONE ? one : two).make(self) })

  for (const [what, of] of Object.entries(pairs))
    test(`${what}: noticed, and nobody is blamed`, () => {
      assertNobodyBlamed(meet(stage, of(stage)), 'threshold/ssid-mismatch')
    })

  test('without the comparison of contexts, honest parties convict each other', async () => {
    const on = await stageWithout({
      file: `${dist}/cggmp24/context.js`,
      guard: '!equalBytes(own, theirs)',
      instead: 'false',
    })
    for (const what of ['another path', 'more items', 'another generation']) {
      const result = meet(on, pairs[what]!(on))
      for (const self of signers) {
        const { culprits } = on.verdictOf(result, self)
        assert.deepEqual(culprits, [3 - self], what)
      }
    }
  })
})

describe('proofs from elsewhere', () => {
  const signers = idsOf(1, 2, 3)
  const RANGE = { detail: 'range of k or γ' }

  test('made for one party, sent to another', () => {
    const scene = presignScene(wallet, signers, 'for one')
    const { spoken } = record(scene)
    const cheat = misbehave({ from: 2, round: 1, to: THREE }, () => bodyOf(spoken, 1, TWO, 1))
    const result = play(scene, { cheat })
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', { ...RANGE, by: [3] })
  })

  test('of k in place of γ', () => {
    const scene = presignScene(wallet, idsOf(1, 2), 'k and γ')
    const exchange = recoded(commitProofsCodec(TESTED, 1), (items) =>
      items.map(({ k, gamma }) => ({ k: gamma, gamma: k })),
    )
    const result = play(scene, { cheat: misbehave({ from: 2, round: 1, to: ONE }, exchange) })
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', RANGE)
  })

  /** Party 2 says in this session what it said in another one, where somebody else made it. */
  const replayed = (on: Stage, name: string, more: Parameters<typeof presignScene>[3] = {}) => {
    const there = on.presignScene(on.walletOf(on.TESTED), idsOf(1, 2), 'there')
    const scene = on.presignScene(on.walletOf(on.TESTED), idsOf(1, 2), name, more)
    const { spoken } = on.record(there)
    const { context } = on.presignChecks(on.walletOf(on.TESTED), idsOf(1, 2), name, more)
    const commit = recoded(commitCodec(on.TESTED, 1), (body) => ({ ...body, context }))
    const cheat = conspire(
      misbehave({ from: 2, round: 1 }, () => commit(bodyOf(spoken, 1, TWO))),
      misbehave({ from: 2, round: 1, to: ONE }, () => bodyOf(spoken, 1, TWO, 1)),
    )
    return { scene, result: on.play(scene, { cheat }) }
  }

  test('of another session', () => {
    const { scene, result } = replayed(stage, 'here')
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', RANGE)
  })

  test('of the same session of another generation', () => {
    const { scene, result } = replayed(stage, 'there', {
      key: { ...wallet.key, rid: new Uint8Array(32) },
    })
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', RANGE)
  })

  test('are taken where proofs do not cover their context', async () => {
    const on = await stageWithout({
      file: `${dist}/cggmp24/challenge.js`,
      guard: ".bytes('context', context)",
      instead: '',
    })
    const { detail } = on.verdictOf(replayed(on, 'here').result, 1)
    // The first round is passed; party 2 cannot go on from there, because it does not know γ.
    assert.equal(detail, 'logarithm of Γ')
  })

  /** Party 2 repeats whatever 1 commits to and opens. */
  const copied = (on: Stage) => {
    const scene = on.keygenScene(on.TESTED, 2, 2, 'copy')
    const { spoken } = on.record(scene)
    const cheat = conspire(
      ...[1, 2].map((round) => misbehave({ from: 2, round }, () => bodyOf(spoken, round, ONE))),
      misbehave({ from: 2, round: 2, to: ONE }, () =>
        encode(shareCodec, { share: shareOfOne(on, scene) }),
      ),
    )
    return { scene, result: on.play(scene, { cheat }) }
  }
  /** What party 1 dealt to itself, which nobody else can know. */
  const shareOfOne = (on: Stage, scene: ReturnType<typeof keygenScene>): bigint => {
    const shares = outputsOf(on.play(scene))
    const own = secp256k1.decodeScalar(shares.get(ONE)!.share.expose())
    const theirs = decode(shareCodec, bodyOf(on.record(scene).spoken, 2, TWO, 1), { maxBytes: 99 })
    return (own - theirs.share + secp256k1.order) % secp256k1.order
  }

  test('a commitment copied from another party opens for that party only', () => {
    const { scene, result } = copied(stage)
    assertConvicted(scene, result, 2, 'threshold/wrong-opening')
  })

  test('where it does not say whose it is, a copy opens', async () => {
    const on = await stageWithout({
      file: `${dist}/cggmp24/keygen/checks.js`,
      guard: ".number('party', party)",
      instead: '',
    })
    const { code, detail } = on.verdictOf(copied(on).result, 1)
    assert.deepEqual([code, detail], ['threshold/invalid-proof', 'knowledge of the share'])
  })
})

describe('indices', () => {
  test('zero, doubled, and out of order', () => {
    for (const index of [0, -1, 51, 1.5])
      assert.throws(
        () => partyId(index),
        (error) => isFault(error, 'threshold/bad-parameters'),
      )
    for (const points of [
      [1n, 1n],
      [0n, 1n],
      [1n, secp256k1.order],
      [1n, 1n + secp256k1.order],
    ])
      assert.throws(() => lagrangeCoefficients(points, secp256k1.order), String(points))
    for (const parties of [idsOf(1, 1), idsOf(2, 1)])
      assert.throws(
        () =>
          new Session({
            sid: sidOf('order'),
            protocol: 'cggmp24',
            self: ONE,
            parties,
            first: keygenScene(TESTED, 2, 2, 'order').make(ONE),
            deadline: 1,
            readOriginal: () => undefined,
          }),
      )
  })

  test('a party of index zero would hold the key by itself', async () => {
    const on = await stageWithout({
      file: `${dist}/session/party.js`,
      guard: 'index < 1',
      instead: 'index < 0',
    })
    const { groupKey, verifyingShares } = keyOfCommitment(wallet.key, on.idsOf(0, 1, 2))
    assert.ok(secp256k1.equals(verifyingShares.get(on.idsOf(0)[0]!)!, groupKey))
  })
})
