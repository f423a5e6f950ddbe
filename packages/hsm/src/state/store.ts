/**
 * What must survive a restart of whoever uses an HSM: states of failover, limits that were used up,
 * bindings of roles, rotations that are under way, alerts. Small named values, all in memory for
 * reading; a write resolves once it would survive a loss of power.
 *
 * Nothing in here is a secret, and nothing protects it from whoever can write the directory: put back
 * an older copy of the directory, and its limits are those of then.
 */
import { type Codec, decode, encode, Fault } from '@quorate/base'

/** Parts of letters, digits, `.`, `_`, `-`, joined by `/`, e.g. `rotation/transaction_signer`. */
export const STATE_NAME: RegExp = /^(?=.{1,200}$)[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/
export const MAX_STATE_BYTES: number = 1 << 20

export type HsmState = {
  /** What stands under `name` on disk now. @throws hsm/state-damaged naming the place for what `codec` does not read */
  read<T>(name: string, codec: Codec<T>): T | undefined
  /** The names in use that begin with `prefix`, in their order. */
  names(prefix: string): readonly string[]
  /** Atomic; durable once resolved. @throws platform/disk-full and other faults of the disk: then nothing changed */
  write<T>(name: string, codec: Codec<T>, value: T): Promise<void>
  /**
   * What `next` makes of the value that stands there, durable once resolved. Updates of one name see each
   * other's results in the order they were made; those that wait together share one flush. Where `next`
   * throws, nothing changes, and its error is thrown.
   */
  update<T>(name: string, codec: Codec<T>, next: (old: T | undefined) => T): Promise<T>
  /** Finishes what was begun; later calls fail with hsm/closed. */
  close(): Promise<void>
}

/** Where encoded values are kept: a database, or memory in tests. */
export type StateStorage = {
  /** For people. */
  readonly place: string
  /** Resolves once it is durable. */
  put(name: string, content: Uint8Array): Promise<void>
  close(): Promise<void>
}

type Waiting = {
  /** The new content, from the old; throws what the caller's `next` throws. */
  readonly apply: (old: Uint8Array | undefined) => Uint8Array
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** The state over any storage; `contents` is what the storage holds at the start. */
export function stateOver(
  storage: StateStorage,
  contents: ReadonlyMap<string, Uint8Array>,
): HsmState {
  return new StateOver(storage, contents)
}

class StateOver implements HsmState {
  readonly #storage: StateStorage
  readonly #durable: Map<string, Uint8Array>
  readonly #queues = new Map<string, Waiting[]>()
  readonly #running = new Set<Promise<void>>()
  #isClosed = false

  constructor(storage: StateStorage, contents: ReadonlyMap<string, Uint8Array>) {
    this.#storage = storage
    this.#durable = new Map(contents)
  }

  read<T>(name: string, codec: Codec<T>): T | undefined {
    this.#check(name)
    return this.#decoded(name, codec, this.#durable.get(name))
  }

  names(prefix: string): readonly string[] {
    return [...this.#durable.keys()].filter((name) => name.startsWith(prefix)).sort()
  }

  async write<T>(name: string, codec: Codec<T>, value: T): Promise<void> {
    const content = encode(codec, value)
    await this.#enqueue(name, () => content)
  }

  async update<T>(name: string, codec: Codec<T>, next: (old: T | undefined) => T): Promise<T> {
    let value: { readonly of: T } | undefined
    await this.#enqueue(name, (old) => {
      value = { of: next(this.#decoded(name, codec, old)) }
      return encode(codec, value.of)
    })
    // `apply` ran, or the line above threw.
    return (value as unknown as { readonly of: T }).of
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all(this.#running)
    await this.#storage.close()
  }

  #check(name: string): void {
    if (this.#isClosed) throw new Fault('hsm/closed')
    if (!STATE_NAME.test(name)) throw new Fault('hsm/bad-argument', { detail: 'a name of a state' })
  }

  #decoded<T>(name: string, codec: Codec<T>, content: Uint8Array | undefined): T | undefined {
    if (content === undefined) return undefined
    try {
      return decode(codec, content, { maxBytes: MAX_STATE_BYTES })
    } catch (cause) {
      throw damaged(this.#storage.place, name, cause)
    }
  }

  #enqueue(name: string, apply: Waiting['apply']): Promise<void> {
    this.#check(name)
    return new Promise((resolve, reject) => {
      const waiting = { apply, resolve, reject }
      const queue = this.#queues.get(name)
      if (queue !== undefined) {
        queue.push(waiting)
        return
      }
      this.#queues.set(name, [waiting])
      const run = this.#drain(name).finally(() => this.#running.delete(run))
      this.#running.add(run)
    })
  }

  /** Writes what waits for `name`, batch after batch, until nothing does. Never throws. */
  async #drain(name: string): Promise<void> {
    for (;;) {
      const batch = this.#queues.get(name) ?? []
      if (batch.length === 0) break
      this.#queues.set(name, [])
      await this.#writeBatch(name, batch)
    }
    this.#queues.delete(name)
  }

  async #writeBatch(name: string, batch: readonly Waiting[]): Promise<void> {
    let content = this.#durable.get(name)
    const applied: Waiting[] = []
    for (const waiting of batch)
      try {
        content = limited(waiting.apply(content))
        applied.push(waiting)
      } catch (error) {
        waiting.reject(error)
      }
    if (content === undefined || applied.length === 0) return
    try {
      await this.#storage.put(name, content)
    } catch (error) {
      for (const { reject } of applied) reject(error)
      return
    }
    this.#durable.set(name, content)
    for (const { resolve } of applied) resolve()
  }
}

function limited(content: Uint8Array): Uint8Array {
  if (content.length > MAX_STATE_BYTES)
    throw new Fault('hsm/bad-argument', { detail: `a state of more than ${MAX_STATE_BYTES} bytes` })
  return content
}

/** The fault for what lies at `place` and cannot be read. */
export const damaged = (place: string, name: string, cause?: unknown): Fault =>
  new Fault('hsm/state-damaged', { detail: `${name} in ${place}`, cause })
