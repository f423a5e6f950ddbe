import assert from 'node:assert/strict'
import { generatePrimeSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { encode, isFault } from '@quorate/base'
import { inverseModulo, jacobi, Modulus, mod, PaillierKey, PaillierSecretKey } from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import { ProofTranscript } from '#src/cggmp24/challenge.js'
import type { Level } from '#src/cggmp24/level.js'
import { facProof, proveFac, verifyFac } from '#src/cggmp24/proofs/fac.js'
import {
  type ModProof,
  modEquationsHold,
  modProof,
  proveMod,
  verifyMod,
} from '#src/cggmp24/proofs/mod.js'
import { checkModuli } from '#src/cggmp24/proofs/moduli.js'
import { modulusLength } from '#src/cggmp24/wire.js'
import { partyId } from '#src/session/party.js'
import { seededRandom, testPrimes } from '#src/testing/index.js'
import {
  assertWireForm,
  flipped,
  L128,
  publicsOf,
  secretsOf,
  setupOf,
  TESTED,
} from './alterations.js'
import { assertLengthsAreFixed, entryAlterations, primeAsLongAsModulus } from './entries.js'

await chooseBackends()

const rho = new Uint8Array(32).fill(3)
const setup = setupOf(TESTED)
const prove = (level: Level, key: PaillierSecretKey): ModProof =>
  proveMod(setupOf(level), { rho, key }, key, seededRandom('mod'))
const { paillier: key } = publicsOf(1, TESTED)
const statement = { rho, key }
const secret = secretsOf(1, TESTED).paillier
const proof = prove(TESTED, secret)

/** y₁..y_m of a proof with that w, as the format of its transcript says. */
const challengeOf = (level: Level, n: bigint, w: bigint): readonly bigint[] =>
  new ProofTranscript('mod', setupOf(level).context)
    .bytes('rho', rho)
    .party('i', partyId(1))
    .integer('N', n, modulusLength(level))
    .integer('w', w, modulusLength(level))
    .units(level.repetitions, n)

/** The number with these residues modulo primes that differ. */
function combine(residues: readonly (readonly [prime: bigint, residue: bigint])[]): bigint {
  const n = residues.reduce((product, [prime]) => product * prime, 1n)
  return mod(
    residues.reduce((sum, [prime, residue]) => {
      const others = n / prime
      return sum + residue * others * inverseModulo(others, prime)
    }, 0n),
    n,
  )
}

/** The fourth root of ± value modulo a prime that is 3 modulo 4, and whether the sign is −. */
function fourthRoot(prime: bigint, value: bigint): { readonly a: boolean; readonly root: bigint } {
  const residue = mod(value, prime)
  const a = jacobi(residue, prime) === -1
  const exponent = ((prime + 1n) / 4n) ** 2n % (prime - 1n)
  return { a, root: Modulus.of(prime).power(a ? prime - residue : residue, exponent) }
}

const rootOf = (primes: readonly bigint[], n: bigint, y: bigint): bigint =>
  combine(
    primes.map((prime) => [
      prime,
      Modulus.of(prime).power(mod(y, prime), inverseModulo(n, prime - 1n)),
    ]),
  )

/** Two primes that are 3 modulo 4, one of 40 bits, whose product is as long as a modulus. */
const unequalPrimes = ({ maxModulusBits }: Level): readonly [bigint, bigint] => [
  917_471_363_483n,
  maxModulusBits === 2048 ? (1n << 2008n) - 797n : (1n << 3032n) - 2429n,
]

/**
 * A modulus of more than two primes with a proof: w is 1 modulo one prime and 0 modulo all others,
 * so that b = 1 makes 0 of every y there, which has a fourth root.
 */
function forge(level: Level): { readonly primes: readonly bigint[]; readonly proof: ModProof } {
  const [first] = testPrimes(level) as readonly [bigint]
  const rest = Array.from({ length: level.primeBits / 512 }, () =>
    generatePrimeSync(512, { bigint: true }),
  )
  const primes = [first, ...rest]
  const n = primes.reduce((product, prime) => product * prime, 1n)
  const only = (residue: bigint): bigint =>
    combine(primes.map((prime, k) => [prime, k === 0 ? residue : 0n]))
  const w = only(1n)
  const roots = challengeOf(level, n, w).map((y) => ({ y, ...fourthRoot(first, y) }))
  return {
    primes,
    proof: {
      w,
      a: roots.map(({ a }) => a),
      b: roots.map(() => true),
      x: roots.map(({ root }) => only(root)),
      z: roots.map(({ y }) => rootOf(primes, n, y)),
    },
  }
}

describe('Π^mod', () => {
  test('holds at both levels, with the secret key and with the public one', () => {
    assert.ok(verifyMod(setup, statement, proof))
    assert.ok(verifyMod(setup, { rho, key: secret }, proof))
    const strong = prove(L128, secretsOf(1, L128).paillier)
    assert.ok(verifyMod(setupOf(L128), { rho, key: publicsOf(1, L128).paillier }, strong))
  })

  test('the challenge is over ρ, the prover, N and w', () => {
    const bits = (list: readonly boolean[]) => list.map(Number).join('')
    assert.match(bits(proof.a), /01|10/)
    assert.match(bits(proof.b), /01|10/)
    for (const [k, y] of challengeOf(TESTED, key.n, proof.w).entries())
      assert.equal(key.modulus.power(proof.z[k]!, key.n), y)
  })

  test('has one wire form, of one length', () => {
    // w, x, z and two bits for each repetition.
    const size = 256 + 112 * 512 + 2 * 14
    assert.ok(verifyMod(setup, statement, assertWireForm(modProof(TESTED), proof, size)))
    const bits = Array<boolean>(128).fill(true)
    const strong = { w: 1n, a: bits, b: bits, x: Array(128).fill(5n), z: Array(128).fill(6n) }
    assertWireForm(modProof(L128), strong, 384 + 128 * 768 + 2 * 16)
    assertLengthsAreFixed(modProof, L128, strong)
    assertLengthsAreFixed(modProof, TESTED, proof)
  })

  test('fails when one entry differs, and never throws', () => {
    for (const [what, altered] of entryAlterations(proof))
      assert.equal(verifyMod(setup, statement, altered), false, what)
    const p = secret.factors.p.n
    for (const name of ['x', 'z'] as const)
      for (const value of [key.n, p, proof[name][5]! + key.n, proof[name][5]! - key.n]) {
        const altered = { ...proof, [name]: proof[name].with(5, value) }
        assert.equal(verifyMod(setup, statement, altered), false, name)
      }
  })

  test('fails for another prover, context, ρ or N', () => {
    assert.equal(verifyMod({ ...setup, prover: partyId(2) }, statement, proof), false)
    const context = flipped(setup.context)
    assert.equal(verifyMod({ ...setup, context }, statement, proof), false)
    assert.equal(verifyMod(setup, { ...statement, rho: flipped(rho) }, proof), false)
    for (const n of [publicsOf(2, TESTED).paillier.n, key.n + 2n, (key.n << 64n) | 1n])
      assert.equal(verifyMod(setup, { rho, key: PaillierKey.of(n) }, proof), false)
  })

  test('w that is 0 modulo a factor: all equations hold for a bad N, and the proof fails', () => {
    for (const level of [TESTED, L128]) {
      const { primes, proof: forged } = forge(level)
      assert.ok(primes.length > 2)
      const n = primes.reduce((product, prime) => product * prime, 1n)
      const bad = { rho, key: PaillierKey.of(n) }
      assert.equal(modEquationsHold(setupOf(level), bad, forged), true)
      assert.equal(verifyMod(setupOf(level), bad, forged), false)
      // Each of the three guards refuses it: w is no unit, its symbol is 0, every x is no unit.
      assert.equal(bad.key.modulus.isUnit(forged.w), false)
      assert.equal(jacobi(forged.w, n), 0)
      assert.ok(forged.x.every((x) => !bad.key.modulus.isUnit(x)))
      // Nothing else stands in the way of such an N.
      const { ringPedersen: parameters } = publicsOf(2, level)
      assert.equal(checkModuli(level, { n, parameters }), undefined)
      const witness = new PaillierSecretKey(primes[0]!, n / primes[0]!)
      const fac = { rho, verifierParameters: parameters, key: bad.key }
      const large = proveFac(setupOf(level), fac, witness, seededRandom('fac'))
      assert.ok(verifyFac(setupOf(level), fac, large))
    }
  })

  test('w of Jacobi symbol 1 is refused', () => {
    const { p, q } = secret.factors
    for (const w of [
      1n,
      key.n - 1n,
      4n,
      combine([
        [p.n, p.n - 4n],
        [q.n, q.n - 9n],
      ]),
    ]) {
      assert.equal(jacobi(w, key.n), 1)
      // The best that can be answered: half of the challenges have no root.
      const answers = challengeOf(TESTED, key.n, w).map((y) => {
        const [ofP, ofQ] = [fourthRoot(p.n, y), fourthRoot(q.n, y)]
        return { a: ofP.a, x: secret.factors.combine(ofP.root, ofQ.root), z: secret.root(y) }
      })
      const forged = {
        w,
        a: answers.map(({ a }) => a),
        b: answers.map(() => false),
        x: answers.map(({ x }) => x),
        z: answers.map(({ z }) => z),
      }
      assert.equal(verifyMod(setup, statement, forged), false)
    }
  })

  test('w of Jacobi symbol 1 is refused even where every challenge has a root', () => {
    const { factors } = secret
    const few = { ...setup, level: { ...TESTED, repetitions: 3 } }
    for (let root = 2n; ; root++) {
      const w = (root * root) % key.n
      const answers = challengeOf(few.level, key.n, w).map((y) => ({
        y,
        ofP: fourthRoot(factors.p.n, y),
        ofQ: fourthRoot(factors.q.n, y),
      }))
      const forged = {
        w,
        a: answers.map(({ ofP }) => ofP.a),
        b: answers.map(() => false),
        x: answers.map(({ ofP, ofQ }) => factors.combine(ofP.root, ofQ.root)),
        z: answers.map(({ y }) => secret.root(y)),
      }
      assert.equal(verifyMod(few, statement, forged), false)
      if (modEquationsHold(few, statement, forged)) break
    }
  })

  test('a prime N: all equations hold with w of either symbol, and the proof fails', () => {
    const n = primeAsLongAsModulus(TESTED)
    const prime = { rho, key: PaillierKey.of(n) }
    for (const symbol of [1, -1]) {
      const w = symbol === 1 ? 1n : n - 1n
      assert.equal(jacobi(w, n), symbol)
      const roots = challengeOf(TESTED, n, w).map((y) => ({ y, ...fourthRoot(n, y) }))
      const forged = {
        w,
        a: roots.map(({ a }) => a),
        b: roots.map(() => false),
        x: roots.map(({ root }) => root),
        z: roots.map(({ y }) => rootOf([n], n, y)),
      }
      assert.equal(modEquationsHold(setup, prime, forged), true)
      assert.equal(verifyMod(setup, prime, forged), false)
    }
  })

  test('N = p²: most challenges have no N-th root', () => {
    const [p] = testPrimes(TESTED) as readonly [bigint]
    const square = Modulus.of(p * p)
    const bad = { rho, key: PaillierKey.of(p * p) }
    const order = p * (p - 1n)
    // (−1)·y or y is a square; its fourth root is the power by 1/4 of the odd part of the order.
    const quarter = inverseModulo(4n, order / 2n)
    const answers = challengeOf(TESTED, p * p, p * p - 1n).map((y) => {
      const a = jacobi(y, p) === -1
      return {
        a,
        x: square.power(a ? p * p - y : y, quarter),
        z: square.power(y, inverseModulo(p, p - 1n)),
      }
    })
    const forged = {
      w: p * p - 1n,
      a: answers.map(({ a }) => a),
      b: answers.map(() => false),
      x: answers.map(({ x }) => x),
      z: answers.map(({ z }) => z),
    }
    assert.equal(modEquationsHold(setup, bad, forged), false)
    assert.equal(verifyMod(setup, bad, forged), false)
  })

  test('N with a factor of 40 bits that is 3 modulo 4 passes, and Π^fac refuses it', () => {
    for (const level of [TESTED, L128]) {
      const witness = new PaillierSecretKey(...unequalPrimes(level))
      const bad = { rho, key: PaillierKey.of(witness.n) }
      const made = proveMod(setupOf(level), bad, witness, seededRandom('40 bits'))
      assert.ok(verifyMod(setupOf(level), bad, made))
      const fac = { ...bad, verifierParameters: publicsOf(2, level).ringPedersen }
      const small = proveFac(setupOf(level), fac, witness, seededRandom('40 bits'))
      assert.equal(verifyFac(setupOf(level), fac, small), false)
      assert.throws(
        () => encode(facProof(level), small),
        (error) => isFault(error, 'math/out-of-range'),
      )
    }
  })
})
