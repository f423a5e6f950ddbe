/** One at a time tries a device that failed, when it is due; the others wait for what becomes of that. */
import type { SlotState } from './machine.ts'
import type { Waits } from './wait.ts'

export class Turns {
  readonly #waits: Waits
  readonly #running = new Map<number, Promise<void>>()

  constructor(waits: Waits) {
    this.#waits = waits
  }

  /**
   * Gives what ends the trial to the one that is to make it, once it is due by `now()`; `undefined` to those
   * that waited for another's: they look again.
   */
  async take(slot: number, state: SlotState, now: () => number): Promise<(() => void) | undefined> {
    const running = this.#running.get(slot)
    if (running !== undefined) {
      await running
      return undefined
    }
    let end = (): void => undefined
    this.#running.set(
      slot,
      new Promise((resolve) => {
        end = () => {
          this.#running.delete(slot)
          resolve()
        }
      }),
    )
    if (state.is === 'retrying') await this.#waits.sleep(state.retryAt - now())
    return end
  }
}
