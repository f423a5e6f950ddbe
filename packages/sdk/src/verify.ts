/**
 * What a client checks of what comes back. One node answers the API; what it says counts only with the
 * signed receipts of the others, whose keys the cluster record names.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import {
  decodeReceipt,
  type Receipt,
  type RequestBody,
  receiptMessage,
  requestHash,
  type VerifySignature,
  type WalletJson,
} from '@quorate/api'
import {
  type AcceptedRecord,
  acceptChain,
  decodeSignedRecord,
  type EpochRecord,
  verifyPastEpoch,
} from '@quorate/auth'
import {
  bytes,
  type Cbor,
  decode,
  decodeCbor,
  encodeCbor,
  equalBytes,
  Fault,
  field,
  fromHex,
  type Id,
  isFault,
  record,
  TAGS,
  taggedHash,
  toHex,
} from '@quorate/base'
import { findAdapter, type KeyRef } from '@quorate/chains'
import { keyDigest, parseEcdsaKey, type WalletKey, walletKeyCodec } from '@quorate/threshold'

/** Whether `signature` is one of RFC 8032. Never throws. Variable-time: public inputs only. */
export const verifySignature: VerifySignature = (publicKey, message, signature) => {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false })
  } catch {
    return false
  }
}

/** The record in force at the end of a chain of signed cluster records, from number 1. @throws auth/…, base/… */
export const readClusterChain = (chain: readonly Uint8Array[]): AcceptedRecord =>
  acceptChain(chain.map(decodeSignedRecord), { verify: verifySignature })

const bundle = record({
  receipt: field(0, bytes({ max: 8192 })),
  /** The signer's epoch record, signed by its identity key. */
  epoch: field(1, bytes({ max: 4096 })),
})
const MAX_BUNDLE_BYTES = 16_384
const MAX_WALLET_BYTES = 1 << 20

/** Epoch records that verified lately: a node shows the same one with every receipt of a day. */
const MAX_EPOCHS = 256

export type ReceiptsOf = {
  readonly purpose: Receipt['purpose']
  readonly body: RequestBody
  readonly client: Id<'cli'>
  readonly wallet: string
  /** What the nodes must confirm. */
  readonly result: Uint8Array
  /** How many nodes must say so. */
  readonly need: number
}

/** Receipts of the nodes of one cluster. */
export class ReceiptReader {
  readonly #cluster: AcceptedRecord
  readonly #epochs = new Map<string, EpochRecord>()

  constructor(cluster: AcceptedRecord) {
    this.#cluster = cluster
  }

  /** The numbers of the nodes that confirm the result, ascending. @throws sdk/bad-receipts if they are fewer than needed */
  check(receipts: readonly string[], about: ReceiptsOf): readonly number[] {
    const { cluster } = this.#cluster
    const hash = requestHash({ v: 1, cluster, client: about.client, body: about.body })
    const nodes = new Set<number>()
    for (const encoded of receipts) {
      const receipt = this.#read(encoded)
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

  /** The receipt, its whole chain of signatures checked; `undefined` for one that does not hold. */
  #read(encoded: string): Receipt | undefined {
    try {
      const outer = decode(bundle, fromHex(encoded), { maxBytes: MAX_BUNDLE_BYTES })
      const receipt = decodeReceipt(outer.receipt)
      const epoch = this.#epoch(outer.epoch, receipt.at)
      const isSound =
        epoch.nodeIndex === receipt.node &&
        epoch.nodeId === receipt.nodeId &&
        equalBytes(epoch.epoch, receipt.epoch) &&
        equalBytes(receipt.cluster, this.#cluster.cluster) &&
        verifySignature(epoch.envelopeKey, receiptMessage(receipt), receipt.signature)
      return isSound ? receipt : undefined
    } catch (error) {
      if (isFault(error)) return undefined
      throw error
    }
  }

  #epoch(signed: Uint8Array, at: number): EpochRecord {
    const name = toHex(signed)
    const known = this.#epochs.get(name)
    if (known !== undefined && at >= known.notBefore && at < known.notAfter) return known
    const epoch = verifyPastEpoch(signed, {
      cluster: this.#cluster,
      now: at,
      verify: verifySignature,
    })
    if (this.#epochs.size >= MAX_EPOCHS) this.#epochs.clear()
    this.#epochs.set(name, epoch)
    return epoch
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

/** Keys of the fields that are read of the public record of a wallet's generation. */
const WALLET_FIELDS = { version: 1, key: 2, policyHash: 10 } as const

/**
 * What the receipts of a key generation or refresh confirm, worked out from the wallet's public record,
 * which must be of the wallet as it is shown.
 * @throws sdk/bad-wallet where it is not; base/…, threshold/… for bytes that are no record
 */
export function confirmedBy(
  encoded: string,
  wallet: WalletJson,
  { isNew }: { readonly isNew: boolean },
): Uint8Array {
  const outer = decodeCbor(fromHex(encoded), { maxBytes: MAX_WALLET_BYTES })
  if (!(outer instanceof Map) || outer.get(WALLET_FIELDS.version) !== 1)
    throw new Fault('base/unknown-version')
  const fields: ReadonlyMap<number, Cbor> = outer
  const key: WalletKey = walletKeyCodec.fromCbor(fields.get(WALLET_FIELDS.key)!, 'key')
  const policyHash: unknown = outer.get(WALLET_FIELDS.policyHash)
  const isShown =
    key.wallet === wallet.id &&
    key.generation === wallet.generation &&
    key.suite === wallet.suite &&
    key.threshold === wallet.threshold &&
    toHex(key.groupKey) === wallet.groupKey &&
    (key.chainCode === undefined ? undefined : toHex(key.chainCode)) === wallet.chainCode &&
    // A record holds the policy that the wallet was made with; the one in force has links of its own.
    (!isNew || (policyHash instanceof Uint8Array && toHex(policyHash) === wallet.policyHash))
  if (!isShown) throw new Fault('sdk/bad-wallet', { detail: 'it is not that of its record' })
  if (key.protocol === 'frost') return key.groupKey
  return taggedHash(TAGS.walletGeneration, keyDigest(parseEcdsaKey(key)), key.aux!)
}

/** The wallet's key, from which every one of its addresses is worked out again. @throws sdk/bad-wallet, chains/… */
export function checkedKey(wallet: WalletJson): KeyRef {
  const { scheme, suite, network, address, addresses } = wallet
  const key: KeyRef = { scheme, publicKey: fromHex(wallet.groupKey) }
  const isOwn =
    addresses[network] === address &&
    Object.entries(addresses).every(
      ([each, shown]) => findAdapter(each, suite).address(key) === shown,
    )
  if (!isOwn) throw new Fault('sdk/bad-wallet', { detail: 'an address is not that of the key' })
  return key
}
