import assert from 'node:assert/strict'
import test from 'node:test'
import { isFault } from '@quorate/base'
import type { SqlRow, SqlStatement, SqlValue } from '@quorate/platform'
import fc from 'fast-check'
import { leafDigest } from '#src/storage/leaf.js'
import type { Leaf } from '#src/storage/port.js'
import { StateTree } from '#src/storage/tree.js'

/** The table of buckets, without a database. */
class Buckets {
  readonly rows = new Map<number, Uint8Array>()

  read = async (sql: string, params: readonly SqlValue[] = []): Promise<readonly SqlRow[]> => {
    const [first = 0, end] = params as number[]
    const isOne = sql.includes('bucket = ?')
    return [...this.rows]
      .filter(([bucket]) => (isOne ? bucket === first : bucket >= first && bucket < end!))
      .map(([bucket, leaves]) => ({ bucket, leaves }))
  }

  first = async (sql: string, params: readonly SqlValue[] = []): Promise<SqlRow | undefined> =>
    (await this.read(sql, params))[0]

  write(statements: readonly SqlStatement[]): void {
    for (const { params } of statements)
      this.rows.set(params![0] as number, params![1] as Uint8Array)
  }
}

const leaf = (row: string, version: number | null): Leaf => ({
  table: 't',
  row,
  digest: version === null ? null : leafDigest(version, row),
})

async function change(tree: StateTree, buckets: Buckets, leaves: readonly Leaf[]): Promise<void> {
  const planned = await tree.plan(leaves)
  buckets.write(planned.statements)
  planned.apply()
  assert.deepEqual(tree.root, planned.root)
}

test('the tree knows the newest of every row, and comes back from its buckets as it was', async () => {
  const steps = fc.array(
    fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.option(fc.integer({ min: 1, max: 9 }))), {
      minLength: 1,
      maxLength: 8,
    }),
    { maxLength: 12 },
  )
  await fc.assert(
    fc.asyncProperty(steps, async (groups) => {
      const buckets = new Buckets()
      const tree = await StateTree.load(buckets)
      const model = new Map<string, number | null>()
      for (const group of groups) {
        await change(
          tree,
          buckets,
          group.map(([row, version]) => leaf(`r${row}`, version)),
        )
        for (const [row, version] of group) model.set(`r${row}`, version)
      }
      const again = await StateTree.load(buckets)
      assert.deepEqual(again.root, tree.root)
      for (const [row, version] of model)
        for (const each of [tree, again]) {
          assert.equal(await each.check(leaf(row, version)), 'fresh')
          assert.equal(await each.check(leaf(row, 10)), 'stale')
          assert.equal(
            await each.check(leaf(row, version === null ? 1 : null)),
            'stale',
            'taken away, or added',
          )
        }
      assert.equal(await tree.check(leaf('never', null)), 'fresh')
    }),
    { numRuns: 25 },
  )
})

test('an empty tree, and one that was emptied, have the same root', async () => {
  const buckets = new Buckets()
  const tree = await StateTree.load(buckets)
  const empty = tree.root
  await change(tree, buckets, [leaf('a', 1), leaf('b', 1)])
  assert.notDeepEqual(tree.root, empty)
  await change(tree, buckets, [leaf('a', null), leaf('b', null)])
  assert.deepEqual(tree.root, empty)
})

test('a bucket that was changed from outside makes its rows stale, and takes no change', async () => {
  const buckets = new Buckets()
  const first = await StateTree.load(buckets)
  await change(first, buckets, [leaf('a', 1)])
  const [[bucket, before]] = [...buckets.rows] as [[number, Uint8Array]]
  await change(first, buckets, [leaf('a', 2)])
  const sound = buckets.rows.get(bucket)!
  for (const forged of [before, sound.with(20, sound[20]! ^ 1), new Uint8Array()]) {
    buckets.rows.set(bucket, sound)
    const tree = await StateTree.load({
      // Loaded while it was sound, and not kept: as after the cache let it go.
      read: async (sql, params) => (await buckets.read(sql, params)).map((row) => ({ ...row })),
      first: buckets.first,
    })
    const fresh = await StateTree.load(buckets)
    assert.deepEqual(tree.root, fresh.root)
    buckets.rows.set(bucket, forged)
    const other = await StateTree.load(buckets)
    assert.notDeepEqual(other.root, tree.root)
  }
})

test('a change that was given up leaves the tree as it was', async () => {
  const buckets = new Buckets()
  const tree = await StateTree.load(buckets)
  await change(tree, buckets, [leaf('a', 1)])
  const before = tree.root
  await tree.plan([leaf('a', 2), leaf('b', 1)])
  assert.deepEqual(tree.root, before)
  assert.equal(await tree.check(leaf('a', 1)), 'fresh')
  assert.equal(await tree.check(leaf('b', null)), 'fresh')
})

test('digests tell versions, kinds and borders of parts apart', () => {
  const all = [
    leafDigest(1),
    leafDigest(2),
    leafDigest(2 ** 40),
    leafDigest(1, null),
    leafDigest(1, ''),
    leafDigest(1, new Uint8Array()),
    leafDigest(1, 'ab'),
    leafDigest(1, 'a', 'b'),
    leafDigest(1, Uint8Array.of(97, 98)),
    leafDigest(1, 'ä'),
    leafDigest(1, 'a\u0308'),
    leafDigest(1, 'x'.repeat(10_000)),
    leafDigest(1, new Uint8Array(10_000)),
  ].map((digest) => Buffer.from(digest).toString('hex'))
  assert.equal(new Set(all).size, all.length)
  assert.ok(all.every((digest) => digest.length === 32))
  assert.ok(!isFault(all))
})
