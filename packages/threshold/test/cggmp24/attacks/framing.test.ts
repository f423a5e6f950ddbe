/**
 * Accusers who put together what honest parties signed, to make it look like a fault. Whatever they
 * leave out, exchange or make up, it convicts nobody; and no verifier falls over it.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { utf8 } from '@quorate/base'
import { mod, secp256k1 } from '@quorate/math'
import fc from 'fast-check'
import type { Presignature } from '#src/cggmp24/presign/presignature.js'
import type { PartyId } from '#src/session/party.js'
import { outputsOf } from '#src/testing/index.js'
import * as stage from '../stage.js'
import {
  accuse,
  auxScene,
  convicts,
  idsOf,
  keygenScene,
  L128,
  onlineScene,
  play,
  presignScene,
  record,
  type Scene,
  type Spoken,
  sidOf,
  TESTED,
  verifierOf,
  walletOf,
} from '../stage.js'
import { type Stage, stageWithout } from './without-guard.js'

const [ONE, TWO] = idsOf(1, 2) as [PartyId, PartyId]
const replay = 'threshold/dist/src/cggmp24/replay.js'

type Recorded = { readonly scene: Scene<unknown>; readonly spoken: readonly Spoken[] }
const recorded = (scene: Scene<unknown>): Recorded => ({ scene, ...record(scene) })

/** Signer 2 broadcasts a wrong δ, so that signer 1 raises an honest alert. */
const alerted = (on: Stage): Recorded => {
  const scene = on.presignScene(on.walletOf(on.TESTED), idsOf(1, 2), 'alerted')
  const falsify = (made: { readonly delta: bigint }) => ({
    ...made,
    delta: mod(made.delta + 1n, secp256k1.order),
  })
  return {
    scene,
    ...on.cheating({ 2: falsify }, 'delta', () => on.heedless([2], () => on.record(scene), 5)),
  }
}

/** Signing with re-randomised presignatures. */
const signed = (on: Stage, name: string): Recorded => {
  const wallet = on.walletOf(on.TESTED)
  const more = { isRerandomised: true }
  const made = outputsOf(on.play(on.presignScene(wallet, idsOf(1, 2), `${name} made`, more)))
  const scene = on.onlineScene(made, name, (presignature) => ({
    kind: 'rerandomised',
    presignature,
    message: { kind: 'message', bytes: utf8(name), hash: 'sha256' },
    chainCode: wallet.key.chainCode,
    path: [1],
  }))
  return { scene, ...on.record(scene) }
}

const broadcastsOf = ({ spoken }: Recorded): readonly Spoken[] =>
  spoken.filter(({ kind }) => kind === 'broadcast')
const by = (party: PartyId, { spoken }: Recorded): readonly Spoken[] =>
  spoken.filter(({ from }) => from === party)

describe('an honest message alone', () => {
  const of = alerted(stage)
  const alone = accuse(
    of.scene,
    [ONE],
    by(ONE, of).filter(({ round, kind }) => round === 5 && kind === 'broadcast'),
    [],
  )
  assert.equal(alone.originals.length, 1)

  test('an alert without the round that it is about', () => {
    const verifier = verifierOf(of.scene)
    assert.ok(!convicts(verifier, alone))
    for (const shown of [
      by(ONE, of).filter(({ round }) => round !== 3),
      by(ONE, of).filter(({ round, kind }) => round !== 3 || kind !== 'echo'),
      by(ONE, of),
    ])
      assert.ok(!convicts(verifier, accuse(of.scene, [ONE], shown, broadcastsOf(of))))
    assert.ok(convicts(verifier, accuse(of.scene, [TWO], by(TWO, of), broadcastsOf(of))))
  })

  test('an alert, to a judge who takes what he is shown for all there is', async () => {
    const guard = 'checks.basisOf(round) > closed'
    const on = await stageWithout({ file: replay, guard, instead: 'false' })
    const scene = on.presignScene(on.walletOf(on.TESTED), idsOf(1, 2), 'alerted')
    assert.ok(on.convicts(on.verifierOf(scene), alone))
  })
})

/** What may be shown of a recorded session, and said about it, with up to a few deviations from the truth. */
type Deviation = {
  readonly accused: PartyId
  readonly claim: (typeof CLAIMS)[number]
  readonly leftOut: readonly number[]
  readonly told: readonly { readonly slot: number; readonly how: (typeof TELLINGS)[number] }[]
}
const CLAIMS = [
  'threshold/invalid-proof',
  'threshold/equivocation',
  'threshold/false-alert',
  'threshold/malformed-message',
] as const
const TELLINGS = ['of the other session', 'of another party', 'of another round', 'absent'] as const

/** The evidence of a deviation: genuine messages of `own`, and any broadcasts of either session beside. */
function evidenceOf(own: Recorded, other: Recorded, { accused, claim, leftOut, told }: Deviation) {
  const messages = own.spoken.filter((_, i) => !leftOut.includes(i))
  const notes = broadcastsOf(own).flatMap((note, i) => {
    const how = told.find(({ slot }) => slot === i)?.how
    if (how === undefined) return [note]
    const from = how === 'of the other session' ? broadcastsOf(other) : broadcastsOf(own)
    const body = from.find((each) =>
      how === 'of another party'
        ? each.from !== note.from && each.round === note.round
        : each.from === note.from && (each.round === note.round) !== (how === 'of another round'),
    )?.body
    return how === 'absent' || body === undefined ? [] : [{ ...note, body }]
  })
  return accuse(own.scene, [accused], messages, notes, claim)
}

const deviation = (own: Recorded, accused: readonly PartyId[]): fc.Arbitrary<Deviation> =>
  fc.record({
    accused: fc.constantFrom(...accused),
    claim: fc.constantFrom(...CLAIMS),
    leftOut: fc.array(fc.nat(own.spoken.length - 1), { maxLength: 4 }),
    told: fc.array(
      fc.record({
        slot: fc.nat(broadcastsOf(own).length - 1),
        how: fc.constantFrom(...TELLINGS),
      }),
      { maxLength: 3 },
    ),
  })

function assertNobodyFramed(
  own: Recorded,
  other: Recorded,
  numRuns: number,
  accused: readonly PartyId[] = own.scene.parties,
): void {
  const verifier = verifierOf(own.scene)
  const isFramed = (of: Deviation): boolean => convicts(verifier, evidenceOf(own, other, of))
  for (const party of accused)
    for (const claim of CLAIMS)
      assert.ok(!isFramed({ accused: party, claim, leftOut: [], told: [] }), 'the whole truth')
  fc.assert(
    fc.property(deviation(own, accused), (of) => !isFramed(of)),
    { numRuns },
  )
}

describe('no recombination of honest messages convicts anybody', () => {
  const [own, other] = ['own', 'other'].map((name) =>
    recorded(presignScene(walletOf(TESTED), idsOf(1, 2), name)),
  ) as [Recorded, Recorded]

  test('key generation', () => {
    const [one, another] = ['own', 'other'].map((name) =>
      recorded(keygenScene(TESTED, 2, 3, name)),
    ) as [Recorded, Recorded]
    assertNobodyFramed(one, another, 60)
  })

  test('signing with re-randomised presignatures', () => {
    assertNobodyFramed(signed(stage, 'own'), signed(stage, 'other'), 100)
  })

  test('presigning', () => {
    assertNobodyFramed(own, other, 15)
  })

  test('messages of another session are none of this', () => {
    const verifier = verifierOf(own.scene)
    for (const stranger of by(ONE, other).filter(({ kind }) => kind !== 'echo')) {
      const messages = [...by(ONE, own).filter(({ round }) => round < stranger.round), stranger]
      assert.ok(!convicts(verifier, accuse(own.scene, [ONE], messages, broadcastsOf(own))))
    }
  })
})

describe('a judge who takes the session for another convicts nobody', () => {
  const wallet = walletOf(TESTED)
  const signers = idsOf(1, 2)
  const message = { kind: 'message', bytes: utf8('m'), hash: 'sha256' } as const

  test('presigning', () => {
    const scene = presignScene(wallet, signers, 'mistaken')
    const of = recorded(scene)
    const evidence = (accused: PartyId) =>
      accuse(scene, [accused], of.spoken, broadcastsOf(of), 'threshold/invalid-proof')
    const { verifyingShares } = wallet.key
    const swapped = new Map(verifyingShares)
      .set(ONE, verifyingShares.get(TWO)!)
      .set(TWO, verifyingShares.get(ONE)!)
    const others: readonly Scene<unknown>[] = [
      presignScene(wallet, signers, 'mistaken', { items: [{ path: [1] }] }),
      presignScene(wallet, signers, 'mistaken', { items: [{ path: [] }, { path: [] }] }),
      presignScene(wallet, signers, 'mistaken', { items: [{ path: [], digest: sidOf('m') }] }),
      presignScene(wallet, signers, 'mistaken', { isRerandomised: true }),
      presignScene(wallet, signers, 'mistaken', { key: walletOf(TESTED, 'another').key }),
      presignScene(wallet, signers, 'mistaken', {
        key: { ...wallet.key, verifyingShares: swapped },
      }),
      presignScene(walletOf(L128), signers, 'mistaken'),
      presignScene(walletOf(TESTED, 'stage', 2, 4), signers, 'mistaken'),
      keygenScene(TESTED, 2, 2, 'mistaken'),
      auxScene(TESTED, 2, 'mistaken'),
    ]
    for (const [i, { checks }] of others.entries())
      for (const accused of signers)
        assert.ok(!convicts(verifierOf({ ...scene, checks }), evidence(accused)), `facts ${i}`)
  })

  test('a share for one message, shown with another', () => {
    const made = outputsOf(play(presignScene(wallet, signers, 'one message')))
    const use = (text: string) => (presignature: Presignature) =>
      ({ kind: 'bound', presignature, message: { ...message, bytes: utf8(text) } }) as const
    const scene = onlineScene(made, 'for m', use('m'))
    const { checks } = onlineScene(made, 'for m', use('another m'))
    const of = recorded(scene)
    for (const accused of signers) {
      const evidence = accuse(scene, [accused], of.spoken, broadcastsOf(of))
      assert.ok(!convicts(verifierOf({ ...scene, checks }), evidence))
      assert.ok(!convicts(verifierOf(scene), evidence))
    }
  })
})
