import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { signRequest } from '@quorate/api'
import {
  type ClusterRecord,
  decodeClusterRecord,
  decodeSignedRecord,
  encodeClusterRecord,
  encodeSignedRecord,
} from '@quorate/auth'
import { type Id, newId, type Signer } from '@quorate/base'
import { softwareKey } from '@quorate/enclave/testing'
import { systemClock, systemRandom } from '@quorate/platform'
import { NodeClient } from '@quorate/sdk'
import { attack } from '../support/attack.ts'
import { keygenProposal } from '../support/proposals.ts'
import { nextRecord } from '../support/records.ts'
import { replaceChain, storedChain } from '../support/stored-chain.ts'
import { worldWithout } from '../support/without-guard.ts'
import { HONEST, type World } from '../support/world.ts'

type Client = { readonly id: Id<'cli'>; readonly key: Signer }
const stranger = (): Client => ({
  id: newId('cli', 1_760_000_000_000, systemRandom),
  key: softwareKey(),
})

/** The hostile node coordinates a request that `client`, under the id `claimed`, made for the project of an enrolled one. */
async function propose(world: World, client: Client, claimed?: Id<'cli'>): Promise<void> {
  const { hostile } = world
  const genuine = await world.request(world.walletBody())
  const request = await signRequest(client.key, genuine.cluster, claimed ?? client.id, genuine.body)
  const { manifest, request: bytes } = keygenProposal(hostile, request)
  hostile.propose(manifest, bytes)
}
const enrolled = async (world: World): Promise<Id<'cli'>> =>
  (await world.request(world.walletBody())).client

async function assertRefused(world: World): Promise<void> {
  for (const node of HONEST) {
    await world.eventually(() => world.refusals(node).length > 0)
    assert.deepEqual(world.refusals(node), ['auth/unauthenticated'])
  }
}

/** First record and successors that enrol the stranger without the signatures that this takes. */
async function smuggled(
  first: Uint8Array,
  { id, key }: Client,
): Promise<readonly (readonly [string, readonly Uint8Array[]])[]> {
  const { record, signatures } = decodeSignedRecord(first)
  const value: ClusterRecord = decodeClusterRecord(record)
  const [someone] = value.clients
  const clients = [...value.clients, { ...someone!, id, key: key.publicKey, name: 'stranger' }]
  const altered = encodeSignedRecord({
    record: encodeClusterRecord({ ...value, clients }),
    signatures,
  })
  const byStranger = await nextRecord([first], { clients }, key)
  const unsigned = encodeSignedRecord({
    record: decodeSignedRecord(byStranger).record,
    signatures: [],
  })
  return [
    ['auth/bad-signature', [altered]],
    ['auth/bad-signature', [first, byStranger]],
    ['auth/not-enough-signatures', [first, unsigned]],
  ]
}

attack(
  {
    'a request of a client that no record enrols': async (world) => {
      await propose(world, stranger())
      await assertRefused(world)
    },
    'a request in the name of an enrolled client, signed by another key': async (world) => {
      await propose(world, stranger(), await enrolled(world))
      await assertRefused(world)
    },
  },
  {
    memory: {
      'an entry that the cluster did not sign': async ({ cluster: { chain, nodes } }) => {
        for (const [code, records] of await smuggled(chain[0]!, stranger()))
          assert.throws(() => nodes[0]!.signer.join({ chain: [...records] }), { code })
      },
    },
    processes: {
      'a call of the API signed by nobody who is enrolled': async ({ cluster, process }) => {
        const socketPath = process(1).config.http.socketPath!
        const { id, key } = stranger()
        for (const client of [id, cluster.keys.operator.client]) {
          const api = new NodeClient({
            endpoint: { socketPath },
            cluster: cluster.cluster,
            credentials: [{ client, role: 'operator', project: cluster.project, signer: key }],
            clock: systemClock,
            random: systemRandom,
            sleep,
          })
          await assert.rejects(api.call('getStatus', {}), { code: 'auth/unauthenticated' })
        }
        const options = { socketPath, path: '/api/v1/status', headers: { host: 'localhost' } }
        const [unsigned] = (await once(get(options), 'response')) as [IncomingMessage]
        unsigned.resume()
        assert.equal(unsigned.statusCode, 401)
      },
      'an entry that the cluster did not sign, put into the store': async (world) => {
        const { cluster } = world
        const node = world.process(1)
        await cluster.stop(node)
        const genuine = await storedChain(node)
        for (const [code, records] of await smuggled(genuine[0]!, stranger())) {
          await replaceChain(node, records)
          await assert.rejects(cluster.launch(node), new RegExp(code))
        }
        await replaceChain(node, genuine)
        await world.relaunch(1)
      },
    },
  },
)

test('without the check of the client’s signature any node asks in a client’s name', async () => {
  await using world = await worldWithout({
    file: 'enclave/dist/src/signer-process/requests.js',
    guard: 'verifyEd25519(client.key, requestMessage(request), request.signature)',
    instead: 'true',
  })
  await propose(world, stranger(), await enrolled(world))
  const dealings = () =>
    world.hostile.heard.filter(({ header }) => header.kind === 'broadcast' && header.round === 1)
  await world.eventually(() => dealings().length === 2)
})

test('without the signatures under the cluster record a stranger enrols itself', async () => {
  await using world = await worldWithout({
    file: 'auth/dist/src/record-chain.js',
    guard: 'checkSignatures(current?.record, value, next, verify);',
    instead: ';',
  })
  const { chain, nodes, clusterId } = world.cluster
  const client = stranger()
  const [, [, records]] = (await smuggled(chain[0]!, client)) as [
    unknown,
    readonly [string, readonly Uint8Array[]],
  ]
  world.cluster.chain = [...records]
  await world.snapshot(1).restore()
  const genuine = await world.request(world.walletBody())
  const request = await signRequest(client.key, clusterId, client.id, genuine.body)
  const { manifest, request: bytes } = keygenProposal(world.hostile, request)
  world.hostile.propose(manifest, bytes)
  await world.eventually(() =>
    world.hostile.heard.some(
      ({ header, control }) => header.from === 1 && control?.kind === 'ready',
    ),
  )
  assert.deepEqual(world.refusals(1), [])
  assert.equal(nodes[0]!.isUp, true)
})
