import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Modulus, mod, RingPedersen, RingPedersenSecret } from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import { ProofTranscript } from '#src/cggmp24/challenge.js'
import type { Level } from '#src/cggmp24/level.js'
import { type PrmProof, prmProof, provePrm, verifyPrm } from '#src/cggmp24/proofs/prm.js'
import { modulusLength } from '#src/cggmp24/wire.js'
import { partyId } from '#src/session/party.js'
import { seededRandom } from '#src/testing/index.js'
import { assertWireForm, L128, publicsOf, secretsOf, setupOf, TESTED } from './alterations.js'
import { assertLengthsAreFixed, entryAlterations } from './entries.js'

await chooseBackends()

const setup = setupOf(TESTED)
const secret = secretsOf(1, TESTED).ringPedersen
const { ringPedersen: parameters } = publicsOf(1, TESTED)
const prove = (level: Level, of: RingPedersenSecret, seed = 'prm', context = 7): PrmProof =>
  provePrm(
    { ...setupOf(level), context: new Uint8Array(32).fill(context) },
    { parameters: of },
    of,
    seededRandom(seed),
  )
const proof = prove(TESTED, secret)

/** e₁..e_m of a proof, as the format of its transcript says. */
const challengeOf = (level: Level, { n, s, t }: RingPedersen, A: readonly bigint[]) => {
  const length = modulusLength(level)
  const transcript = new ProofTranscript('prm', setupOf(level).context)
    .party('i', partyId(1))
    .integer('Nhat', n, length)
    .integer('s', s, length)
    .integer('t', t, length)
  for (const commitment of A) transcript.integer('A', commitment, length)
  return transcript.bits(level.repetitions)
}

/** A proof with the right response where the challenge is live, and one for a zero bit elsewhere. */
function proveFirstBits(level: Level, of: RingPedersenSecret, live: number): PrmProof {
  const random = seededRandom('first bits')
  const { factors, lambda, t } = of
  const masks = Array.from({ length: level.repetitions }, () => factors.randomUnit(random))
  const A = masks.map((a) => factors.power(t, a))
  const bits = challengeOf(level, of, A)
  return {
    A,
    z: masks.map((a, k) => mod(a + (k < live && bits[k] ? lambda : 0n), factors.totient)),
  }
}

describe('Π^prm', () => {
  test('holds at both levels, with secret parameters and with public ones', () => {
    assert.ok(verifyPrm(setup, { parameters }, proof))
    assert.ok(verifyPrm(setup, { parameters: secret }, proof))
    const strong = prove(L128, secretsOf(1, L128).ringPedersen)
    assert.ok(verifyPrm(setupOf(L128), { parameters: publicsOf(1, L128).ringPedersen }, strong))
  })

  test('has one wire form, of one length', () => {
    assert.ok(verifyPrm(setup, { parameters }, assertWireForm(prmProof(TESTED), proof, 57_344)))
    const strong = { A: Array(128).fill(5n), z: Array(128).fill(6n) }
    assertWireForm(prmProof(L128), strong, 98_304)
    assertLengthsAreFixed(prmProof, TESTED, proof)
    assertLengthsAreFixed(prmProof, L128, strong)
  })

  test('fails when one entry differs, and never throws', () => {
    for (const [what, altered] of entryAlterations(proof))
      assert.equal(verifyPrm(setup, { parameters }, altered), false, what)
    const last = proof.z.length - 1
    for (const shift of [secret.factors.totient, parameters.n]) {
      const large = { ...proof, z: proof.z.with(last, proof.z[last]! + shift * 2n) }
      assert.equal(verifyPrm(setup, { parameters }, large), false, 'a response that is too large')
    }
  })

  test('fails for another prover, context or parameters', () => {
    const { modulus, s, t } = parameters
    assert.equal(verifyPrm({ ...setup, prover: partyId(2) }, { parameters }, proof), false)
    const context = new Uint8Array(32).fill(8)
    assert.equal(verifyPrm({ ...setup, context }, { parameters }, proof), false)
    const others = [
      publicsOf(2, TESTED).ringPedersen,
      new RingPedersen(modulus, t, s),
      new RingPedersen(modulus, s, modulus.multiply(t, t)),
      new RingPedersen(modulus, modulus.n - s, t),
      new RingPedersen(Modulus.of(modulus.n + 2n), s, t),
      new RingPedersen(Modulus.of((modulus.n << 64n) | 1n), s, t),
    ]
    for (const [k, other] of others.entries())
      assert.equal(verifyPrm(setup, { parameters: other }, proof), false, `parameters ${k}`)
  })

  test('an s that t does not generate has no proof', () => {
    for (const level of [TESTED, L128]) {
      const { modulus, s, t } = publicsOf(1, level).ringPedersen
      const { factors, lambda } = secretsOf(1, level).ringPedersen
      // −s is off by an element of order two, which products of equations would not notice.
      const untrue = new RingPedersen(modulus, modulus.n - s, t)
      const random = seededRandom('s')
      const forged = provePrm(
        setupOf(level),
        { parameters: untrue },
        { factors, lambda, t } as RingPedersenSecret,
        random,
      )
      assert.equal(verifyPrm(setupOf(level), { parameters: untrue }, forged), false)
      const drawn = new RingPedersen(modulus, modulus.randomUnit(random), t)
      const guess = provePrm(
        setupOf(level),
        { parameters: drawn },
        { factors, lambda, t } as RingPedersenSecret,
        random,
      )
      assert.equal(verifyPrm(setupOf(level), { parameters: drawn }, guess), false)
    }
  })

  test('s and t that are no units are refused, even where every equation holds', () => {
    const { modulus } = parameters
    const p = secret.factors.p.n
    for (const [s, t] of [
      [0n, 0n],
      [p, p],
      [modulus.n, modulus.n],
    ] as const) {
      const untrue = new RingPedersen(modulus, s, t)
      // t¹ = A·s⁰ and, as s = t, t¹ = A·s for A = 1 wherever t is 0.
      const forged = { A: proof.A.map(() => t), z: proof.z.map(() => 1n) }
      assert.equal(verifyPrm(setup, { parameters: untrue }, forged), false)
    }
    const halfUnit = new RingPedersen(modulus, parameters.s, p)
    assert.equal(verifyPrm(setup, { parameters: halfUnit }, proof), false)
  })

  test('every bit of the challenge is live', () => {
    // Small safe primes: a challenge does not depend on the size of N̂.
    const small = RingPedersenSecret.create(917_471_363_483n, 874_215_329_759n, seededRandom('N̂'))
    for (const level of [TESTED, L128]) {
      const seen = { zeros: new Set<number>(), ones: new Set<number>() }
      for (let run = 0; run < 256; run++) {
        const { A, z } = prove(level, small, `${run}`, run)
        for (const [k, response] of z.entries()) {
          const isZero = small.factors.power(small.t, response) === A[k]
          seen[isZero ? 'zeros' : 'ones'].add(k)
        }
      }
      assert.equal(seen.zeros.size, level.repetitions)
      assert.equal(seen.ones.size, level.repetitions)
    }
  })

  test('a proof that is right in its first 32 bits only fails', () => {
    for (const level of [TESTED, L128]) {
      const { ringPedersen: of } = secretsOf(1, level)
      const statement = { parameters: publicsOf(1, level).ringPedersen }
      const all = proveFirstBits(level, of, level.repetitions)
      assert.ok(verifyPrm(setupOf(level), statement, all))
      const forged = proveFirstBits(level, of, 32)
      assert.equal(verifyPrm(setupOf(level), statement, forged), false)
      // A verifier whose later bits were dead would have taken it.
      const { modulus, s, t } = statement.parameters
      const bits = challengeOf(level, statement.parameters, forged.A)
      for (const [k, response] of forged.z.entries())
        assert.equal(
          modulus.power(t, response),
          modulus.multiply(forged.A[k]!, k < 32 && bits[k] ? s : 1n),
        )
    }
  })
})
