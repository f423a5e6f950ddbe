/** Clusters in memory through storms of fixed seeds: what the network, crashes and rollbacks can break. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStorm, reportLine, STORM_FAULTS, type StormFault } from './memory-storm.ts'

const SHAPES = [
  { size: 3, threshold: 2 },
  { size: 4, threshold: 3 },
  { size: 3, threshold: 3 },
] as const
/** Signing must be back by the cluster's own clock, once every node is up. */
const RESUME_MS = 10_000

const weather: readonly (readonly [string, readonly StormFault[]])[] = [
  ['the network alone', ['keygen']],
  ...STORM_FAULTS.filter((kind) => kind !== 'keygen').map(
    (kind) => [`the network, and ${kind}`, [kind, 'keygen']] as const,
  ),
  ['all of it', STORM_FAULTS],
]

for (const [i, [name, faults]] of weather.entries())
  test(`a storm of ${name}`, async (t) => {
    const seed = 1 + i
    const shape = SHAPES[i % SHAPES.length]!
    const storm = await MemoryStorm.open({ ...shape, seed, turns: 30, faults })
    try {
      const report = await storm.run()
      t.diagnostic(reportLine(report))
      assert.ok(report.resumedMs <= RESUME_MS, `seed ${seed}: ${report.resumedMs} ms`)
      assert.ok(report.commitments > 0)
    } finally {
      storm.close()
    }
  })
