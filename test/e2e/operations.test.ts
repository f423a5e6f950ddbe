/** What an operator sees of running nodes: figures, readiness, traces and logs; and what must not be in any of them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { fromHex, isFault, toHex } from '@quorate/base'
import { readShare, solanaTransfer } from '@quorate/enclave/testing'
import { MIGRATIONS, Store } from '@quorate/node/testing'
import { openSql, systemClock, systemRandom } from '@quorate/platform'
import { Collector, type SeenSpan } from '../support/collector.ts'
import { getText } from '../support/get-text.ts'
import { filesBelow, formsOf, found, type Sought } from '../support/memory.ts'
import { ProcessCluster } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'

let cluster: ProcessCluster
let collector: Collector
let wallet: WalletJson
/** What was signed, and the request that had it signed. */
let transaction: Uint8Array
let requestId: string
/** The client's own span of it. */
const TRACE = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' } as const
/** Of processes that are gone. */
const earlierLogs: string[] = []

before(async () => {
  collector = await Collector.start()
  cluster = await ProcessCluster.start(3, { leaveOut: [1, 2, 3] })
  for (const node of cluster.nodes)
    node.config = {
      ...node.config,
      tracing: { endpoint: collector.url, service: `node-${node.index}` },
    }
  await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
  await cluster.untilConnected()
  wallet = await cluster.createWallet('solana-devnet')
  transaction = solanaTransfer(fromHex(wallet.groupKey), 4_242n)
  const body = cluster.signBody(wallet, transaction)
  requestId = body.value.requestId
  await cluster.client(cluster.nodes[0]!).carryOut('signTransaction', body, {
    traceparent: `00-${TRACE.traceId}-${TRACE.spanId}-01`,
  })
})
after(async () => {
  await cluster.close()
  collector.close()
})

const get = (node: ProcessNode, path: string) => getText(node.config.http.socketPath!, path)
const value = (text: string, series: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1) ?? Number.NaN,
  )

test('the figures tell what was done, and hold no name of a client, wallet or key', async () => {
  const texts = await Promise.all(
    cluster.nodes.map(async (node) => (await get(node, '/metrics')).text),
  )
  const [leader] = texts as [string]
  assert.equal(value(leader, 'quorate_requests_total{kind="sign",outcome="done"}'), 1)
  assert.equal(value(leader, 'quorate_requests_total{kind="createWallet",outcome="done"}'), 1)
  assert.equal(value(leader, 'quorate_request_seconds_count{kind="sign"}'), 1)
  assert.equal(value(leader, 'quorate_signing_attempts_count'), 1)
  assert.ok(value(leader, 'quorate_last_signature_age_seconds') >= 0)
  for (const text of texts) {
    assert.equal(value(text, 'quorate_sessions_total{action="wallet.create",outcome="done"}'), 1)
    assert.ok(value(text, 'quorate_session_phase_seconds_count{phase="making the key"}') >= 1)
    assert.ok(value(text, 'quorate_audit_records_total') > 0)
    assert.ok(value(text, 'quorate_disk_free_bytes') > 0)
    for (const name of [wallet.id, wallet.groupKey, wallet.label, cluster.project, ...clients()])
      assert.ok(!text.includes(name), name)
  }
  const signers = texts.filter(
    (text) => value(text, 'quorate_sessions_total{action="tx.sign",outcome="done"}') === 1,
  )
  assert.equal(signers.length, wallet.threshold)
  const peers = cluster.nodes.slice(1).map(({ index }) => index)
  for (const peer of peers) {
    assert.equal(value(leader, `quorate_peer_connected{peer="${peer}"}`), 1)
    assert.ok(value(leader, `quorate_peer_connections_total{peer="${peer}"}`) >= 1)
  }
})

const clients = (): readonly string[] => Object.values(cluster.keys).map(({ client }) => client)

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

test('promtool finds nothing wrong with them', {
  skip: hasPromtool ? false : 'promtool (Debian: prometheus) is not installed',
}, async () => {
  const { text } = await get(cluster.nodes[0]!, '/metrics')
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  // 3 is a remark on style, of which there is none about names of ours.
  assert.equal(checked.status, 0, checked.stdout + checked.stderr)
})

test('a request, its session at each signer, and the phases are one story', async () => {
  const named = (name: string): readonly SeenSpan[] =>
    collector.spans.filter((span) => span.name === name)
  const attribute = (span: SeenSpan, key: string): unknown =>
    Object.values(span.attributes.find((each) => each.key === key)?.value ?? {})[0]
  const sessions = (): readonly SeenSpan[] =>
    named('session tx.sign').filter((span) => attribute(span, 'quorate.request.id') === requestId)
  const phasesOf = (session: SeenSpan): readonly SeenSpan[] =>
    collector.spans.filter(({ parentSpanId }) => parentSpanId === session.spanId)
  const keygens = (): readonly SeenSpan[] => named('session wallet.create')
  // Each node sends its spans when it likes.
  await until(
    async () =>
      sessions().length === wallet.threshold &&
      named('request sign').length === 1 &&
      named('POST /api/v1/transactions/sign').length === 1 &&
      keygens().length === 3 &&
      keygens().every((keygen) => phasesOf(keygen).some(({ name }) => name === 'making the key')),
  )

  const [request] = named('request sign') as [SeenSpan]
  const [call] = named('POST /api/v1/transactions/sign') as [SeenSpan]
  assert.equal(call.kind, 2)
  assert.deepEqual([call.traceId, call.parentSpanId], [TRACE.traceId, TRACE.spanId])
  assert.deepEqual([request.traceId, request.parentSpanId], [call.traceId, call.spanId])
  const sid = attribute(sessions()[0]!, 'quorate.session.id') as string
  assert.match(sid, /^[0-9a-f]{64}$/)
  for (const span of sessions()) {
    assert.equal(span.traceId, sid.slice(0, 32))
    assert.equal(span.spanId.slice(0, 14), sid.slice(32, 46))
  }
  assert.equal(new Set(sessions().map(({ spanId }) => spanId)).size, wallet.threshold)
  assert.ok(request.links.some(({ traceId }) => traceId === sid.slice(0, 32)))

  for (const keygen of keygens())
    for (const phase of phasesOf(keygen)) {
      assert.ok(BigInt(phase.startTimeUnixNano) >= BigInt(keygen.startTimeUnixNano) - 2_000_000n)
      assert.ok(BigInt(phase.endTimeUnixNano) >= BigInt(phase.startTimeUnixNano))
    }
})

test('a node whose peers are gone is not ready, and says which check fails and no more', async () => {
  const [first, second, third] = cluster.nodes as [ProcessNode, ProcessNode, ProcessNode]
  assert.deepEqual(JSON.parse((await get(first, '/ready')).text), {
    status: 'ready',
    checks: { serving: true, store: true, signer: true, hsm: true, peers: true, clock: true },
  })
  for (const node of [second, third]) {
    earlierLogs.push(node.log.join('\n'))
    await cluster.kill(node)
  }
  await until(async () => (await get(first, '/ready')).status === 503)
  const problem = JSON.parse((await get(first, '/ready')).text) as { code: string; detail: string }
  assert.deepEqual([problem.code, problem.detail], ['node/not-ready', 'peers'])
  assert.match((await get(first, '/metrics')).text, /^quorate_ready\{check="peers"\} 0$/m)
  // Its requests fail with a code that is in the figures and the trace.
  await assert.rejects(cluster.sign(wallet, transaction, first), (error) =>
    isFault(error, 'enclave/peers-missing'),
  )
  assert.match(
    (await get(first, '/metrics')).text,
    /^quorate_request_failures_total\{kind="sign",code="enclave\/peers-missing"\} 1$/m,
  )
  await Promise.all([second, third].map((node) => cluster.launch(node)))
  await cluster.untilConnected()
  await until(async () => (await get(first, '/ready')).status === 200)
})

test('no secret, no transaction and no key of a client is in any log or trace', async () => {
  for (const node of cluster.nodes) await cluster.stop(node)
  const logs = [...earlierLogs, ...cluster.nodes.map(({ log }) => log.join('\n'))]
  for (const event of ['node.started', 'http.request', 'peer.left', 'node.stopping'])
    assert.ok(
      logs.some((log) => log.includes(`"event":"${event}"`)),
      event,
    )
  assert.ok(logs.some((log) => /"requestId":"req_[0-9a-z]+"/.test(log)))
  const sought: Sought[] = [{ name: 'transaction', forms: textsOf(transaction) }]
  for (const node of cluster.nodes) {
    sought.push({ name: `share ${node.index}`, forms: textsOf(await shareOf(node)) })
    for (const file of filesBelow(join(node.directory, 'hsm')))
      if (file.length >= 32) sought.push({ name: `HSM ${node.index}`, forms: textsOf(file) })
  }
  assert.ok(sought.length > 1 + 2 * cluster.nodes.length - 1)
  const texts = [...logs, ...collector.bodies].map((text) => Buffer.from(text))
  assert.deepEqual([...found(texts, sought)], [])
  // The search itself works.
  const planted = Buffer.from(`{"detail":"${toHex(transaction)}"}`)
  assert.deepEqual([...found([planted], sought)], ['transaction'])
})

const textsOf = (bytes: Uint8Array): readonly Buffer[] => [
  ...formsOf(bytes),
  Buffer.from(Buffer.from(bytes).toString('base64')),
]

async function shareOf(node: ProcessNode): Promise<Uint8Array> {
  const sql = await openSql({
    path: join(node.directory, 'node.db'),
    migrations: MIGRATIONS,
    clock: systemClock,
    random: systemRandom,
  })
  try {
    const store = new Store(sql)
    const row = (await store.wallets()).find((each) => each.wallet === wallet.id)!
    const sealedSecrets = (await store.setting('node-secrets'))!
    const hsmDirectory = join(node.directory, 'hsm')
    return await readShare(
      { hsmDirectory, storeId: sql.storeId, sealedSecrets, row, self: node.index },
      systemRandom,
    )
  } finally {
    await sql.close()
  }
}
