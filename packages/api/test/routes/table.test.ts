import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  auditRecordToJson,
  type ClusterJson,
  type ExplainBody,
  type ExplanationJson,
  MAX_REQUEST_BYTES,
  type OperationJson,
  pathOf,
  ROUTES,
  type Route,
  type StatusJson,
  toProblem,
  viewToJson,
  type WaitingJson,
  type WalletJson,
  type WalletPolicyJson,
} from '@quorate/api'
import { Fault, toHex } from '@quorate/base'
import { Value } from '@sinclair/typebox/value'
import { auditEntry, fill, id } from '../sample.ts'

const hex = (length: number): string => toHex(fill(length, 0xab))
const TIME = '2026-01-01T00:00:00.000Z'

const wallet: WalletJson = {
  id: id('wal', 1),
  project: id('prj', 1),
  label: 'treasury',
  protocol: 'frost',
  suite: 'FROST-ED25519-SHA512-v1',
  scheme: 'ed25519',
  network: 'solana-devnet',
  caip2: 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1',
  threshold: 2,
  corruptionBound: 1,
  parties: 3,
  unsafeThreshold: false,
  blind: false,
  generation: 1,
  groupKey: hex(32),
  publicKey: hex(32),
  address: 'So11111111111111111111111111111111111111112',
  addresses: { 'solana-devnet': 'So11111111111111111111111111111111111111112' },
  chainCode: hex(32),
  policyHash: hex(32),
  environment: 'development',
  createdAt: TIME,
}

const operation: OperationJson = {
  id: id('op', 1),
  kind: 'sign',
  state: 'done',
  project: id('prj', 1),
  requestId: id('req', 1),
  wallet: id('wal', 1),
  progress: { phase: 'sign', round: 2, of: 2 },
  problem: toProblem(new Fault('base/malformed', { detail: 'x' }), 'r1'),
  result: {
    kind: 'sign',
    wallet: id('wal', 1),
    network: 'solana-devnet',
    txid: 'x',
    unsigned: hex(5),
    signed: hex(5),
    signatures: [{ message: hex(9), signature: hex(64), publicKey: hex(32) }],
    signers: [1, 3],
    attempts: 1,
    receipts: [hex(300)],
  },
  createdAt: TIME,
  updatedAt: TIME,
}

const waiting: WaitingJson = {
  intent: hex(32),
  policyHash: hex(32),
  approvals: [{ group: 'treasurers', need: 2, given: 1 }],
  notBefore: TIME,
  expiresAt: TIME,
}

const waitingOperation: OperationJson = {
  id: id('op', 2),
  kind: 'changePolicy',
  state: 'waiting',
  project: id('prj', 1),
  requestId: id('req', 2),
  waiting,
  createdAt: TIME,
  updatedAt: TIME,
}

const status: StatusJson = {
  node: { id: id('nod', 1), index: 1, startedAt: TIME, bootId: hex(16), apiCertificate: hex(32) },
  cluster: { id: hex(32), name: 'dev', number: 1, size: 3 },
  environment: 'development',
  peers: [
    { index: 2, id: id('nod', 2), state: 'connected' },
    { index: 3, id: id('nod', 3), state: 'silent' },
  ],
  wallets: 1,
  pendingWallets: 0,
  runningOperations: 0,
  custody: { kind: 'simulated', level: 'software' },
  audit: { seq: 7, h: hex(32), checkpointSeq: 5, rollbackDetectable: false },
  versions: { product: '0.1.0', runtime: 'v20.20.2', protocol: 1 },
  backends: { ed25519: 'noble' },
}

const cluster: ClusterJson = {
  id: hex(32),
  name: 'dev',
  number: 1,
  environment: 'development',
  adminThreshold: 1,
  minProtocol: 1,
  words: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
  nodes: [{ index: 1, id: id('nod', 1), identityKey: hex(32), minCustody: 'simulated' }],
}

const explanation: ExplanationJson = {
  view: viewToJson({
    network: 'bitcoin-testnet4',
    caip2: 'bip122:00000000da84f2bafbbc53dee25a72ae',
    kind: 'transfer',
    from: ['tb1p'],
    outputs: [{ to: 'tb1q', asset: 'BTC', amount: 2n ** 60n, isChange: false, isClaimed: false }],
    fee: { asset: 'BTC', amount: 5n, isClaimed: false },
    isComplete: true,
    notes: ['spends 2 coins'],
    warnings: ['w'],
  }),
  lines: ['spends 2 coins'],
  decision: 'allow',
  rule: 'testnet',
  reasons: [{ rule: 'testnet', matched: true, because: 'It is allowed.' }],
}

const policy: WalletPolicyJson = {
  wallet: id('wal', 1),
  template: 'allow-list',
  policyHash: hex(32),
  policy: {
    v: 1,
    rules: [
      {
        id: 'all',
        action: 'allow',
        allowsIncomplete: true,
        when: {
          networks: ['bitcoin'],
          isTestnet: false,
          kinds: ['transfer'],
          wallets: [id('wal', 1)],
          initiators: [id('cli', 1)],
          onlyRecipients: ['a'],
          anyRecipient: ['a'],
          maxAmount: { BTC: '1' },
          amountAbove: { BTC: '1' },
          maxFee: { BTC: '1' },
          feeAbove: { BTC: '1' },
          notBefore: TIME,
          notAfter: TIME,
        },
      },
    ],
  },
}

const record = auditRecordToJson({ v: 1, seq: 1, ...auditEntry(1) })
const page = (item: unknown): unknown => ({ items: [item], nextCursor: null })

const ANSWERS: { readonly [Id in keyof typeof ROUTES]: unknown } = {
  getHealth: { status: 'ok' },
  getStatus: status,
  getCluster: cluster,
  listWallets: page(wallet),
  getWallet: wallet,
  createWallet: {
    ...operation,
    result: { kind: 'createWallet', wallet, record: hex(99), receipts: [hex(9)] },
  },
  refreshWallet: {
    ...operation,
    result: {
      kind: 'refresh',
      wallet: wallet.id,
      generation: 2,
      record: hex(99),
      receipts: [hex(9)],
    },
  },
  signTransaction: operation,
  explainTransaction: explanation,
  getOperation: operation,
  watchOperation: operation,
  watchProject: waitingOperation,
  getPolicy: policy,
  listAudit: page({ bytes: hex(99), h: hex(32), record }),
  listCheckpoints: page({ bytes: hex(99), seq: 1, time: TIME }),
  getOpenApi: { openapi: '3.1.0' },
  listRequests: page({
    operation: id('op', 1),
    client: id('cli', 1),
    request: hex(99),
    createdAt: TIME,
    state: 'done',
  }),
  changePolicy: {
    ...operation,
    kind: 'changePolicy',
    result: { kind: 'changePolicy', wallet: wallet.id, version: 2, policyHash: hex(32) },
  },
  listApprovals: page({
    hash: hex(32),
    kind: 'sign',
    wallet: wallet.id,
    client: id('cli', 1),
    request: hex(99),
    lines: ['pays 1 SOL'],
    waiting,
    since: TIME,
  }),
  giveApproval: { request: hex(32) },
  makeBackup: { number: 7, digest: hex(32), at: TIME, place: '/mnt/backups' },
}
const routes = Object.entries(ROUTES) as readonly [keyof typeof ROUTES, Route][]

test('every answer fits its schema, which knows all of its fields', () => {
  for (const [id, { answer }] of routes) {
    const sample = ANSWERS[id]
    assert.deepEqual(
      [...Value.Errors(answer, sample)].map(({ path }) => path),
      [],
      id,
    )
    // Clean drops what the schema does not name.
    assert.deepEqual(Value.Clean(answer, structuredClone(sample)), sample, id)
  }
})

test('whatever costs something is a POST that needs a key, a body and a permission', () => {
  for (const [id, route] of routes) {
    const isCostly = ['createWallet', 'refreshWallet', 'signTransaction', 'changePolicy'].includes(
      id,
    )
    assert.equal(route.needsIdempotencyKey, isCostly, id)
    assert.equal(route.status, isCostly ? 202 : 200, id)
    assert.equal(route.method === 'POST', route.body !== undefined, id)
    assert.equal(route.permission === undefined, id === 'getHealth', id)
  }
})

test('no two routes answer to one call, and paths name exactly their parameters', () => {
  const calls = routes.map(([, { method, path }]) => `${method} ${path}`)
  assert.equal(new Set(calls).size, calls.length)
  for (const [id, { path, params }] of routes) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const known: unknown = params?.['properties']
    assert.deepEqual(named, Object.keys(known ?? {}), id)
  }
})

test('paths are filled in and escaped', () => {
  assert.equal(pathOf('getStatus'), '/api/v1/status')
  assert.equal(pathOf('getWallet', { id: wallet.id }), `/api/v1/wallets/${wallet.id}`)
  assert.equal(pathOf('getWallet', { id: '../status?x' }), '/api/v1/wallets/..%2Fstatus%3Fx')
  assert.throws(() => pathOf('getWallet'))
})

test('inputs: bad ids, odd keys, limits out of range and upper-case hex are refused', () => {
  const body = ROUTES.createWallet.body!
  assert.ok(Value.Check(body, { request: 'a'.repeat(2 * MAX_REQUEST_BYTES) }))
  assert.ok(!Value.Check(body, { request: 'a'.repeat(2 * MAX_REQUEST_BYTES + 2) }))
  assert.ok(!Value.Check(body, { request: 'AB' }))
  assert.ok(!Value.Check(body, { request: 'ab', more: 1 }))
  assert.ok(!Value.Check(ROUTES.getWallet.params!, { id: id('op', 1) }))
  assert.ok(!Value.Check(ROUTES.getWallet.params!, { id: `${wallet.id}\n` }))
  for (const limit of [0, 501, 1.5]) assert.ok(!Value.Check(ROUTES.listWallets.query!, { limit }))
  const explain: ExplainBody = {
    wallet: wallet.id,
    network: 'bitcoin',
    unsigned: 'ab',
    context: '',
  }
  assert.ok(Value.Check(ROUTES.explainTransaction.body!, explain))
  assert.ok(!Value.Check(ROUTES.explainTransaction.body!, { ...explain, unsigned: '' }))
  assert.ok(Value.Check(ROUTES.explainTransaction.body!, { ...explain, path: [0, 2 ** 31 - 1] }))
  for (const path of [[-1], [2 ** 31], [0.5], Array(11).fill(0)])
    assert.ok(!Value.Check(ROUTES.explainTransaction.body!, { ...explain, path }))
  for (const protocol of ['frost', 'cggmp24', 'cggmp21'])
    assert.ok(Value.Check(ROUTES.listWallets.query!, { protocol }))
  for (const protocol of ['gg20', '', 'FROST'])
    assert.ok(!Value.Check(ROUTES.listWallets.query!, { protocol }))
})

test('a wallet is shown with the exact name of its protocol, never with an alias', () => {
  assert.ok(Value.Check(ROUTES.getWallet.answer, { ...wallet, protocol: 'cggmp24' }))
  assert.ok(!Value.Check(ROUTES.getWallet.answer, { ...wallet, protocol: 'cggmp21' }))
})

test('a view keeps amounts of any size', () => {
  assert.equal(explanation.view.outputs[0]!.amount, '1152921504606846976')
  assert.equal(viewToJson({ ...JSON_VIEW, fee: undefined }).fee, null)
})

const JSON_VIEW = {
  network: 'n',
  caip2: 'c',
  kind: 'opaque',
  from: [],
  outputs: [],
  isComplete: false,
  notes: [],
  warnings: [],
} as const
