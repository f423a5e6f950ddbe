import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { TxView } from '@quorate/api'
import { type FaultCode, fromHex, isFault, toHex, utf8 } from '@quorate/base'
import { encodeTypedData, findAdapter, type KeyRef } from '@quorate/chains'
import { formatAddress } from '#src/evm/address.js'
import { ecdsaWallet, erin } from '../ecdsa-wallets.js'
import { NO_CONTEXT, signaturesFor } from '../wallets.js'
import {
  hexOf,
  permitData,
  RECEIVER_TEXT,
  SEPOLIA,
  SOMEBODY,
  SOMEBODY_TEXT,
  transferCall,
  USDC_SEPOLIA,
} from './samples.js'

const parse = (unsigned: Uint8Array, network = 'ethereum-sepolia', key: KeyRef = erin.key) =>
  findAdapter(network).parse({ unsigned, context: NO_CONTEXT, key })
const viewOf = (data: unknown): TxView => parse(encodeTypedData(data)).view()
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))
const refuses = (run: () => unknown, code: FaultCode, detail = ''): void =>
  assert.throws(
    run,
    (error) => isFault(error, code) && (error.detail ?? '').includes(detail),
    detail,
  )
const somebody = formatAddress(SOMEBODY)

const fields = (...list: readonly string[]) =>
  list.map((each) => ({ type: each.split(' ')[0], name: each.split(' ')[1] }))

/** EIP-712, its example and the test beside it (`Example.js`). */
const MAIL = {
  types: {
    EIP712Domain: fields(
      'string name',
      'string version',
      'uint256 chainId',
      'address verifyingContract',
    ),
    Person: fields('string name', 'address wallet'),
    Mail: fields('Person from', 'Person to', 'string contents'),
  },
  primaryType: 'Mail',
  domain: {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: `0x${'cc'.repeat(20)}`,
  },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
}
const MAIL_HASH = 'be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2'
const MAIL_SIGNATURE =
  '4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c'

test('the example of EIP-712: hash, signature, and every value in the view', () => {
  const cow = ecdsaWallet(keccak_256(utf8('cow')))
  const tx = parse(encodeTypedData(MAIL), 'ethereum', cow.key)
  assert.equal(toHex(keccak_256(tx.prepare()[0]!.message)), MAIL_HASH)
  const { bytes, txid } = tx.attach(signaturesFor(tx, cow)).serialise()
  assert.deepEqual([toHex(bytes), txid], [MAIL_SIGNATURE, undefined])
  assert.deepEqual(tx.verify(fromHex(MAIL_SIGNATURE)), [])
  const view = tx.view()
  assert.deepEqual([view.kind, view.isComplete, view.fee], ['opaque', false, undefined])
  assert.ok(has(view.notes, 'domain.name: "Ether Mail"'))
  assert.ok(has(view.notes, 'message.to.wallet: "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"'))
  assert.ok(has(view.notes, 'message.contents: "Hello, Bob!"'))
  assert.ok(has(view.warnings, 'not understood'))
})

test('one spelling: what is encoded parses, every other spelling is refused', () => {
  const text = Buffer.from(encodeTypedData(MAIL)).toString()
  assert.deepEqual(encodeTypedData(JSON.parse(text)), utf8(text))
  for (const other of [
    JSON.stringify(MAIL),
    text.replace('{"types"', '{ "types"'),
    text.replace('0xCD2a', '0xcd2a'),
    text.replace('"chainId":"1"', '"chainId":"01"'),
    text.replace('"chainId":"1"', '"chainId":1'),
    text.replace('"contents":"Hello', '"contents":"a","contents":"Hello'),
    text.replace('Hello', '\\u0048ello'),
  ]) {
    assert.notEqual(other, text)
    assert.throws(
      () => parse(utf8(other), 'ethereum'),
      (error) => isFault(error) && error.code.startsWith('chains/'),
      other,
    )
  }
})

test('the chain of the domain is checked; without one there is a warning', () => {
  refuses(
    () => parse(encodeTypedData(MAIL)),
    'chains/other-chain',
    'ethereum, not ethereum-sepolia',
  )
  const anywhere = viewOf({
    ...MAIL,
    types: { ...MAIL.types, EIP712Domain: fields('string name') },
    domain: { name: 'x' },
  })
  assert.ok(has(anywhere.warnings, 'names no chain'))
  assert.ok(has(anywhere.warnings, 'names no contract'))
})

test('types and values that do not fit each other are refused', () => {
  const malformed = (more: object, detail: string): void =>
    refuses(() => encodeTypedData({ ...MAIL, ...more }), 'chains/malformed-transaction', detail)
  const types = (more: object) => ({ types: { ...MAIL.types, ...more } })
  malformed(types({ Spare: [] }), 'does not use')
  malformed(types({ Person: fields('string name', 'Nobody wallet') }), 'missing')
  malformed(types({ Person: fields('string name', 'uint wallet') }), 'missing')
  malformed(types({ Person: fields('string name', 'string name') }), 'one name')
  malformed(types({ Person: fields('string name', 'uint7 wallet') }), 'unknown size')
  malformed(types({ EIP712Domain: fields('string version', 'string name') }), 'standard order')
  malformed(types({ 'bad name': [] }), 'proper name')
  malformed(types({ uint8: [] }), 'proper name')
  malformed({ primaryType: 'Nothing' }, 'among the types')
  malformed({ primaryType: 'EIP712Domain' }, 'among the types')
  malformed({ domain: { ...MAIL.domain, colour: 'red' } }, 'domain')
  malformed({ extra: 1 }, 'typed data')
  malformed({ message: { ...MAIL.message, extra: 1 } }, 'belong')
  malformed({ message: { ...MAIL.message, contents: undefined } }, 'no text')
  malformed({ message: { ...MAIL.message, contents: '\ud800' } }, 'half a character')
  malformed({ message: { ...MAIL.message, to: [] } }, 'no object')
  malformed(types({ Person: fields('string name', `string${'[]'.repeat(70)} wallet`) }), 'too long')
})

const single = (type: string, value: unknown, more: object = {}) => ({
  types: { T: fields(`${type} x`), ...more },
  primaryType: 'T',
  domain: { chainId: SEPOLIA },
  message: { x: value },
})

test('numbers, bytes and lists keep to their bounds', () => {
  const ok = (type: string, value: unknown): void => {
    assert.ok(parse(encodeTypedData(single(type, value))), type)
  }
  const no = (type: string, value: unknown): void =>
    refuses(() => encodeTypedData(single(type, value)), 'chains/malformed-transaction')
  ok('uint8', 255)
  no('uint8', 256)
  no('uint8', -1)
  ok('int8', -128)
  no('int8', -129)
  no('int8', 128)
  ok('uint256', `0x${'f'.repeat(64)}`)
  no('uint256', 2n ** 256n)
  for (const bad of ['', '1.5', 1.5, 2 ** 60, 'x', null, true, '0x']) no('uint256', bad)
  ok('bytes4', '0xDEADbeef')
  no('bytes4', '0xdeadbe')
  no('bytes', 'deadbeef')
  no('bytes', '0xabc')
  no('bool', 'true')
  ok('uint8[2]', [1, 2])
  no('uint8[2]', [1])
  no('uint8[]', {})
  ok('uint8[][2]', [[], [1]])
  no('uint8[]', Array(4097).fill(1))
  refuses(() => encodeTypedData(single('address', `0x${'Ab'.repeat(20)}`)), 'chains/bad-address')
  const loop: { x: unknown } = { x: [] }
  loop.x = [loop]
  refuses(
    () => encodeTypedData({ ...single('T[]', [loop]), types: { T: fields('T[] x') } }),
    'chains/malformed-transaction',
    'too deep',
  )
})

test('JSON that is none, deep, large, or of something else', () => {
  for (const text of ['{', '{}', '{"types":1}', '{"chainId"', `{"types":${'['.repeat(30_000)}`])
    refuses(() => parse(utf8(text)), 'chains/malformed-transaction')
  refuses(() => parse(Uint8Array.of(0x7b, 0xff)), 'chains/malformed-transaction', 'UTF-8')
  refuses(() => parse(utf8(`{${' '.repeat(70_000)}`)), 'chains/transaction-too-large')
})

test('a permit is an allowance: who, how much, of which token', () => {
  const view = viewOf(permitData())
  assert.equal(view.isComplete, false)
  assert.ok(
    has(
      view.warnings,
      `lets ${somebody} take up to 2.5 USDC of the token ${USDC_SEPOLIA} out of ${formatAddress(fromHex('ab'.repeat(20)))}, at any later time`,
    ),
  )
  assert.ok(has(view.notes, 'can use it until 2027-01-15'))
  const own = findAdapter('ethereum-sepolia').address(erin.key)
  const all = viewOf(permitData({ owner: own, value: 2n ** 256n - 1n, deadline: 2n ** 256n - 1n }))
  assert.ok(has(all.warnings, 'take any amount of the token'))
  assert.ok(has(all.warnings, 'out of this wallet'))
  assert.ok(has(all.notes, 'without end'))
})

const typed = (
  primaryType: string,
  types: object,
  message: object,
  verifyingContract = USDC_SEPOLIA,
) => ({
  types,
  primaryType,
  domain: { chainId: SEPOLIA, verifyingContract },
  message,
})
const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3'

test('other permits: DAI’s, and all of Permit2', () => {
  const dai = viewOf(
    typed(
      'Permit',
      {
        Permit: fields(
          'address holder',
          'address spender',
          'uint256 nonce',
          'uint256 expiry',
          'bool allowed',
        ),
      },
      {
        holder: RECEIVER_TEXT,
        spender: SOMEBODY_TEXT,
        nonce: 0,
        expiry: 0,
        allowed: true,
      },
    ),
  )
  assert.ok(has(dai.warnings, `lets ${somebody} take any amount`))
  const details = {
    PermitDetails: fields('address token', 'uint160 amount', 'uint48 expiration', 'uint48 nonce'),
  }
  const detail = {
    token: USDC_SEPOLIA,
    amount: 2n ** 160n - 1n,
    expiration: 1_800_000_000,
    nonce: 0,
  }
  const allowance = {
    PermitSingle: fields('PermitDetails details', 'address spender', 'uint256 sigDeadline'),
    ...details,
  }
  const message = { details: detail, spender: SOMEBODY_TEXT, sigDeadline: 1 }
  const one = viewOf(typed('PermitSingle', allowance, message, PERMIT2))
  assert.ok(
    has(
      one.warnings,
      `lets ${somebody} take any amount of the token ${USDC_SEPOLIA} out of this wallet, until 2027`,
    ),
  )
  assert.ok(!has(one.warnings, 'is not Permit2'))
  assert.ok(has(viewOf(typed('PermitSingle', allowance, message)).warnings, 'is not Permit2'))
  const two = viewOf(
    typed(
      'PermitBatch',
      {
        PermitBatch: fields('PermitDetails[] details', 'address spender', 'uint256 sigDeadline'),
        ...details,
      },
      {
        details: [
          { ...detail, amount: 1 },
          { ...detail, token: RECEIVER_TEXT, amount: 2 },
        ],
        spender: SOMEBODY_TEXT,
        sigDeadline: 1,
      },
      PERMIT2,
    ),
  )
  assert.equal(two.warnings.filter((line) => line.includes('lets')).length, 2)
  const permissions = { TokenPermissions: fields('address token', 'uint256 amount') }
  const rest = ['address spender', 'uint256 nonce', 'uint256 deadline']
  const pull = {
    permitted: { token: USDC_SEPOLIA, amount: 1_000_000 },
    spender: SOMEBODY_TEXT,
    nonce: 1,
    deadline: 1_800_000_000,
  }
  const now = viewOf(
    typed(
      'PermitTransferFrom',
      { PermitTransferFrom: fields('TokenPermissions permitted', ...rest), ...permissions },
      pull,
      PERMIT2,
    ),
  )
  assert.ok(has(now.warnings, 'up to 1 USDC'))
  const witness = viewOf(
    typed(
      'PermitWitnessTransferFrom',
      {
        PermitWitnessTransferFrom: fields('TokenPermissions permitted', ...rest, 'Order witness'),
        Order: fields('uint256 id'),
        ...permissions,
      },
      { ...pull, witness: { id: 1 } },
      PERMIT2,
    ),
  )
  assert.ok(has(witness.warnings, 'up to 1 USDC'))
  const many = viewOf(
    typed(
      'PermitBatchTransferFrom',
      { PermitBatchTransferFrom: fields('TokenPermissions[] permitted', ...rest), ...permissions },
      { ...pull, permitted: [pull.permitted] },
      PERMIT2,
    ),
  )
  assert.ok(has(many.warnings, 'up to 1 USDC'))
})

const BY_AUTHORIZATION = {
  TransferWithAuthorization: fields(
    'address from',
    'address to',
    'uint256 value',
    'uint256 validAfter',
    'uint256 validBefore',
    'bytes32 nonce',
  ),
}

test('a transfer by authorization is a transfer: complete for a known token of this wallet', () => {
  const own = findAdapter('ethereum-sepolia').address(erin.key)
  const message = {
    from: own,
    to: SOMEBODY_TEXT,
    value: 1_500_000,
    validAfter: 0,
    validBefore: 1_800_000_000,
    nonce: `0x${'01'.repeat(32)}`,
  }
  const view = viewOf(typed('TransferWithAuthorization', BY_AUTHORIZATION, message))
  assert.deepEqual(
    [view.kind, view.isComplete, view.from, view.warnings],
    ['token', true, [own], []],
  )
  assert.deepEqual(
    view.outputs.map(({ to, asset, amount }) => [to, asset, amount]),
    [[somebody, `eip155:11155111/erc20:${USDC_SEPOLIA}`, 1_500_000n]],
  )
  for (const other of [
    typed('TransferWithAuthorization', BY_AUTHORIZATION, message, SOMEBODY_TEXT),
    typed('TransferWithAuthorization', BY_AUTHORIZATION, { ...message, from: RECEIVER_TEXT }),
    {
      ...typed('TransferWithAuthorization', BY_AUTHORIZATION, message),
      domain: { verifyingContract: USDC_SEPOLIA },
    },
  ])
    assert.equal(viewOf(other).isComplete, false)
})

test('a transaction of a Safe is read like a call of it', () => {
  const types = {
    SafeTx: fields(
      'address to',
      'uint256 value',
      'bytes data',
      'uint8 operation',
      'uint256 safeTxGas',
      'uint256 baseGas',
      'uint256 gasPrice',
      'address gasToken',
      'address refundReceiver',
      'uint256 nonce',
    ),
  }
  const zero = `0x${'00'.repeat(20)}`
  const message = {
    to: USDC_SEPOLIA,
    value: 0,
    data: hexOf(transferCall(SOMEBODY, 3_000_000n)),
    operation: 0,
    safeTxGas: 0,
    baseGas: 0,
    gasPrice: 0,
    gasToken: zero,
    refundReceiver: zero,
    nonce: 4,
  }
  const view = viewOf(typed('SafeTx', types, message, RECEIVER_TEXT))
  assert.deepEqual(
    [view.kind, view.isComplete, view.outputs[0]!.amount],
    ['token', false, 3_000_000n],
  )
  assert.ok(has(view.warnings, 'which is not this wallet'))
  const takeover = viewOf(
    typed('SafeTx', types, { ...message, operation: 1, gasPrice: 1 }, RECEIVER_TEXT),
  )
  assert.ok(has(takeover.warnings, 'with full power over'))
  assert.ok(has(takeover.warnings, 'pays for gas'))
  refuses(
    () => viewOf(typed('SafeTx', types, { ...message, operation: 2 }, RECEIVER_TEXT)),
    'chains/malformed-transaction',
    'operation',
  )
})

test('data that only looks like an approval or an order is called so', () => {
  const grant = viewOf(
    typed(
      'Grant',
      { Grant: fields('address operator', 'uint256 until') },
      { operator: SOMEBODY_TEXT, until: 1 },
    ),
  )
  assert.ok(has(grant.warnings, `seems to give rights over this wallet's money to ${somebody}`))
  const renamed = viewOf(
    typed(
      'Permit',
      { Permit: fields('address owner', 'address spender') },
      { owner: RECEIVER_TEXT, spender: SOMEBODY_TEXT },
    ),
  )
  assert.ok(has(renamed.warnings, 'seems to give rights'))
  const order = viewOf(
    typed('OrderComponents', { OrderComponents: fields('uint256 price') }, { price: 1 }),
  )
  assert.ok(has(order.warnings, 'seems to be an order'))
  const long = viewOf(single('uint256[]', Array(100).fill(1)))
  assert.ok(has(long.notes, 'more values, which are not shown'))
})
