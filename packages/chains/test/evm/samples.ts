/** Documents of every kind for Sepolia, made with the encoders that the tests of those hold to account. */
import { concatBytes, equalBytes, utf8 } from '@quorate/base'
import {
  ENTRY_POINTS,
  encodeAuthorization,
  encodeTypedData,
  encodeUserOperation,
  personalMessage,
} from '@quorate/chains'
import { encodeCall } from '#src/evm/abi.js'
import { addressOf } from '#src/evm/address.js'
import {
  authorityOf,
  encodeSignedAuthorization,
  readSignedAuthorization,
} from '#src/evm/authorization.js'
import { decodeRlp, encodeRlp, minimalBytes, type Rlp } from '#src/evm/rlp.js'
import { erin, fieldsOf, RECEIVER, TRANSFER_FIELDS, unsignedTx } from '../ecdsa-wallets.js'

export const SEPOLIA = 11_155_111n
export const SOMEBODY: Uint8Array = new Uint8Array(20).fill(0x5a)
export const DELEGATE: Uint8Array = new Uint8Array(20).fill(0xde)
const NOTHING = new Uint8Array(0)

export const ofType = (type: number, fields: readonly Rlp[]): Uint8Array =>
  concatBytes(Uint8Array.of(type), encodeRlp(fields))

export type LegacyFields = {
  readonly chainId?: bigint
  readonly to?: Uint8Array
  readonly value?: bigint
  readonly data?: Uint8Array
}

const legacyBody = ({
  to = RECEIVER,
  value = 5n,
  data = NOTHING,
}: LegacyFields): readonly Rlp[] => [
  minimalBytes(9n),
  minimalBytes(20_000_000_000n),
  minimalBytes(60_000n),
  to,
  minimalBytes(value),
  data,
]

export const unprotected = (fields: LegacyFields = {}): Uint8Array => encodeRlp(legacyBody(fields))
export const legacy = (fields: LegacyFields = {}): Uint8Array =>
  encodeRlp([...legacyBody(fields), minimalBytes(fields.chainId ?? SEPOLIA), NOTHING, NOTHING])

export const accessListTx: Uint8Array = ofType(1, [
  minimalBytes(SEPOLIA),
  ...legacyBody({}),
  [[RECEIVER, [new Uint8Array(32).fill(1)]]],
])

export const blobHash = (seed: number): Uint8Array =>
  Uint8Array.from([1, ...new Uint8Array(31).fill(seed)])

export const blobTx = (hashes: readonly Uint8Array[] = [blobHash(1), blobHash(2)]): Uint8Array =>
  ofType(3, [...fieldsOf(TRANSFER_FIELDS), minimalBytes(3_000_000_000n), hashes])

/** An authorization of erin for DELEGATE on `chainId`, signed. */
export function authorizationItem(chainId: bigint, delegate = DELEGATE): Uint8Array {
  const given = { chainId, delegate, nonce: 8n }
  const message = encodeAuthorization(given)
  for (const parity of [0, 1]) {
    const signature = erin.sign({
      id: 'x',
      scheme: 'ecdsa-secp256k1',
      publicKey: erin.key.publicKey,
      message,
      hash: 'keccak256',
    })
    const signed = encodeSignedAuthorization(given, parity, signature)
    const authority = authorityOf(readSignedAuthorization(signed))
    if (authority !== undefined && equalBytes(authority, addressOf(erin.key.publicKey)))
      return signed
  }
  throw new Error('one of the two parities is right')
}

export const delegationTx = (items: readonly Rlp[]): Uint8Array =>
  ofType(4, [...fieldsOf(TRANSFER_FIELDS), items])

export const authorization: Uint8Array = encodeAuthorization({
  chainId: SEPOLIA,
  delegate: DELEGATE,
  nonce: 8n,
})

export const transferCall = (to: Uint8Array, amount: bigint): Uint8Array =>
  encodeCall('transfer(address,uint256)', [to, amount])
export const approveCall = (spender: Uint8Array, amount: bigint): Uint8Array =>
  encodeCall('approve(address,uint256)', [spender, amount])

/** As the list of a transaction holds it. */
export const decodedItem = (signed: Uint8Array): Rlp => decodeRlp(signed)

export const USDC_SEPOLIA = '0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238'

export const permitData = (message: object = {}, domain: object = {}) => ({
  types: {
    Permit: [
      'address owner',
      'address spender',
      'uint256 value',
      'uint256 nonce',
      'uint256 deadline',
    ].map((each) => ({ name: each.split(' ')[1], type: each.split(' ')[0] })),
  },
  primaryType: 'Permit',
  domain: {
    name: 'USDC',
    version: '2',
    chainId: SEPOLIA,
    verifyingContract: USDC_SEPOLIA,
    ...domain,
  },
  message: {
    owner: RECEIVER_TEXT,
    spender: SOMEBODY_TEXT,
    value: '2500000',
    nonce: 0,
    deadline: 1_800_000_000,
    ...message,
  },
})
export const RECEIVER_TEXT = `0x${'ab'.repeat(20)}`
export const SOMEBODY_TEXT = `0x${'5a'.repeat(20)}`

export const ACCOUNT_TEXT = `0x${'ac'.repeat(20)}`
export const operationOf = (callData: string, more: object = {}) => ({
  sender: ACCOUNT_TEXT,
  nonce: 2n ** 64n,
  callData,
  callGasLimit: 100_000n,
  verificationGasLimit: 150_000n,
  preVerificationGas: 50_000n,
  maxFeePerGas: 2_000_000_000n,
  maxPriorityFeePerGas: 1_000_000_000n,
  ...more,
})

export const userOperation = (callData: string, more: object = {}): Uint8Array =>
  encodeUserOperation({
    chainId: SEPOLIA,
    entryPoint: ENTRY_POINTS['0.7'],
    signs: 'message',
    userOperation: operationOf(callData, more),
  })

export const hexOf = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`

export const executeCall = (to: Uint8Array, value: bigint, data: Uint8Array): Uint8Array =>
  encodeCall('execute(address,uint256,bytes)', [to, value, data])

/** One of each kind, beside those of type 2. */
export const EVM_SAMPLES: { readonly [name: string]: Uint8Array } = {
  'a legacy transaction': legacy({ data: approveCall(SOMEBODY, 7n) }),
  'an EIP-2930 transaction': accessListTx,
  'a blob transaction': blobTx(),
  'a delegating transaction': delegationTx([decodedItem(authorizationItem(SEPOLIA))]),
  'an authorization': authorization,
  'a personal message': personalMessage(utf8('Log in to example.org')),
  'a permit': encodeTypedData(permitData()),
  'a user operation': userOperation(hexOf(executeCall(SOMEBODY, 5n, transferCall(RECEIVER, 9n)))),
  'a batch': unsignedTx({
    ...TRANSFER_FIELDS,
    data: encodeCall('aggregate3Value((address,bool,uint256,bytes)[])', [
      [
        [SOMEBODY, false, 5n, new Uint8Array(0)],
        [RECEIVER, true, 0n, approveCall(SOMEBODY, 1n)],
      ],
    ]),
  }),
}
