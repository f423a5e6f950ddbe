/** Three of the places at which a node can die, under load; the soak visits all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertVisited, visitPlaces } from './failpoints.ts'

const RESUME_MS = 30_000
const PLACES = ['node/journal/before-commit', 'enclave/session/after-burn']

test('a node killed under load, where it writes and where it has just written', async (t) => {
  const visit = await visitPlaces(t, PLACES)
  t.diagnostic(JSON.stringify(visit))
  assertVisited(visit, PLACES)
  assert.ok(visit.longestMs < RESUME_MS, `${visit.longestMs} ms`)
  assert.ok(visit.report.shares > 0)
})
