/**
 * The hash of a user operation: what its entry point checks the signature of the account over.
 *
 *   0.6, 0.7   keccak(abi(keccak(packed fields), entry point, chain id))
 *   0.8        the typed data `PackedUserOperation` (EIP-712) in the domain `ERC4337`, version 1
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8 } from '@quorate/base'
import { toBytesBe } from '@quorate/math'
import { type AbiValue, abiTypes, encodeAbi } from './abi.ts'

export type EntryPointVersion = '0.6' | '0.7' | '0.8'

/** All that the hash covers. */
export type UnhashedOperation = {
  readonly version: EntryPointVersion
  readonly chainId: bigint
  readonly entryPoint: Uint8Array
  readonly sender: Uint8Array
  readonly nonce: bigint
  /** Factory and its data; no bytes for an account that exists. */
  readonly initCode: Uint8Array
  readonly callData: Uint8Array
  readonly callGasLimit: bigint
  readonly verificationGasLimit: bigint
  readonly preVerificationGas: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  /** 0 in version 0.6, which knows no gas limits of a paymaster's own. */
  readonly paymasterGasLimit: bigint
  /** No bytes where the account pays itself. */
  readonly paymasterAndData: Uint8Array
}

/** 16 bytes. */
export const uint128 = (value: bigint): Uint8Array => toBytesBe(value).subarray(16)

const PACKED_06 = abiTypes(
  '(address,uint256,bytes32,bytes32,uint256,uint256,uint256,uint256,uint256,bytes32)',
)
const PACKED_07 = abiTypes('(address,uint256,bytes32,bytes32,bytes32,uint256,bytes32,bytes32)')
const WITH_ENTRY_POINT = abiTypes('(bytes32,address,uint256)')
const DOMAIN = abiTypes('(bytes32,bytes32,bytes32,uint256,address)')
const DOMAIN_TYPE = utf8(
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)',
)
const PACKED_TYPE = utf8(
  'PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)',
)

/** The bytes whose Keccak-256 hash is the hash of the operation. */
export function coveredBy(operation: UnhashedOperation): Uint8Array {
  const { version, chainId, entryPoint } = operation
  const packed = packedFields(operation)
  if (version !== '0.8')
    return encodeAbi(WITH_ENTRY_POINT, [keccak_256(packed), entryPoint, chainId])
  const domain = encodeAbi(DOMAIN, [
    keccak_256(DOMAIN_TYPE),
    keccak_256(utf8('ERC4337')),
    keccak_256(utf8('1')),
    chainId,
    entryPoint,
  ])
  return concatBytes(
    Uint8Array.of(0x19, 0x01),
    keccak_256(domain),
    keccak_256(concatBytes(keccak_256(PACKED_TYPE), packed)),
  )
}

function packedFields(operation: UnhashedOperation): Uint8Array {
  const { sender, nonce, preVerificationGas, maxFeePerGas, maxPriorityFeePerGas } = operation
  const { callGasLimit, verificationGasLimit } = operation
  const start: readonly AbiValue[] = [
    sender,
    nonce,
    keccak_256(operation.initCode),
    keccak_256(operation.callData),
  ]
  const end = keccak_256(operation.paymasterAndData)
  if (operation.version === '0.6')
    return encodeAbi(PACKED_06, [
      ...start,
      callGasLimit,
      verificationGasLimit,
      preVerificationGas,
      maxFeePerGas,
      maxPriorityFeePerGas,
      end,
    ])
  return encodeAbi(PACKED_07, [
    ...start,
    concatBytes(uint128(verificationGasLimit), uint128(callGasLimit)),
    preVerificationGas,
    concatBytes(uint128(maxPriorityFeePerGas), uint128(maxFeePerGas)),
    end,
  ])
}
