/** Dealers who deal falsely, and contributions chosen after others were seen. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode, encode } from '@quorate/base'
import { mod, secp256k1 } from '@quorate/math'
import { xorAll } from '#src/cggmp24/context.js'
import { commitCodec, type Open, openCodec, shareCodec } from '#src/cggmp24/keygen/checks.js'
import { Replay } from '#src/cggmp24/replay.js'
import type { PartyId } from '#src/session/party.js'
import { conspire, misbehave, outputsOf, recoded } from '#src/testing/index.js'
import * as stage from '../stage.js'
import { assertConvicted, idsOf, keygenScene, play, record, type Scene, TESTED } from '../stage.js'
import { type Stage, stageWithout } from './without-guard.js'

const [ONE, TWO, THREE] = idsOf(1, 2, 3) as [PartyId, PartyId, PartyId]
const { order } = secp256k1
const dist = 'threshold/dist/src'
const NAME = 'dealing'
const scene = keygenScene(TESTED, 2, 3, NAME)
const honest = record(scene)
const bodyOf = (round: number, from: PartyId, to = 0): Uint8Array =>
  honest.spoken.find((each) => each.round === round && each.from === from && each.to === to)!.body
const limits = { maxBytes: 4096 }
const own = decode(openCodec(2), bodyOf(2, TWO), limits)
const dealt = (to: PartyId): bigint => decode(shareCodec, bodyOf(2, TWO, to), limits).share

/** Commits to `open` and opens it, under codecs that take any number of coefficients. */
const commitTo = (open: Open) => {
  const opening = scene.checks().openingOf(TWO, open)
  return {
    commit: encode(commitCodec, { context: scene.checks().context, opening }),
    open: encode(openCodec(open.coefficients.length), open),
  }
}

describe('a dealt share that is one off', () => {
  const change = recoded(shareCodec, ({ share }) => ({ share: mod(share + 1n, order) }))
  const cheat = misbehave({ from: 2, round: 2, to: ONE }, change)
  const old = outputsOf(honest.result)
  const scenes: Readonly<Record<string, (on: Stage) => Scene<unknown>>> = {
    'in key generation': (on) => on.keygenScene(on.TESTED, 2, 3, NAME),
    'in a refresh': (on) =>
      on.keygenScene(on.TESTED, 2, 3, 'refresh', on === stage ? old : undefined),
  }
  for (const [where, of] of Object.entries(scenes))
    test(`${where}: whoever got it can show it`, () => {
      const result = play(of(stage), { cheat })
      assertConvicted(of(stage), result, 2, 'threshold/invalid-share', { by: [1] })
    })

  test('unchecked, its receiver is taken for the culprit', async () => {
    const on = await stageWithout({
      file: `${dist}/cggmp24/keygen/checks.js`,
      guard: '!this.isShare(from, to, share)',
      instead: 'false',
    })
    const result = on.play(scenes['in key generation']!(on), { cheat })
    const { code, culprits } = on.verdictOf(result, 3)
    assert.deepEqual([code, culprits], ['threshold/invalid-proof', [1]])
  })
})

describe('a polynomial of another degree', () => {
  const EXTRA = 42n
  const more = commitTo({
    ...own,
    coefficients: [...own.coefficients, secp256k1.mulBase(EXTRA)],
  })
  const fewer = commitTo({ ...own, coefficients: own.coefficients.slice(0, 1) })
  const shareFor = (to: PartyId): Uint8Array =>
    encode(shareCodec, { share: mod(dealt(to) + EXTRA * BigInt(to) ** 2n, order) })

  for (const [what, { commit, open }] of Object.entries({ higher: more, lower: fewer }))
    test(`${what}: refused as it is read`, () => {
      const cheat = conspire(
        misbehave({ from: 2, round: 1 }, () => commit),
        misbehave({ from: 2, round: 2 }, () => open),
        ...[ONE, THREE].map((to) => misbehave({ from: 2, round: 2, to }, () => shareFor(to))),
      )
      assertConvicted(scene, play(scene, { cheat }), 2, 'threshold/malformed-message')
    })

  test('with a parser that takes any number, a 2-of-3 key needs three', async () => {
    const feldman = 'math/dist/src/sharing/feldman.js'
    const on = await stageWithout(
      {
        file: `${dist}/cggmp24/wire.js`,
        guard: 'mapped(bytes(33 * count), (all) => Array.from({ length: count }',
        instead: 'mapped(bytes({ max: 1650 }), (all) => Array.from({ length: all.length / 33 }',
      },
      {
        file: feldman,
        guard: 'commitments.some((each) => each.length !== first.length)',
        instead: 'false',
      },
      {
        file: feldman,
        guard: 'first.map((_, k) => group.sum(commitments.map((each) => each[k])))',
        instead:
          'commitments.find(({ length }) => length === 3).map((_, k) => group.sum(commitments.flatMap((each) => each[k] ?? [])))',
      },
    )
    const checks = on.keygenScene(on.TESTED, 2, 3, NAME).checks()
    // As party 1 sees it.
    const replay = new Replay(checks)
    for (const party of [ONE, THREE]) replay.note(1, party, bodyOf(1, party))
    replay.broadcast(1).accept(TWO, more.commit)
    checks.close(1)
    for (const party of [ONE, THREE]) replay.note(2, party, bodyOf(2, party))
    replay.broadcast(2).accept(TWO, more.open)
    replay.direct(2, ONE, () => undefined).accept(TWO, shareFor(ONE))
    checks.close(2)
    assert.equal(checks.key.threshold, 3)
  })
})

describe('a contribution that is chosen last', () => {
  /** Party 2 waits for the others and makes the chain code what it likes. */
  const wanted = new Uint8Array(32).fill(0xaa)
  const steer = (on: Stage) => {
    const chainCodes = [ONE, THREE].map(
      (party) => decode(openCodec(2), bodyOf(2, party), limits).chainCode,
    )
    const chainCode = xorAll([...chainCodes, wanted], 32)
    const change = recoded(on.keygenOpenCodec(2), (open) => ({ ...open, chainCode }))
    const of = on.keygenScene(on.TESTED, 2, 3, NAME)
    return { of, result: on.play(of, { cheat: misbehave({ from: 2, round: 2 }, change) }) }
  }

  test('is not what was committed to', () => {
    const { of, result } = steer(stage)
    assertConvicted(of, result, 2, 'threshold/wrong-opening')
  })

  test('decides where there is no commitment', async () => {
    const on = await stageWithout({
      file: `${dist}/cggmp24/keygen/checks.js`,
      guard:
        '!equalBytes(this.#commits.get(from).opening, this.openingOf(from, this.#opens.get(from)))',
      instead: 'false',
    })
    const state = steer(on).result.states.get(ONE)!
    assert.ok(state.kind === 'done')
    assert.deepEqual(state.output.key.chainCode, wanted)
  })
})
