/** Started by a test, which kills it: prints each id once its write is acknowledged. */
import { openSql, type SqlDriverName, systemClock, systemRandom } from '@quorate/platform'
import { MIGRATIONS } from './conformance.js'

// Without arguments this is no run: some test runners start every file they find.
if (process.argv.length < 4) process.exit(0)
const [driver, path] = process.argv.slice(2) as [SqlDriverName, string]
const sql = await openSql({
  path,
  driver,
  migrations: MIGRATIONS,
  clock: systemClock,
  random: systemRandom,
})
const [row] = await sql.read('SELECT coalesce(max(id), 0) AS last FROM note')
let id = Number(row?.['last'])

async function writer(): Promise<never> {
  for (;;) {
    const mine = ++id
    await sql.write([
      {
        sql: 'INSERT INTO note (id, body, version) VALUES (?, ?, 1)',
        params: [mine, new Uint8Array(100)],
        expect: 1,
      },
    ])
    // A full pipe makes the synchronous call fail where the reader is slow.
    await new Promise((resolve) => process.stdout.write(`${mine}\n`, resolve))
  }
}
await Promise.all(Array.from({ length: 8 }, writer))
