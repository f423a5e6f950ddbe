import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, type FaultCode, fromHex, isFault, toHex, utf8 } from '@quorate/base'
import {
  ENTRY_POINTS,
  type EntryPointVersion,
  encodeUserOperation,
  findAdapter,
  personalMessage,
} from '@quorate/chains'
import { encodeCall } from '#src/evm/abi.js'
import { formatAddress } from '#src/evm/address.js'
import { erin } from '../ecdsa-wallets.js'
import { NO_CONTEXT, signaturesFor } from '../wallets.js'
import {
  ACCOUNT_TEXT,
  approveCall,
  executeCall,
  hexOf,
  operationOf,
  SEPOLIA,
  SOMEBODY,
  transferCall,
  USDC_SEPOLIA,
  userOperation,
} from './samples.js'

const parse = (unsigned: Uint8Array, network = 'ethereum-sepolia') =>
  findAdapter(network).parse({ unsigned, context: NO_CONTEXT, key: erin.key })
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))
const refuses = (run: () => unknown, code: FaultCode, detail = ''): void =>
  assert.throws(
    run,
    (error) => isFault(error, code) && (error.detail ?? '').includes(detail),
    detail,
  )
const somebody = formatAddress(SOMEBODY)
const account = formatAddress(fromHex(ACCOUNT_TEXT.slice(2)))

const word = (value: bigint): string => value.toString(16).padStart(64, '0')
const hash = (hex: string): string => toHex(keccak_256(fromHex(hex)))
const address = (text: string): string => text.slice(2).toLowerCase().padStart(64, '0')
const CALL_DATA = toHex(executeCall(SOMEBODY, 5n, new Uint8Array(0)))
const NONE = hash('')

/** The words of each version as its entry point's `getUserOpHash` packs them, written out by hand. */
const EXPECTED: { readonly [V in EntryPointVersion]: string } = {
  '0.6': outer(
    '0.6',
    hash(
      [
        address(ACCOUNT_TEXT),
        word(2n ** 64n),
        NONE,
        hash(CALL_DATA),
        word(100_000n),
        word(150_000n),
        word(50_000n),
        word(2_000_000_000n),
        word(1_000_000_000n),
        NONE,
      ].join(''),
    ),
  ),
  '0.7': outer('0.7', hash(packed())),
  '0.8': hash(
    `1901${domain08()}${hash(`${hash(toHex(utf8('PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)')))}${packed()}`)}`,
  ),
}

function outer(version: EntryPointVersion, inner: string): string {
  return hash(inner + address(ENTRY_POINTS[version]) + word(SEPOLIA))
}

function packed(): string {
  const pair = (high: bigint, low: bigint): string => word((high << 128n) | low)
  return [
    address(ACCOUNT_TEXT),
    word(2n ** 64n),
    NONE,
    hash(CALL_DATA),
    pair(150_000n, 100_000n),
    word(50_000n),
    pair(1_000_000_000n, 2_000_000_000n),
    NONE,
  ].join('')
}

function domain08(): string {
  const type = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
  const text = (value: string): string => hash(toHex(utf8(value)))
  return hash(
    text(type) + text('ERC4337') + text('1') + word(SEPOLIA) + address(ENTRY_POINTS['0.8']),
  )
}

const requestOf = (version: EntryPointVersion, signs: 'hash' | 'message', more: object = {}) => ({
  chainId: SEPOLIA,
  entryPoint: ENTRY_POINTS[version],
  signs,
  userOperation: {
    ...operationOf(`0x${CALL_DATA}`),
    ...(version === '0.6' && { initCode: '0x', paymasterAndData: '0x' }),
    ...more,
  },
})

for (const version of ['0.6', '0.7', '0.8'] as const)
  test(`the hash of entry point ${version}, signed bare or as a message, and sent as JSON`, () => {
    const bare = parse(encodeUserOperation(requestOf(version, 'hash')))
    assert.equal(toHex(keccak_256(bare.prepare()[0]!.message)), EXPECTED[version])
    const unsigned = encodeUserOperation(requestOf(version, 'message'))
    const tx = parse(unsigned)
    assert.deepEqual(tx.prepare()[0]!.message, personalMessage(fromHex(EXPECTED[version])))
    const signatures = signaturesFor(tx, erin)
    const { bytes, txid } = tx.attach(signatures).serialise()
    assert.equal(txid, `0x${EXPECTED[version]}`)
    assert.deepEqual(tx.verify(bytes), [])
    const json = JSON.parse(Buffer.from(bytes).toString()) as { [key: string]: string }
    assert.equal(json['signature']!.slice(2, 130), toHex(signatures.get('user-operation')!))
    assert.equal(json['callData'], `0x${CALL_DATA}`)
    assert.equal(json['nonce'], '0x10000000000000000')
    assert.match(bare.verify(bytes)[0]!, /does not verify/)
    const other = parse(encodeUserOperation(requestOf(version, 'message', { nonce: 1 })))
    assert.match(other.verify(bytes)[0]!, /not a signed user operation/)
    assert.match(tx.verify(unsigned)[0]!, /not a signed user operation/)
    refuses(() => parse(bytes), 'chains/malformed-transaction')
  })

test('what the account is asked to do is read, in part', () => {
  const view = parse(userOperation(hexOf(executeCall(SOMEBODY, 5n, new Uint8Array(0))))).view()
  assert.deepEqual([view.kind, view.isComplete, view.from], ['transfer', false, [account]])
  assert.deepEqual(
    view.outputs.map(({ to, asset, amount }) => [to, asset, amount]),
    [[somebody, 'ETH', 5n]],
  )
  assert.equal(view.fee!.amount, 300_000n * 2_000_000_000n)
  assert.ok(has(view.warnings, `decided by the code of ${account}`))
  const batch = encodeCall('executeBatch((address,uint256,bytes)[])', [
    [
      [fromHex(USDC_SEPOLIA.slice(2).toLowerCase()), 0n, transferCall(SOMEBODY, 1n)],
      [fromHex(USDC_SEPOLIA.slice(2).toLowerCase()), 0n, approveCall(SOMEBODY, 2n ** 256n - 1n)],
    ],
  ])
  const hidden = parse(userOperation(hexOf(batch))).view()
  assert.ok(has(hidden.warnings, `call 2: lets ${somebody} take any amount`))
  assert.ok(has(hidden.warnings, `out of ${account}`))
  for (const data of ['0xdeadbeef', hexOf(transferCall(SOMEBODY, 1n))])
    assert.ok(has(parse(userOperation(data)).view().warnings, 'not understood'))
  assert.equal(parse(userOperation('0x')).view().kind, 'call')
})

test('factories and paymasters are named, and their gas is in the fee', () => {
  const factory = `0x${'fa'.repeat(20)}`
  const paymaster = {
    paymaster: `0x${'9a'.repeat(20)}`,
    paymasterVerificationGasLimit: 10_000,
    paymasterPostOpGasLimit: 20_000,
    paymasterData: '0x01',
  }
  const view = parse(userOperation('0x', { factory, factoryData: '0x', ...paymaster })).view()
  assert.equal(view.fee!.amount, 330_000n * 2_000_000_000n)
  assert.ok(has(view.warnings, `factory ${formatAddress(fromHex('fa'.repeat(20)))}`))
  assert.ok(has(view.warnings, `paymaster ${formatAddress(fromHex('9a'.repeat(20)))}`))
  const old = parse(
    encodeUserOperation(
      requestOf('0.6', 'hash', { initCode: `${factory}01`, paymasterAndData: paymaster.paymaster }),
    ),
  ).view()
  assert.equal(old.fee!.amount, 600_000n * 2_000_000_000n)
  const dear = parse(userOperation('0x', { maxFeePerGas: 10n ** 12n })).view()
  assert.ok(has(dear.warnings, 'unusually high'))
})

test('operations that are incomplete, signed, foreign, or in another spelling', () => {
  const malformed = 'chains/malformed-transaction'
  const encode =
    (more: object, version: EntryPointVersion = '0.7') =>
    () =>
      encodeUserOperation(requestOf(version, 'hash', more))
  refuses(encode({ factory: SOMEBODY }), malformed, 'factory')
  refuses(encode({ paymaster: ACCOUNT_TEXT }), malformed, 'paymaster')
  refuses(encode({ callGasLimit: 2n ** 120n }), malformed, 'callGasLimit')
  refuses(encode({ callGasLimit: -1 }), malformed, 'callGasLimit')
  refuses(encode({ initCode: '0x' }), malformed, 'belong')
  refuses(encode({ initCode: '0x1234' }, '0.6'), malformed, 'cut')
  refuses(encode({ signature: '0x' }), 'chains/already-signed')
  refuses(
    encode({ factory: `0x7702${'00'.repeat(18)}`, factoryData: '0x' }, '0.8'),
    'chains/unsupported-version',
    'delegated',
  )
  const { sender: _, ...headless } = operationOf('0x')
  refuses(
    () => encodeUserOperation({ ...requestOf('0.7', 'hash'), userOperation: headless }),
    malformed,
    'missing',
  )
  refuses(
    () => encodeUserOperation({ ...requestOf('0.7', 'hash'), entryPoint: ACCOUNT_TEXT }),
    'chains/unsupported-version',
    'entry point',
  )
  const text = Buffer.from(encodeUserOperation(requestOf('0.7', 'hash'))).toString()
  refuses(() => parse(utf8(text), 'ethereum'), 'chains/other-chain')
  for (const [from, to] of [
    ['"signs":"hash"', '"signs":"both"'],
    ['0xaa36a7', '0xAA36A7'],
    ['0xaa36a7', '11155111'],
    ['{"chainId"', '{"chainId":"0x1","chainId"'],
    ['"userOperation":{', '"userOperation":{ '],
  ] as const)
    assert.throws(
      () => parse(utf8(text.replace(from, to))),
      (error) => isFault(error) && error.code.startsWith('chains/'),
    )
  assert.ok(parse(utf8(text)))
  refuses(() => parse(concatBytes(utf8(text), utf8(' '))), 'chains/not-canonical')
})
