/** A board of discovery that lies. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ALLOWED_SKEW_MS } from '@quorate/api'
import {
  type AcceptedRecord,
  acceptRecord,
  type ClusterRecord,
  type Connection,
  encodeClusterRecord,
  HEARTBEAT_LIFE_MS,
  makeEpoch,
  makeHeartbeat,
  makeHello,
  signClusterRecord,
} from '@quorate/auth'
import { type Logger, newId, type Signer, utf8 } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import { softwareKey } from '@quorate/enclave/testing'
import { addressText, ManualTime, MemoryBoard, systemRandom } from '@quorate/platform'
import { followDiscovery } from '#src/discovery.js'

const NOW = 1_700_000_000_000
const identities = [softwareKey(), softwareKey(), softwareKey()] as const
const envelopes = [softwareKey(), softwareKey(), softwareKey()] as const

async function clusterNamed(name: string): Promise<AcceptedRecord> {
  const admin = softwareKey()
  const record: ClusterRecord = {
    v: 1,
    number: 1,
    name,
    environment: 'development',
    nodes: identities.map(({ publicKey }, i) => ({
      index: i + 1,
      id: newId('nod', NOW, systemRandom),
      identityKey: publicKey,
      minCustody: 'software' as const,
    })),
    admins: [{ id: 'admin', key: admin.publicKey }],
    adminThreshold: 1,
    clients: [],
    rpId: 'localhost',
    origins: ['http://localhost'],
    minProtocol: 1,
    hybrid: false,
    defaultPolicy: 'testnet-open',
    createdAt: NOW,
  }
  const encoded = encodeClusterRecord(record)
  const signatures = await Promise.all(
    identities.map((key, i) => signClusterRecord(encoded, { kind: 'node', value: i + 1 }, key)),
  )
  return acceptRecord(undefined, { record: encoded, signatures }, { verify: verifyEd25519 })
}

let cluster: AcceptedRecord
let foreign: AcceptedRecord
before(async () => {
  cluster = await clusterNamed('ours')
  foreign = await clusterNamed('theirs')
})

/** How node `index` greets. */
async function greetAs(
  index: number,
  o: { readonly of?: AcceptedRecord; readonly identity?: Signer; readonly envelope?: Signer } = {},
): Promise<(connection: Connection) => Promise<Uint8Array>> {
  const { of = cluster, identity = identities[index - 1]!, envelope = envelopes[index - 1]! } = o
  const epoch = await makeEpoch(
    {
      v: 1,
      cluster: of.cluster,
      nodeIndex: index,
      nodeId: of.record.nodes[index - 1]!.id,
      epoch: new Uint8Array(16).fill(index),
      bootId: new Uint8Array(16).fill(index),
      envelopeKey: envelopes[index - 1]!.publicKey,
      sealingKey: new Uint8Array(32).fill(9),
      dkgKeys: {
        secp256k1: Uint8Array.of(2, ...new Uint8Array(32).fill(0x11)),
        ed25519: softwareKey().publicKey,
      },
      environment: 'development',
      versions: { min: 1, max: 1 },
      notBefore: NOW,
      notAfter: NOW + 3_600_000,
    },
    identity,
  )
  return (connection) => makeHello({ v: 1, epoch, ...connection }, envelope)
}
const heartbeat = async (
  index: number,
  address: string,
  time: number,
  o: Parameters<typeof greetAs>[1] = {},
): Promise<Uint8Array> =>
  makeHeartbeat(
    { v: 1, time, addresses: [address], certificate: new Uint8Array() },
    await greetAs(index, o),
  )

const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Node 1 on a board that the test writes to in the name of anybody. */
async function world() {
  const time = new ManualTime(NOW)
  const board = new MemoryBoard()
  const moves: string[] = []
  const refused: unknown[] = []
  const logger: Logger = {
    log: (_level, event, fields) => {
      if (event === 'discovery.record-refused') refused.push(fields?.['code'])
    },
    with: () => logger,
  }
  const discovery = followDiscovery({
    board: board.open(1, 100),
    cluster,
    self: 1,
    addresses: ['192.0.2.1:7601'],
    certificate: new Uint8Array(),
    greet: await greetAs(1),
    moveTo: (peer, address) => moves.push(`${peer} ${addressText(address)}`),
    clock: time,
    timers: time,
    logger,
  })
  await settled()
  /** Files the record where that of `index` belongs. */
  const put = async (index: number, record: Uint8Array): Promise<void> => {
    await board.open(index, 0).put(record)
    time.advance(100)
    await settled()
  }
  return { time, board, moves, refused, discovery, put }
}

test('nodes learn where the others are, wherever the record was filed', async () => {
  const { moves, put, discovery, board } = await world()
  await put(2, await heartbeat(2, '192.0.2.2:7601', NOW))
  await put(2, await heartbeat(2, '[2001:db8::2]:7601', NOW + 50))
  await put(2, await heartbeat(3, '192.0.2.3:7601', NOW))
  assert.deepEqual(moves, ['2 192.0.2.2:7601', '2 [2001:db8::2]:7601', '3 192.0.2.3:7601'])
  const own = (await board.open(2, 0).read()).get(1)
  assert.ok(own !== undefined && own.length > 0)
  await discovery.close()
})

test('attack: nothing unsigned, foreign, forged, late, early or repeated moves a peer', async () => {
  const { moves, refused, put, time, discovery } = await world()
  const EVIL = '203.0.113.6:666'
  const first = await heartbeat(2, '192.0.2.2:7601', NOW)
  await put(2, first)
  await put(2, await heartbeat(2, '192.0.2.22:7601', NOW + 200))
  moves.length = 0
  const stranger = softwareKey()
  const forged = await heartbeat(2, EVIL, NOW + 300)
  const attacks: readonly (readonly [string, Uint8Array])[] = [
    ['base/malformed', utf8('{"addr":"203.0.113.6:666"}')],
    ['base/malformed', new Uint8Array()],
    ['auth/other-cluster', await heartbeat(2, EVIL, NOW + 300, { of: foreign })],
    ['auth/bad-signature', await heartbeat(2, EVIL, NOW + 300, { identity: stranger })],
    ['auth/bad-signature', await heartbeat(2, EVIL, NOW + 300, { envelope: stranger })],
    ['auth/expired', await heartbeat(2, EVIL, NOW - HEARTBEAT_LIFE_MS - ALLOWED_SKEW_MS - 1)],
    ['auth/expired', await heartbeat(2, EVIL, NOW + ALLOWED_SKEW_MS + 10_000)],
    ['auth/replayed', first],
    ['base/', forged.slice(0, -1)],
  ]
  for (const [code, record] of attacks) {
    refused.length = 0
    await put(2, record)
    assert.equal(refused.length, 1, code)
    assert.ok(String(refused[0]).startsWith(code.startsWith('base/') ? 'base/' : code), code)
  }
  assert.deepEqual(moves, [])
  assert.ok(time.now() > NOW)
  await discovery.close()
})

test('an address that a node signed may still be no TCP address', async () => {
  const { moves, put, discovery } = await world()
  for (const [i, address] of [
    'unix:/run/other.sock',
    '192.0.2.2:0',
    '192.0.2.2:70000',
    'no-port',
    'a b:1',
    '192.0.2.2:7601/x',
  ].entries()) {
    const made = heartbeat(2, address, NOW + i)
    await put(2, await made.catch(() => new Uint8Array()))
  }
  await put(1, await heartbeat(1, '192.0.2.1:7601', NOW + 60))
  assert.deepEqual(moves, [])
  await discovery.close()
})
