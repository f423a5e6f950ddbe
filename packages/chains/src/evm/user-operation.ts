/**
 * User operations (ERC-4337) of entry points 0.6, 0.7 and 0.8, in the JSON of `eth_sendUserOperation`
 * with what the hash needs beside it:
 *
 *   {"chainId":"0x1","entryPoint":"0x…","signs":"message","userOperation":{"sender":"0x…",…}}
 *
 * The entry point says the version. `signs` is what the account checks: "hash" for the operation's
 * hash itself, "message" for the hash as a personal message (EIP-191). Fields that an operation has no
 * use for (factory, paymaster) are left out, and so is the signature.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, equalBytes, Fault, fromHex, toHex, utf8 } from '@quorate/base'
import { decodeAddress, formatAddress } from './address.ts'
import { refuse } from './fields.ts'
import {
  addressOfJson,
  bytesOf,
  integerOf,
  type JsonObject,
  objectOf,
  parseJson,
  propertyOf,
  quoteAddress,
  quoteBytes,
  sameText,
} from './json.ts'
import { personalMessage } from './message.ts'
import {
  coveredBy,
  type EntryPointVersion,
  type UnhashedOperation,
  uint128,
} from './user-operation-hash.ts'

export const ENTRY_POINTS: { readonly [V in EntryPointVersion]: string } = {
  '0.6': '0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789',
  '0.7': '0x0000000071727De22E5E9d8BAf0edAc6f37da032',
  '0.8': '0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108',
}

type Kind = 'address' | 'bytes' | 'number'
type FieldTable = readonly (readonly [name: string, kind: Kind])[]

const GAS: FieldTable = [
  ['callGasLimit', 'number'],
  ['verificationGasLimit', 'number'],
  ['preVerificationGas', 'number'],
  ['maxFeePerGas', 'number'],
  ['maxPriorityFeePerGas', 'number'],
]
const UNPACKED: FieldTable = [
  ['sender', 'address'],
  ['nonce', 'number'],
  ['factory', 'address'],
  ['factoryData', 'bytes'],
  ['callData', 'bytes'],
  ...GAS,
  ['paymaster', 'address'],
  ['paymasterVerificationGasLimit', 'number'],
  ['paymasterPostOpGasLimit', 'number'],
  ['paymasterData', 'bytes'],
]
const FIELDS: { readonly [V in EntryPointVersion]: FieldTable } = {
  '0.6': [
    ['sender', 'address'],
    ['nonce', 'number'],
    ['initCode', 'bytes'],
    ['callData', 'bytes'],
    ...GAS,
    ['paymasterAndData', 'bytes'],
  ],
  '0.7': UNPACKED,
  '0.8': UNPACKED,
}
const FACTORY = ['factory', 'factoryData']
const PAYMASTER = [
  'paymaster',
  'paymasterVerificationGasLimit',
  'paymasterPostOpGasLimit',
  'paymasterData',
]
const ADDRESS_BYTES = 20
/** What the entry point takes, but for the nonce. */
const MAX_UINT120 = 2n ** 120n - 1n
const MAX_UINT256 = 2n ** 256n - 1n
/** EIP-7702 in the place of a factory: the hash then depends on what the account is delegated to. */
const DELEGATED_FACTORY = fromHex('7702000000000000000000000000000000000000')

export type UserOperation = UnhashedOperation & {
  readonly signs: 'hash' | 'message'
  /** What the signature covers. */
  readonly preimage: Uint8Array
  /** By which the operation is known: 32 bytes. */
  readonly hash: Uint8Array
  /** The JSON, in its one spelling. */
  readonly text: string
}

/** @throws chains/malformed-transaction, chains/not-canonical, chains/already-signed, chains/unsupported-version, chains/bad-address */
export function readUserOperation(bytes: Uint8Array): UserOperation {
  const json = objectOf(
    parseJson(bytes),
    ['chainId', 'entryPoint', 'signs', 'userOperation'],
    'the request',
  )
  const signs = propertyOf(json, 'signs')
  if (signs !== 'hash' && signs !== 'message') return refuse('signs is neither hash nor message')
  const operation = userOperationOf({
    chainId: integerOf(propertyOf(json, 'chainId'), 'the chain id'),
    entryPoint: propertyOf(json, 'entryPoint'),
    signs,
    userOperation: propertyOf(json, 'userOperation'),
  })
  sameText(bytes, operation.text)
  return operation
}

/** A user operation as libraries have it: numbers may be bigint, and hex in any case. */
export type UserOperationRequest = {
  readonly chainId: bigint
  /** Address of an entry point of a version that is known here. */
  readonly entryPoint: unknown
  readonly signs: 'hash' | 'message'
  /** Without a signature. */
  readonly userOperation: unknown
}

/** The bytes that `parse` takes for a user operation. @throws chains/malformed-transaction, chains/unsupported-version, chains/already-signed, chains/bad-address */
export const encodeUserOperation = (request: UserOperationRequest): Uint8Array =>
  utf8(userOperationOf(request).text)

/** The JSON of `eth_sendUserOperation`'s first parameter. `signature` has 65 bytes. */
export function encodeSignedUserOperation(
  { text }: UserOperation,
  signature: Uint8Array,
): Uint8Array {
  const from = text.indexOf('"userOperation":') + '"userOperation":'.length
  return utf8(`${text.slice(from, -2)},"signature":${quoteBytes(signature)}}`)
}

/** The signature of what `encodeSignedUserOperation` writes for this operation, or `undefined` for anything else. */
export function signatureOfUserOperation(
  operation: UserOperation,
  signed: Uint8Array,
): Uint8Array | undefined {
  const end = '"}'.length
  const signature = parsedSignature(signed)
  if (signature === undefined || signed.length < end) return undefined
  return equalBytes(encodeSignedUserOperation(operation, signature), signed) ? signature : undefined
}

function parsedSignature(signed: Uint8Array): Uint8Array | undefined {
  try {
    const json = parseJson(signed)
    return typeof json === 'object' && json !== null
      ? bytesOf(propertyOf(json as JsonObject, 'signature'), 'the signature')
      : undefined
  } catch {
    return undefined
  }
}

function userOperationOf({
  chainId,
  entryPoint: entryPointJson,
  signs,
  userOperation,
}: UserOperationRequest): UserOperation {
  const entryPoint = addressOfJson(entryPointJson, 'the entry point')
  const version = versionOf(entryPoint)
  const table = FIELDS[version]
  const names = table.map(([name]) => name)
  const json = objectOf(userOperation, [...names, 'signature'], 'the user operation')
  if (Object.hasOwn(json, 'signature')) refuse('a user operation', 'chains/already-signed')
  if (chainId < 0n || chainId > MAX_UINT256) refuse('the chain id is out of range')
  const present = table.filter(([name]) => Object.hasOwn(json, name))
  checkGroups(
    version,
    names,
    present.map(([name]) => name),
  )
  const read = new Map(present.map(([name, kind]) => [name, readField(name, kind, json)]))
  const fields = present.map(([name]) => `"${name}":${read.get(name)!.text}`)
  const bytes = (name: string): Uint8Array =>
    (read.get(name)?.value ?? new Uint8Array(0)) as Uint8Array
  const number = (name: string): bigint => (read.get(name)?.value ?? 0n) as bigint
  const initCode =
    version === '0.6' ? bytes('initCode') : concatBytes(bytes('factory'), bytes('factoryData'))
  if (equalBytes(initCode.subarray(0, ADDRESS_BYTES), DELEGATED_FACTORY))
    refuse('accounts that are delegated as they are deployed', 'chains/unsupported-version')
  const unhashed: UnhashedOperation = {
    version,
    chainId,
    entryPoint,
    sender: bytes('sender'),
    nonce: number('nonce'),
    initCode,
    callData: bytes('callData'),
    callGasLimit: number('callGasLimit'),
    verificationGasLimit: number('verificationGasLimit'),
    preVerificationGas: number('preVerificationGas'),
    maxFeePerGas: number('maxFeePerGas'),
    maxPriorityFeePerGas: number('maxPriorityFeePerGas'),
    paymasterGasLimit: number('paymasterVerificationGasLimit') + number('paymasterPostOpGasLimit'),
    paymasterAndData:
      version === '0.6'
        ? bytes('paymasterAndData')
        : read.has('paymaster')
          ? concatBytes(
              bytes('paymaster'),
              uint128(number('paymasterVerificationGasLimit')),
              uint128(number('paymasterPostOpGasLimit')),
              bytes('paymasterData'),
            )
          : new Uint8Array(0),
  }
  checkPrefixes(unhashed)
  const covered = coveredBy(unhashed)
  const hash = keccak_256(covered)
  return {
    ...unhashed,
    signs,
    preimage: signs === 'hash' ? covered : personalMessage(hash),
    hash,
    text: `{"chainId":"0x${chainId.toString(16)}","entryPoint":${quoteAddress(entryPoint)},"signs":"${signs}","userOperation":{${fields.join(',')}}}`,
  }
}

function versionOf(entryPoint: Uint8Array): EntryPointVersion {
  const versions = Object.keys(ENTRY_POINTS) as readonly EntryPointVersion[]
  const version = versions.find((each) => equalBytes(decodeAddress(ENTRY_POINTS[each]), entryPoint))
  if (version === undefined)
    throw new Fault('chains/unsupported-version', { detail: 'an entry point that is not known' })
  return version
}

/** Every field is there but for those of a factory or a paymaster, all of them together. */
function checkGroups(
  version: EntryPointVersion,
  names: readonly string[],
  present: readonly string[],
): void {
  for (const group of version === '0.6' ? [] : [FACTORY, PAYMASTER]) {
    const count = group.filter((name) => present.includes(name)).length
    if (count !== 0 && count !== group.length) refuse('some fields of a factory or paymaster')
  }
  const optional = version === '0.6' ? [] : [...FACTORY, ...PAYMASTER]
  if (names.some((name) => !present.includes(name) && !optional.includes(name)))
    refuse('a field of the user operation is missing')
}

/** Version 0.6 has address and data in one: where there is something, it begins with the address. */
function checkPrefixes({
  initCode,
  paymasterAndData,
}: Pick<UserOperation, 'initCode' | 'paymasterAndData'>): void {
  for (const bytes of [initCode, paymasterAndData])
    if (bytes.length > 0 && bytes.length < ADDRESS_BYTES) refuse('a factory or paymaster is cut')
}

function readField(
  name: string,
  kind: Kind,
  json: JsonObject,
): { readonly value: Uint8Array | bigint; readonly text: string } {
  const given = json[name]
  switch (kind) {
    case 'address': {
      const value = addressOfJson(given, name)
      return { value, text: quoteAddress(value) }
    }
    case 'bytes': {
      const value = bytesOf(given, name)
      return { value, text: quoteBytes(value) }
    }
    case 'number': {
      const value = integerOf(given, name)
      if (value < 0n || value > (name === 'nonce' ? MAX_UINT256 : MAX_UINT120))
        refuse(`${name} is out of range`)
      return { value, text: `"0x${value.toString(16)}"` }
    }
  }
}

/** The most that it can take from whoever pays for it, in wei. */
export function maxPrefund(operation: UserOperation): bigint {
  const { version, callGasLimit, verificationGasLimit, preVerificationGas } = operation
  // Version 0.6 sets the verification's gas aside three times where there is a paymaster.
  const times = version === '0.6' && operation.paymasterAndData.length > 0 ? 3n : 1n
  const gas =
    callGasLimit + verificationGasLimit * times + preVerificationGas + operation.paymasterGasLimit
  return gas * operation.maxFeePerGas
}

/** The address that the data begin with (factory, paymaster). */
export const leadingAddress = (bytes: Uint8Array): string =>
  formatAddress(bytes.subarray(0, ADDRESS_BYTES))

/** `0x` and the hash. */
export const userOperationId = ({ hash }: UserOperation): string => `0x${toHex(hash)}`
