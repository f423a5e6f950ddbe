/**
 * The figures of a process: counters, gauges and histograms with fixed buckets, as Prometheus text
 * (exposition format 0.0.4). Labels come from small closed sets; what would make too many series is
 * counted under `other`, so that nobody outside can fill the memory.
 */
import { bug } from '@quorate/base'

export type Labels = { readonly [name: string]: string }
export type Sample = readonly [labels: Labels, value: number]

export type Counter<Name extends string = string> = {
  /** Adds `by`, which is not negative. */
  add(labels: { readonly [Key in Name]: string }, by?: number): void
}
export type Histogram<Name extends string = string> = {
  observe(labels: { readonly [Key in Name]: string }, value: number): void
}

type Type = 'counter' | 'gauge' | 'histogram'
type Family = {
  readonly name: string
  readonly type: Type
  readonly help: string
  lines(name: string): readonly string[]
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
/** Upper bounds in seconds, from what a signature takes to what key generation takes. */
export const SECONDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
]
/** Series of one metric; more are counted together. */
export const MAX_SERIES = 500
const OTHER = 'other'
const NAME = /^[a-z][a-z0-9_]{0,99}$/
const PREFIX = /^[A-Za-z_][A-Za-z0-9_]*$/

export class Registry {
  readonly #prefix: string
  readonly #families = new Map<string, Family>()

  /** `prefix` begins the name of each metric. */
  constructor(prefix: string) {
    if (!PREFIX.test(prefix)) bug(`${prefix} is no prefix of metrics`)
    this.#prefix = prefix
  }

  /** Names of all metrics with the prefix, a histogram by its base name, in the order of their making. */
  get names(): readonly string[] {
    return [...this.#families.keys()].map((name) => this.#prefix + name)
  }

  /** A figure that only grows; its name ends in `_total`. */
  counter<Name extends string = never>(
    name: string,
    help: string,
    labels: readonly Name[] = [],
  ): Counter<Name> {
    const series = new Series<{ value: number }>(labels, () => ({ value: 0 }))
    this.#add('counter', name, help, (full) =>
      series.all.map(([text, { value }]) => line(full, text, value)),
    )
    return {
      add: (given, by = 1) => {
        if (!(by >= 0)) bug(`${name} cannot fall`)
        series.of(given).value += by
      },
    }
  }

  /** How values spread: `bounds` are upper bounds, rising. */
  histogram<Name extends string = never>(
    name: string,
    help: string,
    bounds: readonly number[] = SECONDS,
    labels: readonly Name[] = [],
  ): Histogram<Name> {
    if (bounds.some((bound, i) => i > 0 && bound <= bounds[i - 1]!))
      bug(`${name}: bounds must rise`)
    const series = new Series<Spread>(labels, () => ({
      counts: Array.from({ length: bounds.length + 1 }, () => 0),
      sum: 0,
    }))
    this.#add('histogram', name, help, (full) =>
      series.all.flatMap(([text, spread]) => spreadLines(full, text, bounds, spread)),
    )
    return {
      observe: (given, value) => {
        const spread = series.of(given)
        const at = bounds.findIndex((bound) => value <= bound)
        spread.counts[at === -1 ? bounds.length : at]! += 1
        spread.sum += value
      },
    }
  }

  /** Figures that are kept elsewhere, and read when somebody looks. One that is not finite is left out. */
  read(
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    samples: () => readonly Sample[] | number | undefined,
  ): void {
    this.#add(type, name, help, (full) => {
      const found = samples()
      const list: readonly Sample[] = typeof found === 'number' ? [[{}, found]] : (found ?? [])
      return list
        .filter(([, value]) => Number.isFinite(value))
        .map(([labels, value]) => line(full, labelText(labels), value))
    })
  }

  #add(type: Type, name: string, help: string, lines: Family['lines']): void {
    if (!NAME.test(name) || this.#families.has(name)) bug(`${name} is no new metric`)
    if (type === 'counter' && !name.endsWith('_total')) bug(`${name} does not end in _total`)
    this.#families.set(name, { name, type, help, lines })
  }

  render(): string {
    return [...this.#families.values()]
      .flatMap(({ name, type, help, lines }) => {
        const full = this.#prefix + name
        return [`# HELP ${full} ${helpText(help)}`, `# TYPE ${full} ${type}`, ...lines(full)]
      })
      .map((each) => `${each}\n`)
      .join('')
  }
}

type Spread = { readonly counts: number[]; sum: number }

/** One state for each set of label values. */
class Series<State> {
  readonly #labels: readonly string[]
  readonly #make: () => State
  readonly #states = new Map<string, State>()

  constructor(labels: readonly string[], make: () => State) {
    this.#labels = labels
    this.#make = make
    // One without labels is there from the start: a rate over a counter that appears is no rate.
    if (labels.length === 0) this.#states.set('', make())
  }

  get all(): readonly (readonly [labels: string, state: State])[] {
    return [...this.#states].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  of(given: Labels): State {
    const key = this.#key((name) => given[name] ?? '')
    const known = this.#states.get(key)
    if (known !== undefined) return known
    return this.#states.size < MAX_SERIES ? this.#new(key) : this.#rest()
  }

  #rest(): State {
    const key = this.#key(() => OTHER)
    return this.#states.get(key) ?? this.#new(key)
  }

  #key(value: (name: string) => string): string {
    return labelText(Object.fromEntries(this.#labels.map((name) => [name, value(name)])))
  }

  #new(key: string): State {
    const state = this.#make()
    this.#states.set(key, state)
    return state
  }
}

function spreadLines(
  name: string,
  labels: string,
  bounds: readonly number[],
  { counts, sum }: Spread,
): readonly string[] {
  const withBound = (bound: string): string =>
    labels === '' ? `{le="${bound}"}` : `${labels.slice(0, -1)},le="${bound}"}`
  let count = 0
  const buckets = counts.map((each, i) => {
    count += each
    return line(`${name}_bucket`, withBound(String(bounds[i] ?? '+Inf')), count)
  })
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count)]
}

const line = (name: string, labels: string, value: number): string => `${name}${labels} ${value}`

const ESCAPES: { readonly [character: string]: string } = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }
const escaped = (text: string): string => text.replace(/[\\"\n]/g, (each) => ESCAPES[each] ?? each)
const helpText = (text: string): string => text.replace(/[\\\n]/g, (each) => ESCAPES[each] ?? each)

/** In braces; nothing where there are none. */
function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
