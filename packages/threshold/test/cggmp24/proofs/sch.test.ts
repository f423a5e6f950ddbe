import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { secp256k1 } from '@quorate/math'
import { commitSch, respondSch, type SchStatement, verifySch } from '#src/cggmp24/proofs/sch.js'
import { seededRandom } from '#src/testing/index.js'
import { alterations, L128, otherSetups, Q, setupOf } from './alterations.js'

const setup = setupOf(L128)
const rid = new Uint8Array(32).fill(9)
const statementOf = (x: bigint): SchStatement => ({ instance: 0, rid, X: secp256k1.mulBase(x) })

function proofOf(x: bigint, seed: string) {
  const commitment = commitSch(seededRandom(seed))
  const statement = statementOf(x)
  return { statement, A: commitment.A, z: respondSch(setup, statement, commitment, { x }) }
}

describe('Π^sch', () => {
  test('holds for every witness', () => {
    for (const x of [1n, 2n, Q - 1n, secp256k1.randomScalar(seededRandom('x'))]) {
      const { statement, A, z } = proofOf(x, `complete ${x}`)
      assert.ok(verifySch(setup, statement, A, z))
    }
  })

  test('fails when one field differs', () => {
    const { statement, A, z } = proofOf(5n, 'good')
    const other = proofOf(6n, 'other')
    const otherStatement = { ...other.statement, rid: new Uint8Array(32), instance: 2 }
    for (const [what, altered] of alterations(statement, otherStatement))
      assert.equal(verifySch(setup, altered, A, z), false, what)
    for (const [what, altered] of alterations({ A, z }, { A: other.A, z: other.z }))
      assert.equal(verifySch(setup, statement, altered.A, altered.z), false, what)
  })

  test('fails for another prover or context', () => {
    const { statement, A, z } = proofOf(5n, 'good')
    for (const [what, other] of otherSetups(setup))
      assert.equal(verifySch(other, statement, A, z), what === 'another verifier', what)
  })

  test('fails for a false statement and for a response that is not canonical', () => {
    const commitment = commitSch(seededRandom('false'))
    const statement = statementOf(5n)
    const z = respondSch(setup, statement, commitment, { x: 6n })
    assert.equal(verifySch(setup, statement, commitment.A, z), false)
    const good = proofOf(5n, 'good')
    for (const shift of [Q, -Q])
      assert.equal(verifySch(setup, good.statement, good.A, good.z + shift), false)
  })
})
