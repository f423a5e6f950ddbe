/**
 * A cluster of processes under load while faults come and go: clients keep asking for signatures at
 * every node, and afterwards the stores, audit chains and receipts of all nodes are read and compared.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AuditRecord,
  decodeAuditRecord,
  decodeCheckpoint,
  type RequestBody,
  type SignResult,
  verifyAudit,
  type WalletJson,
} from '@quorate/api'
import { type AcceptedRecord, acceptChain, decodeSignedRecord } from '@quorate/auth'
import { fromHex, isFault, toHex } from '@quorate/base'
import { decodeWallet, readReceipt, verifyEd25519 } from '@quorate/enclave'
import { sepoliaTransfer, solanaTransfer } from '@quorate/enclave/testing'
import { MIGRATIONS, Store } from '@quorate/node/testing'
import { openSql, systemClock, systemRandom } from '@quorate/platform'
import type { ProcessCluster } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'
import type { Chance } from './random.ts'

type Signed = { readonly request: string; readonly result: SignResult }

export type ProcessReport = {
  readonly signed: number
  readonly failed: Readonly<Record<string, number>>
  readonly records: number
  readonly shares: number
}

export class ProcessLoad {
  readonly cluster: ProcessCluster
  readonly wallets: readonly WalletJson[]
  readonly signed: Signed[] = []
  readonly failed: Record<string, number> = {}
  readonly #chance: Chance
  #amount = 1n
  #isOver = false
  #loops: Promise<void>[] = []

  constructor(cluster: ProcessCluster, wallets: readonly WalletJson[], chance: Chance) {
    this.cluster = cluster
    this.wallets = wallets
    this.#chance = chance
  }

  /** Starts clients that ask for one signature after the other, each time at some node. */
  begin(clients = 3): void {
    this.#loops = Array.from({ length: clients }, async () => {
      while (!this.#isOver) {
        await this.signOnce().catch(() => undefined)
        await sleep(20)
      }
    })
  }

  /** One signature at a node that runs. @throws the fault that the client got */
  async signOnce(at?: ProcessNode): Promise<SignResult> {
    const up = this.cluster.nodes.filter(({ child }) => child !== undefined)
    const node = at ?? this.#chance.pick(up)
    const wallet = this.#chance.pick(this.wallets)
    const amount = this.#amount++
    const unsigned =
      wallet.network === 'solana-devnet'
        ? solanaTransfer(fromHex(wallet.groupKey), amount)
        : sepoliaTransfer(amount)
    return this.ask(this.cluster.signBody(wallet, unsigned), node)
  }

  /** What comes of this request at that node. @throws the fault that the client got */
  async ask(body: RequestBody, node: ProcessNode): Promise<SignResult> {
    try {
      const { result } = await this.cluster.askAnew('signTransaction', body, node)
      if (result?.kind !== 'sign') throw new Error('no signature')
      this.signed.push({ request: body.value.requestId, result })
      return result
    } catch (error) {
      const code = isFault(error) ? error.code : String(error)
      this.failed[code] = (this.failed[code] ?? 0) + 1
      throw error
    }
  }

  /** How long it takes from now until a signature comes out, in milliseconds. */
  async untilSigned(): Promise<number> {
    const begin = performance.now()
    const before = this.signed.length
    await until(async () => {
      await Promise.race([this.signOnce(), sleep(5_000)])
      return this.signed.length > before
    })
    return performance.now() - begin
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
  }
}

type NodeState = {
  readonly index: number
  readonly records: readonly AuditRecord[]
  readonly wallets: readonly string[]
  readonly evidence: number
}

/** What a node that does not run has on disk; its audit chain is verified on the way. */
async function readNode(node: ProcessNode, cluster: AcceptedRecord): Promise<NodeState> {
  const { index, directory } = node
  const sql = await openSql({
    path: join(directory, 'node.db'),
    migrations: MIGRATIONS,
    clock: systemClock,
    random: systemRandom,
  })
  try {
    const store = new Store(sql)
    const rows = await store.audit(0, 1_000_000)
    const { identityKey } = cluster.record.nodes[index - 1]!
    const report = await verifyAudit({
      records: rows.map(({ record, h }) => ({ bytes: record, h })),
      checkpoints: (await store.checkpoints(0, 1_000_000)).map(decodeCheckpoint),
      resolveKey: () => identityKey,
      verify: verifyEd25519,
    })
    assert.ok(report.isOk, `audit of node ${index}: ${JSON.stringify(report.problems)}`)
    const evidence = join(directory, 'evidence')
    return {
      index,
      records: rows.map(({ record }) => decodeAuditRecord(record)),
      wallets: (await store.wallets())
        .map(({ state, public: record }) => {
          const { key } = decodeWallet(record)
          return `${key.wallet}/${key.generation}/${state}/${toHex(key.groupKey)}`
        })
        .sort(),
      evidence: existsSync(evidence) ? readdirSync(evidence).length : 0,
    }
  } finally {
    await sql.close()
  }
}

export type Expected = {
  /** Nodes that broke the protocol on purpose; nobody else may be named. */
  readonly hostile?: readonly number[]
  /** Nodes whose disk was put back, so that records of theirs are missing. */
  readonly rolledBack?: readonly number[]
  /** Those that are compared; all unless told. */
  readonly honest?: readonly number[]
}

/**
 * Ends all nodes and checks what they have on disk: audit chains, a decision of every signer behind
 * each result, nobody blamed, wallets whole or nowhere, one result for each request.
 */
export async function assertSound(
  load: ProcessLoad,
  expected: Expected = {},
): Promise<ProcessReport> {
  const { cluster } = load
  const { hostile = [], rolledBack = [] } = expected
  await Promise.all(cluster.nodes.map((node) => cluster.stop(node)))
  const accepted = acceptChain(cluster.chain.map(decodeSignedRecord), { verify: verifyEd25519 })
  const honest = cluster.nodes.filter(
    ({ index }) => expected.honest?.includes(index) ?? !hostile.includes(index),
  )
  const states = await Promise.all(honest.map((node) => readNode(node, accepted)))

  for (const { index, records, evidence, wallets } of states) {
    const named = records.flatMap(({ fields }) =>
      fields.flatMap(({ name, value }) => (name === 'culprits' ? String(value).split(',') : [])),
    )
    for (const culprit of named)
      assert.ok(hostile.includes(Number(culprit)), `node ${index} blames node ${culprit}`)
    if (hostile.length === 0) assert.equal(evidence, 0, `node ${index} holds evidence`)
    assert.deepEqual(wallets, states[0]!.wallets, `wallets of nodes 1 and ${index}`)
    for (const wallet of wallets) assert.match(wallet, /\/active\//)
  }

  let shares = 0
  const results = new Map<string, string>()
  for (const { request, result } of load.signed) {
    const first = results.get(request) ?? result.signed
    results.set(request, first)
    assert.equal(result.signed, first, `request ${request} came to two results`)
    const { sid } = readReceipt(fromHex(result.receipts[0]!), accepted).receipt
    for (const signer of result.signers) {
      const state = states.find(({ index }) => index === signer)
      if (state === undefined || rolledBack.includes(signer)) continue
      const decided = state.records.some(
        (record) =>
          record.sessionId !== undefined &&
          toHex(record.sessionId) === toHex(sid) &&
          record.action === 'tx.sign' &&
          record.decision === 'allow',
      )
      assert.ok(decided, `node ${signer} signed ${request} without a decision on record`)
      shares++
    }
  }
  return {
    signed: load.signed.length,
    failed: load.failed,
    records: states.reduce((sum, { records }) => sum + records.length, 0),
    shares,
  }
}
