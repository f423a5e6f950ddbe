/** The HTTP API of a running node: who may call, how often, what streams, and what no input can do. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import {
  decodeRequest,
  encodeRequest,
  fromProblem,
  IDEMPOTENCY_HEADER,
  type OperationJson,
  type PastRequestJson,
  ROUTES,
  type Role,
  type Route,
  signAccessToken,
  signRequest,
  type WalletJson,
} from '@quorate/api'
import { fromHex, isFault, toHex } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { systemRandom } from '@quorate/platform'
import {
  QuorateClient,
  type QuorateClientOptions,
  ReceiptReader,
  type ReceiptsOf,
  readClusterChain,
  signaturesHash,
} from '@quorate/sdk'
import * as fc from 'fast-check'
import { type HttpAnswer, type HttpCall, httpCall } from '../support/http-call.ts'
import { ProcessCluster } from '../support/process-cluster.ts'

let cluster: ProcessCluster
let socket: string
let wallet: WalletJson
const tokens = new Map<string, string>()

before(async () => {
  cluster = await ProcessCluster.start(3)
  socket = cluster.nodes[0]!.config.http.socketPath!
  for (const role of ['operator', 'signer', 'auditor'] as const)
    tokens.set(role, await tokenOf(role))
  wallet = await cluster.createWallet('solana-devnet')
})
after(() => cluster.close())

type KnownRole = 'operator' | 'signer' | 'auditor'

const tokenOf = (role: KnownRole, change: { host?: string; role?: Role } = {}): Promise<string> =>
  signAccessToken(cluster.keys[role].signer, {
    v: 1,
    cluster: cluster.cluster,
    client: cluster.keys[role].client,
    role,
    host: 'localhost',
    createdAt: Date.now(),
    expiresAt: Date.now() + 600_000,
    nonce: systemRandom.bytes(16),
    ...change,
  })

const as = (role: KnownRole, path: string, call: HttpCall = {}): Promise<HttpAnswer> =>
  httpCall(socket, path, {
    ...call,
    headers: { authorization: tokens.get(role)!, ...call.headers },
  })

const codeOf = ({ text, status }: HttpAnswer): string => fromProblem(JSON.parse(text), status).code

const quorateOptions = (): QuorateClientOptions => ({
  endpoints: [{ socketPath: socket }],
  cluster: readClusterChain(cluster.chain),
  credentials: (['operator', 'signer'] as const).map((role) => ({
    ...cluster.keys[role],
    role,
    project: cluster.project,
  })),
})
const quorateClient = (): QuorateClient => new QuorateClient(quorateOptions())

/** The text with another letter at `index`, which counts from the end. */
const withAnother = (text: string, index: number): string =>
  `${text.slice(0, index)}${text.at(index) === 'A' ? 'B' : 'A'}${text.slice(index + 1)}`

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('an access token reads what its client may read, and no more', async () => {
  const status = await as('signer', '/api/v1/status')
  assert.equal(status.status, 200)
  const wallets = JSON.parse((await as('signer', '/api/v1/wallets')).text)
  assert.equal(wallets.items[0].id, wallet.id)
  assert.equal(codeOf(await as('signer', '/api/v1/audit')), 'api/not-permitted')
  const made = await quorateClient().accessToken('signer', 'localhost', 60_000)
  const again = await httpCall(socket, '/api/v1/status', { headers: { authorization: made } })
  assert.equal(again.status, 200)
  const wrong: readonly string[] = [
    await tokenOf('signer', { host: 'elsewhere' }),
    await tokenOf('signer', { role: 'operator' }),
    withAnother(tokens.get('signer')!, -40),
    'Bearer ',
    'Basic eDp5',
  ]
  for (const authorization of wrong) {
    const answer = await httpCall(socket, '/api/v1/status', { headers: { authorization } })
    assert.deepEqual([answer.status, codeOf(answer)], [401, 'auth/unauthenticated'])
  }
})

test('a token begins nothing: what costs something is signed by the client itself', async () => {
  const body = cluster.signBody(wallet, solanaTransfer(fromHex(wallet.groupKey), 5n))
  const ask = (request: Uint8Array): Promise<HttpAnswer> =>
    as('signer', '/api/v1/transactions/sign', {
      method: 'POST',
      headers: { [IDEMPOTENCY_HEADER]: `key-${Math.random()}` },
      body: JSON.stringify({ request: toHex(request) }),
    })
  const { operator, signer } = cluster.keys
  // Signed by somebody else in the client's name, and the client's own in another name.
  for (const [key, client] of [
    [operator.signer, signer.client],
    [operator.signer, operator.client],
  ] as const) {
    const request = encodeRequest(await signRequest(key, cluster.cluster, client, body))
    const answer = await ask(request)
    const isRefused =
      answer.status >= 400 || (JSON.parse(answer.text) as OperationJson).state === 'failed'
    assert.ok(isRefused, answer.text)
  }
  const sound = await signRequest(signer.signer, cluster.cluster, signer.client, body)
  const answer = await ask(encodeRequest(sound))
  const operation = JSON.parse(answer.text) as OperationJson
  assert.ok([200, 202].includes(answer.status), answer.text)
  // What is done within two seconds comes with the first answer.
  if (answer.status === 200) assert.equal(operation.state, 'done')
})

test('a verified signature has the receipts of its signers; the project’s stream tells of it', async () => {
  const client = quorateClient()
  const controller = new AbortController()
  const seen: OperationJson[] = []
  const events = client.events(controller.signal)
  const next = events.next()
  const { key } = await client.wallet(wallet.label, { address: wallet.address })
  const listening = (async () => {
    for (let each = await next; each.done !== true; each = await events.next()) {
      seen.push(each.value)
      if (each.value.state === 'done') return
    }
  })()
  // The stream is open once the first answer to the call after it is there.
  await client.node.call('getStatus', {})
  const unsigned = solanaTransfer(fromHex(wallet.groupKey), 6n)
  const signed = await client.sign({ wallet, key }, { network: wallet.network, unsigned })
  assert.equal(signed.nodes.length, 2)
  await listening
  controller.abort()
  assert.ok(seen.every(({ kind, project }) => kind === 'sign' && project === cluster.project))

  const states: string[] = []
  for await (const { state } of client.operation(seen.at(-1)!.id)) states.push(state)
  assert.deepEqual(states, ['done'])
})

test('a signature without the receipts of its signers does not pass', async () => {
  const client = quorateClient()
  const unsigned = solanaTransfer(fromHex(wallet.groupKey), 8n)
  const task = { network: wallet.network, unsigned, context: new Uint8Array(), path: [] }
  const { result, body, client: asker } = await client.node.sign(wallet, task)
  const reader = new ReceiptReader(client.cluster)
  const items = result.signatures.map(({ publicKey, message, signature }) => ({
    publicKey: fromHex(publicKey),
    message: fromHex(message),
    signature: fromHex(signature),
  }))
  const about: ReceiptsOf = {
    purpose: 'sign',
    body,
    client: asker,
    wallet: wallet.id,
    result: signaturesHash(items),
    need: 2,
  }
  const [first = '', second = ''] = result.receipts
  assert.deepEqual(reader.check([first, second], about), result.signers)
  const fails = (receipts: readonly string[], change: Partial<ReceiptsOf> = {}): void =>
    assert.throws(
      () => reader.check(receipts, { ...about, ...change }),
      (error) => isFault(error, 'sdk/bad-receipts'),
    )
  fails([first])
  fails([first, first])
  fails([first, `${second.slice(0, -2)}${second.endsWith('00') ? '01' : '00'}`])
  fails([first, 'ab'])
  fails([first, second], { wallet: 'wal_00000000000000000000000001' })
  fails([first, second], { purpose: 'keygen' })
  fails([first, second], { body: cluster.signBody(wallet, unsigned) })
  fails([first, second], { client: cluster.keys.operator.client })
  fails([first, second], { result: signaturesHash([...items, ...items]) })
})

test('what a wallet was asked to sign is kept, page by page', async () => {
  const path = `/api/v1/wallets/${wallet.id}/requests`
  const page = JSON.parse((await as('signer', `${path}?limit=1`)).text)
  assert.equal(page.items.length, 1)
  assert.equal(page.items[0].client, cluster.keys.signer.client)
  const { body } = decodeRequest(fromHex(page.items[0].request))
  assert.ok(body.kind === 'sign' && body.value.wallet === wallet.id)
  const next = JSON.parse((await as('signer', `${path}?cursor=${page.nextCursor}`)).text)
  assert.ok(next.items.length >= 1)
  assert.ok(next.items.every(({ operation }: PastRequestJson) => operation > page.nextCursor))
  assert.equal((await as('auditor', path)).status, 403)
})

test('there is no stream of an operation that is not there', async () => {
  const answer = await as('signer', '/api/v1/operations/op_00000000000000000000000001/events')
  assert.deepEqual([answer.status, codeOf(answer)], [404, 'node/unknown-operation'])
})

test('the API describes itself', async () => {
  const { openapi, paths } = JSON.parse((await as('auditor', '/api/v1/openapi.json')).text)
  assert.equal(openapi, '3.1.0')
  assert.deepEqual(
    new Set(Object.keys(paths)),
    new Set(Object.values(ROUTES).map(({ path }) => path)),
  )
})

test('calls are counted by route and outcome', async () => {
  const { text } = await httpCall(socket, '/metrics')
  assert.match(
    text,
    /^quorate_http_requests_total\{route="\/api\/v1\/status",method="GET",status="200"\} \d+$/m,
  )
  assert.match(
    text,
    /^quorate_http_requests_total\{route="\/api\/v1\/status",method="GET",status="401"\} \d+$/m,
  )
  assert.match(
    text,
    /^quorate_http_requests_total\{route="\/api\/v1\/operations\/\{id\}\/events",/m,
  )
  assert.match(text, /^quorate_http_rate_limited_total 0$/m)
})

test('whatever is sent to any route, the node neither breaks nor hangs', async () => {
  const { signer, operator } = cluster.keys
  const signed = encodeRequest(
    await signRequest(
      signer.signer,
      cluster.cluster,
      signer.client,
      cluster.signBody(wallet, solanaTransfer(fromHex(wallet.groupKey), 7n)),
    ),
  )
  const wanted = encodeRequest(
    await signRequest(
      operator.signer,
      cluster.cluster,
      operator.client,
      cluster.walletBody('solana-devnet'),
    ),
  )
  const altered = fc
    .tuple(fc.constantFrom(signed, wanted), fc.nat(), fc.nat(255))
    .map(([bytes, at, value]) => toHex(bytes.with(at % bytes.length, value)))
  const hex = fc.oneof(
    altered,
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => toHex(bytes)),
    fc.string(),
  )
  const word = fc.oneof(
    fc.constantFrom(wallet.id, wallet.network, '', '..', '%00', 'wal_', '-1', '1e9', '__proto__'),
    fc.string(),
  )
  const json = fc.oneof(
    fc.json(),
    fc.string(),
    fc.record({ request: hex }).map((value) => JSON.stringify(value)),
    fc.record({ approval: hex }).map((value) => JSON.stringify(value)),
    fc
      .record(
        { wallet: word, network: word, unsigned: hex, context: hex, path: fc.array(fc.integer()) },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
  )
  const query = fc.oneof(
    fc.constant(''),
    fc
      .record(
        { limit: word, cursor: word, after: word, protocol: word, label: word },
        { requiredKeys: [] },
      )
      .map((values) => `?${new URLSearchParams(values).toString()}`),
  )
  const key = fc.oneof(fc.constant('fuzz-key-01'), fc.stringMatching(/^[ -~]{0,140}$/))
  const routes = Object.values(ROUTES).filter(({ isStream }) => !isStream) as readonly Route[]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      fc.constantFrom('operator', 'signer', 'auditor'),
      fc.tuple(word, query, json, key),
      async ({ method, path, body }, role, [parameter, search, text, idempotencyKey]) => {
        const filled = path.replace(/\{\w+\}/g, () => encodeURIComponent(parameter))
        const answer = await as(role as KnownRole, `${filled}${search}`, {
          method,
          headers: { [IDEMPOTENCY_HEADER]: idempotencyKey.trim() },
          ...(body !== undefined && { body: text }),
        })
        assert.ok(answer.status < 500, `${method} ${filled}${search} ${text}: ${answer.text}`)
        if (answer.status >= 400) assert.match(codeOf(answer), /^[a-z]+\/[a-z0-9-]+$/)
      },
    ),
    { numRuns: 600 },
  )
  const { log } = cluster.nodes[0]!
  assert.deepEqual(
    log.filter((line) => line.includes('http.internal-error')),
    [],
  )
})

test('over TLS the node is known by its certificate, and to nothing else anything is sent', async () => {
  const node = cluster.nodes[1]!
  await cluster.stop(node)
  const http = { ...node.config.http, port: await freePort(), tls: true }
  node.config = { ...node.config, http }
  await cluster.launch(node)
  await cluster.untilConnected()
  const local = await cluster.client(node).call('getStatus', {})
  const fingerprint = local.node.apiCertificate!
  const clientAt = (pinned: string): QuorateClient =>
    new QuorateClient({
      ...quorateOptions(),
      endpoints: [{ host: '127.0.0.1', port: http.port, fingerprint: pinned }],
      retry: { attempts: 1, firstMs: 0, maxMs: 0 },
    })
  const client = clientAt(fingerprint)
  const { key } = await client.wallet(wallet.id, { address: wallet.address })
  const unsigned = solanaTransfer(fromHex(wallet.groupKey), 9n)
  const signed = await client.sign({ wallet, key }, { network: wallet.network, unsigned })
  assert.equal(signed.nodes.length, 2)
  await assert.rejects(clientAt('ab'.repeat(32)).node.call('getStatus', {}), (error) =>
    isFault(error, 'sdk/other-certificate'),
  )
})

test('a client that asks too often is told when to come again; others are served', async () => {
  const node = cluster.nodes[2]!
  await cluster.stop(node)
  node.config = {
    ...node.config,
    http: { ...node.config.http, limits: { ratePerSecond: 1, burst: 3 } },
  }
  await cluster.launch(node)
  const path = node.config.http.socketPath!
  const asSigner = { headers: { authorization: tokens.get('signer')! } }
  const answers = await Promise.all(
    [1, 2, 3, 4, 5].map(() => httpCall(path, '/api/v1/cluster', asSigner)),
  )
  assert.deepEqual(
    answers.map(({ status }) => status).sort((a, b) => a - b),
    [200, 200, 200, 429, 429],
  )
  const refused = answers.find(({ status }) => status === 429)!
  assert.equal(codeOf(refused), 'node/rate-limited')
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/)
  const other = { headers: { authorization: tokens.get('auditor')! } }
  assert.equal((await httpCall(path, '/api/v1/cluster', other)).status, 200)
  assert.match((await httpCall(path, '/metrics')).text, /^quorate_http_rate_limited_total 2$/m)
})
