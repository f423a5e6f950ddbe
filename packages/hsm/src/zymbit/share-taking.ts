/** A recovery from shares of SLIP-39, with what can be said of it that the device does not say. */
import { Fault, isFault } from '@quorate/base'
import type { Wallet } from './commands.ts'
import { checkTogether, headOf, missingIn, type ShareHead } from './shares.ts'
import type { ShareTaking, Words } from './wallets.ts'

export type TakingPorts = {
  /** Gives the words to the device, which gives the wallet once it has one. */
  give(words: Uint8Array, password: Uint8Array): Promise<Wallet | undefined>
  cancel(): Promise<void>
}

const EMPTY = new Uint8Array()

export class Taking implements ShareTaking {
  readonly #ports: TakingPorts
  #heads: readonly ShareHead[] = []
  /** Shares whose words only the device can read. */
  #unread = 0

  constructor(ports: TakingPorts) {
    this.#ports = ports
  }

  async add(
    words: Words,
    password?: Words,
  ): Promise<{ readonly wallet: Wallet } | { readonly missing: number }> {
    const head = headIn(words.expose(), password !== undefined)
    if (head !== undefined) checkTogether(this.#heads, head)
    const wallet = await this.#ports.give(words.expose(), password?.expose() ?? EMPTY)
    if (wallet !== undefined) return { wallet }
    if (head === undefined) this.#unread++
    else this.#heads = [...this.#heads, head]
    const missing = missingIn(this.#heads) - this.#unread
    if (missing > 0 || this.#unread > 0) return { missing: Math.max(1, missing) }
    // It goes on saying "no change" for ever.
    await this.cancel()
    throw new Fault('hsm/shares-refused')
  }

  cancel(): Promise<void> {
    return this.#ports.cancel()
  }
}

/** How a password is bound to the words is not published: what is no share of the standard may be one all the same. */
function headIn(words: Uint8Array, hasPassword: boolean): ShareHead | undefined {
  try {
    return headOf(words)
  } catch (error) {
    if (hasPassword && isFault(error, 'math/bad-share')) return undefined
    throw error
  }
}
