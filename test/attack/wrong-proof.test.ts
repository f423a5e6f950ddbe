import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertKeygenConvicts, attack } from '../support/attack.ts'
import type { Cut } from '../support/cut.ts'
import { type Dealing, dealFalsely } from '../support/dealings.ts'
import { type Lie, tell } from '../support/lies.ts'
import { worldWithout } from '../support/without-guard.ts'
import type { World } from '../support/world.ts'

/** The last byte of the scalar in a proof or signature, where a change keeps it below the order. */
const spoilt = (proof: Uint8Array): Uint8Array => {
  const wrong = proof.slice()
  wrong[wrong.length - 33]! ^= 1
  wrong[wrong.length - 32]! ^= 1
  return wrong
}

const deals = ({ hostile }: World, change: (own: Dealing) => Dealing): void => {
  // What it certifies stays right: proofs are no part of the transcript.
  const [dealing] = dealFalsely(hostile, change)
  tell(hostile, dealing)
}
const wrongPossession = (world: World): void =>
  deals(world, (own) => ({ ...own, possession: spoilt(own.possession) }))
const wrongNonceProof = (world: World): void =>
  deals(world, (own) => ({ ...own, nonceProof: spoilt(own.nonceProof) }))
const wrongCertificate = ({ hostile }: World): void => {
  const lie: Lie = { purpose: 'keygen', round: 2, say: ({ own }) => spoilt(own) }
  tell(hostile, lie)
}

attack({
  'a wrong proof of possession': async (world) => {
    wrongPossession(world)
    await assertKeygenConvicts(world, 'threshold/invalid-proof')
  },
  'a wrong proof of the encryption nonce': async (world) => {
    wrongNonceProof(world)
    await assertKeygenConvicts(world, 'threshold/invalid-proof')
  },
  'a wrong signature of the result': async (world) => {
    wrongCertificate(world)
    await assertKeygenConvicts(world, 'threshold/invalid-certificate')
  },
})

const KEYGEN = 'threshold/dist/src/frost/keygen'
const unguarded: readonly (readonly [string, (world: World) => void, Cut])[] = [
  [
    'proof of possession',
    wrongPossession,
    {
      file: `${KEYGEN}/participant.js`,
      guard: '!suite.verifyPossession(key, dealer, proof)',
      instead: 'false',
    },
  ],
  [
    'proof of the encryption nonce',
    wrongNonceProof,
    {
      file: `${KEYGEN}/judge.js`,
      guard: '!verifyNonceProof(session, from - 1, nonce, nonceProof)',
      instead: 'false',
    },
  ],
  [
    'signature of the result',
    wrongCertificate,
    {
      file: `${KEYGEN}/rounds.js`,
      guard: '!didSign(params, from - 1, own.transcript, signed.signature)',
      instead: 'false',
    },
  ],
]
for (const [what, spoil, cut] of unguarded)
  test(`without the check of the ${what} a node gets by with a wrong one`, async () => {
    await using world = await worldWithout(cut)
    spoil(world)
    await world.createWallet().catch(() => undefined)
    assert.deepEqual(
      world.rows(1).map(({ state }) => state),
      ['active'],
    )
  })
