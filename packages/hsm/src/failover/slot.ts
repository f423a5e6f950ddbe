/** One device of a failover: opened when it is first needed, once, and never again after it refused the PIN. */
import { type Fault, isFault } from '@quorate/base'
import { weaker } from '../custody.ts'
import { isAboutPin } from '../host/trouble.ts'
import type { Custody, HsmProvider } from '../provider.ts'
import type { OpenHsm } from '../registry.ts'

/** What opening a device gives; `hosted` where it runs in a process of its own. */
export type OpenedDevice = Omit<OpenHsm, 'hosted'> & Partial<Pick<OpenHsm, 'hosted'>>

export type SlotDevice = {
  /** As its configuration has it. What is opened may be less, never more. */
  readonly custody: Custody
  /** Opens it anew, with a PIN that is read anew. */
  open(): Promise<OpenedDevice>
}

export class Slot {
  readonly #device: SlotDevice
  #opening: ReturnType<SlotDevice['open']> | undefined
  /** One more wrong PIN could lock the device, so nobody tries until an operator says so. */
  #refused: Fault | undefined
  #custody: Custody

  constructor(device: SlotDevice) {
    this.#device = device
    this.#custody = device.custody
  }

  get custody(): Custody {
    return this.#custody
  }

  /** @throws what opening it throws; after a refused PIN that same fault, until `reopen` */
  async provider(): Promise<HsmProvider> {
    if (this.#refused !== undefined) throw this.#refused
    this.#opening ??= this.#device.open()
    const opening = this.#opening
    try {
      const { provider, custody } = await opening
      this.#custody = weaker(this.#custody, custody)
      return provider
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined
      if (isFault(error) && isAboutPin(error)) this.#refused = error
      throw error
    }
  }

  /** The next use opens it again, with the PIN as it is then. */
  reopen(): void {
    this.#refused = undefined
  }

  /** Whether it can be opened, and answers. Never throws. */
  async works(): Promise<boolean> {
    try {
      return (await (await this.provider()).health()).state === 'ok'
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled([this.#opening])
    const [result] = opened
    if (result.status === 'fulfilled') await result.value?.close()
  }
}
