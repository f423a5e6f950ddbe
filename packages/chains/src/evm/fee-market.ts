/**
 * EIP-1559 transactions (type 2), read strictly.
 *
 *   0x02 ‖ rlp([chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, data,
 *               [[address, [storageKey …]] …]])                      unsigned; what the signature covers
 *   0x02 ‖ rlp([… the same nine, yParity, r, s])                     signed
 *
 * Spec: EIP-2718, EIP-1559, EIP-2930; the ranges are those of EIP-2681 and of common nodes.
 */
import { concatBytes, Fault, type FaultCode } from '@quorate/base'
import { fromBytesBe } from '@quorate/math'
import { decodeRlp, encodeRlp, minimalBytes, type Rlp } from './rlp.ts'

/** What nodes take into their pools. */
const MAX_BYTES = 128 * 1024
const TYPE = 2
const UNSIGNED_FIELDS = 9
const SIGNED_FIELDS = 12
const ADDRESS_BYTES = 20
const WORD_BYTES = 32
const MIN_GAS = 21_000n
const MAX_UINT64 = 2n ** 64n - 1n
const MAX_UINT256 = 2n ** 256n - 1n
const LIST_PREFIX = 0xc0
const HEX_TEXT = 0x30

export type AccessEntry = { readonly address: Uint8Array; readonly keys: readonly Uint8Array[] }

export type FeeMarketTx = {
  readonly chainId: bigint
  readonly nonce: bigint
  /** Wei per gas, here and in the next. */
  readonly maxPriorityFeePerGas: bigint
  readonly maxFeePerGas: bigint
  readonly gasLimit: bigint
  /** 20 bytes, or `undefined` where the transaction creates a contract. */
  readonly to: Uint8Array | undefined
  /** Wei. */
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessEntry[]
  /** Exactly what the signature covers. */
  readonly unsigned: Uint8Array
  /** The nine items of it. */
  readonly fields: readonly Rlp[]
}

export type SignedFeeMarketTx = {
  readonly tx: FeeMarketTx
  readonly yParity: bigint
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array
}

function refuse(detail: string, code: FaultCode = 'chains/malformed-transaction'): never {
  throw new Fault(code, { detail })
}

/**
 * @throws chains/malformed-transaction, chains/not-canonical, chains/transaction-too-large,
 *   chains/unsupported-version, chains/already-signed, chains/bad-gas, chains/bad-amount
 */
export function readUnsigned(bytes: Uint8Array): FeeMarketTx {
  const fields = readFields(bytes)
  if (fields.length === SIGNED_FIELDS) throw new Fault('chains/already-signed')
  return readTransaction(fields)
}

/** @throws what `readUnsigned` throws */
export function readSigned(bytes: Uint8Array): SignedFeeMarketTx {
  const fields = readFields(bytes)
  if (fields.length !== SIGNED_FIELDS) refuse(`${fields.length} fields, a signed one has 12`)
  const [yParity, r, s] = fields.slice(UNSIGNED_FIELDS) as [Rlp, Rlp, Rlp]
  return {
    tx: readTransaction(fields.slice(0, UNSIGNED_FIELDS)),
    yParity: uint(yParity, 1n, 'yParity'),
    signature: concatBytes(word(r, 'r'), word(s, 's')),
  }
}

/** The signed form. `signature` is r ‖ s, 64 bytes. */
export const encodeSigned = (
  { fields }: FeeMarketTx,
  yParity: number,
  signature: Uint8Array,
): Uint8Array =>
  encode([
    ...fields,
    minimalBytes(BigInt(yParity)),
    minimalBytes(fromBytesBe(signature.subarray(0, WORD_BYTES))),
    minimalBytes(fromBytesBe(signature.subarray(WORD_BYTES))),
  ])

const encode = (fields: readonly Rlp[]): Uint8Array =>
  concatBytes(Uint8Array.of(TYPE), encodeRlp(fields))

/** The most it can take from the sender besides the value, in wei. */
export const maxFee = ({ gasLimit, maxFeePerGas }: FeeMarketTx): bigint => gasLimit * maxFeePerGas

function readFields(bytes: Uint8Array): readonly Rlp[] {
  if (bytes.length > MAX_BYTES)
    refuse(`${bytes.length} bytes, at most ${MAX_BYTES}`, 'chains/transaction-too-large')
  const [type] = bytes
  if (type !== TYPE) {
    if (type === undefined) refuse('no bytes at all')
    if (type >= LIST_PREFIX) refuse('a legacy transaction', 'chains/unsupported-version')
    if (type === HEX_TEXT) refuse('hexadecimal text: decode it first')
    if (type >= 0x80) refuse('not an Ethereum transaction')
    refuse(`a transaction of type ${type}`, 'chains/unsupported-version')
  }
  const fields = decodeRlp(bytes.subarray(1))
  if (fields instanceof Uint8Array) return refuse('not a list of fields')
  return fields
}

function readTransaction(fields: readonly Rlp[]): FeeMarketTx {
  if (fields.length !== UNSIGNED_FIELDS) refuse(`${fields.length} fields, an unsigned one has 9`)
  const [chainId, nonce, priorityFee, fee, gasLimit, to, value, data, accessList] = fields as [
    ...(readonly [Rlp, Rlp, Rlp, Rlp, Rlp, Rlp, Rlp, Rlp, Rlp]),
  ]
  const tx: FeeMarketTx = {
    chainId: uint(chainId, MAX_UINT256, 'the chain id'),
    // EIP-2681: the last nonce is never used.
    nonce: uint(nonce, MAX_UINT64 - 1n, 'the nonce'),
    maxPriorityFeePerGas: uint(priorityFee, MAX_UINT256, 'the priority fee'),
    maxFeePerGas: uint(fee, MAX_UINT256, 'the maximum fee'),
    gasLimit: uint(gasLimit, MAX_UINT64, 'the gas limit'),
    to: recipient(to),
    value: uint(value, MAX_UINT256, 'the value'),
    data: string(data, 'the data'),
    accessList: list(accessList, 'the access list').map(accessEntry),
    unsigned: encode(fields),
    fields,
  }
  if (tx.gasLimit < MIN_GAS) refuse(`gas limit ${tx.gasLimit}`, 'chains/bad-gas')
  if (tx.maxPriorityFeePerGas > tx.maxFeePerGas)
    refuse('the priority fee is above the maximum fee', 'chains/bad-gas')
  if (tx.value + maxFee(tx) > MAX_UINT256) refuse('value and fee together', 'chains/bad-amount')
  return tx
}

function string(item: Rlp, what: string): Uint8Array {
  return item instanceof Uint8Array ? item : refuse(`${what} is a list`)
}

function list(item: Rlp, what: string): readonly Rlp[] {
  return item instanceof Uint8Array ? refuse(`${what} is no list`) : item
}

function uint(item: Rlp, max: bigint, what: string): bigint {
  const bytes = string(item, what)
  if (bytes[0] === 0) refuse(`${what} has leading zeros`, 'chains/not-canonical')
  if (bytes.length > WORD_BYTES) refuse(`${what} is out of range`)
  const value = fromBytesBe(bytes)
  return value > max ? refuse(`${what} is out of range`) : value
}

/** A number of at most 32 bytes, as exactly 32. */
function word(item: Rlp, what: string): Uint8Array {
  uint(item, MAX_UINT256, what)
  const bytes = string(item, what)
  return concatBytes(new Uint8Array(WORD_BYTES - bytes.length), bytes)
}

function ofLength(item: Rlp, length: number, what: string): Uint8Array {
  const bytes = string(item, what)
  return bytes.length === length ? bytes : refuse(`${what} is not ${length} bytes long`)
}

const recipient = (item: Rlp): Uint8Array | undefined =>
  item.length === 0 && item instanceof Uint8Array
    ? undefined
    : ofLength(item, ADDRESS_BYTES, 'the recipient')

function accessEntry(item: Rlp): AccessEntry {
  const [address, keys, ...more] = list(item, 'an entry of the access list')
  if (address === undefined || keys === undefined || more.length > 0)
    return refuse('an entry of the access list is not an address with keys')
  return {
    address: ofLength(address, ADDRESS_BYTES, 'an address of the access list'),
    keys: list(keys, 'the keys of an access list entry').map((key) =>
      ofLength(key, WORD_BYTES, 'a key of the access list'),
    ),
  }
}
