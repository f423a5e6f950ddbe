/**
 * What every row holds now, as a Merkle tree that is kept beside the rows. A leaf is 28 bytes: which row, and
 * the digest of what it holds. Leaves lie in 65536 buckets by the hash of the row's name; the digest of each
 * bucket stays in memory, with the nodes above it up to the root, about two megabytes whatever the store
 * holds. A read looks into one bucket and compares its digest with the one in memory.
 *
 * Who writes to the database behind our back can change rows and buckets, but neither the digests in this
 * memory nor, without the keys, the mac over the stored root.
 */
import { hash } from 'node:crypto'
import { bug, equalBytes, TAGS } from '@quorate/base'
import type { SqlRow, SqlStatement } from '@quorate/platform'
import { collectGarbage } from '../barrier/collect.ts'
import { after, type Soon } from '../soon.ts'
import { DIGEST_BYTES } from './leaf.ts'
import type { Leaf, Reads } from './port.ts'

const BUCKETS = 65_536
const FANOUT = 16
const HASH = 32
/** Of a leaf: which row. Its first two bytes chose the bucket and are not kept. */
const KEY_BYTES = 12
const LEAF_BYTES: number = KEY_BYTES + DIGEST_BYTES
/** Buckets that stay in memory once they were verified, in bytes of leaves. */
const CACHE_BYTES = 12_000_000
/** Rows read at once when all buckets are. */
const STRIDE = 512
/**
 * Bytes of buckets after which those are freed that were read and not kept. They lie outside of the heap, so
 * the collector would let all of a large tree pile up first.
 */
const PASS_BYTES = 10_000_000

const TREE_TAG = Buffer.from(TAGS.kmsTree)
const UPSERT =
  'INSERT INTO tree (bucket, leaves) VALUES (?, ?) ON CONFLICT (bucket) DO UPDATE SET leaves = excluded.leaves'
const NOTHING = new Uint8Array(0)
const ZERO = new Uint8Array(HASH)
/** Bytes of all children of a node. */
const NODE: number = FANOUT * HASH

type Spot = { readonly bucket: number; readonly key: Uint8Array }

function spotOf(table: string, row: string): Spot {
  const name = hash('sha256', `${TAGS.kmsTree}\0${table}\0${row}`, 'buffer')
  return { bucket: name.readUInt16BE(0), key: name.subarray(2, 2 + KEY_BYTES) }
}

/** Tag, level and what is hashed, for nodes and buckets of the usual size; larger ones get room of their own. */
const scratch: Uint8Array = new Uint8Array(TREE_TAG.length + 1 + 8192)
scratch.set(TREE_TAG)

function hashOf(level: number, bytes: Uint8Array): Uint8Array {
  const start = TREE_TAG.length + 1
  let input = scratch
  if (start + bytes.length > scratch.length) {
    input = new Uint8Array(start + bytes.length)
    input.set(TREE_TAG)
  }
  input[TREE_TAG.length] = level
  input.set(bytes, start)
  return hash('sha256', input.subarray(0, start + bytes.length), 'buffer')
}

const bucketHash = (leaves: Uint8Array): Uint8Array =>
  leaves.length === 0 ? ZERO : hashOf(0, leaves)

function isEmpty(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}

/** A node over nothing but empty children is empty too: zeros. */
const nodeHash = (level: number, children: Uint8Array): Uint8Array =>
  isEmpty(children) ? ZERO : hashOf(level, children)

/** Of the key that stands at `at` and `key`: below zero where the former comes first. */
function compareKeys(leaves: Uint8Array, at: number, key: Uint8Array): number {
  for (let i = 0; i < KEY_BYTES; i++) {
    const difference = leaves[at + i]! - key[i]!
    if (difference !== 0) return difference
  }
  return 0
}

/** Where the leaf stands, or where it would have to: binary search over sorted leaves. */
function find(
  leaves: Uint8Array,
  key: Uint8Array,
): { readonly at: number; readonly isThere: boolean } {
  let low = 0
  let high = leaves.length / LEAF_BYTES
  while (low < high) {
    const middle = (low + high) >> 1
    const start = middle * LEAF_BYTES
    const order = compareKeys(leaves, start, key)
    if (order === 0) return { at: start, isThere: true }
    if (order < 0) low = middle + 1
    else high = middle
  }
  return { at: low * LEAF_BYTES, isThere: false }
}

/** The bucket with that leaf set, or taken out. */
function withLeaf(leaves: Uint8Array, key: Uint8Array, digest: Uint8Array | null): Uint8Array {
  const { at, isThere } = find(leaves, key)
  if (digest === null && !isThere) return leaves
  const rest = leaves.subarray(isThere ? at + LEAF_BYTES : at)
  const out = new Uint8Array(at + (digest === null ? 0 : LEAF_BYTES) + rest.length)
  out.set(leaves.subarray(0, at))
  if (digest !== null) {
    out.set(key, at)
    out.set(digest, at + KEY_BYTES)
  }
  out.set(rest, out.length - rest.length)
  return out
}

/** What a change does to the tree, before it is on disk. */
export type TreeChange = {
  readonly statements: readonly SqlStatement[]
  readonly root: Uint8Array
  /** Makes it the present state. Call it once the statements are on disk. */
  apply(): void
}

export type LeafState = 'fresh' | 'stale'

export class StateTree {
  readonly #reads: Pick<Reads, 'read' | 'first'>
  /** Digests of the buckets, then of the nodes above them; the last level is the root. */
  readonly #levels: readonly Uint8Array[]
  readonly #cache = new Map<number, Uint8Array>()
  #cachedBytes = 0

  private constructor(reads: Pick<Reads, 'read' | 'first'>) {
    this.#reads = reads
    const levels: Uint8Array[] = []
    for (let width = BUCKETS; width >= 1; width /= FANOUT) levels.push(new Uint8Array(width * HASH))
    this.#levels = levels
  }

  /** The tree as the store has it now. Whether it is the one that was written is for the caller to compare. */
  static async load(reads: Pick<Reads, 'read' | 'first'>): Promise<StateTree> {
    const tree = new StateTree(reads)
    const [digests] = tree.#levels as [Uint8Array]
    let read = 0
    for (let first = 0; first < BUCKETS; first += STRIDE) {
      const rows = await reads.read(
        'SELECT bucket, leaves FROM tree WHERE bucket >= ? AND bucket < ?',
        [first, first + STRIDE],
      )
      for (const row of rows) {
        const bucket = row['bucket'] as number
        const leaves = row['leaves'] as Uint8Array
        if (leaves.length === 0) continue
        read += leaves.length
        digests.set(bucketHash(leaves), bucket * HASH)
        if (tree.#cachedBytes < CACHE_BYTES) tree.#keep(bucket, leaves)
      }
      if (read > PASS_BYTES) {
        collectGarbage()
        read = 0
      }
    }
    for (let level = 1; level < tree.#levels.length; level++) {
      const [below, nodes] = [tree.#levels[level - 1], tree.#levels[level]] as [
        Uint8Array,
        Uint8Array,
      ]
      for (let node = 0; node < nodes.length / HASH; node++)
        nodes.set(nodeHash(level, below.subarray(node * NODE, (node + 1) * NODE)), node * HASH)
    }
    return tree
  }

  /** 32 bytes. */
  get root(): Uint8Array {
    return (this.#levels.at(-1) as Uint8Array).slice()
  }

  #keep(bucket: number, leaves: Uint8Array): void {
    this.#forget(bucket)
    this.#cache.set(bucket, leaves)
    this.#cachedBytes += leaves.length
    while (this.#cachedBytes > CACHE_BYTES) {
      const [oldest] = this.#cache.keys()
      if (oldest === undefined) return
      this.#forget(oldest)
    }
  }

  #forget(bucket: number): void {
    const old = this.#cache.get(bucket)
    if (old === undefined) return
    this.#cachedBytes -= old.length
    this.#cache.delete(bucket)
  }

  /** The leaves of a bucket, where they are those that the digest in memory stands for. */
  #load(bucket: number): Soon<Uint8Array | undefined> {
    return after(this.#reads.first('SELECT leaves FROM tree WHERE bucket = ?', [bucket]), (row) =>
      this.#verified(bucket, row),
    )
  }

  #verified(bucket: number, row: SqlRow | undefined): Uint8Array | undefined {
    const leaves = (row?.['leaves'] as Uint8Array | undefined) ?? NOTHING
    const digest = bucketHash(leaves)
    const [digests] = this.#levels as [Uint8Array]
    if (!equalBytes(digest, digests.subarray(bucket * HASH, (bucket + 1) * HASH))) return undefined
    this.#keep(bucket, leaves)
    return leaves
  }

  /** Whether the row is what was written last, or rightly not there. */
  check({ table, row, digest }: Leaf): Soon<LeafState> {
    const { bucket, key } = spotOf(table, row)
    return after(this.#cache.get(bucket) ?? this.#load(bucket), (leaves) =>
      leaves === undefined ? 'stale' : compare(leaves, key, digest),
    )
  }

  /**
   * What the leaves, in order, make of the tree. Changes are planned one after the other: none before the
   * one before it was applied or given up. @throws base/bug where a bucket is not what was written
   */
  async plan(leaves: readonly Leaf[]): Promise<TreeChange> {
    if (leaves.length === 0) return { statements: [], root: this.root, apply: () => undefined }
    const changed = new Map<number, Uint8Array>()
    for (const { table, row, digest } of leaves) {
      const { bucket, key } = spotOf(table, row)
      const before =
        changed.get(bucket) ??
        this.#cache.get(bucket) ??
        (await this.#load(bucket)) ??
        bug('a bucket of the tree was changed from outside')
      changed.set(bucket, withLeaf(before, key, digest))
    }
    const nodes = this.#pathsOf(changed)
    return {
      statements: [...changed].map(([bucket, content]) => ({
        sql: UPSERT,
        params: [bucket, content],
      })),
      root: new Uint8Array(nodes.at(-1)?.get(0) ?? bug('a tree has a root')),
      apply: () => {
        for (const [bucket, content] of changed) this.#keep(bucket, content)
        nodes.forEach((level, i) => {
          for (const [node, digest] of level) this.#levels[i]?.set(digest, node * HASH)
        })
      },
    }
  }

  /** New digests of the changed buckets and of every node above them, level by level. */
  #pathsOf(changed: ReadonlyMap<number, Uint8Array>): readonly ReadonlyMap<number, Uint8Array>[] {
    let below = new Map<number, Uint8Array>()
    for (const [bucket, leaves] of changed) below.set(bucket, bucketHash(leaves))
    const paths = [below]
    for (let level = 1; level < this.#levels.length; level++) {
      const above = new Map<number, Uint8Array>()
      for (const child of below.keys()) {
        const node = Math.floor(child / FANOUT)
        if (above.has(node)) continue
        const children = (this.#levels[level - 1] as Uint8Array).slice(
          node * NODE,
          (node + 1) * NODE,
        )
        for (let i = 0; i < FANOUT; i++) {
          const digest = below.get(node * FANOUT + i)
          if (digest !== undefined) children.set(digest, i * HASH)
        }
        above.set(node, nodeHash(level, children))
      }
      paths.push(above)
      below = above
    }
    return paths
  }
}

function compare(leaves: Uint8Array, key: Uint8Array, digest: Uint8Array | null): LeafState {
  const { at, isThere } = find(leaves, key)
  if (!isThere || digest === null) return !isThere && digest === null ? 'fresh' : 'stale'
  return equalBytes(leaves.subarray(at + KEY_BYTES, at + LEAF_BYTES), digest) ? 'fresh' : 'stale'
}
