/**
 * A limit of payments within an hour against running signers: requests race at all nodes, with t − 1 of
 * them down now and then, through restarts, cut links, full disks and failed sessions. What all
 * signers of a session gave their shares for counts, whether or not anybody was told of it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UNIT } from './limited.ts'
import { MemoryStorm, reportLine } from './memory-storm.ts'

/** Crashes and cuts lose the words by which signers free what failed sessions held: then less is left. */
const STORMY = { lose: 0.03, repeat: 0.05, delay: 0.15, alter: 0.02, replay: 0.05 }
const LATE = { lose: 0, repeat: 0.1, delay: 0.2, alter: 0, replay: 0.1 }
const LIMIT = 8n * UNIT
const RUNS = [
  { size: 3, threshold: 2, odds: STORMY, faults: ['kill', 'cut', 'disk'], atLeast: LIMIT / 2n },
  { size: 5, threshold: 3, odds: STORMY, faults: ['kill', 'cut', 'disk'], atLeast: UNIT },
  { size: 4, threshold: 3, odds: LATE, faults: ['kill'], atLeast: UNIT },
  { size: 3, threshold: 3, odds: LATE, faults: ['disk'], atLeast: UNIT },
] as const
const SEED = 101

for (const { atLeast, ...run } of RUNS)
  test(`${run.threshold} of ${run.size}: no hour takes more than the limit`, async (t) => {
    const storm = await MemoryStorm.open({ ...run, seed: SEED, turns: 12, limit: LIMIT })
    try {
      const report = await storm.run()
      t.diagnostic(reportLine(report))
      assert.ok(report.worstHour >= atLeast, `only ${report.worstHour} was signed`)
    } finally {
      storm.close()
    }
  })
