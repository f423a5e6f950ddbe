/**
 * Everything that a key signs on Ethereum, told apart by its first byte:
 *
 *   0x01 … 0x04, 0xc0 …   transactions               0x05  a delegation (EIP-7702)
 *   0x19                  a personal message         {     typed data, or a user operation, in JSON
 *
 * What is covered by the signature begins differently for each, so that none can pass for another.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { TxView } from '@quorate/api'
import { concatBytes, Fault, fromUtf8, toHex } from '@quorate/base'
import type { SerialisedTx } from '../adapter.ts'
import {
  AUTHORIZATION_TYPE,
  encodeAuthorization,
  encodeSignedAuthorization,
  readAuthorization,
  readSignedAuthorization,
} from './authorization.ts'
import { readContext, type TokenClaims } from './context.ts'
import { type EvmTx, encodeSigned, nameOfType, readSigned, readUnsigned } from './envelope.ts'
import { refuse } from './fields.ts'
import { PERSONAL_PREFIX, readPersonalMessage, viewOfMessage } from './message.ts'
import { EVM_NETWORKS, type EvmNetwork } from './networks.ts'
import { readTypedData, type TypedData } from './typed-data.ts'
import { viewOfTypedData } from './typed-data-view.ts'
import {
  encodeSignedUserOperation,
  readUserOperation,
  signatureOfUserOperation,
  type UserOperation,
  userOperationId,
} from './user-operation.ts'
import { viewOfUserOperation } from './user-operation-view.ts'
import { viewOf, viewOfAuthorization } from './view.ts'

/** A signature beside what it is said to be of. */
export type Claim = {
  /** What it covers. */
  readonly preimage: Uint8Array
  readonly yParity: bigint
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array
}

export type Document = {
  /** Names its one item. */
  readonly id: 'transaction' | 'authorization' | 'message' | 'typed-data' | 'user-operation'
  /** Completes "it is not a signed …". */
  readonly noun: string
  /** What the signature covers. */
  readonly preimage: Uint8Array
  /** `own` is the 20-byte address of the wallet. */
  view(own: Uint8Array): TxView
  /** With the signature (r ‖ s, 64 bytes) in its place. */
  encode(yParity: number, signature: Uint8Array): SerialisedTx
  /** @throws chains/… for what is not written as `encode` does */
  read(signed: Uint8Array): Claim
}

const JSON_START = 0x7b
const HEX_TEXT = 0x30
const MESSAGE_START = 0x19
const RECOVERY_BASE = 27

/** @throws chains/… for what is malformed, not understood, or for another network */
export function readDocument(
  unsigned: Uint8Array,
  context: Uint8Array,
  network: EvmNetwork,
): Document {
  const [first] = unsigned
  if (first === MESSAGE_START) {
    if (unsigned[1] !== PERSONAL_PREFIX[1])
      refuse('typed data are given as JSON, and personal messages as EIP-191 says')
    noContext(context)
    return messageDocument(unsigned, network)
  }
  if (first === AUTHORIZATION_TYPE) {
    noContext(context)
    return authorizationDocument(unsigned, network)
  }
  if (first === HEX_TEXT) refuse('hexadecimal text: decode it first')
  const claims = readContext(context)
  if (first !== JSON_START) return transactionDocument(readUnsigned(unsigned), network, claims)
  return isUserOperation(unsigned)
    ? operationDocument(readUserOperation(unsigned), network, claims)
    : typedDocument(readTypedData(unsigned), network, claims)
}

/** How the canonical JSON of a user operation begins; typed data begin with their types. */
const isUserOperation = (bytes: Uint8Array): boolean =>
  fromUtf8(bytes.subarray(0, '{"chainId"'.length)) === '{"chainId"'

function noContext(context: Uint8Array): void {
  if (context.length > 0) throw new Fault('chains/unexpected-context')
}

function checkChain(chainId: bigint, network: EvmNetwork): void {
  if (chainId === network.chainId) return
  const name = EVM_NETWORKS.find((each) => each.chainId === chainId)?.slug ?? `chain id ${chainId}`
  throw new Fault('chains/other-chain', { detail: `${name}, not ${network.slug}` })
}

function transactionDocument(tx: EvmTx, network: EvmNetwork, claims: TokenClaims): Document {
  if (!network.types.includes(tx.type))
    refuse(`${network.slug} has no ${nameOfType(tx.type)}`, 'chains/unsupported-version')
  if (tx.chainId !== undefined) checkChain(tx.chainId, network)
  else if (network.needsChainId) refuse('it names no chain', 'chains/other-chain')
  return {
    id: 'transaction',
    noun: nameOfType(tx.type),
    preimage: tx.unsigned,
    view: (own) => viewOf(tx, network, own, claims),
    encode(yParity, signature) {
      const bytes = encodeSigned(tx, yParity, signature)
      return { bytes, txid: `0x${toHex(keccak_256(bytes))}` }
    },
    read(signed) {
      const { tx: read, yParity, signature } = readSigned(signed)
      return { preimage: read.unsigned, yParity, signature }
    },
  }
}

function authorizationDocument(unsigned: Uint8Array, network: EvmNetwork): Document {
  const authorization = readAuthorization(unsigned)
  if (!network.types.includes('eip7702'))
    refuse(`${network.slug} has no delegation of accounts`, 'chains/unsupported-version')
  // Chain id 0 stands for every chain, this one among them.
  if (authorization.chainId !== 0n) checkChain(authorization.chainId, network)
  return {
    id: 'authorization',
    noun: 'authorization',
    preimage: encodeAuthorization(authorization),
    view: (own) => viewOfAuthorization(authorization, network, own),
    encode: (yParity, signature) => ({
      bytes: encodeSignedAuthorization(authorization, yParity, signature),
      txid: undefined,
    }),
    read(signed) {
      const read = readSignedAuthorization(signed)
      return {
        preimage: encodeAuthorization(read),
        yParity: read.yParity,
        signature: read.signature,
      }
    },
  }
}

function messageDocument(unsigned: Uint8Array, network: EvmNetwork): Document {
  const message = readPersonalMessage(unsigned)
  return {
    id: 'message',
    noun: 'message',
    preimage: unsigned,
    view: (own) => viewOfMessage(message, network, own),
    ...detached(unsigned),
  }
}

function typedDocument(typed: TypedData, network: EvmNetwork, claims: TokenClaims): Document {
  const chainId = typed.domain.get('chainId')
  if (typeof chainId === 'bigint') checkChain(chainId, network)
  return {
    id: 'typed-data',
    noun: 'typed data signature',
    preimage: typed.preimage,
    view: (own) => viewOfTypedData(typed, network, own, claims),
    ...detached(typed.preimage),
  }
}

function operationDocument(
  operation: UserOperation,
  network: EvmNetwork,
  claims: TokenClaims,
): Document {
  checkChain(operation.chainId, network)
  return {
    id: 'user-operation',
    noun: 'user operation',
    preimage: operation.preimage,
    view: (own) => viewOfUserOperation(operation, network, own, claims),
    encode: (yParity, signature) => ({
      bytes: encodeSignedUserOperation(operation, withRecovery(yParity, signature)),
      txid: userOperationId(operation),
    }),
    read(signed) {
      const signature = signatureOfUserOperation(operation, signed)
      return signature === undefined
        ? refuse('another user operation')
        : readRecovery(operation.preimage, signature)
    },
  }
}

/** A signature on its own: r ‖ s ‖ v, 65 bytes with v = 27 + parity. */
const detached = (preimage: Uint8Array): Pick<Document, 'encode' | 'read'> => ({
  encode: (yParity, signature) => ({ bytes: withRecovery(yParity, signature), txid: undefined }),
  read: (signed) => readRecovery(preimage, signed),
})

const withRecovery = (yParity: number, signature: Uint8Array): Uint8Array =>
  concatBytes(signature, Uint8Array.of(RECOVERY_BASE + yParity))

function readRecovery(preimage: Uint8Array, signed: Uint8Array): Claim {
  const v = signed[64]
  if (signed.length !== 65 || (v !== RECOVERY_BASE && v !== RECOVERY_BASE + 1))
    return refuse('not 65 bytes with a recovery value')
  return { preimage, yParity: BigInt(v - RECOVERY_BASE), signature: signed.slice(0, 64) }
}
