import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { type EpochRecord, makeEpoch, makeHello } from '@quorate/auth'
import { utf8 } from '@quorate/base'
import { type HostileNode, softwareKey } from '@quorate/enclave/testing'
import { partyId, sealEnvelope } from '@quorate/threshold'
import { attack } from '../support/attack.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { worldWithout } from '../support/without-guard.ts'
import type { World } from '../support/world.ts'

/** Node 2's epoch record with the attacker's keys in it, signed with whatever key the attacker has. */
function alteredRecord({ peers, keys, identity }: HostileNode): Promise<Uint8Array> {
  const genuine = peers.epochOf(partyId(2))
  const altered: EpochRecord = {
    ...genuine,
    epoch: keys.epoch,
    envelopeKey: keys.envelopeKey,
    sealingKey: keys.sealingKey,
    notBefore: genuine.notBefore + 1,
    notAfter: genuine.notAfter,
  }
  return makeEpoch(altered, identity)
}

/** Announces the altered record to node 1, then speaks to it as node 2 under the new key. */
async function announceAndSpeak({ hostile }: World): Promise<void> {
  const sid = new Uint8Array(32)
  hostile.sayControl(
    { kind: 'epoch', value: { record: await alteredRecord(hostile) } },
    sid,
    partyId(1),
  )
  const fields = {
    cluster: hostile.peers.cluster.cluster,
    epoch: hostile.keys.epoch,
    sid,
    protocol: 'frost',
    round: 1,
    seq: 0,
    kind: 'broadcast',
    to: 'all',
  } as const
  const envelope = {
    ...fields,
    from: partyId(2),
    expiresAt: Number.MAX_SAFE_INTEGER,
    body: new Uint8Array(1),
  }
  hostile.inject(partyId(1), sealEnvelope(envelope, hostile.keys.crypto))
}

attack(
  {
    'another node’s epoch record with the attacker’s key in it': async (world) => {
      await announceAndSpeak(world)
      await world.eventually(() => world.refusals(1).length === 2)
      assert.deepEqual([...world.refusals(1)].sort(), [
        'auth/bad-signature',
        'threshold/wrong-epoch',
      ])
    },
    'another node’s genuine epoch record: each node speaks for its own keys': async (world) => {
      const { hostile } = world
      const record = hostile.peers.signedEpochOf(partyId(2))
      hostile.sayControl({ kind: 'epoch', value: { record } }, new Uint8Array(32), partyId(1))
      await world.eventually(() => world.refusals(1).length === 1)
      assert.deepEqual(world.refusals(1), ['auth/wrong-channel'])
    },
  },
  {
    memory: {
      'keys of an earlier start do not come back into force': async (world) => {
        const { nodes } = world.cluster
        const earlier = nodes[1]!.epoch
        await world.snapshot(2).restore()
        assert.throws(() => nodes[0]!.signer.peer({ record: earlier }), {
          code: 'enclave/older-epoch',
        })
      },
    },
    processes: {
      'a stranger on the socket of a node gets no further than the greeting': async (world) => {
        const { hostile } = world
        const none = new Uint8Array()
        const connection = {
          role: 'dialler',
          ownCertificate: none,
          peerCertificate: none,
          channel: none,
        } as const
        const genuine = hostile.peers.signedEpochOf(partyId(1))
        const altered = await alteredRecord(hostile)
        for (const [greeting, code] of [
          [utf8('no greeting'), 'base/malformed'],
          [
            await makeHello({ v: 1, epoch: genuine, ...connection }, softwareKey()),
            'auth/bad-signature',
          ],
          [
            await makeHello({ v: 1, epoch: altered, ...connection }, hostile.keys.signer),
            'auth/bad-signature',
          ],
        ] as const) {
          world.forget()
          await greet(world.process(2), greeting)
          await world.eventually(() => world.refusals(2).length > 0)
          assert.deepEqual(world.refusals(2), [code])
        }
      },
    },
  },
)

/** Sends one frame to a node's socket, and waits until the node has hung up. */
async function greet({ config }: ProcessNode, frame: Uint8Array): Promise<void> {
  const { listen } = config.mesh
  assert.ok('path' in listen)
  const socket = connect(listen.path)
  await once(socket, 'connect')
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, frame.length)
  socket.write(length)
  socket.write(frame)
  socket.resume()
  await once(socket, 'close')
}

test('without the check of the identity key’s signature the attacker speaks as another node', async () => {
  await using world = await worldWithout(
    {
      file: 'auth/dist/src/epoch.js',
      guard: 'parts, node.identityKey, verify)',
      instead: 'parts, node.identityKey, () => true)',
    },
    {
      file: 'enclave/dist/src/signer-process/peers.js',
      guard: 'if (from !== undefined && from !== index)',
      instead: 'if (false)',
    },
  )
  await announceAndSpeak(world)
  await world.cluster.settle()
  assert.deepEqual(world.refusals(1), [])
})
