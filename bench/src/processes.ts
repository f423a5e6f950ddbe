/**
 * FROST across processes: a development cluster of real nodes on unix sockets, driven by the command
 * line as a user would. Key generation and signing as the client sees them: HTTP, policy, audit,
 * fsync, envelopes, receipts and the check of the result included.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Row, row } from './report.ts'

const run = promisify(execFile)
const QUORATE = fileURLToPath(new URL('../../../apps/cli/bin/quorate.mjs', import.meta.url))
const NETWORKS = { ed25519: 'solana-devnet', taproot: 'bitcoin-testnet4' } as const
const SIGNATURES = 5

/** Rows for one shape: `frost/ed25519/2-of-3/keygen-processes`, `…/sign-processes`. */
export async function* acrossProcesses(threshold: number, parties: number): AsyncIterable<Row> {
  const home = mkdtempSync(join(tmpdir(), 'quorate-bench-'))
  const quorate = async (...args: readonly string[]): Promise<unknown> => {
    const { stdout } = await run(process.execPath, [QUORATE, ...args, '--home', home, '--json'], {
      maxBuffer: 1 << 24,
    })
    return JSON.parse(stdout)
  }
  try {
    await quorate('up', '--nodes', String(parties), '--threshold', String(threshold), '--port', '0')
    for (const [scheme, network] of Object.entries(NETWORKS)) {
      const made = (await quorate('wallet', 'create', '--network', network)) as {
        readonly wallet: { readonly id: string }
        readonly keygenMs: number
      }
      const { id } = made.wallet
      const { unsigned } = (await quorate('tx', 'new', '--wallet', id)) as {
        readonly unsigned: string
      }
      const times: number[] = []
      for (let i = 0; i < SIGNATURES; i++) {
        const { signMs } = (await quorate('tx', 'sign', unsigned, '--wallet', id)) as {
          readonly signMs: number
        }
        times.push(signMs)
      }
      const shape = `frost/${scheme}/${threshold}-of-${parties}`
      yield row(`${shape}/keygen-processes`, made.keygenMs)
      yield row(`${shape}/sign-processes`, times.sort((a, b) => a - b)[SIGNATURES >> 1]!)
    }
  } finally {
    await quorate('down').catch(() => undefined)
    rmSync(home, { recursive: true, force: true })
  }
}
