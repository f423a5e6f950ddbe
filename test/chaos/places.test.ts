/** Every place where a process can be made to die has a test that kills one there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FAILPOINTS } from '@quorate/platform'
import { KILLED_IN } from './places.ts'

const tests = Object.entries(KILLED_IN)
const source = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8')

test('each place is killed at by some test, and no test by a place that is gone', () => {
  const killed = new Set<string>(tests.flatMap(([, places]) => places))
  assert.deepEqual([...killed].sort(), FAILPOINTS)
})

test('each test takes its places from the table, or names them', () => {
  for (const [file, places] of tests) {
    const text = source(file)
    if (file.startsWith('test/')) assert.ok(text.includes(`placesOf('${file}'`), file)
    else for (const place of places) assert.ok(text.includes(`'${place}'`), `${file}: ${place}`)
  }
})
