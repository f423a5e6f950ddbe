/**
 * Merkle tree in the shape of RFC 6962 §2.1, with our tags in place of its one-byte prefixes: leaves
 * and inner nodes hash in different domains, so no inner node passes for a leaf. A proof shows
 * that one row belongs to a state without showing the others.
 * Variable-time: public inputs only.
 */
import { compareBytes, encodeCbor, equalBytes, Fault, TAGS, taggedHash, utf8 } from '@quorate/base'

const leafHash = (leaf: Uint8Array): Uint8Array => taggedHash(TAGS.auditLeaf, leaf)
const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  taggedHash(TAGS.auditNode, left, right)
/** Root of the tree without leaves: the hash of no children. */
const EMPTY_ROOT: Uint8Array = taggedHash(TAGS.auditNode)

/** The largest power of two below `size` (≥ 2). */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

/** Root of the tree over `leaves`, 32 bytes. The order counts. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return EMPTY_ROOT
  // A stack of complete subtrees, largest first, as a binary counter: one pass, log n space.
  const stack: { hash: Uint8Array; size: number }[] = []
  for (const leaf of leaves) {
    let top = { hash: leafHash(leaf), size: 1 }
    while (stack.at(-1)?.size === top.size) {
      const left = stack.pop()!
      top = { hash: nodeHash(left.hash, top.hash), size: top.size * 2 }
    }
    stack.push(top)
  }
  return stack.map(({ hash }) => hash).reduceRight((right, left) => nodeHash(left, right))
}

/** The sibling hashes from leaf `index` up to the root. @throws api/bad-tree for an index outside */
export function inclusionProof(
  leaves: readonly Uint8Array[],
  index: number,
): readonly Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length)
    throw new Fault('api/bad-tree')
  if (leaves.length === 1) return []
  const split = splitOf(leaves.length)
  const left = leaves.slice(0, split)
  const right = leaves.slice(split)
  return index < split
    ? [...inclusionProof(left, index), merkleRoot(right)]
    : [...inclusionProof(right, index - split), merkleRoot(left)]
}

export type Inclusion = {
  readonly leaf: Uint8Array
  readonly index: number
  /** Number of leaves of the tree. */
  readonly size: number
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** Whether `proof` shows that `leaf` stands at `index` of a tree of `size` leaves under `root`. */
export function verifyInclusion({ leaf, index, size, proof, root }: Inclusion): boolean {
  if (!Number.isInteger(index) || !Number.isInteger(size) || index < 0 || index >= size)
    return false
  // Which side each sibling is on, from the root down to the leaf.
  const isSiblingLeft: boolean[] = []
  let at = index
  let width = size
  while (width > 1) {
    const split = splitOf(width)
    const isRight = at >= split
    isSiblingLeft.push(isRight)
    at = isRight ? at - split : at
    width = isRight ? width - split : split
  }
  if (proof.length !== isSiblingLeft.length) return false
  const hash = proof.reduce((below, sibling, i) => {
    const isLeft = isSiblingLeft[isSiblingLeft.length - 1 - i]!
    return isLeft ? nodeHash(sibling, below) : nodeHash(below, sibling)
  }, leafHash(leaf))
  return equalBytes(hash, root)
}

/** One row of the state that a checkpoint commits to. */
export type StateRow = {
  /** Unique name of the row, e.g. `wallet/wal_…`. */
  readonly key: string
  /** Hash of what it holds, 32 bytes. */
  readonly hash: Uint8Array
}

/** The leaf that stands for a row. */
export const stateLeaf = ({ key, hash }: StateRow): Uint8Array => encodeCbor([key, hash])

/** Root over rows in strictly ascending byte order of their keys. @throws api/bad-tree for another order */
export function stateRoot(rows: readonly StateRow[]): Uint8Array {
  rows.forEach((row, i) => {
    const before = rows[i - 1]
    if (before !== undefined && compareBytes(utf8(before.key), utf8(row.key)) >= 0)
      throw new Fault('api/bad-tree')
  })
  return merkleRoot(rows.map(stateLeaf))
}
