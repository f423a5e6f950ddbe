/** A server with the sample permissions: each user does its work, and nothing in another's place. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join as joinPath } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { NatsConnection } from '@nats-io/nats-core'
import { type Logger, utf8 } from '@quorate/base'
import {
  type Broker,
  clientInbox,
  natsAuthorization,
  nodeInbox,
  openJetStreamQueue,
  openNatsBoard,
  systemTimers,
} from '@quorate/platform'
import { connected } from '../conformance.js'
import { taking } from '../requests/conformance.js'
import { CLUSTER, joinBus } from './join.js'
import { natsServer, noServer, silent } from './server.js'

/** Of the sample in deploy/nats, made for it and used nowhere. */
const SAMPLE = {
  prefix: 'mpc',
  cluster: CLUSTER,
  nodes: [
    { index: 1, nkey: 'UD5VPE2G7WR3VXU4CHJJZ46J4NKWX7W4IDETHSC42UIS5QNX5M7MY7VG' },
    { index: 2, nkey: 'UAFP7HUOF24FVL4KWSTLHBCBYUTQB5E2DXIP6ZGXNM2C67OMVAIDDRJN' },
    { index: 3, nkey: 'UCBRLBJKTBHUJS6XHKHZLO43JK76WGIYM3KNBA5QJHVQ3A4MBVFPROCN' },
  ],
  clients: [{ name: 'payments', nkey: 'UDFGS6P4IVSFQDFJAIM7XBNACTDS5IWXWK6NSSIOYRCOYEMJLD2BKFAP' }],
  setup: 'UARAWMZYKQZX5BTDF5S3T5LI5E63QUYM6KVK5TCUACS5QVCREMZKK22R',
} as const

function projectRoot(from: string): string {
  const file = joinPath(from, 'package.json')
  if (existsSync(file) && readFileSync(file, 'utf8').includes('"quorate-workspace"')) return from
  return projectRoot(dirname(from))
}

test('the sample in deploy/nats is what the function makes', () => {
  const file = joinPath(
    projectRoot(dirname(fileURLToPath(import.meta.url))),
    'deploy/nats/permissions.conf',
  )
  const made = natsAuthorization(SAMPLE)
  if (process.env['UPDATE_VECTORS'] === '1') writeFileSync(file, made)
  assert.equal(readFileSync(file, 'utf8'), made)
})

/** What the server refuses on this connection, as it says it. */
function refusals(connection: NatsConnection) {
  const said: string[] = []
  let look: () => void = () => {}
  void (async () => {
    for await (const status of connection.status())
      if (status.type === 'error') {
        said.push(String(status.error))
        look()
      }
  })()
  return {
    /** Resolves once each subject was refused for what `of` names. */
    all: (of: 'publish' | 'subscription', subjects: readonly string[]): Promise<void> =>
      new Promise((resolve) => {
        look = () => {
          const isRefused = (subject: string): boolean =>
            said.some((text) => text.toLowerCase().includes(of) && text.includes(`"${subject}"`))
          if (subjects.every(isRefused)) resolve()
        }
        look()
      }),
  }
}

/** A server where node 1 to 3, a client and the setup user have keys of their own. */
async function world(t: TestContext) {
  const { nkeys } = await import('@nats-io/nats-core')
  const pairs = Array.from({ length: 6 }, () => nkeys.createUser())
  const nkey = (at: number): string => pairs[at]!.getPublicKey()
  const server = await natsServer(
    t,
    natsAuthorization({
      prefix: 'mpc',
      cluster: CLUSTER,
      nodes: [1, 2, 3].map((index) => ({ index, nkey: nkey(index - 1) })),
      clients: [{ name: 'payments', nkey: nkey(3) }],
      setup: nkey(4),
    }),
  )
  const as = async (at: number, inbox: string | undefined, logger: Logger = silent) => {
    const credentialsFile = joinPath(server.directory, `user-${at}.nk`)
    writeFileSync(credentialsFile, pairs[at]!.getSeed(), { mode: 0o600 })
    return server.broker({ credentialsFile, inbox, logger })
  }
  const node = (index: number): Promise<Broker> => as(index - 1, nodeInbox(CLUSTER, index))
  const queue = (broker: Broker, isMaker = false) =>
    openJetStreamQueue({ broker, prefix: 'mpc', timers: systemTimers, logger: silent, isMaker })
  const board = (broker: Broker, self: number, isMaker = false) =>
    openNatsBoard({
      broker,
      prefix: 'mpc',
      cluster: CLUSTER,
      self,
      peers: [1, 2, 3].filter((index) => index !== self),
      isMaker,
    })
  const setUp = async (): Promise<void> => {
    const broker = await as(4, undefined)
    await broker.connection()
    // Both make what is missing before they are refused the rest.
    const made = await queue(broker, true)
    await made.publish('sign', 'x', utf8('x')).catch(() => undefined)
    await (await board(broker, 9, true)).read().catch(() => undefined)
    await broker.close()
  }
  return {
    server,
    node,
    client: () => as(3, clientInbox(CLUSTER, 'payments')),
    stranger: (logger: Logger) => as(5, undefined, logger),
    queue,
    board,
    setUp,
  }
}

if (noServer) test('permissions', { skip: noServer }, () => undefined)
else {
  test('a server takes the sample', async (t) => {
    const server = await natsServer(t, natsAuthorization(SAMPLE))
    await server.kill()
  })

  test('nodes meet, discover each other and carry out requests of a client', async (t) => {
    const { node, client, queue, board, setUp } = await world(t)
    await setUp()
    const brokers = [await node(1), await node(2)] as const
    const buses = [joinBus(brokers[0], 1), joinBus(brokers[1], 2)] as const
    t.after(() => Promise.all(buses.map((bus) => bus.close())))
    await Promise.all([connected(buses[0], 2), connected(buses[1], 1)])

    const [one, two] = [await board(brokers[0], 1), await board(brokers[1], 2)]
    await one.put(utf8('here is one'))
    assert.deepEqual(await two.read(), new Map([[1, utf8('here is one')]]))

    const asking = await client()
    await asking.connection()
    const [asks, serves] = [await queue(asking), await queue(brokers[0])]
    t.after(() => Promise.all([asks.close(), serves.close()]))
    const requests = taking(serves, 'sign')
    assert.equal(await asks.publish('sign', 'r', utf8('please')), 'queued')
    const request = await requests.next()
    await serves.respond('sign', 'r', utf8('done'))
    await request.done()
    const result = await new Promise<Uint8Array>((resolve) => asks.onResponse('sign', 'r', resolve))
    assert.equal(Buffer.from(result).toString(), 'done')
  })

  test('a node cannot speak as another, nor read what another is sent, nor ask for anything', async (t) => {
    const { node, setUp, client } = await world(t)
    await setUp()
    const broker = await node(1)
    const connection = await broker.connection()
    const refused = refusals(connection)
    const word = '0707070707070707'
    const mayNotPublish = [
      `mpc.p.${word}.2.3`,
      `mpc.p.${word}.3.1`,
      'mpc.p.0808080808080808.1.2',
      'mpc.sign.request',
      `$KV.mpc_nodes.${word}.2`,
      '$JS.API.STREAM.DELETE.mpc_requests',
      '$JS.API.STREAM.PURGE.mpc_requests',
      '$JS.API.STREAM.MSG.GET.mpc_requests',
      '$JS.API.CONSUMER.DELETE.mpc_requests.sign',
      `_INBOX.${word}.2.x`,
    ]
    for (const subject of mayNotPublish) connection.publish(subject, utf8('x'))
    const mayNotRead = [
      `mpc.p.${word}.*.2`,
      `mpc.p.${word}.1.2`,
      'mpc.>',
      '>',
      'mpc.sign.request',
      'mpc.sign.response.*',
      `_INBOX.${word}.2.>`,
      '_INBOX.>',
    ]
    const heard: string[] = []
    for (const subject of mayNotRead)
      connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) heard.push(message.subject)
        },
      })
    await connection.flush()
    // What the others say now must not be heard.
    const [second, asking] = [await node(2), await client()]
    await Promise.all([second.connection(), asking.connection()])
    second.publish(`mpc.p.${word}.2.3`, utf8('to three'))
    asking.publish('mpc.sign.request', utf8('a request'))
    await (await second.connection()).flush()
    await (await asking.connection()).flush()
    await connection.flush()
    assert.deepEqual(heard, [])
    await refused.all('publish', mayNotPublish)
    await refused.all('subscription', mayNotRead)
  })

  test('a client cannot speak as a node, publish results or take requests; a stranger cannot connect', async (t) => {
    const { client, setUp, stranger } = await world(t)
    await setUp()
    const connection = await (await client()).connection()
    const refused = refusals(connection)
    const subjects = [
      'mpc.p.0707070707070707.1.2',
      'mpc.sign.response.r',
      '$JS.API.CONSUMER.MSG.NEXT.mpc_requests.sign',
      '$JS.API.STREAM.MSG.GET.mpc_requests',
      '$KV.mpc_nodes.0707070707070707.1',
    ]
    for (const subject of subjects) connection.publish(subject, utf8('x'))
    await refused.all('publish', subjects)

    const unreachable = new Promise<unknown>((resolve) => {
      const logger: Logger = {
        log: (_level, event, fields) => {
          if (event === 'broker.unreachable') resolve(fields?.['reason'])
        },
        with: () => logger,
      }
      void stranger(logger)
    })
    assert.equal(await unreachable, 'AuthorizationError')
  })
}
