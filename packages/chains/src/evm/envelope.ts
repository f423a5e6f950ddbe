/**
 * Ethereum's transactions, every type read strictly.
 *
 *   rlp([… six fields, chainId, 0, 0])        legacy, unsigned (EIP-155); rlp of the six without chain id
 *   rlp([… six fields, v, r, s])              legacy, signed: v = 35 + 2·chainId + parity, or 27 + parity
 *   type ‖ rlp([… its fields])                type 1 to 4, unsigned; what the signature covers
 *   type ‖ rlp([… its fields, yParity, r, s]) signed
 *
 * Spec: EIP-155, 2718, 2930, 1559, 4844, 7702; the ranges are those of EIP-2681 and of common nodes.
 */
import { concatBytes } from '@quorate/base'
import { readAuthorizations, type SignedAuthorization } from './authorization.ts'
import {
  type AccessEntry,
  accessList,
  list,
  MAX_UINT64,
  MAX_UINT256,
  ofLength,
  recipient,
  refuse,
  signatureFields,
  string,
  uint,
  WORD_BYTES,
  word,
} from './fields.ts'
import type { EvmTxType } from './networks.ts'
import { decodeRlp, encodeRlp, minimalBytes, type Rlp } from './rlp.ts'

/** What nodes take into their pools. */
const MAX_BYTES = 128 * 1024
const MIN_GAS = 21_000n
const MAX_BLOBS = 9
const BLOB_GAS = 131_072n
/** EIP-4844: the first byte of the hash of a KZG commitment. */
const BLOB_HASH_VERSION = 1
const LIST_PREFIX = 0xc0
/** EIP-155. */
const PROTECTED_V = 35n
const PLAIN_V = 27n

const FIELDS = {
  chainId: (item: Rlp) => uint(item, MAX_UINT256, 'the chain id'),
  // EIP-2681: the last nonce is never used.
  nonce: (item: Rlp) => uint(item, MAX_UINT64 - 1n, 'the nonce'),
  gasPrice: (item: Rlp) => uint(item, MAX_UINT256, 'the gas price'),
  maxPriorityFeePerGas: (item: Rlp) => uint(item, MAX_UINT256, 'the priority fee'),
  maxFeePerGas: (item: Rlp) => uint(item, MAX_UINT256, 'the maximum fee'),
  gasLimit: (item: Rlp) => uint(item, MAX_UINT64, 'the gas limit'),
  to: recipient,
  value: (item: Rlp) => uint(item, MAX_UINT256, 'the value'),
  data: (item: Rlp) => string(item, 'the data'),
  accessList,
  maxFeePerBlobGas: (item: Rlp) => uint(item, MAX_UINT256, 'the maximum fee of blobs'),
  blobHashes,
  authorizations: readAuthorizations,
}
type FieldName = keyof typeof FIELDS
type Fields = { readonly [Name in FieldName]?: ReturnType<(typeof FIELDS)[Name]> }

type Form = {
  /** The type byte; a legacy transaction begins with its list instead. */
  readonly byte: number | undefined
  /** Completes "a signed …". */
  readonly name: string
  readonly fields: readonly FieldName[]
}

const LEGACY_FIELDS = ['nonce', 'gasPrice', 'gasLimit', 'to', 'value', 'data'] as const
const FEE_MARKET_FIELDS = [
  'chainId',
  'nonce',
  'maxPriorityFeePerGas',
  'maxFeePerGas',
  'gasLimit',
  'to',
  'value',
  'data',
  'accessList',
] as const

const FORMS: { readonly [Type in EvmTxType]: Form } = {
  legacy: { byte: undefined, name: 'legacy transaction', fields: LEGACY_FIELDS },
  eip2930: {
    byte: 1,
    name: 'EIP-2930 transaction',
    fields: ['chainId', ...LEGACY_FIELDS, 'accessList'],
  },
  eip1559: { byte: 2, name: 'EIP-1559 transaction', fields: FEE_MARKET_FIELDS },
  eip4844: {
    byte: 3,
    name: 'EIP-4844 transaction',
    fields: [...FEE_MARKET_FIELDS, 'maxFeePerBlobGas', 'blobHashes'],
  },
  eip7702: {
    byte: 4,
    name: 'EIP-7702 transaction',
    fields: [...FEE_MARKET_FIELDS, 'authorizations'],
  },
}

export type EvmTx = {
  readonly type: EvmTxType
  /** `undefined` for a legacy transaction that names none. */
  readonly chainId: bigint | undefined
  readonly nonce: bigint
  /** Wei per gas, here and in the next; the gas price of types that have no other. */
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint | undefined
  readonly gasLimit: bigint
  /** 20 bytes, or `undefined` where the transaction creates a contract. */
  readonly to: Uint8Array | undefined
  /** Wei. */
  readonly value: bigint
  readonly data: Uint8Array
  readonly accessList: readonly AccessEntry[]
  readonly blobs:
    | { readonly maxFeePerGas: bigint; readonly hashes: readonly Uint8Array[] }
    | undefined
  readonly authorizations: readonly SignedAuthorization[]
  /** Exactly what the signature covers. */
  readonly unsigned: Uint8Array
  /** The items of it, for a legacy transaction without the chain id and the zeros behind it. */
  readonly fields: readonly Rlp[]
}

export type SignedEvmTx = {
  readonly tx: EvmTx
  readonly yParity: bigint
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array
}

/** `EIP-1559 transaction` and the like. */
export const nameOfType = (type: EvmTxType): string => FORMS[type].name

/** The type that bytes of that first byte have. */
export const typeOfByte = (first: number): EvmTxType | undefined =>
  first >= LIST_PREFIX
    ? 'legacy'
    : (Object.keys(FORMS) as readonly EvmTxType[]).find((type) => FORMS[type].byte === first)

/**
 * @throws chains/malformed-transaction, chains/not-canonical, chains/transaction-too-large,
 *   chains/unsupported-version, chains/already-signed, chains/bad-gas, chains/bad-amount
 */
export function readUnsigned(bytes: Uint8Array): EvmTx {
  const { type, items } = readItems(bytes)
  const { length } = FORMS[type].fields
  if (type === 'legacy') return readUnsignedLegacy(items)
  if (items.length === length + 3) refuse(nameOfType(type), 'chains/already-signed')
  return readTransaction(type, items, undefined)
}

/** @throws what `readUnsigned` throws */
export function readSigned(bytes: Uint8Array): SignedEvmTx {
  const { type, items } = readItems(bytes)
  const { length } = FORMS[type].fields
  if (items.length !== length + 3) refuse(`${items.length} fields, a signed one has ${length + 3}`)
  const [v, r, s] = items.slice(length) as [Rlp, Rlp, Rlp]
  const body = items.slice(0, length)
  const signature = concatBytes(word(r, 'r'), word(s, 's'))
  if (type !== 'legacy')
    return {
      tx: readTransaction(type, body, undefined),
      yParity: uint(v, 1n, 'yParity'),
      signature,
    }
  const { chainId, yParity } = readV(uint(v, MAX_UINT256, 'v'))
  return { tx: readTransaction(type, body, chainId), yParity, signature }
}

/** The signed form. `signature` is r ‖ s, 64 bytes. */
export function encodeSigned(
  { type, chainId, fields }: EvmTx,
  yParity: number,
  signature: Uint8Array,
): Uint8Array {
  const v = type === 'legacy' ? vOf(chainId, BigInt(yParity)) : BigInt(yParity)
  return encode(type, [...fields, minimalBytes(v), ...signatureFields(signature)])
}

/** The unsigned bytes of a transaction of that type from its fields, each as RLP writes it. */
export const encodeUnsigned = (
  type: EvmTxType,
  fields: readonly Rlp[],
  chainId: bigint | undefined,
): Uint8Array => encode(type, [...fields, ...tailOf(type, chainId)])

/** The most it can take from the sender besides the value, in wei. */
export const maxFee = ({ gasLimit, maxFeePerGas, blobs }: EvmTx): bigint =>
  gasLimit * maxFeePerGas +
  (blobs === undefined ? 0n : BLOB_GAS * BigInt(blobs.hashes.length) * blobs.maxFeePerGas)

function encode(type: EvmTxType, items: readonly Rlp[]): Uint8Array {
  const { byte } = FORMS[type]
  const body = encodeRlp(items)
  return byte === undefined ? body : concatBytes(Uint8Array.of(byte), body)
}

/** EIP-155: what stands in the place of the signature while there is none. */
const tailOf = (type: EvmTxType, chainId: bigint | undefined): readonly Rlp[] =>
  type !== 'legacy' || chainId === undefined
    ? []
    : [minimalBytes(chainId), new Uint8Array(0), new Uint8Array(0)]

const vOf = (chainId: bigint | undefined, yParity: bigint): bigint =>
  chainId === undefined ? PLAIN_V + yParity : PROTECTED_V + 2n * chainId + yParity

function readV(v: bigint): { readonly chainId: bigint | undefined; readonly yParity: bigint } {
  if (v === PLAIN_V || v === PLAIN_V + 1n) return { chainId: undefined, yParity: v - PLAIN_V }
  if (v < PROTECTED_V) return refuse('v is out of range')
  return { chainId: (v - PROTECTED_V) / 2n, yParity: (v - PROTECTED_V) % 2n }
}

function readItems(bytes: Uint8Array): {
  readonly type: EvmTxType
  readonly items: readonly Rlp[]
} {
  if (bytes.length > MAX_BYTES)
    refuse(`${bytes.length} bytes, at most ${MAX_BYTES}`, 'chains/transaction-too-large')
  const [first] = bytes
  if (first === undefined) return refuse('no bytes at all')
  const type = typeOfByte(first)
  if (type === undefined) {
    if (first >= 0x80) return refuse('not an Ethereum transaction')
    return refuse(`a transaction of type ${first}`, 'chains/unsupported-version')
  }
  const items = decodeRlp(type === 'legacy' ? bytes : bytes.subarray(1))
  if (items instanceof Uint8Array) return refuse('not a list of fields')
  if (type === 'eip4844' && items.length > 0 && !(items[0] instanceof Uint8Array))
    return refuse('blobs are not signed: give the transaction without them')
  return { type, items }
}

function readUnsignedLegacy(items: readonly Rlp[]): EvmTx {
  const { length } = FORMS.legacy.fields
  const body = items.slice(0, length)
  if (items.length === length) return readTransaction('legacy', body, undefined)
  const [chainId, ...zeros] = items.slice(length)
  if (chainId === undefined || zeros.length !== 2)
    return refuse(`${items.length} fields, an unsigned one has 9`)
  if (zeros.some((zero) => string(zero, 'r or s').length > 0))
    return refuse('legacy transaction', 'chains/already-signed')
  return readTransaction('legacy', body, FIELDS.chainId(chainId))
}

function readTransaction(
  type: EvmTxType,
  items: readonly Rlp[],
  legacyChainId: bigint | undefined,
): EvmTx {
  const names = FORMS[type].fields
  if (items.length !== names.length)
    refuse(`${items.length} fields, an unsigned one has ${names.length}`)
  const read: Fields = Object.fromEntries(names.map((name, i) => [name, FIELDS[name](items[i]!)]))
  const tx: EvmTx = {
    type,
    chainId: type === 'legacy' ? legacyChainId : read.chainId,
    nonce: read.nonce!,
    maxFeePerGas: (read.maxFeePerGas ?? read.gasPrice)!,
    maxPriorityFeePerGas: read.maxPriorityFeePerGas,
    gasLimit: read.gasLimit!,
    to: read.to,
    value: read.value!,
    data: read.data!,
    accessList: read.accessList ?? [],
    blobs:
      read.blobHashes === undefined
        ? undefined
        : { maxFeePerGas: read.maxFeePerBlobGas!, hashes: read.blobHashes },
    authorizations: read.authorizations ?? [],
    unsigned: encodeUnsigned(type, items, legacyChainId),
    fields: items,
  }
  checkRanges(tx)
  return tx
}

function checkRanges(tx: EvmTx): void {
  if (tx.to === undefined && (tx.type === 'eip4844' || tx.type === 'eip7702'))
    refuse(`an ${nameOfType(tx.type)} creates no contract`)
  if (tx.gasLimit < MIN_GAS) refuse(`gas limit ${tx.gasLimit}`, 'chains/bad-gas')
  if ((tx.maxPriorityFeePerGas ?? 0n) > tx.maxFeePerGas)
    refuse('the priority fee is above the maximum fee', 'chains/bad-gas')
  if (tx.value + maxFee(tx) > MAX_UINT256) refuse('value and fee together', 'chains/bad-amount')
}

function blobHashes(item: Rlp): readonly Uint8Array[] {
  const hashes = list(item, 'the blob hashes').map((hash) =>
    ofLength(hash, WORD_BYTES, 'a blob hash'),
  )
  if (hashes.length === 0 || hashes.length > MAX_BLOBS)
    refuse(`${hashes.length} blobs; there are 1 to ${MAX_BLOBS}`)
  if (hashes.some(([version]) => version !== BLOB_HASH_VERSION))
    refuse('a blob hash of an unknown version')
  return hashes
}
