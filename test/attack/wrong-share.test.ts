import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, bytes, decode, encode, field, record } from '@quorate/base'
import { readShare } from '@quorate/enclave/testing'
import { ed25519 as group, mod } from '@quorate/math'
import { systemRandom } from '@quorate/platform'
import { assertKeygenConvicts, attack } from '../support/attack.ts'
import { dealFalsely } from '../support/dealings.ts'
import { tell } from '../support/lies.ts'
import { worldWithout } from '../support/without-guard.ts'
import { HONEST, type World } from '../support/world.ts'

const MAX_BYTES = 4096
const signatureShares = array(
  record({ share: field(1, bytes(32)), context: field(2, bytes(32)) }),
  { max: 16 },
)

const oneMore = (scalar: bigint): bigint => mod(scalar + 1n, group.order)

/** Node 1's share of the dealing does not fit the commitment; node 2's does. */
const dealsWrongly = ({ hostile }: World) =>
  tell(
    hostile,
    ...dealFalsely(hostile, (own) => ({
      ...own,
      shares: own.shares.map((share, i) => (i === 0 ? oneMore(share) : share)),
    })),
  )

const signsWrongly = ({ hostile }: World) =>
  tell(hostile, {
    purpose: 'sign',
    round: 2,
    say({ own }) {
      const right = decode(signatureShares, own, { maxBytes: MAX_BYTES })
      const wrong = right.map(({ share, context }) => ({
        share: group.encodeScalar(oneMore(group.decodeScalar(share))),
        context,
      }))
      return encode(signatureShares, wrong)
    },
  })

attack({
  'a dealt share that does not fit: its receiver proves it to all': async (world) => {
    dealsWrongly(world)
    await assertKeygenConvicts(world, 'threshold/invalid-share')
  },
  'a wrong signature share: whoever made it is named by every signer': async (world) => {
    const wallet = await world.createWallet({ threshold: 3 })
    signsWrongly(world)
    await assert.rejects(world.sign(wallet), { code: 'threshold/invalid-share' })
    for (const node of HONEST) {
      await world.eventually(() => world.verdicts(node).length > 0)
      for (const verdict of world.verdicts(node))
        assert.deepEqual(verdict, { code: 'threshold/invalid-share', culprits: [3] })
    }
  },
  'a wrong signature share does not stop a wallet that can do without its maker': async (world) => {
    const wallet = await world.createWallet()
    const told = signsWrongly(world)
    // Who is asked first depends on the request.
    for (let turn = 0; turn < 30 && told() === 0; turn++) {
      const { signers, attempts } = await world.sign(wallet)
      assert.deepEqual({ signers, attempts }, { signers: [1, 2], attempts: told() === 0 ? 1 : 2 })
    }
    assert.equal(told(), 1)
    await world.eventually(() => world.verdicts(1).length > 0)
    assert.deepEqual(world.verdicts(1), [{ code: 'threshold/invalid-share', culprits: [3] }])
  },
})

test('without the check of dealt shares a node keeps a share that is none', async () => {
  await using world = await worldWithout({
    file: 'threshold/dist/src/frost/keygen/participant.js',
    guard: '!group.equals(group.mulBase(share), publicShare)',
    instead: 'false',
  })
  dealsWrongly(world)
  await world.createWallet().catch(() => undefined)
  for (const node of HONEST)
    assert.ok(!world.verdicts(node).some(({ culprits }) => culprits.includes(3)))
  const { directory, disk } = world.cluster.nodes[0]!
  const held = {
    hsmDirectory: directory,
    storeId: disk.storeId,
    sealedSecrets: disk.secrets!,
    self: 1,
  }
  await assert.rejects(readShare({ ...held, row: world.rows(1)[0]! }, systemRandom), {
    code: 'threshold/inconsistent-share',
  })
})

test('without the check of signature shares nobody knows who spoils every signature', async () => {
  await using world = await worldWithout(
    {
      file: 'threshold/dist/src/frost/sign/share-round.js',
      guard: 'refuseWrongShares(sessions, commitments, received);',
      instead: '',
    },
    {
      file: 'threshold/dist/src/frost/sign/session.js',
      guard: 'const culprits = this.cheaters(shares);',
      instead: 'const culprits = [];',
    },
  )
  const wallet = await world.createWallet({ threshold: 3 })
  signsWrongly(world)
  await assert.rejects(world.sign(wallet))
  for (const node of HONEST) {
    assert.ok(world.verdicts(node).length > 0)
    assert.ok(world.verdicts(node).every(({ culprits }) => culprits.length === 0))
  }
})
