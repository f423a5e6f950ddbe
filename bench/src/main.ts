/** `main.js <bench> [--json]`: runs one bench and prints a table, or one document. */
import { cggmp } from './cggmp.ts'
import { chains } from './chains.ts'
import { cluster } from './cluster/cluster.ts'
import { frost } from './frost.ts'
import { hsm } from './hsm.ts'
import { kms } from './kms/kms.ts'
import { type Bench, formatHead, formatRow, type Row, report, stolenTime } from './report.ts'

const BENCHES: { readonly [name: string]: Bench } = { cggmp, chains, cluster, frost, hsm, kms }

const args = process.argv.slice(2)
const isJson = args.includes('--json')
const [name, ...rest] = args.filter((each) => each !== '--json')

if (name === undefined || rest.length > 0 || !Object.hasOwn(BENCHES, name)) {
  process.stderr.write(
    `usage: npm run bench -- <bench> [--json]\nbenches: ${Object.keys(BENCHES).join(', ')}\n`,
  )
  process.exitCode = 2
} else {
  const bench = BENCHES[name]!
  const rows: Row[] = []
  // With --json, progress goes where it does not mix with the document.
  const progress = isJson ? process.stderr : process.stdout
  progress.write(`${formatHead(bench.about)}\n`)
  const stolen = stolenTime()
  for await (const measured of bench.run()) {
    const row = { ...measured, stolen: stolen() }
    rows.push(row)
    progress.write(`${formatRow(row)}\n`)
  }
  if (isJson) process.stdout.write(`${report(name, rows)}\n`)
}
