/** Payments out of a wallet with a limit, by clients of processes, and what signers gave their shares for. */
import type { TestContext } from 'node:test'
import { type RequestBody, requestHash, signRequest, type WalletJson } from '@quorate/api'
import { fromHex, toHex } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import type { ProcessCluster, ProcessNode } from '../support/process-cluster.ts'
import { FEE, limitedTo, UNIT } from './limited.ts'
import { Chance } from './random.ts'
import { readMesh } from './read-mesh.ts'
import type { Witness } from './witness.ts'

/** Of all payments within an hour. */
export const LIMIT = 6n * UNIT

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
    const { cluster, witness } = await readMesh(t, size, new Chance(5))
    await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
    await cluster.untilConnected()
    const body = cluster.walletBody('solana-devnet')
    if (body.kind !== 'createWallet') throw new Error('no wallet request')
    const limited: RequestBody = { ...body, value: { ...body.value, policy: limitedTo(LIMIT) } }
    const { result } = await cluster.client(cluster.nodes[0]!).carryOut('createWallet', limited)
    if (result?.kind !== 'createWallet') throw new Error('no wallet')
    return new Payments(cluster, witness, result.wallet)
  }

  node(index: number): ProcessNode {
    return this.cluster.nodes[index - 1]!
  }

  /** Pays so many units with the fee. @throws the fault that the client gets */
  async pay(at: number, units = 1n): Promise<void> {
    const { cluster, wallet } = this
    const amount = units * UNIT
    const unsigned = solanaTransfer(fromHex(wallet.groupKey), amount - FEE)
    const body = cluster.signBody(wallet, unsigned)
    const { signer, client } = cluster.keys.signer
    const signed = await signRequest(signer, cluster.cluster, client, body)
    this.#amounts.set(toHex(requestHash(signed)), amount)
    await cluster.client(this.node(at)).carryOut('signTransaction', body)
  }

  /** What sessions that all their signers gave their shares for took from the wallet. */
  get taken(): bigint {
    const shares = new Map<string, number>()
    for (const { sid } of this.witness.released) shares.set(sid, (shares.get(sid) ?? 0) + 1)
    return [...shares].reduce((sum, [sid, count]) => {
      const manifest = this.witness.manifestOf(sid)!
      const amount = this.#amounts.get(toHex(manifest.request)) ?? 0n
      return count < manifest.signers.length ? sum : sum + amount
    }, 0n)
  }
}
