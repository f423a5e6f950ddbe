/** Some of the places at which a node can die, under load; the soak visits all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visitPlaces } from './failpoints.ts'
import { placesOf } from './places.ts'

const RESUME_MS = 30_000

test('a node killed under load wherever it changes what is on disk', async (t) => {
  const visited = await visitPlaces(t, placesOf('test/chaos/failpoints.test.ts'))
  t.diagnostic(JSON.stringify(visited))
  assert.ok(visited.longestMs < RESUME_MS, `${visited.longestMs} ms`)
  assert.ok(visited.report.shares > 0)
})
