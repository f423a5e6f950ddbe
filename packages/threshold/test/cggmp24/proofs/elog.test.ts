import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { secp256k1 } from '@quorate/math'
import {
  type ElogStatement,
  type ElogWitness,
  elogProof,
  proveElog,
  verifyElog,
} from '#src/cggmp24/proofs/elog.js'
import { seededRandom } from '#src/testing/index.js'
import {
  alterations,
  assertWireForm,
  L128,
  otherSetups,
  Q,
  setupOf,
  TESTED,
} from './alterations.js'

const setup = setupOf(L128)

function statementOf({ y, lambda }: ElogWitness, seed = 'bases'): ElogStatement {
  const random = seededRandom(seed)
  const X = secp256k1.mulBase(secp256k1.randomScalar(random))
  const H = secp256k1.mulBase(secp256k1.randomScalar(random))
  const M = secp256k1.add(secp256k1.mulBase(y), secp256k1.mul(lambda, X))
  return { instance: 0, L: secp256k1.mulBase(lambda), M, X, Y: secp256k1.mul(y, H), H }
}
const good = { y: 3n, lambda: 5n }
const statement = statementOf(good)
const proof = proveElog(setup, statement, good, seededRandom('proof'))

describe('Π^elog', () => {
  test('holds for every witness', () => {
    const random = seededRandom('witness')
    const y = secp256k1.randomScalar(random)
    const lambda = secp256k1.randomScalar(random)
    const edges = [good, { y, lambda }, { y: 1n, lambda: Q - 1n }, { y: Q - 1n, lambda: 1n }]
    for (const witness of [...edges, { y: -1n, lambda: -2n }]) {
      const claim = statementOf(witness)
      assert.ok(verifyElog(setup, claim, proveElog(setup, claim, witness, random)))
    }
  })

  test('holds where bases are equal', () => {
    const same = { ...statement, H: secp256k1.generator, Y: secp256k1.mulBase(good.y) }
    assert.ok(verifyElog(setup, same, proveElog(setup, same, good, seededRandom('same'))))
  })

  test('fails when one field differs', () => {
    const witness = { y: 7n, lambda: 11n }
    const otherStatement = { ...statementOf(witness, 'other bases'), instance: 1 as const }
    const other = proveElog(setup, otherStatement, witness, seededRandom('other'))
    for (const [what, altered] of alterations(statement, otherStatement))
      assert.equal(verifyElog(setup, altered, proof), false, what)
    for (const [what, altered] of alterations(proof, other))
      assert.equal(verifyElog(setup, statement, altered), false, what)
  })

  test('fails for another prover or context; it has no verifier', () => {
    for (const [what, other] of otherSetups(setup))
      assert.equal(verifyElog(other, statement, proof), what === 'another verifier', what)
  })

  test('each equation is checked: a prover that is honest but for one point fails', () => {
    const G = secp256k1.generator
    for (const name of ['L', 'M', 'Y'] as const) {
      const wrong = { ...statement, [name]: secp256k1.add(statement[name], G) }
      const made = proveElog(setup, wrong, good, seededRandom(name))
      assert.equal(verifyElog(setup, wrong, made), false, name)
    }
  })

  test('responses are canonical', () => {
    for (const name of ['z', 'u'] as const)
      for (const shift of [Q, -Q]) {
        const shifted = { ...proof, [name]: proof[name] + shift }
        assert.equal(verifyElog(setup, statement, shifted), false)
      }
  })

  test('is 163 bytes of fields at both levels, each of one length', () => {
    for (const level of [L128, TESTED])
      assert.ok(verifyElog(setup, statement, assertWireForm(elogProof(level), proof, 163)))
  })
})
