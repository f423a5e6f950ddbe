/** Medians of repeated work. */

export type Budget = {
  /** Stop after this long, */
  readonly ms: number
  /** but not before so many runs, */
  readonly atLeast: number
  /** and not after so many. */
  readonly atMost: number
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Milliseconds that `work` takes. */
export function timed(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

type Times<Part extends string> = { readonly [P in Part]: number }

/**
 * Medians of each part over repeated runs of `work`, which returns milliseconds by name. One run
 * more goes first, to warm up, unless the budget is a single run.
 */
export function medians<Part extends string>(budget: Budget, work: () => Times<Part>): Times<Part> {
  return summary(repeated(budget, work))
}

/** The same for two works that take turns, so that both meet the machine in the same state. */
export function inTurns<Part extends string>(
  budget: Budget,
  own: () => Times<Part>,
  baseline: () => Times<Part>,
): { readonly own: Times<Part>; readonly baseline: Times<Part> } {
  const runs = repeated(budget, () => ({ own: own(), baseline: baseline() }))
  return {
    own: summary(runs.map((run) => run.own)),
    baseline: summary(runs.map((run) => run.baseline)),
  }
}

function repeated<T>(budget: Budget, work: () => T): readonly T[] {
  if (budget.atMost > 1) work()
  const runs: T[] = []
  const end = performance.now() + budget.ms
  while (runs.length < budget.atLeast || (performance.now() < end && runs.length < budget.atMost))
    runs.push(work())
  return runs
}

function summary<Part extends string>(runs: readonly Times<Part>[]): Times<Part> {
  const parts = Object.keys(runs[0]!) as Part[]
  return Object.fromEntries(
    parts.map((part) => [part, median(runs.map((run) => run[part]))]),
  ) as Times<Part>
}
