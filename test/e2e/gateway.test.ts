/** The bridge of the gateway, driven as a client of the old API would, with three nodes behind it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  encodeBlindGrant,
  encodeSignedGrant,
  type PolicyChoice,
  signBlindGrant,
} from '@quorate/api'
import { fromBase64, fromHex, isFault, toHex } from '@quorate/base'
import { DIGEST as DIGEST_NETWORK, parseDigest } from '@quorate/chains'
import { QUICK_ECDSA } from '@quorate/enclave/testing'
import {
  type GatewayConfig,
  type GatewayOptions,
  newToken,
  type RunningGateway,
  readCallers,
  startGateway,
} from '@quorate/gateway'
import { systemRandom } from '@quorate/platform'
import { chooseTemplate, instantiate, policyHash } from '@quorate/policy'
import { QuorateClient, readClusterChain } from '@quorate/sdk'
import * as fc from 'fast-check'
import { Collector } from '../support/collector.ts'
import { ProcessCluster, silent } from '../support/process-cluster.ts'
import { until } from '../support/until.ts'

const DIGEST = '5a'.repeat(32)
const { token, line } = newToken('till', systemRandom)

let cluster: ProcessCluster
let collector: Collector
let gateway: RunningGateway
let blindPolicy: PolicyChoice
const grants = new Map<string, { readonly policy: PolicyChoice; readonly grant: Uint8Array }>()

before(async () => {
  collector = await Collector.start()
  cluster = await ProcessCluster.start(3, { leaveOut: [1, 2, 3] })
  for (const node of cluster.nodes)
    node.config = { ...node.config, tracing: { endpoint: collector.url, service: 'node' } }
  await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
  await cluster.untilConnected()
  blindPolicy = chooseTemplate('blind', { initiators: [cluster.keys.signer.client] })
  gateway = await startGateway(options({}))
})
after(async () => {
  await gateway.stop()
  await cluster.close()
  collector.close()
})

const endpoints = () => cluster.nodes.map(({ config }) => ({ socketPath: config.http.socketPath! }))

const credentials = () =>
  (['operator', 'signer'] as const).map((role) => ({
    ...cluster.keys[role],
    role,
    project: cluster.project,
  }))

function options(limits: Partial<GatewayConfig['limits']>): GatewayOptions {
  return {
    config: {
      environment: 'development',
      listen: { host: '127.0.0.1', port: 0, names: [], allowPlainHttp: false },
      nodes: endpoints(),
      chains: new Map([['old-solana', 'solana-devnet']]),
      limits: { ratePerSecond: 1000, burst: 1000, maxConcurrent: 64, ...limits },
    },
    cluster: readClusterChain(cluster.chain),
    credentials: credentials(),
    callers: readCallers(`# who may call\n${line}\n`),
    policy: chooseTemplate('testnet-open', {}),
    grantFor: (label) => grants.get(label),
    logger: silent,
  }
}

type Answer = { readonly status: number; readonly headers: Headers; readonly body: Body }
type Body = { readonly [name: string]: unknown }

async function ask(
  path: string,
  body?: object,
  o: { readonly headers?: { readonly [name: string]: string }; readonly at?: string } = {},
): Promise<Answer> {
  const answer = await fetch(`http://${o.at ?? gateway.address}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(o.headers ?? { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const { status, headers } = answer
  return { status, headers, body: (await answer.json()) as Body }
}

/** The administrators let a wallet of that label sign digests. */
async function grant(label: string, network: string, suite: string): Promise<void> {
  const encoded = encodeBlindGrant({
    v: 1,
    cluster: cluster.cluster,
    project: cluster.project,
    label,
    network,
    suite,
    threshold: 2,
    policyHash: policyHash(instantiate(blindPolicy, 'development')),
    expiresAt: Date.now() + 3_600_000,
  })
  const signature = await signBlindGrant(encoded, 'admin', cluster.admin)
  grants.set(label, {
    policy: blindPolicy,
    grant: encodeSignedGrant({ grant: encoded, signatures: [signature] }),
  })
}

const KEYGEN = { walletID: 'shop', chainType: 'solana', threshold: 1, totalParties: 3 }

test('a wallet is made, its threshold read as a corruption bound, and said so', async () => {
  const { status, body } = await ask('/keygen', KEYGEN)
  assert.equal(status, 200, JSON.stringify(body))
  assert.deepEqual(
    [body['walletID'], body['threshold'], body['corruptionBound'], body['totalParties']],
    ['shop', 2, 1, 3],
  )
  assert.match(String(body['note']), /threshold 1 was read as: 1 parties may be corrupt, so 2 must/)
  // A client that asks again gets the same key, by any name of the network, and by the other dialect.
  const again = await ask('/keygen', { ...KEYGEN, chainType: 'old-solana' })
  assert.deepEqual(
    [again.body['publicKey'], again.body['address']],
    [body['publicKey'], body['address']],
  )
  const snake = await ask('/keygen', {
    wallet_id: 'shop',
    chain_type: 'ed25519',
    threshold: '1',
    total_parties: '3',
  })
  assert.equal(toHex(fromBase64(String(snake.body['eddsa_pub_key']))), body['publicKey'])
  assert.equal(snake.body['result_type'], 'success')

  const shown = await ask('/pubkey/shop')
  assert.deepEqual(
    [shown.status, shown.body['publicKey'], shown.body['address']],
    [200, body['publicKey'], body['address']],
  )
})

test('what cannot be is refused with a problem and what to do', async () => {
  const refused = async (path: string, body: object | undefined, status: number, code: string) => {
    const answer = await ask(path, body)
    assert.deepEqual([answer.status, answer.body['code']], [status, code], path)
    assert.equal(typeof answer.body['remedy'], 'string')
  }
  await refused('/keygen', { ...KEYGEN, threshold: 2 }, 409, 'gateway/other-wallet')
  await refused('/keygen', { ...KEYGEN, threshold: 3 }, 400, 'api/bad-threshold')
  await refused('/keygen', { ...KEYGEN, totalParties: 5 }, 409, 'gateway/other-parties')
  await refused('/keygen', { ...KEYGEN, chainType: 'cosmos' }, 400, 'gateway/unknown-chain')
  await refused('/keygen', { ...KEYGEN, more: 1 }, 422, 'platform/invalid-request')
  await refused('/pubkey/nobody', undefined, 404, 'sdk/unknown-wallet')
  await refused('/sign', { walletID: 'shop', messageHash: 'ab' }, 422, 'platform/invalid-request')
  // An ordinary wallet signs what its nodes can read.
  await refused('/sign', { walletID: 'shop', messageHash: DIGEST }, 403, 'gateway/not-blind')
})

test('a wallet that the administrators made blind signs a digest, with a node down', async () => {
  await grant('blind-shop', 'solana-devnet', 'FROST-ED25519-SHA512-v1')
  const made = await ask('/keygen', { ...KEYGEN, walletID: 'blind-shop' })
  assert.equal(made.status, 200, JSON.stringify(made.body))
  assert.equal(made.body['blind'], true)
  const publicKey = fromHex(String(made.body['publicKey']))

  const signed = await ask('/sign', {
    walletID: 'blind-shop',
    messageHash: `0x${DIGEST}`,
    signers: [1, 2],
  })
  assert.equal(signed.status, 200, JSON.stringify(signed.body))
  const signature = fromHex(String(signed.body['signature']))
  assert.ok(ed25519.verify(signature, fromHex(DIGEST), publicKey))
  assert.equal((signed.body['signers'] as unknown[]).length, 2)

  await cluster.kill(cluster.nodes[0]!)
  try {
    const other = await ask('/sign', {
      wallet_id: 'blind-shop',
      message_hash: 'ab'.repeat(32),
      tx_id: 'order 7',
    })
    assert.equal(other.status, 200, JSON.stringify(other.body))
    assert.equal(other.body['tx_id'], 'order 7')
    const bytes = fromBase64(String(other.body['signature']))
    assert.ok(ed25519.verify(bytes, fromHex('ab'.repeat(32)), publicKey))
  } finally {
    await cluster.launch(cluster.nodes[0]!)
    await cluster.untilConnected()
  }
})

test('a call is under the span of its caller at the nodes, unless what names it is no span', async () => {
  const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']
  const sign = async (messageHash: string, traceparent: string): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, traceparent }
    const { status } = await ask('/sign', { walletID: 'blind-shop', messageHash }, { headers })
    assert.equal(status, 200)
  }
  const calls = () => collector.spans.filter(({ name }) => name.endsWith('/transactions/sign'))
  const before = calls().length
  await sign('01'.repeat(32), `00-${traceId}-${spanId}-01`)
  await sign('02'.repeat(32), 'not a span')
  await until(async () => calls().length >= before + 2)
  const parents = calls().map((call) => [call.traceId, call.parentSpanId])
  assert.deepEqual(
    parents.filter(([trace]) => trace === traceId),
    [[traceId, spanId]],
  )
  assert.ok(parents.slice(before).some(([, parent]) => parent === undefined))
})

test('so does one with an ECDSA key: r, s and recid give its public key', async () => {
  await grant('blind-evm', 'ethereum-sepolia', QUICK_ECDSA)
  const client = new QuorateClient({
    endpoints: [endpoints()[1]!],
    cluster: readClusterChain(cluster.chain),
    credentials: credentials(),
  })
  const { policy, grant: blindGrant } = grants.get('blind-evm')!
  const { wallet, nodes } = await client.createWallet({
    label: 'blind-evm',
    network: 'ethereum-sepolia',
    suite: QUICK_ECDSA,
    threshold: 2,
    policy,
    blindGrant,
  })
  assert.deepEqual([wallet.blind, nodes], [true, [1, 2, 3]])
  const { status, body } = await ask('/sign', { walletID: 'blind-evm', messageHash: DIGEST })
  assert.equal(status, 200, JSON.stringify(body))
  const compact = fromHex(`${String(body['r'])}${String(body['s'])}`)
  const recovered = secp256k1.Signature.fromBytes(compact, 'compact')
    .addRecoveryBit(Number(body['recid']))
    .recoverPublicKey(fromHex(DIGEST))
  assert.equal(toHex(recovered.toBytes(true)), wallet.publicKey)
})

test('the nodes themselves sign digests for blind wallets and the clients named alone', async () => {
  const client = new QuorateClient({
    endpoints: [endpoints()[2]!],
    cluster: readClusterChain(cluster.chain),
    credentials: credentials(),
  })
  const document = { network: DIGEST_NETWORK, unsigned: fromHex(DIGEST) }
  const sign = async (label: string) =>
    client.signWith({ parse: parseDigest }, await client.wallet(label), document)
  await assert.rejects(sign('shop'), (error) => isFault(error, 'enclave/not-blind'))

  // A grant whose policy names somebody else, and not the signer of this project.
  blindPolicy = chooseTemplate('blind', { initiators: [cluster.keys.operator.client] })
  await grant('not-mine', 'solana-devnet', 'FROST-ED25519-SHA512-v1')
  const made = await ask('/keygen', { ...KEYGEN, walletID: 'not-mine' })
  assert.equal(made.body['blind'], true)
  await assert.rejects(sign('not-mine'), (error) => isFault(error, 'policy/denied'))
})

test('a grant for another wallet, or of nobody, makes none blind', async () => {
  grants.set('forged', grants.get('blind-shop')!)
  const { status, body } = await ask('/keygen', { ...KEYGEN, walletID: 'forged' })
  assert.deepEqual([status, body['code']], [403, 'api/bad-blind-grant'])
})

test('whatever is sent to the bridge, it neither breaks nor hangs', async () => {
  const word = fc.oneof(
    fc.constantFrom('shop', 'nobody', 'solana', '1', 1, DIGEST, '../x', '__proto__', null),
    fc.string(),
    fc.integer(),
  )
  const names = ['walletID', 'wallet_id', 'chainType', 'threshold', 'totalParties', 'messageHash']
  const body = fc.dictionary(fc.constantFrom(...names, 'signers', 'tx_id'), word)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('/keygen', '/sign'), body, async (path, sent) => {
      const { status, body: answer } = await ask(path, sent)
      assert.ok(status < 500, JSON.stringify([path, sent, answer]))
    }),
    { numRuns: 200 },
  )
  await fc.assert(
    fc.asyncProperty(fc.string(), async (label) => {
      const { status } = await ask(`/pubkey/${encodeURIComponent(label)}`)
      assert.ok(status < 500)
    }),
    { numRuns: 50 },
  )
})

test('a caller without its token is refused; anybody may ask for health', async () => {
  const health = await ask('/health', undefined, { headers: {} })
  assert.deepEqual([health.status, health.body], [200, { status: 'ok', nodes: 3 }])
  for (const headers of [
    { authorization: 'Bearer qgw_wrong' },
    { authorization: `Basic ${token}` },
    { 'x-api-key': '' },
  ]) {
    const { status, body } = await ask('/pubkey/shop', undefined, { headers })
    assert.deepEqual([status, body['code']], [401, 'gateway/unauthenticated'])
  }
  const byKey = await ask('/pubkey/shop', undefined, { headers: { 'x-api-key': token } })
  assert.equal(byKey.status, 200)
})

test('a caller that asks too often is told when to come again', async () => {
  const slow = await startGateway(options({ ratePerSecond: 1, burst: 2 }))
  try {
    const at = slow.address
    const answers = await Promise.all([1, 2, 3].map(() => ask('/pubkey/shop', undefined, { at })))
    assert.deepEqual(
      answers.map(({ status }) => status).sort((a, b) => a - b),
      [200, 200, 429],
    )
    const refused = answers.find(({ status }) => status === 429)!
    assert.deepEqual(
      [refused.headers.get('retry-after'), refused.body['code']],
      ['1', 'gateway/rate-limited'],
    )
  } finally {
    await slow.stop()
  }
})
