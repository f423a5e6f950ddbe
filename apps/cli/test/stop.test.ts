/** How a daemon stops: the first signal lets what runs end, the second does not. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '#src/dev/state.js'
import { cliIn, document, scratch } from './support/cli.js'

type Up = { readonly nodes: readonly { readonly pid: number; readonly signerPid: number }[] }
type Status = {
  readonly nodes: readonly { readonly status: { readonly runningOperations: number } | null }[]
}

async function until(is: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; !(await is()); i++) {
    assert.ok(i < 600, 'it did not come to that in a minute')
    await sleep(100)
  }
}

test('a node lets what runs end when it is told to stop, and goes at once when it is told twice', async (t) => {
  const home = scratch()
  const cli = cliIn(home)
  t.after(() => cli('down'))
  const { nodes } = document<Up>(await cli('up', '--port', '0', '--json'))
  const [first, , third] = nodes as [Up['nodes'][0], unknown, Up['nodes'][0]]
  // Key generation needs all signers, so that it stands still while one is halted.
  process.kill(third.signerPid, 'SIGSTOP')
  t.after(() => {
    if (isAlive(third.signerPid)) process.kill(third.signerPid, 'SIGCONT')
  })
  const making = cli('wallet', 'create', '--network', 'solana-devnet', '--name', 'w', '--json')
  const running = async (): Promise<boolean> =>
    (document<Status>(await cli('status', '--node', '1', '--json')).nodes[0]?.status
      ?.runningOperations ?? 0) > 0
  await until(running)

  process.kill(first.pid, 'SIGTERM')
  await sleep(1_500)
  assert.ok(isAlive(first.pid), 'it did not wait for what runs')
  process.kill(first.pid, 'SIGTERM')
  await until(() => !isAlive(first.pid) && !isAlive(first.signerPid))
  const log = readFileSync(join(home, 'dev/node-1/node.log'), 'utf8')
  assert.match(log, /"event":"node\.stopping"/)
  // Not because its patience was over.
  assert.doesNotMatch(log, /"event":"node\.cut-off"/)
  process.kill(third.signerPid, 'SIGCONT')
  assert.notEqual((await making).code, 0)
})
