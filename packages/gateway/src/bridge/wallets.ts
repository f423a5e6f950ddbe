/**
 * Wallets as callers name them. What key belongs to a label is asked of several nodes, which must show
 * the same one, and is then held to for as long as the gateway runs: whoever pays to an address that
 * it gave must not depend on the word of one node.
 */
import { Fault } from '@quorate/base'
import type { QuorateClient, VerifiedWallet } from '@quorate/sdk'

export class LabelledWallets {
  /** One for each node. */
  readonly #nodes: readonly QuorateClient[]
  /** How many nodes must show the same. */
  readonly #need: number
  /** Id and key, by label. */
  readonly #known = new Map<string, { readonly id: string; readonly groupKey: string }>()

  constructor(nodes: readonly QuorateClient[], need: number) {
    this.#nodes = nodes
    this.#need = need
  }

  /** Holds to a wallet that all nodes have confirmed. */
  made({ wallet: { label, id, groupKey } }: VerifiedWallet): void {
    this.#known.set(label, { id, groupKey })
  }

  /**
   * The wallet as it is now.
   * @throws sdk/unknown-wallet, gateway/nodes-disagree, sdk/other-wallet where the key is not the one it was, sdk/…
   */
  async find(label: string, signal: AbortSignal): Promise<VerifiedWallet> {
    const known = this.#known.get(label)
    if (known !== undefined) {
      const found = await this.#first((node) => node.wallet(known.id, { signal }))
      if (found.wallet.groupKey !== known.groupKey || found.wallet.id !== known.id)
        throw new Fault('sdk/other-wallet')
      return found
    }
    const shown = await Promise.allSettled(
      this.#nodes.map((node) => node.wallet(label, { signal })),
    )
    const found = shown.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const [first] = found
    if (first === undefined) {
      const failed = shown.find((each) => each.status === 'rejected')
      throw failed?.reason ?? new Fault('sdk/unknown-wallet')
    }
    const isSame = found.every(
      ({ wallet }) => wallet.id === first.wallet.id && wallet.groupKey === first.wallet.groupKey,
    )
    if (!isSame || found.length < this.#need)
      throw new Fault('gateway/nodes-disagree', {
        detail: `${found.length} of ${this.#need} nodes show it`,
      })
    this.made(first)
    return first
  }

  /** The answer of the first node that gives one. */
  async #first<T>(ask: (node: QuorateClient) => Promise<T>): Promise<T> {
    let last: unknown
    for (const node of this.#nodes)
      try {
        return await ask(node)
      } catch (error) {
        last = error
      }
    throw last
  }
}
