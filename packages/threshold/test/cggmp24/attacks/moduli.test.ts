/**
 * Attacks with moduli that are not what they should be, and on the challenges of the proofs about them.
 * What such a proof refuses by itself is tested with the proof; here a party brings it to a session.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sha256 } from '@noble/hashes/sha2.js'
import { decode, encode, utf8 } from '@quorate/base'
import { jacobi, mod, PaillierKey, PaillierSecretKey, RingPedersen } from '@quorate/math'
import { AuxChecks, commitCodec, modCodec, type Open, openCodec } from '#src/cggmp24/aux/checks.js'
import { ProofTranscript } from '#src/cggmp24/challenge.js'
import { xorAll } from '#src/cggmp24/context.js'
import { proveMod } from '#src/cggmp24/proofs/mod.js'
import { type PrmProof, provePrm } from '#src/cggmp24/proofs/prm.js'
import type { PartyId } from '#src/session/party.js'
import { conspire, misbehave, seededRandom, testKeys } from '#src/testing/index.js'
import * as stage from '../stage.js'
import {
  assertConvicted,
  auxScene,
  heedless,
  idsOf,
  L128,
  record,
  TESTED,
  verdictOf,
} from '../stage.js'
import { type Stage, stageWithout } from './without-guard.js'

const [ONE, TWO] = idsOf(1, 2) as [PartyId, PartyId]
const NAME = 'moduli'
const checksFile = 'threshold/dist/src/cggmp24/aux/checks.js'
const { facts } = auxScene(TESTED, 2, NAME)
const checks = new AuxChecks(facts)
const setup = { level: TESTED, context: checks.context, prover: TWO }

/** What the parties say where both are honest; the same in every run. */
const { spoken } = heedless([1, 2], () => record(auxScene(TESTED, 2, NAME)))
const bodyOf = (round: number, from: PartyId, to = 0): Uint8Array =>
  spoken.find((each) => each.round === round && each.from === from && each.to === to)!.body
const opens = idsOf(1, 2).map((party) =>
  decode(openCodec(TESTED), bodyOf(2, party), { maxBytes: 1 << 20 }),
)
const own = opens[1]!
const MODULUS_BITS = 2 * TESTED.primeBits
const rho = xorAll(
  opens.map((open) => open.rho),
  32,
)
const secret = testKeys(TWO, TESTED).ringPedersen

/** Party 2 opens other numbers than its own, having committed to them, and proves what it can of N. */
const playWith = (on: Stage, open: Open, witness?: PaillierSecretKey) => {
  const scene = on.auxScene(on.TESTED, 2, NAME)
  const opening = checks.openingOf(TWO, open)
  const commit = encode(commitCodec, { context: checks.context, opening })
  const says = (round: number, body: Uint8Array, to: PartyId | 'all' = 'all') =>
    misbehave({ from: 2, round, to }, () => body)
  const key = witness && PaillierKey.of(witness.n)
  const cheat = conspire(
    says(1, commit),
    says(2, encode(openCodec(TESTED), open)),
    ...(witness === undefined || key === undefined
      ? []
      : [
          says(
            3,
            encode(modCodec(TESTED), {
              mod: proveMod(setup, { rho, key }, witness, seededRandom('mod')),
            }),
          ),
        ]),
  )
  return { scene, result: on.heedless([2], () => on.play(scene, { cheat })) }
}

describe('a Paillier modulus', () => {
  /** One factor has 40 bits; both are 3 modulo 4, and Π^mod holds. */
  const small = new PaillierSecretKey(
    917_471_363_483n,
    (1n << BigInt(MODULUS_BITS - 40)) - (TESTED === L128 ? 2429n : 797n),
  )

  test('with a factor of 40 bits: Π^fac fails', () => {
    const { scene, result } = playWith(stage, { ...own, n: small.n }, small)
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', { detail: 'no small factor' })
  })

  test('with a factor of 40 bits is kept where Π^fac is not looked at', async () => {
    const on = await stageWithout({
      file: checksFile,
      guard: '!verifyFac({ ...this.setupOf(from), verifier: to }, statement, fac)',
      instead: 'false',
    })
    const state = playWith(on, { ...own, n: small.n }, small).result.states.get(ONE)!
    assert.ok(state.kind === 'done')
    assert.equal(state.output.keys.get(TWO)!.paillier.n % 917_471_363_483n, 0n)
  })

  const { n } = own
  const p = secret.factors.p.n
  for (const [what, bad] of [
    ['has a small factor', 65_521n * ((n / 65_521n) | 1n)],
    ['is a square', p * p],
    ['is prime', (1n << BigInt(MODULUS_BITS)) - (TESTED === L128 ? 47n : 1_942_289n)],
    ['is too short', (n >> 2n) | 1n],
  ] as const)
    test(`that ${what}`, () => {
      const { scene, result } = playWith(stage, { ...own, n: bad })
      const detail = `a modulus ${what}`
      assertConvicted(scene, result, 2, 'threshold/bad-modulus', { detail })
    })

  test('whose proof was made for another ρ', () => {
    const key = PaillierKey.of(n)
    const late = { rho: new Uint8Array(32), key }
    const { paillier } = testKeys(TWO, TESTED)
    const proof = encode(modCodec(TESTED), {
      mod: proveMod(setup, late, paillier, seededRandom('late')),
    })
    const scene = auxScene(TESTED, 2, NAME)
    const cheat = misbehave({ from: 2, round: 3 }, () => proof)
    const result = heedless([2], () => stage.play(scene, { cheat }))
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', { detail: 'Paillier modulus' })
  })

  test('of another party, which it cannot prove anything about', () => {
    const { result } = playWith(stage, { ...own, n: opens[0]!.n })
    const { code, culprits } = verdictOf(result, 1)
    assert.deepEqual([code, culprits], ['threshold/degenerate', []])
  })
})

describe('ring-Pedersen parameters', () => {
  const { modulus, t } = secret
  /** −s is no power of t. */
  const s = modulus.n - secret.s
  const parameters = new RingPedersen(modulus, s, t)
  const forged: Open = {
    ...own,
    s,
    prm: provePrm(setup, { parameters }, secret, seededRandom('prm')),
  }

  test('with s outside of the group of t: Π^prm fails', () => {
    const { scene, result } = playWith(stage, forged)
    assertConvicted(scene, result, 2, 'threshold/invalid-proof', { detail: 'ring-Pedersen' })
  })

  test('unproved, they tell whether the secrets committed to are even or odd', async () => {
    const on = await stageWithout({
      file: checksFile,
      guard: '!verifyPrm(this.setupOf(from), { parameters }, open.prm)',
      instead: 'false',
    })
    const state = playWith(on, forged).result.states.get(ONE)!
    assert.ok(state.kind === 'done')
    const kept = state.output.keys.get(TWO)!.parameters
    const random = seededRandom('secrets')
    for (const secretValue of [2n, 3n, 1n << 255n, (1n << 255n) + 1n]) {
      const commitment = kept.commit(secretValue, kept.modulus.randomUnit(random))
      // −1 is no square modulo p̂, and s and t are.
      const isOdd = jacobi(mod(commitment, secret.factors.p.n), secret.factors.p.n) === -1
      assert.equal(isOdd, secretValue % 2n === 1n)
    }
  })

  test('that commit to nothing, or are no units', () => {
    const { n } = modulus
    for (const [badS, badT] of [
      [0n, t],
      [secret.s, 1n],
      [secret.s, n - 1n],
      [t, t],
      [secret.s, secret.factors.p.n],
      [secret.s + n, t],
    ] as const) {
      if (badS >= 1n << BigInt(MODULUS_BITS)) continue
      const { scene, result } = playWith(stage, { ...own, s: badS, t: badT })
      assertConvicted(scene, result, 2, 'threshold/bad-modulus')
    }
  })
})

describe('challenges', () => {
  const { modulus, t } = secret
  const untrue = new RingPedersen(modulus, modulus.n - secret.s, t)
  const proofFor = (bits: readonly boolean[], seed: string): PrmProof => {
    const random = seededRandom(seed)
    const z = bits.map(() => modulus.randomUnit(random))
    const inverse = modulus.inverse(untrue.s)
    const A = z.map((response, k) => {
      const power = modulus.power(t, response)
      return bits[k] ? modulus.multiply(power, inverse) : power
    })
    return { A, z }
  }

  test('are over all commitments: known beforehand, they prove anything', async () => {
    const transcript = new ProofTranscript('prm', setup.context)
      .party('i', TWO)
      .integer('Nhat', modulus.n, MODULUS_BITS / 8)
      .integer('s', untrue.s, MODULUS_BITS / 8)
      .integer('t', t, MODULUS_BITS / 8)
    const forged = proofFor(transcript.bits(TESTED.repetitions), 'beforehand')
    const isTaken = (on: Stage): boolean =>
      on.verifyPrm(setup, { parameters: on.ringPedersen(untrue) }, forged)
    assert.ok(!isTaken(stage))
    const on = await stageWithout({
      file: 'threshold/dist/src/cggmp24/proofs/prm.js',
      guard: 'for (const commitment of A)',
      instead: 'for (const commitment of [])',
    })
    assert.ok(isTaken(on))
  })

  test('are as many as nobody guesses', async () => {
    const guesses = Array.from({ length: 32 }, (_, i) => `guess ${i}`)
    const isTaken = (on: Stage): boolean => {
      const { level, ...of } = setup
      const { repetitions } = on.TESTED
      return guesses.some((seed) => {
        const guess = proofFor(
          Array.from({ length: repetitions }, () => false),
          seed,
        )
        const weak = { ...of, level: { ...level, repetitions } }
        return on.verifyPrm(weak, { parameters: on.ringPedersen(untrue) }, guess)
      })
    }
    assert.ok(!isTaken(stage))
    const file = 'threshold/dist/src/cggmp24/level.js'
    const on = await stageWithout(
      { file, guard: `repetitions: ${TESTED.repetitions}`, instead: 'repetitions: 1' },
      { file, guard: 'level.repetitions >= 112', instead: 'true' },
    )
    assert.ok(isTaken(on))
    // A level that weakens a proof is not loaded.
    await assert.rejects(
      stageWithout({
        file,
        guard: `repetitions: ${TESTED.repetitions}`,
        instead: 'repetitions: 1',
      }),
      { code: 'base/bug' },
    )
  })

  test('of different statements differ, however their fields are cut', async () => {
    /** One field that looks like two, of any kind and label. */
    const collide = (on: Stage): boolean => {
      const [x, y] = [utf8('x'), utf8('y')]
      const inside = Uint8Array.of(...x, 1, 1, ...utf8('A'), ...y)
      const one = new on.Transcript('d', sha256).bytes('A', inside)
      const two = new on.Transcript('d', sha256).bytes('A', x).bytes('A', y)
      return String(one.digest()) === String(two.digest())
    }
    assert.ok(!collide(stage))
    const on = await stageWithout({
      file: 'math/dist/src/transcript.js',
      guard: 'short(utf8(label)), uint32(value.length), value',
      instead: 'short(utf8(label)), value',
    })
    assert.ok(collide(on))
  })
})
