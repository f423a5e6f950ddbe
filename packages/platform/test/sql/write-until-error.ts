/** Started by a test under a limit on file sizes: writes until that fails, then reports. */
import { isFault } from '@quorate/base'
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
const acknowledged: number[] = []
const codes: string[] = []
for (let id = 1; codes.length < 3; id++) {
  try {
    await sql.write([
      {
        sql: 'INSERT INTO note (id, body, version) VALUES (?, ?, 1)',
        params: [id, new Uint8Array(30_000)],
      },
    ])
    acknowledged.push(id)
  } catch (error) {
    if (!isFault(error)) throw error
    codes.push(error.code)
  }
}
process.stdout.write(JSON.stringify({ acknowledged, codes }), () => process.exit(0))
