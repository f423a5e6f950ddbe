import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, bytes, decode, encode, field, record } from '@quorate/base'
import { decodeControl, readShare, type Said } from '@quorate/enclave/testing'
import { ed25519 as group, mod } from '@quorate/math'
import { systemRandom } from '@quorate/platform'
import { assertKeygenConvicts, assertNobodyBlamed, attack, blamed } from '../support/attack.ts'
import { dealFalsely } from '../support/dealings.ts'
import { tell } from '../support/lies.ts'
import { worldWithout } from '../support/without-guard.ts'
import { HONEST, type Verdict, type World } from '../support/world.ts'

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

/** It knows all shares and so the signature: whoever asks is told, or nobody is. */
function signsWrongly({ hostile }: World, { tellsNobody = false } = {}): () => number {
  const told = tell(hostile, {
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
  const { outgoing } = hostile
  if (tellsNobody) hostile.outgoing = (said) => (isAnswer(said) ? [] : outgoing(said))
  return told
}

const isAnswer = ({ kind, body }: Said): boolean =>
  kind === 'control' && decodeControl(body).kind === 'answer'

const NAMED: Verdict = { code: 'threshold/invalid-share', culprits: [3] }

async function assertMakerNamed(world: World): Promise<void> {
  for (const node of HONEST) {
    await world.eventually(() => blamed(world, node).length > 0)
    for (const verdict of blamed(world, node)) assert.deepEqual(verdict, NAMED)
  }
}

attack(
  {
    'a dealt share that does not fit: its receiver proves it to all': async (world) => {
      dealsWrongly(world)
      await assertKeygenConvicts(world, 'threshold/invalid-share')
    },
    'a wrong signature share: what its maker could sign with those of the others is the result, and it is named':
      async (world) => {
        const wallet = await world.createWallet({ threshold: 3 })
        signsWrongly(world)
        const { signers } = await world.sign(wallet)
        assert.deepEqual(signers, [1, 2, 3])
        await assertMakerNamed(world)
      },
    'a wrong signature share does not stop a wallet that can do without its maker': async (
      world,
    ) => {
      const wallet = await world.createWallet()
      const told = signsWrongly(world)
      // Who is asked first depends on the request.
      for (let turn = 0; turn < 30 && told() === 0; turn++)
        assert.deepEqual((await world.sign(wallet)).signers, [1, 2])
      assert.equal(told(), 1)
      await world.eventually(() => blamed(world, 1).length > 0)
      assert.deepEqual(blamed(world, 1), [NAMED])
    },
  },
  {
    // Others are asked for the result for half a minute first.
    memory: {
      'a wrong signature share: whoever made it is named by every signer': async (world) => {
        const wallet = await world.createWallet({ threshold: 3 })
        signsWrongly(world, { tellsNobody: true })
        await assert.rejects(world.sign(wallet), { code: 'threshold/refused' })
        await assertMakerNamed(world)
      },
    },
  },
)

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
  await world.sign(wallet)
  for (const node of HONEST) assert.ok(world.verdicts(node).length > 0)
  assertNobodyBlamed(world)
})
