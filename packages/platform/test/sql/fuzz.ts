/** Started by a test, which looks at how it ends: calls the port with whatever fast-check makes up. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFault } from '@quorate/base'
import {
  openSql,
  type SqlDriverName,
  type SqlStatement,
  type SqlValue,
  systemClock,
  systemRandom,
} from '@quorate/platform'
import fc from 'fast-check'
import { MIGRATIONS } from './conformance.js'

// Without arguments this is no run: some test runners start every file they find.
if (process.argv.length < 3) process.exit(0)
const driver = process.argv[2] as SqlDriverName
const directory = mkdtempSync(join(tmpdir(), 'quorate-'))
const path = join(directory, 'store.db')
const sql = await openSql({
  path,
  driver,
  migrations: MIGRATIONS,
  clock: systemClock,
  random: systemRandom,
})

const value = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.oneof(fc.integer(), fc.bigInt(), fc.string(), fc.uint8Array(), fc.constant(null)),
  },
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
  }),
  fc.constantFrom(
    Symbol('x'),
    () => 1,
    new Proxy({}, {}),
    Buffer.from('x'),
    new ArrayBuffer(8),
    Object.create(Uint8Array.prototype),
    new Proxy(new Uint8Array(4), {}),
  ),
)
const text = fc.oneof(
  fc.constantFrom(
    'INSERT INTO note (id, body, version) VALUES (?, ?, ?)',
    'INSERT INTO tag VALUES (?, ?)',
    'UPDATE note SET body = ? WHERE id = ?',
    'DELETE FROM note WHERE id = ?',
    'SELECT ? AS a, ? AS b',
    'SELECT * FROM note WHERE body = ?',
    'WITH x AS (SELECT ?) SELECT * FROM x',
    "SELECT json_extract(?, '$')",
  ),
  fc.string(),
  fc
    .array(
      fc.constantFrom(
        'SELECT',
        'INSERT',
        'INTO',
        'note',
        '?',
        '(',
        ')',
        "'",
        '"',
        ';',
        'VALUES',
        '1',
        '--',
        '/*',
        'RETURNING',
        'WITH',
        '*',
        'FROM',
        ',',
      ),
    )
    .map((words) => words.join(' ')),
  fc.anything(),
)
const params = fc.oneof({ weight: 4, arbitrary: fc.array(value, { maxLength: 4 }) }, value)

let calls = 0
async function survives(call: () => Promise<unknown>): Promise<void> {
  calls++
  try {
    await call()
  } catch (error) {
    assert.ok(isFault(error), `not a Fault: ${String(error)}`)
  }
}

await fc.assert(
  fc.asyncProperty(text, params, fc.anything(), async (statement, values, expect) => {
    await survives(() => sql.read(statement as string, values as SqlValue[]))
    await survives(() => sql.write([{ sql: statement, params: values, expect } as SqlStatement]))
    await survives(() => sql.write([{ sql: statement, params: values } as SqlStatement]))
  }),
  { numRuns: 1500 },
)
assert.deepEqual(await sql.read('SELECT 1 AS alive'), [{ alive: 1 }])
await sql.close()
rmSync(directory, { recursive: true })
process.stdout.write(`survived ${calls} calls\n`)
