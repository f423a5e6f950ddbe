/**
 * Whether enough nodes have put their names to a result. One node answers the API; what it says
 * counts only with the signed receipts of the others.
 */
import { type Receipt, type RequestBody, requestHash } from '@quorate/api'
import { encodeCbor, equalBytes, Fault, fromHex, isFault, TAGS, taggedHash } from '@quorate/base'
import { readReceipt } from '@quorate/enclave'
import type { Connection } from './connection.ts'

export type ReceiptsOf = {
  readonly purpose: Receipt['purpose']
  readonly body: RequestBody
  readonly client: string
  readonly wallet: string
  /** What the nodes must confirm: the group key, or the hash of all signatures. */
  readonly result: Uint8Array
  /** How many nodes must say so. */
  readonly need: number
}

/** The numbers of the nodes that confirm the result. @throws sdk/bad-receipts if they are fewer than needed */
export function checkReceipts(
  receipts: readonly string[],
  { cluster, credentials }: Pick<Connection, 'cluster' | 'credentials'>,
  about: ReceiptsOf,
): readonly number[] {
  const client = credentials.find((each) => each.client === about.client)?.client
  if (client === undefined) throw new Fault('sdk/no-credential')
  const hash = requestHash({ v: 1, cluster: cluster.cluster, client, body: about.body })
  const nodes = new Set<number>()
  for (const encoded of receipts) {
    const receipt = readOne(encoded, cluster)
    const isAbout =
      receipt !== undefined &&
      receipt.purpose === about.purpose &&
      receipt.wallet === about.wallet &&
      equalBytes(receipt.requestHash, hash) &&
      equalBytes(receipt.result, about.result)
    if (isAbout) nodes.add(receipt.node)
  }
  if (nodes.size < about.need)
    throw new Fault('sdk/bad-receipts', { detail: `${nodes.size} of ${about.need}` })
  return [...nodes].sort((a, b) => a - b)
}

function readOne(encoded: string, cluster: Connection['cluster']): Receipt | undefined {
  try {
    return readReceipt(fromHex(encoded), cluster).receipt
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}

type Signed = {
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/** What the receipts of a signing confirm: 32 bytes over every message with its signature. */
export const signaturesHash = (items: readonly Signed[]): Uint8Array =>
  taggedHash(
    TAGS.signatures,
    encodeCbor(items.map(({ publicKey, message, signature }) => [publicKey, message, signature])),
  )
