/**
 * A receipt: one node's signed word for what a protocol run gave. A client believes a new wallet
 * when all n nodes say the same, and a signature when t do, so no single node can lie about either.
 */
import {
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  field,
  type Id,
  int,
  oneOf,
  record,
  type Signer,
  TAGS,
  tagged,
  taggedHash,
  toHex,
} from '@quorate/base'
import { generation, hash32, id, signature64, timeMs, VERSION_KEY, versioned } from './format.ts'
import { MAX_PARTIES } from './intent.ts'
import type { VerifySignature } from './request.ts'

export const MAX_RESULT_BYTES = 4096

export type ReceiptPurpose = 'keygen' | 'sign' | 'refresh'

export type UnsignedReceipt = {
  readonly v: 1
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  /** Index of the node in the cluster record, 1 to n. */
  readonly node: number
  readonly nodeId: Id<'nod'>
  /** Of the protocol run, 32 bytes. */
  readonly sid: Uint8Array
  /** Of the request that began it, 32 bytes. */
  readonly requestHash: Uint8Array
  readonly wallet: Id<'wal'>
  /** The wallet's generation once the run has ended. */
  readonly generation: number
  readonly purpose: ReceiptPurpose
  /** The group key for `keygen` and `refresh`, the hash of all signatures for `sign`. */
  readonly result: Uint8Array
  /** Milliseconds since the Unix epoch, by the node's own clock. */
  readonly at: number
  /** Names the epoch key that signs, 16 bytes. */
  readonly epoch: Uint8Array
}
export type Receipt = UnsignedReceipt & {
  /** Ed25519 by the node's epoch key, 64 bytes. */
  readonly signature: Uint8Array
}

const fields = {
  v: field(VERSION_KEY, oneOf(1)),
  cluster: field(1, hash32),
  node: field(2, int(1, MAX_PARTIES)),
  nodeId: field(3, id('nod')),
  sid: field(4, hash32),
  requestHash: field(5, hash32),
  wallet: field(6, id('wal')),
  generation: field(7, generation),
  purpose: field(8, oneOf('keygen', 'sign', 'refresh')),
  result: field(9, bytes({ min: 1, max: MAX_RESULT_BYTES })),
  at: field(10, timeMs),
  epoch: field(11, bytes(16)),
}
const unsignedReceipt: Codec<UnsignedReceipt> = record(fields)

export const receiptCodec: Codec<Receipt> = versioned(
  1,
  record({ ...fields, signature: field(12, signature64) }),
)

/** The bytes that the node signs. @throws base/malformed */
export const receiptMessage = (receipt: UnsignedReceipt): Uint8Array =>
  tagged(TAGS.receipt, encode(unsignedReceipt, receipt))

/** 32 bytes over all that is signed. */
export const receiptHash = (receipt: UnsignedReceipt): Uint8Array =>
  taggedHash(TAGS.receiptHash, encode(unsignedReceipt, receipt))

/** The receipt with the signature of `signer`, the node's epoch key. @throws base/malformed */
export const signReceipt = async (signer: Signer, receipt: UnsignedReceipt): Promise<Receipt> => ({
  ...receipt,
  signature: await signer.sign(receiptMessage(receipt)),
})

/** The canonical bytes. @throws base/malformed */
export const encodeReceipt = (receipt: Receipt): Uint8Array => encode(receiptCodec, receipt)

/** @throws base/too-large, base/malformed, base/not-canonical, base/bad-id, base/unknown-version */
export const decodeReceipt = (encoded: Uint8Array): Receipt =>
  decode(receiptCodec, encoded, { maxBytes: MAX_RESULT_BYTES + 1024 })

export type ReceiptProblem = {
  /** Position in the list that was given. */
  readonly index: number
  readonly code: 'other-run' | 'unknown-node' | 'bad-signature' | 'repeated-node' | 'disagrees'
}

/** What enough nodes say alike. */
export type ReceiptStatement = Pick<UnsignedReceipt, 'sid' | 'wallet' | 'generation' | 'result'>

export type ReceiptReport = {
  /** Absent unless at least `need` nodes agree, and no other `need` agree on something else. */
  readonly statement: ReceiptStatement | undefined
  /** Indices of the nodes that say so. */
  readonly nodes: readonly number[]
  readonly problems: readonly ReceiptProblem[]
}

export type ReceiptCheck = {
  /** How many nodes must agree: n for `keygen` and `refresh`, t for `sign`. */
  readonly need: number
  /** What the caller asked for; receipts of anything else do not count. */
  readonly about: Pick<UnsignedReceipt, 'cluster' | 'requestHash' | 'purpose'>
  /** The epoch key (32 bytes) that the node at `node` with `nodeId` delegated, or `undefined`. */
  readonly resolveKey: (receipt: UnsignedReceipt) => Uint8Array | undefined
  readonly verify: VerifySignature
}

/**
 * What at least `need` nodes state alike about the caller's request; each node counts once.
 * Receipts that do not count are named with the reason. Variable-time: public inputs only.
 */
export function verifyReceipts(receipts: readonly Receipt[], check: ReceiptCheck): ReceiptReport {
  const problems: ReceiptProblem[] = []
  const seen = new Set<string>()
  const groups = new Map<string, { index: number; receipt: Receipt }[]>()
  receipts.forEach((receipt, index) => {
    const code = refusal(receipt, check, seen)
    if (code !== undefined) {
      problems.push({ index, code })
      return
    }
    // Only a receipt that its node signed may use up the node's place.
    seen.add(`#${receipt.node}`).add(receipt.nodeId)
    const key = statementKey(receipt)
    groups.set(key, [...(groups.get(key) ?? []), { index, receipt }])
  })

  const need = Math.max(check.need, 1)
  const agreeing = [...groups.values()].filter((group) => group.length >= need)
  const agreed = agreeing.length === 1 ? agreeing[0] : undefined
  for (const group of groups.values())
    if (groups.size > 1 && group !== agreed)
      problems.push(...group.map(({ index }) => ({ index, code: 'disagrees' as const })))
  problems.sort((a, b) => a.index - b.index)
  if (agreed === undefined) return { statement: undefined, nodes: [], problems }
  const { sid, wallet, generation, result } = agreed[0]!.receipt
  return {
    statement: { sid, wallet, generation, result },
    nodes: agreed.map(({ receipt }) => receipt.node).sort((a, b) => a - b),
    problems,
  }
}

function refusal(
  receipt: Receipt,
  { about, resolveKey, verify }: ReceiptCheck,
  seen: ReadonlySet<string>,
): ReceiptProblem['code'] | undefined {
  const isAbout =
    equalBytes(receipt.cluster, about.cluster) &&
    equalBytes(receipt.requestHash, about.requestHash) &&
    receipt.purpose === about.purpose
  if (!isAbout) return 'other-run'
  const key = resolveKey(receipt)
  if (key === undefined) return 'unknown-node'
  if (!verify(key, receiptMessage(receipt), receipt.signature)) return 'bad-signature'
  if (seen.has(`#${receipt.node}`) || seen.has(receipt.nodeId)) return 'repeated-node'
  return undefined
}

const statementKey = ({ sid, wallet, generation, result }: Receipt): string =>
  `${toHex(sid)} ${wallet} ${generation} ${toHex(result)}`
