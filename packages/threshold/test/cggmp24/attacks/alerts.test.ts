/**
 * Third rounds that do not fit. Whoever is the cause is named by the alert, with evidence; whoever is
 * not, never; and once there is an alert, no signature share leaves a signer.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode, encode, utf8 } from '@quorate/base'
import { mod, secp256k1 } from '@quorate/math'
import {
  type DeltaItem,
  deltaCodec,
  type RevealItem,
  revealCodec,
  sharesCodec,
} from '#src/cggmp24/presign/messages.js'
import { Abort } from '#src/session/abort.js'
import type { PartyId } from '#src/session/party.js'
import { drop, misbehave, outputsOf, recoded } from '#src/testing/index.js'
import { assertSigns, keyAt } from '../signatures.js'
import * as stage from '../stage.js'
import {
  accuse,
  assertConvicted,
  cheating,
  convicts,
  heedless,
  idsOf,
  L128,
  play,
  presignChecks,
  presignScene,
  record,
  type Spoken,
  signScene,
  TESTED,
  utter,
  verdictOf,
  verifierOf,
  walletOf,
} from '../stage.js'
import { type Stage, stageWithout } from './without-guard.js'

const [ONE, TWO, THREE] = idsOf(1, 2, 3) as [PartyId, PartyId, PartyId]
const { order, generator } = secp256k1
const file = 'threshold/dist/src/cggmp24/presign/checks.js'
const message = { kind: 'message', bytes: utf8('m'), hash: 'sha256' } as const

const plusOne = (made: DeltaItem) => ({ ...made, delta: mod(made.delta + 1n, order) })
const plusG = (made: DeltaItem) => ({ ...made, S: secp256k1.add(made.S, generator) })
/** The culprit leaves when it has said its part of the alert. */
const ALERT = 5
const broadcasts = (spoken: readonly Spoken[]): readonly Spoken[] =>
  spoken.filter(({ kind }) => kind === 'broadcast')

describe('a part of δ that is one off', () => {
  test('is proved wrong by its maker, and nobody signs (128 bits)', () => {
    const scene = signScene(walletOf(L128), idsOf(1, 3), 'delta + 1', [{ message, path: [] }])
    const { result, spoken } = cheating({ 3: plusOne }, 'delta', () =>
      heedless([3], () => record(scene), ALERT),
    )
    assertConvicted(scene, result, 3, 'threshold/invalid-proof', { detail: 'δ is not' })
    assert.deepEqual(
      spoken.filter(({ round }) => round === 4),
      [],
    )
  })

  const scene = signScene(walletOf(TESTED), idsOf(1, 2), 'afterwards', [{ message, path: [] }])
  const { result, spoken: alerted } = cheating({ 2: plusOne }, 'delta', () =>
    heedless([2], () => record(scene, { tamper: drop({ round: 5, from: 2 }) }), ALERT),
  )
  const honest = record(scene).spoken
  const verifier = verifierOf(scene)
  const before = (spoken: readonly Spoken[], round: number): readonly Spoken[] =>
    spoken.filter((each) => each.round < round)

  test('whoever stays silent then is not blamed, but named', () => {
    const state = result.states.get(ONE)!
    assert.ok(state.kind === 'aborted')
    const { code, culprits, laggards } = state.abort
    assert.deepEqual([code, culprits, laggards], ['threshold/timeout', [], [2]])
  })

  test('a share that is signed after all convicts', () => {
    const share = broadcasts(honest).find(({ round, from }) => round === 4 && from === 2)!
    const shown = [...before(alerted, 4), utter(scene, TWO, share)]
    assert.ok(convicts(verifier, accuse(scene, [TWO], shown, broadcasts(alerted))))
    const good = [...before(honest, 4), share]
    assert.ok(!convicts(verifier, accuse(scene, [TWO], good, broadcasts(honest))))
  })

  test('an alert that has no cause convicts', () => {
    const alert = broadcasts(alerted).find(({ round, from }) => round === 5 && from === 1)!
    const shown = [...before(honest, 4), utter(scene, ONE, alert)]
    assert.ok(convicts(verifier, accuse(scene, [ONE], shown, broadcasts(honest))))
    const good = [...before(alerted, 4), alert]
    assert.ok(!convicts(verifier, accuse(scene, [ONE], good, broadcasts(alerted))))
  })
})

describe('a part of χ that is one off', () => {
  test('is proved wrong by its maker (128 bits)', () => {
    const scene = presignScene(walletOf(L128), idsOf(1, 2), 'S + G')
    const result = cheating({ 1: plusG }, 'delta', () => heedless([1], () => play(scene), ALERT))
    assertConvicted(scene, result, 1, 'threshold/invalid-proof', { detail: 'χ is not' })
  })

  /** Parties 1 and 2 commit to parts of χ that are off by one, and make up for each other. */
  const makingUp = (scene: ReturnType<typeof threeSign>, hooks?: stage.Hooks) => {
    const shift = (made: DeltaItem, by: typeof generator) => ({
      ...made,
      S: secp256k1.add(made.S, by),
    })
    return cheating(
      {
        1: (made) => shift(made, generator),
        2: (made) => shift(made, secp256k1.negate(generator)),
      },
      'delta',
      () => heedless([1, 2], () => play(scene, hooks)),
    )
  }
  const threeSign = (name: string) =>
    signScene(walletOf(TESTED), idsOf(1, 2, 3), name, [{ message, path: [] }])

  test('two that make up for each other change nothing', () => {
    const scene = threeSign('S + ε')
    for (const [signature] of outputsOf(makingUp(scene)).values())
      assertSigns(keyAt(walletOf(TESTED).key, []), message, signature!)
  })

  test('two that make up for each other are both found once a share is wrong', () => {
    const scene = threeSign('S + ε, share')
    const plus = recoded(sharesCodec(1), (shares) => shares.map((share) => mod(share + 1n, order)))
    const result = makingUp(scene, { cheat: misbehave({ from: 1, round: 4 }, plus) })
    const { code, culprits, evidence } = verdictOf(result, 3)
    assert.deepEqual([code, culprits], ['threshold/invalid-share', [1, 2]])
    assert.ok(convicts(verifierOf(scene), evidence!))
    assert.ok(!convicts(verifierOf(scene), { ...evidence!, culprits: [THREE] }))
  })
})

/**
 * Signers 1 and 3 work together: 3 sends 1 a product that is one off, under a proof that is none,
 * and 1 says nothing.
 */
const collude = () => {
  const wallet = walletOf(TESTED)
  const signers = idsOf(1, 2, 3)
  const scene = presignScene(wallet, signers, 'collusion')
  const checks = presignChecks(wallet, signers, 'collusion')
  const falsify = (made: RevealItem, signer: stage.ItemSigner) => {
    const { paillier } = wallet.auxKeys.get(ONE)!
    const sent = signer.sent.get(ONE)!
    const { D, F } = sent.gamma.product
    const product = { D: paillier.add(D, 1n + paillier.n), F }
    signer.sent.set(ONE, { ...sent, gamma: { ...sent.gamma, product } })
    const links = made.links.slice()
    links.set(checks.linkOf(0, 0, THREE, ONE, product), 0)
    return { ...made, links }
  }
  const result = cheating({ 3: falsify }, 'reveal', () => heedless([1, 3], () => play(scene), 6))
  return { scene, result }
}

describe('a product that is malformed between two who work together', () => {
  const { scene, result } = collude()

  test('its sender cannot prove it to others; what all decrypted is proved', () => {
    assertConvicted(scene, result, 3, 'threshold/invalid-proof', {
      detail: 'the product sent to party 1',
      by: [2],
    })
  })

  test('without proofs of products, the same evidence shows nothing', async () => {
    const on = await stageWithout({
      file,
      guard: '!verifyAffGStar(this.setupOf(from), this.alertStatement(from, to), proof)',
      instead: 'false',
    })
    const sameScene = on.presignScene(on.walletOf(on.TESTED), scene.parties, 'collusion')
    const { evidence } = verdictOf(result, 2)
    assert.ok(!on.convicts(on.verifierOf(sameScene), evidence!))
  })
})

describe('δ = 0', () => {
  /** Signer 2 waits for the others' parts of δ and makes the sum zero. */
  const zero = (on: Stage) => {
    const scene = on.presignScene(on.walletOf(on.TESTED), idsOf(1, 2), 'zero')
    const [first] = broadcasts(on.record(scene).spoken).filter(
      ({ round, from }) => round === 3 && from === 1,
    )
    const [{ delta }] = decode(deltaCodec(on.TESTED, 1), first!.body, { maxBytes: 4096 }) as [
      DeltaItem,
    ]
    const falsify = (made: DeltaItem) => ({ ...made, delta: order - delta })
    const result = on.cheating({ 2: falsify }, 'delta', () =>
      on.heedless([2], () => on.play(scene), ALERT),
    )
    return { scene, result }
  }

  test('by the last to speak: it is named', () => {
    const { scene, result } = zero(stage)
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', { detail: 'δ is not' })
  })

  test('looked at before the sums, it hides who brought it about', async () => {
    const on = await stageWithout({
      file,
      guard: 'this.#alert = this.#findAlert(deltas);',
      instead:
        "if (deltas.includes(0n)) throw new Abort('threshold/degenerate'); this.#alert = this.#findAlert(deltas);",
    })
    const { code, culprits } = on.verdictOf(zero(on).result, 1)
    assert.deepEqual([code, culprits], ['threshold/degenerate', []])
  })

  const wallet = walletOf(TESTED)
  const { spoken } = record(presignScene(wallet, idsOf(1, 2), 'cancel'))
  const of = (round: number, from: number): Uint8Array =>
    broadcasts(spoken).find((each) => each.round === round && each.from === from)!.body
  const isDegenerate = (error: unknown): boolean =>
    error instanceof Abort && error.code === 'threshold/degenerate' && error.culprits.length === 0
  /** The checks of a session whose signers all work together, so that none objects. */
  const closedBefore = (round: number) => {
    const checks = presignChecks(wallet, idsOf(1, 2), 'cancel')
    for (let each = 1; each < round; each++) {
      for (const party of [1, 2]) checks.note(each, idsOf(party)[0]!, of(each, party))
      checks.close(each)
    }
    return checks
  }

  test('that is what k and γ make has no inverse, and nobody is blamed', () => {
    const checks = closedBefore(3)
    const codec = deltaCodec(TESTED, 1)
    const [item] = decode(codec, of(3, 1), { maxBytes: 4096 }) as [DeltaItem]
    const opposite = {
      ...item,
      delta: order - item.delta,
      S: secp256k1.negate(item.S),
      Delta: secp256k1.negate(item.Delta),
    }
    checks.note(3, ONE, of(3, 1))
    checks.note(3, TWO, encode(codec, [opposite]))
    assert.throws(() => checks.close(3), isDegenerate)
  })

  test('nor for Γ = O', () => {
    const checks = closedBefore(2)
    const codec = revealCodec(TESTED, 1, 1)
    const [item] = decode(codec, of(2, 1), { maxBytes: 4096 }) as [RevealItem]
    checks.note(2, ONE, of(2, 1))
    checks.note(2, TWO, encode(codec, [{ ...item, Gamma: secp256k1.negate(item.Gamma) }]))
    assert.throws(() => checks.close(2), isDegenerate)
  })
})
