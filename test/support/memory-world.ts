/** The world in one process: signers on a bus in memory, with a clock that the test moves. */
import { cpSync, rmSync } from 'node:fs'
import { encodeRequest, type RequestBody, signRequest } from '@quorate/api'
import { decodeWallet, type WalletRow } from '@quorate/enclave'
import {
  corrupted,
  solanaIntent,
  TestCluster,
  type TestNode,
  walletBody,
} from '@quorate/enclave/testing'
import type { Honest, TestWallet, World } from './world.ts'

const MAX_TURNS = 100

export type MemoryWorld = World & {
  readonly cluster: TestCluster
  /** All rows that the node has on disk, whole or not. */
  rows(node: Honest): readonly WalletRow[]
}

/** Starts three nodes, then puts another node 3 in place of the third. */
export async function memoryWorld(): Promise<MemoryWorld> {
  const cluster = await TestCluster.start(3)
  const { operator, signer } = cluster.clients
  const honest = (node: Honest): TestNode => cluster.nodes[node - 1]!
  const hostile = await corrupted(cluster)

  const request = (body: RequestBody) => {
    const { id, key } = body.kind === 'sign' ? signer : operator
    return signRequest(key, cluster.clusterId, id, body)
  }
  const submit = async (body: RequestBody, at: Honest) =>
    cluster.submit(honest(at), encodeRequest(await request(body)))
  const rows = (node: Honest): WalletRow[] => [...honest(node).disk.rows.values()]
  const rowOf = ({ wallet }: TestWallet): WalletRow => rows(1).find((row) => row.wallet === wallet)!
  let lamports = 1n
  const body = (threshold = 2): RequestBody =>
    walletBody(cluster, operator, 'solana-devnet', { threshold })
  const signBody = (wallet: TestWallet): RequestBody =>
    solanaIntent(cluster, signer, rowOf(wallet), lamports++)

  return {
    hostile,
    cluster,
    rows,
    request,
    signBody,
    walletBody: body,
    async createWallet({ threshold, at = 1 } = {}) {
      const outcome = await submit(body(threshold), at)
      if (outcome.kind !== 'wallet') throw new Error('no wallet')
      await cluster.settle()
      const { key, policyHash } = decodeWallet(outcome.value.public)
      return { wallet: key.wallet, generation: key.generation, policyHash, groupKey: key.groupKey }
    },
    async sign(wallet, { at = 1 } = {}) {
      const outcome = await submit(signBody(wallet), at)
      if (outcome.kind !== 'transaction') throw new Error('no transaction')
      return outcome.value
    },
    verdicts: (node) =>
      honest(node).log.flatMap(({ event, fields }) =>
        event === 'session.failed'
          ? [{ code: String(fields['code']), culprits: numbersIn(fields['culprits']) }]
          : [],
      ),
    refusals: (node) =>
      honest(node).log.flatMap(({ event, fields }) =>
        event.endsWith('.refused') ? [String(fields['code'])] : [],
      ),
    warnings: (node) =>
      honest(node).log.flatMap(({ level, event, fields }) =>
        level === 'info' || level === 'debug' ? [] : [`${event} ${JSON.stringify(fields)}`],
      ),
    forget() {
      for (const { log } of cluster.nodes) log.length = 0
    },
    wallets: (node) =>
      Promise.resolve(
        rows(node).flatMap(({ wallet, state }) => (state === 'active' ? [wallet] : [])),
      ),
    async eventually(is) {
      for (let turn = 0; turn < MAX_TURNS; turn++) {
        await cluster.settle()
        if (await is()) return
        cluster.time.advance(1_000)
      }
      throw new Error('it did not come to that')
    },
    snapshot(index) {
      const node = honest(index)
      const copy = structuredClone(node.disk)
      const hsm = `${node.directory}-copy`
      cpSync(node.directory, hsm, { recursive: true })
      return {
        async restore() {
          cluster.kill(node)
          rmSync(node.directory, { recursive: true })
          cpSync(hsm, node.directory, { recursive: true })
          Object.assign(node.disk, copy)
          cluster.time.advance(1)
          await cluster.restart(node)
          node.signer.peer({ record: hostile.record })
          hostile.meet(node.epoch)
          await cluster.settle()
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await hostile.close()
      cluster.close()
    },
  }
}

const numbersIn = (list: unknown): number[] =>
  list === '' ? [] : String(list).split(',').map(Number)
