/** How far an operation is, in words, and how long its phases took. */
import type { OperationJson } from '@quorate/api'

/** Such as `making primes (2 of 4)`. */
export function progressText({ progress }: OperationJson, otherwise: string): string {
  if (progress === undefined) return otherwise
  const { phase, round, of } = progress
  return of > 1 ? `${phase} (${round} of ${of})` : phase
}

export type Phase = { readonly name: string; readonly ms: number }

/** Times the phases of an operation, as exactly as it is looked at. */
export class PhaseTimes {
  readonly #now: () => number
  readonly #begun: { readonly name: string; readonly at: number }[] = []

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  saw({ progress }: OperationJson): void {
    if (progress === undefined || this.#begun.at(-1)?.name === progress.phase) return
    this.#begun.push({ name: progress.phase, at: this.#now() })
  }

  /** In the order in which they were first seen; one that came again counts as one. The last lasts until now. */
  phases(): readonly Phase[] {
    const end = this.#now()
    const total = new Map<string, number>()
    this.#begun.forEach(({ name, at }, i) => {
      const ms = (this.#begun[i + 1]?.at ?? end) - at
      total.set(name, (total.get(name) ?? 0) + ms)
    })
    return [...total].map(([name, ms]) => ({ name, ms }))
  }
}
