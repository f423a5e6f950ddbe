import { Fault } from './fault.ts'

/**
 * A value that must not be printed, serialised or compared by accident.
 * `expose()` is the one way out, so a search for it lists every place where a secret is read.
 */
export class Secret<T> {
  #value: T | undefined

  constructor(value: T) {
    this.#value = value
  }

  /** The value itself, not a copy. @throws base/wiped after disposal */
  expose(): T {
    if (this.#value === undefined) throw new Fault('base/wiped')
    return this.#value
  }

  get isWiped(): boolean {
    return this.#value === undefined
  }

  /** Zeroes byte arrays in place. Other values can only be dropped: JavaScript cannot overwrite them. */
  [Symbol.dispose](): void {
    if (this.#value instanceof Uint8Array) this.#value.fill(0)
    this.#value = undefined
  }

  toJSON(): string {
    return '[secret]'
  }
  toString(): string {
    return '[secret]'
  }
  /** What Node's `util.inspect` and `console.log` print. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

/** Overwrites each with zeros. */
export function wipe(...arrays: readonly (Uint8Array | undefined)[]): void {
  for (const array of arrays) array?.fill(0)
}
