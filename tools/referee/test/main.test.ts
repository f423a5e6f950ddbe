/** The referee as a process of its own, as the demo runs it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sampleCoins } from '@quorate/referee'

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url))
const ADDRESS = 'tb1pfqarxerx6v0zh6zcj2f3a3np8jselxn8vgefdx95c0n328qpzg4s8xvekm'

function ask(input: string): { readonly status: number | null; readonly answer: unknown } {
  const { status, stdout } = spawnSync(process.execPath, [MAIN], { input, encoding: 'utf8' })
  return { status, answer: JSON.parse(stdout) as unknown }
}

test('one request, one answer', () => {
  const request = { method: 'sampleCoins', params: { address: ADDRESS, count: 2 } }
  assert.deepEqual(ask(JSON.stringify(request)), {
    status: 0,
    answer: { result: sampleCoins(ADDRESS, 2) },
  })
})

test('a wrong request is answered with an error and a failing exit code', () => {
  for (const input of [
    '',
    '{}',
    '{"method":"toString"}',
    '{"method":"checkBitcoin","params":{}}',
  ]) {
    const { status, answer } = ask(input)
    assert.equal(status, 1)
    assert.equal(typeof (answer as { readonly error: unknown }).error, 'string')
  }
})
