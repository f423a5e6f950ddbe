/**
 * A broker within the process whose owner is hostile: every message passes a hook that sees it, and
 * decides what arrives instead.
 */
import { Fault } from '@quorate/base'
import type { Broker } from '@quorate/platform'

type Handler = (subject: string, message: Uint8Array) => void
export type Message = { readonly subject: string; readonly message: Uint8Array }

export class HostileBroker {
  readonly #handlers = new Map<string, Set<Handler>>()
  readonly #changes = new Set<(isUp: boolean) => void>()
  readonly #waiting: Message[] = []
  #isScheduled = false
  #isUp = true
  /** All that was published, oldest first. */
  readonly seen: Message[] = []
  /** What arrives instead of a message. */
  onMessage: (message: Message) => readonly Message[] = (message) => [message]

  /** As anybody with the rights of the server: to whoever listens on that subject. */
  inject(subject: string, message: Uint8Array): void {
    for (const handler of this.#handlers.get(subject) ?? []) handler(subject, message)
  }

  setUp(isUp: boolean): void {
    this.#isUp = isUp
    for (const change of this.#changes) change(isUp)
  }

  #publish(message: Message): void {
    this.seen.push(message)
    this.#waiting.push(...this.onMessage(message))
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      for (const { subject, message: bytes } of this.#waiting.splice(0)) this.inject(subject, bytes)
    })
  }

  /** For one process; `kill` ends it without a word. */
  open(): Broker & { kill(): void } {
    let isKilled = false
    const isUp = (): boolean => this.#isUp && !isKilled
    return {
      get isUp() {
        return isUp()
      },
      maxPayload: 1024 * 1024,
      publish: (subject, message) => {
        if (isUp()) this.#publish({ subject, message: message.slice() })
        return isUp()
      },
      subscribe: (subject, handler) => {
        const handlers = this.#handlers.get(subject) ?? new Set()
        const hear: Handler = (from, message) => {
          if (!isKilled) handler(from, message)
        }
        this.#handlers.set(subject, handlers.add(hear))
        return () => handlers.delete(hear)
      },
      onChange: (handler) => {
        this.#changes.add(handler)
        return () => this.#changes.delete(handler)
      },
      connection: () => Promise.reject(new Fault('platform/broker-closed')),
      close: () => Promise.resolve(),
      kill: () => {
        isKilled = true
      },
    }
  }
}
