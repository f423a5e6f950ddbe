import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import {
  decodeRequest,
  encodeRequest,
  type RequestBody,
  requestHash,
  signRequest,
} from '@quorate/api'
import { isFault, toHex } from '@quorate/base'
import { solanaIntent, TestCluster, type TestNode, walletBody } from '@quorate/enclave/testing'
import type { Outcome } from '#src/channel/outcomes.js'
import type { WalletRow } from '#src/channel/rows.js'
import { signed } from './treasury.ts'

let cluster: TestCluster
let row: WalletRow
beforeEach(async () => {
  cluster = await TestCluster.start(3)
  const { operator } = cluster.clients
  const request = await cluster.request(operator, walletBody(cluster, operator, 'solana-devnet'))
  const outcome = await cluster.submit(cluster.nodes[0]!, request)
  if (outcome.kind !== 'wallet') throw new Error('no wallet')
  row = outcome.value
  await cluster.settle()
})
afterEach(() => cluster.close())

const intent = (lamports: bigint): RequestBody =>
  solanaIntent(cluster, cluster.clients.signer, row, lamports)
const requestOf = (body: RequestBody): Promise<Uint8Array> =>
  cluster.request(cluster.clients.signer, body)

/** Submits at these nodes at once, and delivers until all have answered. */
async function atOnce(
  nodes: readonly TestNode[],
  request: Uint8Array,
): Promise<readonly PromiseSettledResult<Outcome>[]> {
  let isOver = false
  const all = Promise.allSettled(nodes.map(({ signer }) => signer.submit({ request }))).finally(
    () => {
      isOver = true
    },
  )
  for (let turn = 0; turn < 100 && !isOver; turn++) {
    await cluster.settle()
    if (!isOver) cluster.time.advance(500)
  }
  return all
}

const outcomes = (results: readonly PromiseSettledResult<Outcome>[]) =>
  results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return signed(result.value)
  })

/** How many nodes' signing sessions ended with a signature. */
const signings = (): number =>
  cluster.nodes
    .flatMap(({ disk }) => disk.audit)
    .filter(({ action, outcome }) => action === 'tx.sign' && outcome === 'done').length

test('the same request asked at all nodes at once is signed once, and all give the same answer', async () => {
  for (let n = 0; n < 4; n++) {
    const before = signings()
    const answers = outcomes(await atOnce(cluster.nodes, await requestOf(intent(BigInt(n + 1)))))
    assert.equal(new Set(answers.map((each) => toHex(each.signed))).size, 1)
    assert.equal(signings() - before, 2)
    for (const { receipts } of answers) assert.equal(receipts.length, 2)
  }
})

test('a request that is done is answered by every node with the same signatures, before and after a restart', async () => {
  const request = await requestOf(intent(1n))
  const first = signed(await cluster.submit(cluster.nodes[0]!, request))
  const before = signings()
  const askAll = async (): Promise<void> => {
    for (const node of cluster.nodes) {
      const again = signed(await cluster.submit(node, request))
      assert.equal(toHex(again.signed), toHex(first.signed))
      assert.deepEqual(again.signers, first.signers)
    }
  }
  await askAll()
  for (const node of cluster.nodes) {
    cluster.kill(node)
    cluster.time.advance(1)
    await cluster.restart(node)
  }
  await askAll()
  assert.equal(signings(), before)
})

test('another request under the same id is refused by every node that signed, also after a restart', async () => {
  const body = intent(1n)
  await cluster.submit(cluster.nodes[0]!, await requestOf(body))
  const other = intent(2n)
  if (body.kind !== 'sign' || other.kind !== 'sign') throw new Error('no intents')
  const forged = await requestOf({
    kind: 'sign',
    value: { ...other.value, requestId: body.value.requestId },
  })
  const refusedAtAll = async (): Promise<void> => {
    for (const node of cluster.nodes)
      await assert.rejects(
        cluster.submit(node, forged),
        (error) =>
          isFault(error, 'node/idempotency-conflict') ||
          (isFault(error, 'threshold/refused') &&
            isFault(error.cause, 'node/idempotency-conflict')),
      )
  }
  await refusedAtAll()
  for (const node of cluster.nodes) {
    cluster.kill(node)
    cluster.time.advance(1)
    await cluster.restart(node)
  }
  await refusedAtAll()
})

test('another client may use the same request id', async () => {
  const body = intent(1n)
  await cluster.submit(cluster.nodes[0]!, await requestOf(body))
  const { operator } = cluster.clients
  const wallet = walletBody(cluster, operator, 'solana-devnet')
  if (body.kind !== 'sign' || wallet.kind !== 'createWallet') throw new Error('no bodies')
  const value = { ...wallet.value, requestId: body.value.requestId }
  const request = await signRequest(operator.key, cluster.clusterId, operator.id, {
    kind: 'createWallet',
    value,
  })
  const outcome = await cluster.submit(cluster.nodes[0]!, encodeRequest(request))
  assert.equal(outcome.kind, 'wallet')
})

test('a node that leads and falls silent keeps a request for a moment only', async () => {
  const request = await requestOf(intent(1n))
  const [first, second] = cluster.nodes
  // It proposes, and is heard of no more.
  const lost = first!.signer.submit({ request })
  lost.catch(() => undefined)
  await new Promise((resolve) => setImmediate(resolve))
  await cluster.settle()
  cluster.kill(first!)
  signed(await cluster.submit(second!, request))
})

test('a node that says falsely that a request is done delays it, and no more', async () => {
  const body = intent(1n)
  const request = await requestOf(body)
  if (body.kind !== 'sign') throw new Error('no intent')
  const done = await requestOf(intent(2n))
  await cluster.submit(cluster.nodes[2]!, done)
  await cluster.settle()
  const liar = cluster.nodes[2]!
  const [known] = [...liar.disk.requests.values()].filter(({ answer }) => answer !== null)
  const hash = requestHash(decodeRequest(request))
  cluster.kill(liar)
  cluster.time.advance(1)
  liar.disk.requests.set('false', { ...known!, requestId: body.value.requestId, hash })
  await cluster.restart(liar)
  await cluster.settle()
  const { signers } = signed(await cluster.submit(cluster.nodes[0]!, request))
  assert.deepEqual(signers, [1, 2])
})
