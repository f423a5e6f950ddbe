/** A cluster in memory whose wallets sign with ECDSA, at the level for tests. */
import assert from 'node:assert/strict'
import { type AcceptedRecord, acceptChain, decodeSignedRecord } from '@quorate/auth'
import { toHex } from '@quorate/base'
import {
  corrupted,
  type HostileNode,
  type IntentOptions,
  intentOf,
  refreshBody,
  TestCluster,
  type TestNode,
  walletBody,
} from '@quorate/enclave/testing'
import type { Outcome, SignedTransaction } from '#src/channel/outcomes.js'
import type { WalletRow } from '#src/channel/rows.js'
import { verifyEd25519 } from '#src/signer-process/node-crypto.js'
import { decodeWallet } from '#src/wallet-record.js'

export class EcdsaCluster {
  readonly cluster: TestCluster

  private constructor(cluster: TestCluster) {
    this.cluster = cluster
  }
  static async start(pools?: TestCluster['pools']): Promise<EcdsaCluster> {
    return new EcdsaCluster(await TestCluster.start(3, pools))
  }

  get nodes(): readonly [TestNode, TestNode, TestNode] {
    return this.cluster.nodes as unknown as [TestNode, TestNode, TestNode]
  }
  get record(): AcceptedRecord {
    return acceptChain(this.cluster.chain.map(decodeSignedRecord), { verify: verifyEd25519 })
  }

  /** As `corrupted`, before there is any wallet. */
  corrupt(): Promise<HostileNode> {
    return corrupted(this.cluster)
  }

  async restart(node: TestNode): Promise<void> {
    this.cluster.time.advance(1)
    await this.cluster.restart(node)
    await this.cluster.settle()
  }

  async createWallet(o: { at?: TestNode; threshold?: number } = {}): Promise<WalletRow> {
    const { cluster } = this
    const { operator } = cluster.clients
    const { at = this.nodes[0], threshold = 2 } = o
    const body = walletBody(cluster, operator, 'ethereum-sepolia', { threshold })
    return this.#wallet(await cluster.submit(at, await cluster.request(operator, body)))
  }

  async refresh(row: WalletRow, at: TestNode = this.nodes[0]): Promise<WalletRow> {
    const { cluster } = this
    const { operator } = cluster.clients
    const request = await cluster.request(operator, refreshBody(cluster, operator, row))
    return this.#wallet(await cluster.submit(at, request))
  }

  async #wallet(outcome: Outcome): Promise<WalletRow> {
    assert.ok(outcome.kind === 'wallet')
    await this.cluster.settle()
    return outcome.value
  }

  async sign(
    row: WalletRow,
    options: IntentOptions,
    at: TestNode = this.nodes[0],
  ): Promise<SignedTransaction> {
    const { cluster } = this
    const { signer } = cluster.clients
    const request = await cluster.request(signer, intentOf(cluster, signer, row, options))
    const outcome = await cluster.submit(at, request)
    assert.ok(outcome.kind === 'transaction')
    return outcome.value
  }
}

export const keyOf = ({ public: encoded }: WalletRow) => decodeWallet(encoded).key
/** Hex of the digest of the auxiliary information that the wallet signs with. */
export const auxOf = (row: WalletRow): string => toHex(keyOf(row).aux!)
