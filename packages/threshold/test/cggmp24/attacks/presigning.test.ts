/** Rounds one to three of presigning with one value that is wrong. Its sender is named, with evidence. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode } from '@quorate/base'
import { mod, secp256k1 } from '@quorate/math'
import {
  type CommitItem,
  commitCodec,
  type DeltaItem,
  deltaCodec,
  type Product,
  type RevealItem,
  revealCodec,
} from '#src/cggmp24/presign/messages.js'
import type { PartyId } from '#src/session/party.js'
import { misbehave, type RunResult, recoded, testKeys } from '#src/testing/index.js'
import * as stage from '../stage.js'
import {
  assertConvicted,
  cheating,
  idsOf,
  play,
  presignChecks,
  presignScene,
  TESTED,
  verdictOf,
  walletOf,
} from '../stage.js'
import { type Stage, stageWithout } from './without-guard.js'

const [ONE, TWO] = idsOf(1, 2) as [PartyId, PartyId]
const plusG = (element: CommitItem['Y']) => secp256k1.add(element, secp256k1.generator)
const wallet = walletOf(TESTED)
const NAME = 'one value'
const sceneOn = (on: Stage) => on.presignScene(on.walletOf(on.TESTED), idsOf(1, 2), NAME)
const scene = presignScene(wallet, idsOf(1, 2), NAME)
const file = 'threshold/dist/src/cggmp24/presign/checks.js'

/** What convicts with the proof of `detail` convicts nobody where it is not looked at. */
async function assertNothingWithout(result: RunResult<unknown>, detail: string): Promise<void> {
  const guard = `throw new Abort('threshold/invalid-proof', { culprits: [from], detail: '${detail}' });`
  const on = await stageWithout({ file, guard, instead: ';' })
  assert.ok(!on.convicts(on.verifierOf(sceneOn(on)), verdictOf(result, 1).evidence!))
}

describe('round 1', () => {
  const commitAs = (change: (item: CommitItem) => CommitItem): RunResult<unknown> =>
    play(scene, {
      cheat: misbehave(
        { from: 2, round: 1 },
        recoded(commitCodec(TESTED, 1), (body) => ({ ...body, items: body.items.map(change) })),
      ),
    })
  const { paillier } = testKeys(TWO, TESTED)
  const n = paillier.n
  const p = paillier.factors.p.n

  test('K or G that is no ciphertext', () => {
    for (const bad of [{ K: 0n }, { K: n }, { G: n * n }, { K: p * 7n }, { G: n * 5n }])
      assertConvicted(
        scene,
        commitAs((item) => ({ ...item, ...bad })),
        2,
        'threshold/malformed-message',
      )
  })

  test('K of something else than was committed to', async () => {
    const result = commitAs((item) => ({ ...item, K: paillier.add(item.K, 1n + n) }))
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', { detail: 'range of k' })
    await assertNothingWithout(result, 'range of k or γ')
  })

  test('a point that is not on the curve', () => {
    const offCurve = (body: Uint8Array): Uint8Array => {
      const Y = secp256k1.encode(
        decode(commitCodec(TESTED, 1), body, { maxBytes: body.length }).items[0]!.Y,
      )
      const at = Buffer.from(body).indexOf(Buffer.from(Y))
      const changed = body.slice()
      // x = 5 is no coordinate of secp256k1.
      changed.fill(0, at + 1, at + 33)
      changed[at + 32] = 5
      return changed
    }
    const result = play(scene, { cheat: misbehave({ from: 2, round: 1 }, offCurve) })
    assertConvicted(scene, result, 2, 'threshold/malformed-message')
  })
})

describe('round 2', () => {
  const change = recoded(revealCodec(TESTED, 1, 1), (items) =>
    items.map((item) => ({ ...item, Gamma: plusG(item.Gamma) })),
  )
  const shifted = play(scene, { cheat: misbehave({ from: 2, round: 2 }, change) })

  test('Γ of another γ', async () => {
    assertConvicted(scene, shifted, 2, 'threshold/invalid-proof', { detail: 'logarithm of Γ' })
    await assertNothingWithout(shifted, 'logarithm of Γ')
  })

  /** Signer 2 sends signer 1 another product, of γ or of x, and is bound to it. */
  const send = (which: 'gamma' | 'x', alter: (product: Product) => Product): RunResult<unknown> => {
    const checks = presignChecks(wallet, idsOf(1, 2), NAME)
    const falsify = (made: RevealItem, signer: stage.ItemSigner) => {
      const sent = signer.sent.get(ONE)!
      const product = alter(sent[which].product)
      signer.sent.set(ONE, { ...sent, [which]: { ...sent[which], product } })
      const kind = which === 'gamma' ? 0 : 1
      const links = made.links.slice()
      links.set(checks.linkOf(0, kind, TWO, ONE, product), 32 * kind)
      return { ...made, links }
    }
    return cheating({ 2: falsify }, 'reveal', () => play(scene))
  }
  const mine = wallet.auxKeys.get(TWO)!.paillier
  const theirs = wallet.auxKeys.get(ONE)!.paillier
  const PRODUCT = { detail: 'product with k' }

  test('D or F of something else', async () => {
    const results = (['gamma', 'x'] as const).flatMap((which) => [
      send(which, ({ D, F }) => ({ D: theirs.add(D, 1n + theirs.n), F })),
      send(which, ({ D, F }) => ({ D, F: mine.add(F, 1n + mine.n) })),
    ])
    for (const result of results)
      assertConvicted(scene, result, 2, 'threshold/invalid-proof', PRODUCT)
    await assertNothingWithout(results[0]!, 'product with k')
  })

  test('D that is no ciphertext', () => {
    for (const D of [0n, theirs.n, theirs.n ** 2n])
      assertConvicted(
        scene,
        send('gamma', ({ F }) => ({ D, F })),
        2,
        'threshold/invalid-proof',
        PRODUCT,
      )
  })

  /** The product of γ for signer 1 is not the one that signer 2 bound itself to. */
  const unlinked = (on: Stage, alsoDelta: boolean) => {
    const forget = (made: RevealItem) => ({ ...made, links: made.links.map((byte) => byte ^ 1) })
    const falsify = (made: DeltaItem) => ({
      ...made,
      ...(alsoDelta && { delta: mod(made.delta + 1n, secp256k1.order) }),
    })
    return on.cheating({ 2: forget }, 'reveal', () =>
      on.cheating({ 2: falsify }, 'delta', () => on.play(sceneOn(on))),
    )
  }

  test('a product that its sender did not bind itself to', () => {
    assertConvicted(scene, unlinked(stage, false), 2, 'threshold/invalid-proof', PRODUCT)
  })

  test('where products need not be those bound to, an honest receiver is framed in the alert', async () => {
    const on = await stageWithout({
      file,
      guard: '!this.#isLinked(item, from, to, gamma, 0) || !this.#isLinked(item, from, to, x, 1)',
      instead: 'false',
    })
    const { code, culprits } = on.verdictOf(unlinked(on, true), 2)
    assert.deepEqual([code, culprits], ['threshold/malformed-message', [1]])
  })

  test('a product for another signer', () => {
    const all = presignScene(wallet, idsOf(1, 2, 3), 'exchanged')
    let kept: Uint8Array | undefined
    const cheat = misbehave({ from: 2, round: 2, to: idsOf(3)[0]! }, (body) => kept ?? body)
    const keep = misbehave({ from: 2, round: 2, to: ONE }, (body) => {
      kept = body
      return body
    })
    const result = play(all, {
      cheat: (sent) => keep(sent).flatMap((each) => cheat({ ...sent, ...each })),
    })
    assertConvicted(all, result, 2, 'threshold/invalid-proof', { ...PRODUCT, by: [3] })
  })
})

describe('round 3', () => {
  test('Δ of another k', async () => {
    const change = recoded(deltaCodec(TESTED, 1), (items) =>
      items.map((item) => ({ ...item, Delta: plusG(item.Delta) })),
    )
    const result = play(scene, { cheat: misbehave({ from: 2, round: 3 }, change) })
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', { detail: 'logarithm of Δ' })
    await assertNothingWithout(result, 'logarithm of Δ')
  })

  test('a commitment to entropy where there is none, and none where there must be', () => {
    for (const isRerandomised of [false, true]) {
      const of = presignScene(wallet, idsOf(1, 2), 'entropy', { isRerandomised })
      const change = recoded(deltaCodec(TESTED, 1), (items) =>
        items.map((item) => ({
          ...item,
          entropy: isRerandomised ? undefined : new Uint8Array(32),
        })),
      )
      const result = play(of, { cheat: misbehave({ from: 2, round: 3 }, change) })
      assertConvicted(of, result, 2, 'threshold/malformed-message')
    }
  })
})
