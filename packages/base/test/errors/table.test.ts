import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { ERRORS, type ErrorClass, type ErrorEntry } from '#src/index.js'

const folder = new URL('../../src/errors/', import.meta.url)
const packages = readdirSync(folder)
  .filter((name) => name.endsWith('.js'))
  .map((name) => name.slice(0, -3))
  .filter((name) => name !== 'entry' && name !== 'table')

/** Which HTTP statuses and exit codes a class may have. */
const SANE: {
  readonly [Class in ErrorClass]: { http: readonly number[]; exit: readonly number[] }
} = {
  InvalidInput: { http: [400, 405, 406, 411, 413, 414, 415, 422, 431], exit: [1, 2, 6, 7] },
  Denied: { http: [401, 403, 421], exit: [3] },
  NotFound: { http: [404, 410], exit: [4] },
  Conflict: { http: [409, 412, 423, 428], exit: [1, 4] },
  Abort: { http: [502, 504], exit: [1, 5, 6] },
  DeviceFault: { http: [503], exit: [5] },
  Unavailable: { http: [408, 429, 503, 504, 507], exit: [5] },
  Bug: { http: [500], exit: [1] },
}

test('each package’s file holds codes of that package only, and all of them are in the table', async () => {
  const found: string[] = []
  for (const name of packages) {
    const module = (await import(new URL(`${name}.js`, folder).href)) as {
      readonly [exported: string]: Record<string, ErrorEntry>
    }
    const codes = Object.keys(module[`${name}Errors`]!)
    for (const code of codes) {
      assert.match(code, /^[a-z]+\/[a-z0-9]+(-[a-z0-9]+)*$/)
      assert.ok(code.startsWith(`${name}/`), `${code} stands in errors/${name}.ts`)
    }
    found.push(...codes)
  }
  assert.deepEqual(found.sort(), Object.keys(ERRORS).sort())
})

test('each code says what was wrong and what to do', () => {
  for (const [code, { sentence, remedy }] of Object.entries(ERRORS)) {
    assert.ok(sentence.length >= 10 && !sentence.endsWith('.'), `${code}: ${sentence}`)
    assert.match(remedy, /^(?:[A-Z]|quorate ).{10,}\.$/, `${code}: ${remedy}`)
  }
})

test('each code has a status and an exit code that fit its class', () => {
  for (const [code, entry] of Object.entries(ERRORS)) {
    const { http, exit } = SANE[entry.class]
    assert.ok(http.includes(entry.http), `${code}: HTTP ${entry.http} for ${entry.class}`)
    assert.ok(exit.includes(entry.exit), `${code}: exit ${entry.exit} for ${entry.class}`)
  }
})

test('what the caller got wrong is not retryable', () => {
  for (const [code, entry] of Object.entries(ERRORS))
    if (['InvalidInput', 'NotFound', 'Bug'].includes(entry.class))
      assert.equal(entry.retryable, false, code)
})
