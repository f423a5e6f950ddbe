/** A disk that fills up under a node, and has room again: it says so, signs nothing, and comes back. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ProcessCluster } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'
import { assertSound, ProcessLoad } from './process-storm.ts'
import { Chance } from './random.ts'
import { untilWhole } from './stage.ts'

const RESUME_MS = 30_000
const SIZE_BYTES = 6 * 1024 * 1024
const skip = canMount() ? false : 'only root can mount a small file system'

function mount(directory: string): boolean {
  const options = ['-t', 'tmpfs', '-o', `size=${SIZE_BYTES},mode=0700`, 'tmpfs', directory]
  return spawnSync('mount', options).status === 0
}

function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-mount-'))
  const isMounted = mount(directory)
  if (isMounted) spawnSync('umount', ['-l', directory])
  rmSync(directory, { recursive: true })
  return isMounted
}

/** Moves a node that does not run to a small disk of its own. */
function toSmallDisk({ directory }: ProcessNode): void {
  const aside = `${directory}-aside`
  renameSync(directory, aside)
  mkdirSync(directory, { mode: 0o700 })
  assert.ok(mount(directory))
  cpSync(aside, directory, { recursive: true, preserveTimestamps: true })
}

/** Writes until nothing more fits. */
function fill({ directory }: ProcessNode): () => void {
  const file = join(directory, 'filler')
  for (let bytes = SIZE_BYTES; bytes >= 1; bytes = Math.floor(bytes / 2))
    for (;;)
      try {
        writeFileSync(file, new Uint8Array(bytes), { flag: 'a' })
      } catch {
        break
      }
  return () => rmSync(file)
}

test('a disk that is full, and then is not', { skip }, async (t) => {
  const cluster = await ProcessCluster.start(3, { leaveOut: [1, 2, 3] })
  const second = cluster.nodes[1]!
  t.after(async () => {
    await cluster.kill(second)
    spawnSync('umount', ['-l', second.directory])
    await cluster.close()
  })
  toSmallDisk(second)
  await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
  await cluster.untilConnected()
  const wallet = await cluster.createWallet('solana-devnet')
  const load = new ProcessLoad(cluster, [wallet], new Chance(4))
  await load.signOnce(second)

  const empty = fill(second)
  const failures = new Set<string>()
  for (let i = 0; i < 4; i++) {
    await load
      .signOnce(second)
      .catch((error: { code?: string }) => failures.add(String(error.code)))
    // The other two go on.
    await until(() => load.signOnce(cluster.nodes[0]).then(() => true), RESUME_MS)
  }
  await assert.rejects(cluster.createWallet('solana-devnet'))

  empty()
  if (second.child?.exitCode !== null) {
    // A node whose store is broken ends, and its supervisor starts it again.
    await cluster.kill(second)
    await cluster.launch(second)
  }
  const begin = performance.now()
  await until(() => load.signOnce(second).then(() => true))
  const resumedMs = performance.now() - begin
  await untilWhole(cluster)
  const report = await assertSound(load)
  t.diagnostic(JSON.stringify({ resumedMs, failures: [...failures], ...report }))
  assert.ok(resumedMs < RESUME_MS, `${resumedMs} ms`)
})
