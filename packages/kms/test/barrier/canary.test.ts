import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { scratch } from '../scratch.js'

const PROGRAM = fileURLToPath(new URL('../hold-keys.js', import.meta.url))
const CHUNK = 16 * 1024 * 1024
const OVERLAP = 64

/** How many of the keys lie in the memory of the process, as bytes or as hex. */
function keysIn(pid: number, keys: readonly Buffer[]): number {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const seen = new Set<number>()
  const regions = readFileSync(`/proc/${pid}/maps`, 'latin1').matchAll(
    /^([0-9a-f]+)-([0-9a-f]+) rw/gm,
  )
  for (const [, first = '', last = ''] of regions)
    for (
      let at = Number.parseInt(first, 16), end = Number.parseInt(last, 16);
      at < end;
      at += CHUNK
    ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK + OVERLAP, end - at))
      let length = 0
      try {
        length = readSync(memory, chunk, 0, chunk.length, at)
      } catch {
        // Reserved but unmapped pages cannot be read; nothing lies there.
      }
      const content = chunk.subarray(0, length)
      for (const [i, key] of keys.entries())
        if (content.includes(key) || content.includes(key.toString('hex'))) seen.add(i)
    }
  closeSync(memory)
  return seen.size
}

const canRead = ((): boolean => {
  try {
    closeSync(openSync(`/proc/${process.ppid}/mem`, 'r'))
    return true
  } catch {
    return false
  }
})()

test('sealing leaves no copy of any key in memory', {
  skip: canRead ? false : 'the memory of other processes cannot be read here',
}, async (t) => {
  const child = spawn(process.execPath, [PROGRAM, scratch(t)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const turned = JSON.parse((await lines.next()).value as string) as string[]
  const keys = turned.map((hex) => Buffer.from(Buffer.from(hex, 'hex').map((byte) => byte ^ 0xff)))
  assert.equal(keysIn(child.pid!, keys), keys.length, 'the search itself works')
  child.stdin.write('seal\n')
  assert.equal((await lines.next()).value, 'sealed')
  for (const [i, name] of ['instance key', 'fixed key', 'data key'].entries())
    assert.equal(keysIn(child.pid!, [keys[i]!]), 0, name)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdin.end('end\n')
  assert.equal(await ended, 0)
})
