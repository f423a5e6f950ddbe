import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@quorate/base'
import { decodeWallet, verifyEd25519 } from '@quorate/enclave'
import { ed25519 as group, inverse } from '@quorate/math'
import { dkgSuite } from '@quorate/threshold'
import { assertKeygenConvicts, attack } from '../support/attack.ts'
import { dealFalsely } from '../support/dealings.ts'
import { tell } from '../support/lies.ts'
import { worldWithout } from '../support/without-guard.ts'
import type { World } from '../support/world.ts'

/** The attacker wants the group key to be this times G. */
const CHOSEN = 1234567890n

/**
 * Node 3 waits for the other dealings and picks its first coefficient so that all of them sum up to
 * its own key. It does not know the discrete logarithm D of what it adds, yet the shares of nodes 1
 * and 2 stay right: it adds D·(1 − x)(2 − x)/2, which is zero for both.
 */
const choosesTheKey = ({ hostile }: World) =>
  tell(
    hostile,
    ...dealFalsely(hostile, (own, others) => {
      const firsts = [own, ...others].map(({ commitment }) => group.negate(commitment[0]!))
      const D = group.sum([group.mulBase(CHOSEN), ...firsts])
      const half = inverse(2n, group.order)
      const added = [D, group.mul(group.order - ((3n * half) % group.order), D), group.mul(half, D)]
      return { ...own, commitment: own.commitment.map((each, k) => group.add(each, added[k]!)) }
    }),
  )

attack({
  'a key chosen after all others is refused: its dealer cannot prove that it knows the secret':
    async (world) => {
      choosesTheKey(world)
      await assertKeygenConvicts(world, 'threshold/invalid-proof', 3)
    },
})

test('without the proof of possession the joint key is the attacker’s', async () => {
  await using world = await worldWithout({
    file: 'threshold/dist/src/frost/keygen/participant.js',
    guard: '!suite.verifyPossession(key, dealer, proof)',
    instead: 'false',
  })
  choosesTheKey(world)
  await world.createWallet({ threshold: 3 }).catch(() => undefined)
  const [row] = world.rows(1)
  const { groupKey, suite } = decodeWallet(row!.public).key
  assert.deepEqual(groupKey, group.encode(group.mulBase(CHOSEN)))
  const message = utf8('signed by nobody else')
  assert.ok(
    verifyEd25519(groupKey, message, dkgSuite(suite).sign(CHOSEN, message, new Uint8Array(32))),
  )
})
