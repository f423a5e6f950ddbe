/**
 * EIP-7702: the owner of a key lets the code at an address act for the account of that key.
 *
 *   0x05 ‖ rlp([chainId, address, nonce])            what the owner signs; chain id 0 means every chain
 *   rlp([chainId, address, nonce, yParity, r, s])    the signed form, an item of a transaction's list
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes } from '@quorate/base'
import { addressOf } from './address.ts'
import {
  ADDRESS_BYTES,
  list,
  MAX_UINT64,
  MAX_UINT256,
  ofLength,
  refuse,
  signatureFields,
  uint,
  word,
} from './fields.ts'
import { decodeRlp, encodeRlp, minimalBytes, type Rlp } from './rlp.ts'

export const AUTHORIZATION_TYPE = 5
const UNSIGNED_FIELDS = 3
const SIGNED_FIELDS = 6
/** The signer of each is recovered, which takes a millisecond. */
const MAX_AUTHORIZATIONS = 16
const MAX_UINT8 = 255n

export type Authorization = {
  /** 0 for every chain. */
  readonly chainId: bigint
  /** Whose code acts; 20 zeros end the delegation. */
  readonly delegate: Uint8Array
  readonly nonce: bigint
}

export type SignedAuthorization = Authorization & {
  readonly yParity: bigint
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array
}

/** What the owner signs. */
export const encodeAuthorization = ({ chainId, delegate, nonce }: Authorization): Uint8Array =>
  concatBytes(
    Uint8Array.of(AUTHORIZATION_TYPE),
    encodeRlp([minimalBytes(chainId), delegate, minimalBytes(nonce)]),
  )

/** The signed form. */
export const encodeSignedAuthorization = (
  { chainId, delegate, nonce }: Authorization,
  yParity: number,
  signature: Uint8Array,
): Uint8Array =>
  encodeRlp([
    minimalBytes(chainId),
    delegate,
    minimalBytes(nonce),
    minimalBytes(BigInt(yParity)),
    ...signatureFields(signature),
  ])

/** @throws chains/malformed-transaction, chains/not-canonical */
export function readAuthorization(bytes: Uint8Array): Authorization {
  const items = list(decodeRlp(bytes.subarray(1)), 'an authorization')
  if (items.length !== UNSIGNED_FIELDS)
    refuse(`${items.length} fields, an unsigned authorization has 3`)
  return readBody(items)
}

/** @throws chains/malformed-transaction, chains/not-canonical */
export const readSignedAuthorization = (bytes: Uint8Array): SignedAuthorization =>
  readItem(decodeRlp(bytes))

/** The list of a transaction. @throws chains/malformed-transaction, chains/not-canonical */
export function readAuthorizations(item: Rlp): readonly SignedAuthorization[] {
  const items = list(item, 'the authorization list')
  if (items.length === 0) refuse('the authorization list is empty')
  if (items.length > MAX_AUTHORIZATIONS)
    refuse(`${items.length} authorizations, at most ${MAX_AUTHORIZATIONS}`)
  return items.map(readItem)
}

function readItem(item: Rlp): SignedAuthorization {
  const items = list(item, 'an authorization')
  if (items.length !== SIGNED_FIELDS) refuse(`${items.length} fields, an authorization has 6`)
  const [yParity, r, s] = items.slice(UNSIGNED_FIELDS) as [Rlp, Rlp, Rlp]
  return {
    ...readBody(items),
    yParity: uint(yParity, MAX_UINT8, 'yParity'),
    signature: concatBytes(word(r, 'r'), word(s, 's')),
  }
}

function readBody(items: readonly Rlp[]): Authorization {
  const [chainId, delegate, nonce] = items as readonly [Rlp, Rlp, Rlp]
  return {
    chainId: uint(chainId, MAX_UINT256, 'the chain id of an authorization'),
    delegate: ofLength(delegate, ADDRESS_BYTES, 'the delegate'),
    nonce: uint(nonce, MAX_UINT64 - 1n, 'the nonce of an authorization'),
  }
}

/** The 20-byte address of whoever signed it, or `undefined` where nobody did: then it has no effect. Never throws. */
export function authorityOf(given: SignedAuthorization): Uint8Array | undefined {
  if (given.yParity > 1n) return undefined
  try {
    const signature = secp256k1.Signature.fromBytes(given.signature, 'compact')
    if (signature.hasHighS()) return undefined
    const point = signature
      .addRecoveryBit(Number(given.yParity))
      .recoverPublicKey(keccak_256(encodeAuthorization(given)))
    return addressOf(point.toBytes(true))
  } catch {
    return undefined
  }
}
