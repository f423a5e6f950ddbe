/**
 * Who answers a client is not believed: a result counts with the receipts of the nodes that made it,
 * for exactly this request, so that whoever answers first with something else has won nothing.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CreateWalletResult, RequestBody, SignResult } from '@quorate/api'
import { fromHex, toHex } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { ReceiptReader, readClusterChain, signaturesHash } from '@quorate/sdk'
import { ProcessCluster } from '../support/process-cluster.ts'

type Answered<Result> = { readonly body: RequestBody; readonly result: Result }

let cluster: ProcessCluster
let reader: ReceiptReader
const wallets: Answered<CreateWalletResult>[] = []
const signatures: Answered<SignResult>[] = []
before(async () => {
  cluster = await ProcessCluster.start(3)
  reader = new ReceiptReader(readClusterChain(cluster.chain))
  const client = cluster.client(cluster.nodes[0]!)
  for (let i = 0; i < 2; i++) {
    const body = cluster.walletBody('solana-devnet')
    const { result } = await client.carryOut('createWallet', body)
    assert.ok(result?.kind === 'createWallet')
    wallets.push({ body, result })
  }
  const { wallet } = wallets[0]!.result
  for (let i = 0; i < 2; i++) {
    const unsigned = solanaTransfer(fromHex(wallet.groupKey), 1_000n + BigInt(i))
    const body = cluster.signBody(wallet, unsigned)
    const { result } = await client.carryOut('signTransaction', body)
    assert.ok(result?.kind === 'sign')
    signatures.push({ body, result })
  }
})
after(() => cluster.close())

const checkWallet = (
  { body, result }: Answered<CreateWalletResult>,
  o: { receipts?: readonly string[]; groupKey?: string } = {},
): readonly number[] =>
  reader.check(o.receipts ?? result.receipts, {
    purpose: 'keygen',
    body,
    client: cluster.keys.operator.client,
    wallet: result.wallet.id,
    result: fromHex(o.groupKey ?? result.wallet.groupKey),
    need: 3,
  })

const checkSigned = (
  { body, result }: Answered<SignResult>,
  o: { receipts?: readonly string[]; shown?: SignResult } = {},
): readonly number[] =>
  reader.check(o.receipts ?? result.receipts, {
    purpose: 'sign',
    body,
    client: cluster.keys.signer.client,
    wallet: result.wallet,
    result: signaturesHash(
      (o.shown ?? result).signatures.map(({ publicKey, message, signature }) => ({
        publicKey: fromHex(publicKey),
        message: fromHex(message),
        signature: fromHex(signature),
      })),
    ),
    need: 2,
  })

const isRefused = { code: 'sdk/bad-receipts' }

test('genuine results count', () => {
  for (const wallet of wallets) assert.deepEqual(checkWallet(wallet), [1, 2, 3])
  for (const signed of signatures) assert.equal(checkSigned(signed).length, 2)
})

test('a wallet with the key of whoever answers', () => {
  const [one, other] = wallets as [Answered<CreateWalletResult>, Answered<CreateWalletResult>]
  const groupKey = toHex(new Uint8Array(32).fill(5))
  assert.throws(() => checkWallet(one, { groupKey }), isRefused)
  assert.throws(() => checkWallet(one, { groupKey: other.result.wallet.groupKey }), isRefused)
})

test('receipts that are missing, shown twice, altered, or of another request', () => {
  const [one, other] = wallets as [Answered<CreateWalletResult>, Answered<CreateWalletResult>]
  const [first, second] = one.result.receipts as [string, string, string]
  const altered = `${first.slice(0, -2)}${first.endsWith('00') ? '01' : '00'}`
  for (const receipts of [
    [],
    [first, second],
    [first, first, second],
    [altered, ...one.result.receipts.slice(1)],
    other.result.receipts,
    [first, second, other.result.receipts[2]!],
  ])
    assert.throws(() => checkWallet(one, { receipts }), isRefused)
})

test('signatures of another transaction of the same wallet', () => {
  const [one, other] = signatures as [Answered<SignResult>, Answered<SignResult>]
  assert.throws(() => checkSigned(one, { shown: other.result }), isRefused)
  assert.throws(() => checkSigned(one, { receipts: other.result.receipts }), isRefused)
  assert.throws(
    () => checkSigned(one, { shown: other.result, receipts: other.result.receipts }),
    isRefused,
  )
})
