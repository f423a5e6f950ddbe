/**
 * The messages of a running session: those of this round and later ones, and the broadcasts of
 * earlier rounds, which may become evidence.
 */
import { wipe } from '@quorate/base'
import type { MessageKind, Received } from './message.ts'
import type { PartyId } from './party.ts'

type Place = Pick<Received, 'round' | 'kind' | 'from'>
const keyOf = ({ round, kind, from }: Place): string => `${round}/${kind}/${from}`

export class MessageLog {
  readonly #messages = new Map<string, Received>()
  /** Direct bodies of earlier rounds. A round may still hold parts of them, so they are overwritten at the end. */
  readonly #spentBodies: Uint8Array[] = []

  find(round: number, kind: MessageKind, from: PartyId): Received | undefined {
    return this.#messages.get(keyOf({ round, kind, from }))
  }

  put(message: Received): void {
    this.#messages.set(keyOf(message), message)
  }

  /** Forgets what rounds before `round` leave behind, but for their broadcasts and echoes. */
  leaveBefore(round: number): void {
    for (const [key, { kind, body, round: of }] of this.#messages) {
      if (of >= round || kind === 'broadcast' || kind === 'echo') continue
      if (kind === 'direct') this.#spentBodies.push(body)
      this.#messages.delete(key)
    }
  }

  /** Originals of all broadcasts, echoes and disputes by these parties, up to `round`. */
  publicOriginals(parties: readonly PartyId[], round: number): readonly Uint8Array[] {
    return [...this.#messages.values()]
      .filter(({ kind }) => kind !== 'direct')
      .filter((message) => message.round <= round && parties.includes(message.from))
      .map(({ original }) => original)
      .filter(({ length }) => length > 0)
  }

  /** Overwrites every direct body and forgets all. */
  [Symbol.dispose](): void {
    for (const { kind, body } of this.#messages.values()) if (kind === 'direct') wipe(body)
    wipe(...this.#spentBodies)
    this.#messages.clear()
  }
}
