/** Boards within one process, for tests. */
import type { Board } from './port.ts'

export class MemoryBoard {
  readonly #records = new Map<number, Uint8Array>()

  /** The board as the node `self` sees it. */
  open(self: number, pauseMs: number): Board {
    return {
      put: async (record) => {
        this.#records.set(self, record.slice())
      },
      read: async () => new Map([...this.#records].filter(([index]) => index !== self)),
      pauseMs,
      close: async () => undefined,
    }
  }
}
