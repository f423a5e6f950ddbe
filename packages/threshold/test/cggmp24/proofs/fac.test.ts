import assert from 'node:assert/strict'
import { generatePrimeSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { PaillierKey, PaillierSecretKey } from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import type { Level } from '#src/cggmp24/level.js'
import {
  type FacProof,
  type FacStatement,
  facProof,
  proveFac,
  verifyFac,
} from '#src/cggmp24/proofs/fac.js'
import { seededRandom } from '#src/testing/index.js'
import {
  alterations,
  assertWireForm,
  flipped,
  L128,
  nonUnits,
  otherSetups,
  publicly,
  publicsOf,
  secretsOf,
  setupOf,
  TESTED,
} from './alterations.js'

await chooseBackends()

const rho = new Uint8Array(32).fill(3)
/** About party 1's modulus, under the parameters of another. */
const statementOf = (level: Level, verifier = 2): FacStatement => ({
  rho,
  verifierParameters: secretsOf(verifier, level).ringPedersen,
  key: secretsOf(1, level).paillier,
})
const prove = (level: Level, statement: FacStatement, seed = 'fac'): FacProof =>
  proveFac(setupOf(level), publicly(statement), secretsOf(1, level).paillier, seededRandom(seed))

const setup = setupOf(TESTED)
const statement = statementOf(TESTED)
const proof = prove(TESTED, statement)
const holds = (altered: Partial<FacProof>, of = statement): boolean =>
  verifyFac(setup, of, { ...proof, ...altered })

describe('Π^fac', () => {
  test('holds at both levels, for challenges of both signs, with secret keys and public ones', () => {
    for (const level of [TESTED, L128])
      for (const seed of ['a', 'b', 'c', 'd']) {
        const made = prove(level, statementOf(level), seed)
        assert.ok(verifyFac(setupOf(level), statementOf(level), made))
        assert.ok(verifyFac(setupOf(level), publicly(statementOf(level)), made))
      }
  })

  test('has one wire form, of one length', () => {
    assert.ok(holds(assertWireForm(facProof(TESTED), proof, 3045)))
    const strong = prove(L128, statementOf(L128))
    assertWireForm(facProof(L128), strong, 4325)
  })

  test('fails when one field differs, with secret keys and with public ones', () => {
    const other = {
      ...statementOf(TESTED, 3),
      rho: flipped(rho),
      key: secretsOf(2, TESTED).paillier,
    }
    for (const [what, altered] of alterations(statement, other)) {
      assert.equal(verifyFac(setup, altered, proof), false, what)
      assert.equal(verifyFac(setup, publicly(altered), proof), false, what)
    }
    for (const [what, altered] of alterations(proof, prove(TESTED, statement, 'other'))) {
      assert.equal(holds(altered), false, what)
      assert.equal(holds(altered, publicly(statement)), false, what)
    }
    for (const [what, other] of otherSetups(setup))
      assert.equal(verifyFac(other, statement, proof), false, what)
  })

  test('made under the parameters of one party, it convinces no other', () => {
    for (const level of [TESTED, L128]) {
      const made = prove(level, statementOf(level, 3))
      assert.ok(verifyFac(setupOf(level), statementOf(level, 3), made))
      assert.equal(verifyFac(setupOf(level), statementOf(level, 2), made), false)
    }
    // Evidence judged under the prover's own parameters would say nothing either way.
    assert.equal(
      holds({}, { ...statement, verifierParameters: publicsOf(1, TESTED).ringPedersen }),
      false,
    )
  })

  test('each equation is checked', () => {
    // No challenge depends on the responses: whatever fails is the one equation they stand in.
    for (const name of ['w1', 'w2', 'v'] as const)
      assert.equal(holds({ [name]: proof[name] + 1n }), false, name)
    const { verifierParameters, key } = publicly(statement)
    const { p, q } = secretsOf(1, TESTED).paillier.factors
    // Two factors of the right size whose product is not N.
    const wrong = { factors: { p: { n: p.n + 2n }, q } } as PaillierSecretKey
    const forged = proveFac(setup, { rho, verifierParameters, key }, wrong, seededRandom('wrong'))
    assert.equal(verifyFac(setup, statement, forged), false)
  })

  test('responses have one form each', () => {
    // The group of the verifier's parameters does not notice its order, so that only ranges do.
    const { totient } = secretsOf(2, TESTED).ringPedersen.factors
    const wide = { ...setup, level: { ...TESTED, epsilon: 8192 } }
    for (const name of ['z1', 'z2', 'w1', 'w2', 'v'] as const)
      for (const shift of [totient << 3000n, -totient << 3000n]) {
        const altered = { ...proof, [name]: proof[name] + shift }
        assert.equal(verifyFac(setup, statement, altered), false, name)
        assert.equal(verifyFac(wide, statement, altered), true, name)
      }
  })

  test('what is no canonical unit is refused', () => {
    const { n, p } = secretsOf(2, TESTED).ringPedersen.factors
    for (const name of ['P', 'Q', 'A', 'B', 'T'] as const)
      for (const value of nonUnits(n, p.n)) {
        assert.equal(holds({ [name]: value }), false, name)
        assert.equal(holds({ [name]: value }, publicly(statement)), false, name)
      }
  })

  test('zeros, which solve every equation where the challenge is negative, are refused', () => {
    const zeros = { P: 0n, Q: 0n, A: 0n, B: 0n, T: 0n, z1: 1n }
    for (let byte = 0; byte < 32; byte++) {
      const of = { ...statement, rho: new Uint8Array(32).fill(byte) }
      assert.equal(holds(zeros, of), false)
      assert.equal(holds(zeros, publicly(of)), false)
    }
  })

  test('N of at most 4ℓ bits is refused', () => {
    const prime = (): bigint => generatePrimeSync(512, { bigint: true })
    const witness = new PaillierSecretKey(prime(), prime())
    const short = { ...statement, key: PaillierKey.of(witness.n) }
    const made = proveFac(setup, short, witness, seededRandom('short'))
    assert.equal(verifyFac(setup, short, made), false)
    const lower = { ...setup, level: { ...TESTED, ell: 255 } }
    const allowed = proveFac(lower, short, witness, seededRandom('short'))
    assert.ok(verifyFac(lower, short, allowed))
  })
})
