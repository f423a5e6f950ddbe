/**
 * Clients that ask for one signature after another, and check every answer as a careful caller does:
 * the finished transaction against the wallet's key, and a receipt of each signer for exactly it.
 */
import type { WalletJson } from '@quorate/api'
import { requestHash } from '@quorate/api'
import { encodeCbor, equalBytes, fromHex, TAGS, taggedHash } from '@quorate/base'
import { findAdapter, type KeyRef } from '@quorate/chains'
import { readReceipt } from '@quorate/enclave'
import type { SignAnswer } from '@quorate/sdk'
import type { BenchCluster } from './nodes.ts'

export type Load = {
  readonly cluster: BenchCluster
  readonly wallet: WalletJson
  /** The unsigned transaction of that number. */
  readonly make: (n: number) => Uint8Array
  /** Requests under way at one time, over all nodes. */
  readonly clients: number
  readonly forMs: number
  /** Ends after so many requests, if that is earlier. */
  readonly most?: number
  /** Hears of each signature, with its latency in milliseconds. */
  done?(latencyMs: number): void
}

export type Measured = {
  /** Milliseconds from asking to the checked answer, one for each signature. */
  readonly latencies: readonly number[]
  readonly failures: ReadonlyMap<string, number>
  readonly elapsedMs: number
}

/** Runs the clients for their time and waits until each has its last answer. */
export async function runLoad(load: Load): Promise<Measured> {
  const { cluster, wallet, make, clients, forMs, most = Number.POSITIVE_INFINITY } = load
  const latencies: number[] = []
  const failures = new Map<string, number>()
  const check = checkerOf(cluster, wallet)
  const begun = performance.now()
  let n = 0
  const one = async (i: number): Promise<void> => {
    const client = cluster.client(i % cluster.nodes.length)
    while (performance.now() - begun < forMs && n < most) {
      const unsigned = make(n++)
      const asked = performance.now()
      try {
        const answer = await client.sign(wallet, {
          network: wallet.network,
          unsigned,
          context: new Uint8Array(),
          path: [],
        })
        check(answer, unsigned)
        const latencyMs = performance.now() - asked
        latencies.push(latencyMs)
        load.done?.(latencyMs)
      } catch (error) {
        const code = String((error as { code?: string }).code ?? error)
        failures.set(code, (failures.get(code) ?? 0) + 1)
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, i) => one(i)))
  return { latencies, failures, elapsedMs: performance.now() - begun }
}

/** Throws for an answer that does not hold. */
function checkerOf(
  { record }: BenchCluster,
  wallet: WalletJson,
): (answer: SignAnswer, unsigned: Uint8Array) => void {
  const { cluster } = record
  const adapter = findAdapter(wallet.network, wallet.suite)
  const key: KeyRef = { scheme: adapter.scheme, publicKey: fromHex(wallet.groupKey) }
  const context = new Uint8Array()
  return ({ result, body, client }, unsigned) => {
    const tx = adapter.parse({ unsigned, context, key })
    const items = tx.prepare()
    const signatures = result.signatures.map(({ signature }) => fromHex(signature))
    // Verifies every one of them.
    tx.attach(new Map(items.map(({ id }, i) => [id, signatures[i]!])))
    const signed = taggedHash(
      TAGS.signatures,
      encodeCbor(items.map(({ publicKey, message }, i) => [publicKey, message, signatures[i]!])),
    )
    const hash = requestHash({ v: 1, cluster, client, body })
    const nodes = new Set<number>()
    for (const encoded of result.receipts) {
      const { receipt } = readReceipt(fromHex(encoded), record)
      if (equalBytes(receipt.requestHash, hash) && equalBytes(receipt.result, signed))
        nodes.add(receipt.node)
    }
    if (nodes.size < wallet.threshold) throw new Error('a receipt is missing')
  }
}
