import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Element, mod, PaillierKey, secp256k1 } from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import { decryptionBits, type Level } from '#src/cggmp24/level.js'
import {
  type DecProof,
  type DecStatement,
  type DecWitness,
  decProof,
  proveDec,
  verifyDec,
} from '#src/cggmp24/proofs/dec.js'
import { seededRandom } from '#src/testing/index.js'
import {
  alterations,
  assertWireForm,
  collecting,
  flipped,
  HALF,
  L128,
  nonUnits,
  otherSetups,
  publicly,
  Q,
  secretsOf,
  setupOf,
  TESTED,
} from './alterations.js'
import { assertLengthsAreFixed, entryAlterations, withNonCanonical } from './entries.js'

await chooseBackends()

const view = new Uint8Array(32).fill(5)
type Claim = { readonly statement: DecStatement; readonly witness: DecWitness }

/** A true statement of party 1: x and y with Kˣ·D = enc(y). */
function claimOf(
  level: Level,
  x: bigint,
  y: bigint,
  base: Element = secp256k1.generator,
  seed = 0,
): Claim {
  const random = seededRandom(`claim ${x} ${y} ${seed}`)
  const { paillier: key } = secretsOf(1, level)
  const k = 987_654_321n
  const K = key.encrypt(k, key.randomNonce(random))
  const statement: DecStatement = {
    instance: 0,
    view,
    signers: 3,
    key,
    K,
    D: key.encrypt(y - k * x, key.randomNonce(random)),
    X: secp256k1.mulBase(x),
    S: secp256k1.mul(y, base),
    G: base,
  }
  return { statement, witness: { x, y, key } }
}

/**
 * δ of party 1 among three: what each party multiplied its γ into, and what it took off. `sign` is
 * the exponent of F in D, −1 where F encrypts −β.
 */
function threeParties(level: Level, sign: 1 | -1): Claim {
  const random = seededRandom('three parties')
  const parties = [1, 2, 3]
  const centred = (): bigint =>
    mod(BigInt(`0x${Buffer.from(random.bytes(32)).toString('hex')}`), Q) - HALF
  const keys = new Map(parties.map((i) => [i, secretsOf(i, level).paillier]))
  const values = new Map(parties.map((i) => [i, { k: centred(), gamma: centred() }]))
  const K = new Map(
    parties.map((i) => {
      const key = keys.get(i)!
      return [i, key.encrypt(values.get(i)!.k, key.randomNonce(random))]
    }),
  )
  const deltas = new Map(parties.map((i) => [i, values.get(i)!.gamma * values.get(i)!.k]))
  const key = keys.get(1)!
  let D = 1n
  for (const i of parties)
    for (const j of parties.filter((other) => other !== i)) {
      // i multiplies its γ into K_j, takes β off, and tells β to itself alone.
      const receiver = keys.get(j)!
      const beta = 3n ** 700n + centred()
      const product = receiver.add(
        receiver.multiply(K.get(j)!, values.get(i)!.gamma),
        receiver.encrypt(-beta, receiver.randomNonce(random)),
      )
      deltas.set(i, deltas.get(i)! + beta)
      deltas.set(j, deltas.get(j)! + receiver.decrypt(product))
      if (j === 1) D = key.add(D, product)
      if (i === 1) {
        const F = key.encrypt(-beta, key.randomNonce(random))
        D = key.add(D, sign === 1 ? F : key.negate(F))
      }
    }
  const sum = (of: (i: number) => bigint): bigint => parties.reduce((all, i) => all + of(i), 0n)
  assert.equal(
    mod(
      sum((i) => deltas.get(i)!),
      Q,
    ),
    mod(sum((i) => values.get(i)!.k) * sum((i) => values.get(i)!.gamma), Q),
  )
  const { gamma: x } = values.get(1)!
  const y = deltas.get(1)!
  const statement: DecStatement = {
    instance: 0,
    view,
    signers: 3,
    key,
    K: K.get(1)!,
    D,
    X: secp256k1.mulBase(x),
    S: secp256k1.mulBase(y),
    G: secp256k1.generator,
  }
  return { statement, witness: { x, y, key } }
}

const prove = (level: Level, { statement, witness }: Claim, seed = 'dec'): DecProof =>
  proveDec(setupOf(level), statement, witness, seededRandom(seed))
const check = (level: Level, claim: Claim): boolean =>
  verifyDec(setupOf(level), publicly(claim.statement), prove(level, claim))

const setup = setupOf(TESTED)
const Y = -(3n ** 1000n)
const claim = claimOf(TESTED, 123_456_789n, Y)
const { statement, witness } = claim
const proof = prove(TESTED, claim)
const { key } = witness

describe('Π^dec', () => {
  test('holds at both levels, with the secret key and with the public one', () => {
    assert.ok(verifyDec(setup, statement, proof))
    assert.ok(verifyDec(setup, publicly(statement), proof))
    assert.ok(check(TESTED, claimOf(TESTED, -HALF, Q - 5n, secp256k1.mulBase(77n))))
    assert.ok(check(TESTED, claimOf(TESTED, HALF, -Y, secp256k1.mulBase(77n))))
  })

  test('holds for what three parties make of their products, with F taken to the power −1', () => {
    for (const level of [TESTED, L128]) assert.ok(check(level, threeParties(level, -1)))
  })

  test('with F taken to the power 1 it fails for an honest party', () => {
    assert.equal(check(TESTED, threeParties(TESTED, 1)), false)
  })

  test('has one wire form, of one length', () => {
    assert.ok(verifyDec(setup, statement, assertWireForm(decProof(TESTED), proof, 131_712)))
    const entries = { A: 5n, B: statement.X, C: statement.S, z: -6n, w: 7n, nu: 8n }
    const strong = Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [name, Array(128).fill(entry)]),
    ) as unknown as DecProof
    assertWireForm(decProof(L128), strong, 199_680)
    assertLengthsAreFixed(decProof, L128, strong)
    assertLengthsAreFixed(decProof, TESTED, proof)
  })

  test('every response of an honest prover fits its field, at the ends of its range', () => {
    for (const level of [TESTED, L128])
      for (const sign of [1n, -1n]) {
        const z = sign * (1n << BigInt(level.ell + level.epsilon - 1))
        const w = sign * (1n << BigInt(decryptionBits(level, 50) - 1))
        const all = { A: 1n, B: statement.X, C: statement.X, z, w, nu: 1n }
        const ends = Object.fromEntries(
          Object.entries(all).map(([name, entry]) => [name, Array(level.repetitions).fill(entry)]),
        ) as unknown as DecProof
        const read = decProof(level).fromCbor(decProof(level).toCbor(ends), 'proof')
        assert.deepEqual([read.z[0], read.w[0]], [z, w])
      }
  })

  test('fails when one field differs, with the secret key and with the public one', () => {
    const other: DecStatement = {
      ...claimOf(TESTED, -5n, 77n, secp256k1.mulBase(3n)).statement,
      instance: 1,
      view: flipped(view),
      key: secretsOf(3, TESTED).paillier,
    }
    const { signers, ...rest } = statement
    const { signers: _, ...otherRest } = other
    for (const [what, altered] of alterations(rest, otherRest)) {
      assert.equal(verifyDec(setup, { ...altered, signers }, proof), false, what)
      assert.equal(verifyDec(setup, publicly({ ...altered, signers }), proof), false, what)
    }
    for (const count of [2, 4])
      assert.equal(verifyDec(setup, { ...statement, signers: count }, proof), false)
    for (const [what, altered] of entryAlterations(proof))
      assert.equal(verifyDec(setup, publicly(statement), altered), false, what)
    for (const [what, altered] of otherSetups(setup))
      if (what !== 'another verifier')
        assert.equal(verifyDec(altered, statement, proof), false, what)
  })

  test('a part that is one off fails, and so does a D that is', () => {
    for (const level of [TESTED, L128]) {
      const { statement: of, witness: known } = claimOf(level, 5n, Y)
      const y = Y + 1n
      const S = secp256k1.mulBase(y)
      assert.equal(check(level, { statement: { ...of, S }, witness: { ...known, y } }), false)
      const D = known.key.add(of.D, 1n + known.key.n)
      assert.equal(check(level, { statement: { ...of, D }, witness: known }), false)
      if (level === L128) continue
      assert.equal(check(level, { statement: { ...of, S }, witness: known }), false)
      assert.equal(check(level, { statement: { ...of, D }, witness: { ...known, y } }), false)
    }
  })

  test('y + N, the same plaintext and another value modulo q, is out of range', () => {
    for (const level of [TESTED, L128]) {
      const { statement: of, witness: known } = claimOf(level, 5n, Y)
      const y = Y + known.key.n
      const untrue = { ...of, S: secp256k1.mulBase(y) }
      assert.equal(secp256k1.equals(untrue.S, of.S), false)
      const forged = prove(level, { statement: untrue, witness: { ...known, y } })
      assert.equal(verifyDec(setupOf(level), publicly(untrue), forged), false)
      // Every equation holds: a range as wide as N would let it pass.
      const wide = { ...setupOf(level), level: { ...level, epsilonStar: level.maxModulusBits } }
      assert.equal(verifyDec(wide, publicly(untrue), forged), true)
    }
  })

  test('x that is too large is out of range, and nothing else', () => {
    const x = 1n << 769n
    const made = claimOf(TESTED, x, 5n)
    const forged = prove(TESTED, made)
    assert.equal(verifyDec(setup, made.statement, forged), false)
    const wide = { ...setup, level: { ...TESTED, ell: TESTED.ell + 512 } }
    assert.equal(verifyDec(wide, made.statement, forged), true)
  })

  test('what is no canonical unit is refused', () => {
    const { n, p } = key.factors
    for (const value of nonUnits(n, p.n)) {
      const nu = proof.nu.with(-1, value)
      assert.equal(verifyDec(setup, publicly(statement), { ...proof, nu }), false)
    }
    for (const value of [n, ...nonUnits(n * n, p.n)]) {
      const A = proof.A.with(-1, value)
      assert.equal(verifyDec(setup, publicly(statement), { ...proof, A }), false)
      for (const name of ['K', 'D'] as const)
        assert.equal(verifyDec(setup, publicly({ ...statement, [name]: value }), proof), false)
    }
    const giant = PaillierKey.of((key.n << 64n) | 1n)
    assert.equal(verifyDec(setup, { ...statement, key: giant }, proof), false)
  })

  test('residues that are too large by their modulus solve every equation, and are refused', () => {
    const nu = withNonCanonical(proof.nu, key.n, 2048)
    assert.equal(verifyDec(setup, publicly(statement), { ...proof, nu }), false)
    for (const name of ['K', 'D'] as const)
      for (let seed = 0; ; seed++) {
        const made = claimOf(TESTED, 5n, Y, secp256k1.generator, seed)
        const value = made.statement[name] + key.square.n
        if (value >> 4096n !== 0n) continue
        assert.equal(
          check(TESTED, { ...made, statement: { ...made.statement, [name]: value } }),
          false,
        )
        break
      }
  })

  test('with batches, Paillier equations are left to the batch, and all else is checked', () => {
    const good = collecting()
    assert.ok(verifyDec(setup, statement, proof, good.batches))
    assert.ok(verifyDec(setup, statement, proof, good.batches))
    assert.ok(good.hold())
    const bad = collecting()
    const nu = proof.nu.with(7, mod(proof.nu[7]! * 2n, key.n))
    assert.ok(verifyDec(setup, statement, { ...proof, nu }, bad.batches))
    assert.equal(bad.hold(), false)
    const none = collecting()
    const z = proof.z.with(7, proof.z[7]! + 1n)
    assert.equal(verifyDec(setup, statement, { ...proof, z }, none.batches), false)
  })
})
