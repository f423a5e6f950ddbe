import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isFault } from '@quorate/base'
import { parseKeyId } from '@quorate/hsm'
import { openIn, openSoftwareIn, scratch } from '../kit.ts'

const WRITER = fileURLToPath(new URL('./writer.js', import.meta.url))

const KINDS = { simulated: openIn, software: openSoftwareIn } as const
type Kind = keyof typeof KINDS

/** Lets a writer acknowledge `count` keys, kills it in the middle of the next, and gives their ids. */
async function writeAndKill(
  kind: Kind,
  directory: string,
  count: number,
): Promise<readonly string[]> {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [WRITER, kind, directory])
  const ids: string[] = []
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    if (line !== 'ready') ids.push(line)
    if (ids.length >= count) child.kill('SIGKILL')
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL')
  return ids
}

for (const [kind, open] of Object.entries(KINDS) as [Kind, (typeof KINDS)[Kind]][])
  describe(`${kind}:`, () => {
    test('a kill in the middle of a write loses no acknowledged key and leaves no half one', async (t) => {
      const directory = scratch(t)
      const acknowledged: string[] = []
      for (const count of [0, 1, 3, 7])
        acknowledged.push(...(await writeAndKill(kind, directory, count)))
      const provider = await open(directory)
      // Every file that is there opens; a key that was linked but not yet acknowledged is whole too.
      const found = new Set((await provider.list()).map(({ id }) => id))
      for (const id of acknowledged)
        assert.ok(found.has(parseKeyId(id)), 'an acknowledged key is gone')
      assert.ok(found.size <= acknowledged.length + 4 * 2)
      assert.deepEqual(
        readdirSync(directory).filter((name) => name.startsWith('.')),
        [],
        'leftovers stay',
      )
    })

    test('what a dead process left behind is removed, what a living one is writing stays', async (t) => {
      const directory = scratch(t)
      await open(directory)
      const { pid: dead } = spawnSync(process.execPath, ['--version'])
      const [left, writing] = [`.${dead}-0011223344556677`, `.${process.pid}-0011223344556677`]
      for (const name of [left, writing]) writeFileSync(join(directory, name), 'half')
      await open(directory)
      const names = readdirSync(directory)
      assert.ok(!names.includes(left) && names.includes(writing))
    })

    test('two processes on one directory see each other and never overwrite a key', async (t) => {
      const directory = scratch(t)
      const [theirs, ours] = await Promise.all([writeAndKill(kind, directory, 5), open(directory)])
      const mine = await ours.generateKey({ label: 'mine', algorithm: 'aes-256' })
      for (const id of theirs)
        assert.equal((await ours.find({ id: parseKeyId(id) })).label, 'written')
      assert.ok((await ours.list()).some(({ id }) => id === mine.id))
    })

    test('of many that make one id at once, one succeeds', async (t) => {
      const directory = scratch(t)
      const providers = await Promise.all(Array.from({ length: 4 }, () => open(directory)))
      const serials = await Promise.all(
        providers.map(async (provider) => (await provider.info()).serial),
      )
      assert.equal(new Set(serials).size, 1, 'they made several devices')
      const id = parseKeyId('00ff')
      const results = await Promise.allSettled(
        providers.map((provider) =>
          provider.generateKey({ label: 'raced', algorithm: 'ed25519', id }),
        ),
      )
      const made = results.filter(
        ({ status }) => status === 'fulfilled',
      ) as PromiseFulfilledResult<{
        publicKey?: Uint8Array
      }>[]
      assert.equal(made.length, 1)
      for (const result of results)
        if (result.status === 'rejected') assert.ok(isFault(result.reason, 'hsm/key-exists'))
      assert.deepEqual(await providers[0]!.publicKey(id), made[0]!.value.publicKey)
    })
  })
