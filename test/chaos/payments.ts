/** Payments out of a wallet with a limit, by clients of processes, and what signers gave their shares for. */
import type { TestContext } from 'node:test'
import type { RequestBody, WalletJson } from '@quorate/api'
import { fromHex } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import type { ProcessCluster } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { FEE, limitedTo, UNIT } from './limited.ts'
import { Chance } from './random.ts'
import { hashOf, type ReadMesh, readMesh } from './read-mesh.ts'
import type { Witness } from './witness.ts'

/** Of all payments within an hour. */
export const LIMIT = 6n * UNIT

/** Long enough to be asked for again when a node that died is back. */
const LIFETIME_MS = 240_000

export class Payments {
  readonly cluster: ProcessCluster
  readonly witness: Witness
  readonly wallet: WalletJson
  readonly #amounts = new Map<string, bigint>()

  private constructor(cluster: ProcessCluster, witness: Witness, wallet: WalletJson) {
    this.cluster = cluster
    this.witness = witness
    this.wallet = wallet
  }

  static async open(t: TestContext, size: number): Promise<Payments> {
    const mesh = await readMesh(t, size, new Chance(5))
    await Promise.all(mesh.cluster.nodes.map((node) => mesh.cluster.launch(node)))
    await mesh.cluster.untilConnected()
    return Payments.on(mesh, LIMIT)
  }

  /** Out of a new wallet of a cluster that runs. */
  static async on(
    { cluster, witness }: Omit<ReadMesh, 'proxy'>,
    limit: bigint,
    approveAbove?: bigint,
  ): Promise<Payments> {
    const policy = limitedTo(limit, approveAbove)
    const wallet = await cluster.createWallet('solana-devnet', cluster.nodes[0], policy)
    return new Payments(cluster, witness, wallet)
  }

  node(index: number): ProcessNode {
    return this.cluster.nodes[index - 1]!
  }

  /** A request to pay so many units with the fee. */
  order(units = 1n): RequestBody {
    const amount = units * UNIT
    const unsigned = solanaTransfer(fromHex(this.wallet.groupKey), amount - FEE)
    const body = this.cluster.signBody(this.wallet, unsigned, LIFETIME_MS)
    this.#amounts.set(hashOf(this.cluster, body), amount)
    return body
  }

  /** @throws the fault that the client gets */
  async pay(at: number, units = 1n): Promise<void> {
    await this.cluster.client(this.node(at)).carryOut('signTransaction', this.order(units))
  }

  /** What sessions that all their signers gave their shares for took from the wallet. */
  get taken(): bigint {
    return [...this.#amounts].reduce(
      (sum, [request, amount]) => sum + amount * BigInt(this.witness.completed(request)),
      0n,
    )
  }
}
