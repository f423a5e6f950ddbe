/** What the pools of the signer hold: sums over all wallets, none of which is named. */
import type { PoolReport } from '@quorate/enclave'
import type { Registry, Sample } from '@quorate/platform'

const KINDS = ['nonces', 'presignatures'] as const
type Kind = (typeof KINDS)[number]

/** Adds them to the registry; `report` is what the signer last said. */
export function readPools(registry: Registry, report: () => PoolReport): void {
  const of = (kind: Kind) => report().shelves.filter((shelf) => shelf.kind === kind)
  const byKind = (value: (kind: Kind) => number) => (): readonly Sample[] =>
    KINDS.map((kind) => [{ kind }, value(kind)])
  registry.read('gauge', 'pool_items', 'Nonces and presignatures made ahead.', () =>
    KINDS.flatMap((kind) =>
      (['free', 'reserved'] as const).map(
        (state): Sample => [
          { kind, state },
          of(kind).reduce((sum, shelf) => sum + shelf[state], 0),
        ],
      ),
    ),
  )
  registry.read(
    'gauge',
    'pool_free_min',
    'Free ones of the wallet and signer set that has fewest.',
    byKind((kind) => Math.min(...of(kind).map(({ free }) => free))),
  )
  registry.read(
    'gauge',
    'pool_oldest_seconds',
    'Age of the oldest free one.',
    byKind((kind) => Math.max(0, ...of(kind).map(({ oldestMs }) => oldestMs)) / 1000),
  )
  registry.read(
    'counter',
    'pool_items_total',
    'What was made ahead since the signer started, and what became of it.',
    () =>
      report().totals.flatMap(({ kind, ...counts }) =>
        Object.entries(counts).map(([what, n]): Sample => [{ kind, what }, n]),
      ),
  )
}
