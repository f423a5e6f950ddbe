import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

/** Allocates what soon is garbage, and gives the most that the heap ever was, in MB. */
const PROGRAM = `
const { steadyHeap } = await import(process.argv[1])
if (process.argv[2] === 'limited') steadyHeap()
const kept = Array.from({ length: 400 }, () => new Array(10_000).fill(0.5))
let most = 0
for (let i = 0; i < 40_000; i++) {
  kept[i % 400] = new Array(10_000).fill(i + 0.5)
  if (i % 400 === 0) most = Math.max(most, process.memoryUsage().heapUsed)
}
console.log(most / 1e6)
`

const most = (how: 'limited' | 'free'): number => {
  const module = new URL('../../src/process/heap.js', import.meta.url).href
  // Threads that collect beside the program would be as late as the machine is busy.
  const args = ['--single-threaded-gc', '--input-type=module', '--eval', PROGRAM, module, how]
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

test('a heap that is limited stays near what is kept', () => {
  const [limited, free] = [most('limited'), most('free')]
  assert.ok(limited < 0.9 * free, `${limited} MB, and ${free} MB without a limit`)
})
