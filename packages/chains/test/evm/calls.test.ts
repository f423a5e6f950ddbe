/** What calls do, and above all what they try to hide. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { concatBytes, fromHex, isFault } from '@quorate/base'
import { encodeEvmContext, findAdapter, type TokenClaim } from '@quorate/chains'
import { toBytesBe } from '@quorate/math'
import { type AbiValue, abiTypes, encodeAbi, encodeCall } from '#src/evm/abi.js'
import { decodeAddress, formatAddress } from '#src/evm/address.js'
import { erin, RECEIVER, TRANSFER_FIELDS, type TxFields, unsignedTx } from '../ecdsa-wallets.js'
import { NO_CONTEXT } from '../wallets.js'
import { approveCall, executeCall, SOMEBODY, transferCall, USDC_SEPOLIA } from './samples.js'

const adapter = findAdapter('ethereum-sepolia')
const own = adapter.address(erin.key)
const OWN = decodeAddress(own)
const USDC = decodeAddress(USDC_SEPOLIA)
const NOTHING = new Uint8Array(0)
const somebody = formatAddress(SOMEBODY)
const receiver = formatAddress(RECEIVER)

const viewOf = (fields: Partial<TxFields>, context = NO_CONTEXT): TxView =>
  adapter
    .parse({
      unsigned: unsignedTx({
        ...TRANSFER_FIELDS,
        value: 0n,
        gasLimit: 1_000_000n,
        maxFee: 1_000_000_000n,
        ...fields,
      }),
      context,
      key: erin.key,
    })
    .view()
/** A call of a contract that nobody knows, unless told. */
const callOf = (
  signature: string,
  args: readonly AbiValue[],
  fields: Partial<TxFields> = {},
): TxView => viewOf({ data: encodeCall(signature, args), ...fields })
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))
const paid = (view: TxView) => view.outputs.map(({ to, asset, amount }) => [to, asset, amount])
const asset = (kind: string, id = ''): string => `eip155:11155111/${kind}:${receiver}${id}`

test('amounts of tokens that the node knows are told in their unit, and counted in the smallest', () => {
  const view = viewOf({ to: USDC, data: transferCall(SOMEBODY, 2_500_000n) })
  assert.deepEqual(paid(view), [[somebody, `eip155:11155111/erc20:${USDC_SEPOLIA}`, 2_500_000n]])
  assert.ok(has(view.notes, 'USDC with 6 decimals: 2.5 USDC'))
  assert.deepEqual([view.isComplete, view.warnings, view.from], [true, [], [own]])
})

test('what a client says of a token is shown as claimed and changes no amount', () => {
  const claim = (more: Partial<TokenClaim>) =>
    encodeEvmContext([{ address: RECEIVER, symbol: 'FOO', decimals: 2, ...more }])
  const data = transferCall(SOMEBODY, 250n)
  const plain = viewOf({ data })
  const told = viewOf({ data }, claim({}))
  assert.ok(
    has(told.notes, 'said to be FOO with 2 decimals, which would make it 2.5 FOO (claimed)'),
  )
  assert.deepEqual([told.outputs, told.warnings], [plain.outputs, []])
  for (const decimals of [0, 36])
    assert.deepEqual(viewOf({ data }, claim({ decimals })).outputs, plain.outputs)
})

test('a token that borrows the name of another, or of the coin, is called out', () => {
  const warnings = (address: Uint8Array, symbol: string, decimals = 6) =>
    viewOf({ data: transferCall(SOMEBODY, 1n) }, encodeEvmContext([{ address, symbol, decimals }]))
      .warnings
  for (const symbol of ['USDC', 'usdc', 'U$DC'])
    assert.ok(
      has(
        warnings(RECEIVER, symbol),
        `is claimed to be ${symbol}, but USDC of this network is ${USDC_SEPOLIA}`,
      ),
    )
  assert.ok(has(warnings(RECEIVER, 'ETH'), 'not the coin of this network'))
  assert.ok(has(warnings(USDC, 'USDC', 18), 'it is USDC with 6'))
  assert.ok(has(warnings(USDC, 'DAI'), 'it is USDC with 6'))
  assert.deepEqual(warnings(USDC, 'USDC'), [])
})

test('context in another form is refused', () => {
  const good = encodeEvmContext([{ address: RECEIVER, symbol: 'FOO', decimals: 2 }])
  for (const context of [
    Uint8Array.of(1),
    good.slice(0, -1),
    concatBytes(good, Uint8Array.of(0)),
    new Uint8Array(2_000),
    encodeEvmContext(Array(2).fill({ address: RECEIVER, symbol: 'FOO', decimals: 2 })),
  ])
    assert.throws(
      () => viewOf({}, context),
      (error) => isFault(error, 'chains/bad-context'),
    )
  assert.throws(() => encodeEvmContext([{ address: RECEIVER, symbol: 'USDС', decimals: 2 }]))
})

test('transferFrom: an amount for known tokens, perhaps an id for others; the money of others is named', () => {
  const args = [OWN, SOMEBODY, 7n] as const
  const known = callOf('transferFrom(address,address,uint256)', args, { to: USDC })
  assert.deepEqual([known.kind, known.isComplete, known.from], ['token', true, [own]])
  const unknown = callOf('transferFrom(address,address,uint256)', args)
  assert.equal(unknown.isComplete, false)
  assert.ok(has(unknown.warnings, 'or, if'))
  const foreign = callOf('transferFrom(address,address,uint256)', [SOMEBODY, OWN, 7n], { to: USDC })
  assert.deepEqual(foreign.from, [own, somebody])
  assert.ok(has(foreign.warnings, `moves money of ${somebody}, which is not this wallet`))
})

test('collectibles are named by contract and number', () => {
  const single = callOf('safeTransferFrom(address,address,uint256)', [OWN, SOMEBODY, 42n])
  assert.deepEqual(paid(single), [[somebody, asset('erc721', '/42'), 1n]])
  assert.equal(single.isComplete, true)
  const withData = 'safeTransferFrom(address,address,uint256,bytes)'
  assert.equal(callOf(withData, [OWN, SOMEBODY, 42n, NOTHING]).isComplete, true)
  const hooked = callOf(withData, [OWN, SOMEBODY, 42n, Uint8Array.of(1)])
  assert.equal(hooked.isComplete, false)
  assert.ok(has(hooked.warnings, 'hands 1 bytes'))
  const multi = callOf('safeTransferFrom(address,address,uint256,uint256,bytes)', [
    OWN,
    SOMEBODY,
    3n,
    9n,
    NOTHING,
  ])
  assert.deepEqual(paid(multi), [[somebody, asset('erc1155', '/3'), 9n]])
  const batchOf = (ids: readonly bigint[], amounts: readonly bigint[]) =>
    callOf('safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)', [
      OWN,
      SOMEBODY,
      ids,
      amounts,
      NOTHING,
    ])
  const batch = batchOf([3n, 4n], [9n, 1n])
  assert.deepEqual([batch.kind, batch.isComplete], ['batch', true])
  assert.deepEqual(paid(batch), [
    [somebody, asset('erc1155', '/3'), 9n],
    [somebody, asset('erc1155', '/4'), 1n],
  ])
  assert.equal(batchOf([3n], []).isComplete, false)
})

test('rights over money are never complete, whatever they are called', () => {
  const r = new Uint8Array(32)
  const lets = `lets ${somebody} take`
  const cases: readonly (readonly [string, readonly AbiValue[], string])[] = [
    ['approve(address,uint256)', [SOMEBODY, 7n], `${lets} up to 7 of the smallest unit`],
    ['approve(address,uint256)', [SOMEBODY, 0n], 'id of one token'],
    ['increaseAllowance(address,uint256)', [SOMEBODY, 7n], 'on top of what it may take already'],
    [
      'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)',
      [OWN, SOMEBODY, 2n ** 256n - 1n, 1n, 27n, r, r],
      `${lets} any amount`,
    ],
    [
      'permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)',
      [OWN, SOMEBODY, 0n, 1n, true, 27n, r, r],
      `${lets} any amount`,
    ],
    [
      'approve(address,address,uint160,uint48)',
      [USDC, SOMEBODY, 2_000_000n, 1_800_000_000n],
      `${lets} up to 2 USDC of the token ${USDC_SEPOLIA} out of this wallet, until 2027-01-15`,
    ],
    [
      'setApprovalForAll(address,bool)',
      [SOMEBODY, true],
      `${lets} every token that this wallet has`,
    ],
  ]
  for (const [signature, args, text] of cases) {
    const view = callOf(signature, args)
    assert.equal(view.isComplete, false, signature)
    assert.ok(has(view.warnings, text), `${signature}: ${view.warnings.join()}`)
  }
  const [signature, args] = cases[5]!
  assert.ok(has(callOf(signature, args).warnings, 'is not Permit2'))
})

test('rights that end are complete and move nothing', () => {
  for (const view of [
    viewOf({ to: USDC, data: approveCall(SOMEBODY, 0n) }),
    callOf('setApprovalForAll(address,bool)', [SOMEBODY, false]),
    callOf('decreaseAllowance(address,uint256)', [SOMEBODY, 5n]),
  ]) {
    assert.deepEqual([view.kind, view.isComplete, view.warnings], ['call', true, []])
    assert.deepEqual(
      view.outputs.map(({ amount }) => amount),
      [0n],
    )
  }
})

test('a contract called upon itself: complete if all is, and approvals come to light', () => {
  const multicall = (data: readonly Uint8Array[], fields: Partial<TxFields> = {}) =>
    callOf('multicall(bytes[])', [data], fields)
  const good = multicall([transferCall(SOMEBODY, 1n), transferCall(OWN, 2n)])
  assert.deepEqual([good.kind, good.isComplete, good.warnings], ['batch', true, []])
  assert.deepEqual(paid(good), [
    [somebody, asset('erc20'), 1n],
    [own, asset('erc20'), 2n],
  ])
  const hidden = multicall([transferCall(SOMEBODY, 1n), approveCall(SOMEBODY, 2n ** 256n - 1n)])
  assert.equal(hidden.isComplete, false)
  assert.ok(has(hidden.warnings, `call 2: lets ${somebody} take any amount`))
  const deep = encodeCall('multicall(bytes[])', [
    [approveCall(SOMEBODY, 5n), transferCall(OWN, 1n)],
  ])
  const deeper = callOf('multicall(uint256,bytes[])', [
    1_900_000_000n,
    [transferCall(OWN, 1n), deep],
  ])
  assert.ok(has(deeper.warnings, `call 2: call 1: lets ${somebody} take up to 5`))
  const paying = multicall([transferCall(SOMEBODY, 1n)], { value: 3n })
  assert.equal(paying.isComplete, false)
  assert.deepEqual(paid(paying).at(-1), [receiver, 'ETH', 3n])
  assert.equal(multicall([]).isComplete, false)
})

test('calls through another contract are shown with who gets what, and never complete', () => {
  const value = 'aggregate3Value((address,bool,uint256,bytes)[])'
  const view = callOf(
    value,
    [
      [
        [SOMEBODY, false, 5n, NOTHING],
        [OWN, true, 2n, NOTHING],
      ],
    ],
    { value: 10n },
  )
  assert.deepEqual([view.kind, view.isComplete, view.from], ['batch', false, [own]])
  assert.deepEqual(paid(view), [
    [somebody, 'ETH', 5n],
    [own, 'ETH', 2n],
    [receiver, 'ETH', 3n],
  ])
  assert.ok(has(view.warnings, `decided by the code of ${receiver}`))
  assert.ok(has(view.warnings, 'goes on when one of the calls fails'))
  const more = callOf(value, [[[SOMEBODY, false, 5n, NOTHING]]], { value: 1n })
  assert.deepEqual([paid(more), more.from], [[[somebody, 'ETH', 5n]], [own, receiver]])
  for (const [signature, args] of [
    ['aggregate3((address,bool,bytes)[])', [[[USDC, false, approveCall(SOMEBODY, 7n)]]]],
    ['aggregate((address,bytes)[])', [[[USDC, approveCall(SOMEBODY, 7n)]]]],
    ['tryAggregate(bool,(address,bytes)[])', [true, [[USDC, approveCall(SOMEBODY, 7n)]]]],
  ] as const)
    assert.ok(
      has(callOf(signature, args).warnings, `out of ${receiver}, at any later time`),
      signature,
    )
  const pulled = callOf('aggregate3((address,bool,bytes)[])', [
    [[USDC, false, encodeCall('transferFrom(address,address,uint256)', [OWN, SOMEBODY, 9n])]],
  ])
  assert.deepEqual(paid(pulled), [[somebody, `eip155:11155111/erc20:${USDC_SEPOLIA}`, 9n]])
})

const packed = (operation: number, to: Uint8Array, value: bigint, data: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(operation), to, toBytesBe(value), toBytesBe(BigInt(data.length)), data)

test('a Safe: its batch is read, and code that runs as the Safe is shouted', () => {
  const send = encodeCall('multiSend(bytes)', [
    concatBytes(packed(0, SOMEBODY, 5n, NOTHING), packed(0, USDC, 0n, approveCall(SOMEBODY, 3n))),
  ])
  const exec = (to: Uint8Array, data: Uint8Array, operation: bigint, gasPrice = 0n) =>
    callOf(
      'execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)',
      [to, 0n, data, operation, 0n, 0n, gasPrice, new Uint8Array(20), new Uint8Array(20), NOTHING],
    )
  const batch = exec(new Uint8Array(20).fill(0x77), send, 1n)
  assert.equal(batch.isComplete, false)
  assert.ok(has(batch.warnings, 'with full power over'))
  assert.ok(has(batch.warnings, `call 2: lets ${somebody} take up to 0.000003 USDC`))
  assert.deepEqual(batch.from, [own, receiver])
  const takeover = exec(SOMEBODY, transferCall(OWN, 1n), 1n)
  assert.deepEqual([takeover.kind, takeover.isComplete, takeover.outputs], ['opaque', false, []])
  assert.ok(has(takeover.warnings, `runs the code of ${somebody} with full power over ${receiver}`))
  assert.ok(has(exec(SOMEBODY, NOTHING, 0n, 1n).warnings, 'pays for gas'))
  assert.ok(has(exec(SOMEBODY, NOTHING, 2n).warnings, 'not understood'))
  const direct = viewOf({ data: send, value: 5n })
  assert.deepEqual(paid(direct)[0], [somebody, 'ETH', 5n])
  const nested = encodeCall('multiSend(bytes)', [packed(1, SOMEBODY, 0n, fromHex('deadbeef'))])
  assert.ok(has(viewOf({ data: nested }).warnings, 'with full power over'))
  const cut = encodeCall('multiSend(bytes)', [packed(0, SOMEBODY, 5n, NOTHING).slice(0, -1)])
  assert.ok(has(viewOf({ data: cut }).warnings, 'not understood'))
})

const EXECUTIONS = abiTypes('((address,uint256,bytes)[])')
const mode = (type: number, execution = 0): Uint8Array =>
  Uint8Array.from([type, execution, ...new Uint8Array(30)])

test('a delegated account that calls itself pays with its own coins', () => {
  const many: readonly AbiValue[] = [
    [
      [SOMEBODY, 5n, NOTHING],
      [USDC, 0n, approveCall(SOMEBODY, 2n ** 255n)],
    ],
  ]
  for (const data of [
    encodeCall('executeBatch((address,uint256,bytes)[])', many),
    encodeCall('execute(bytes32,bytes)', [mode(1), encodeAbi(EXECUTIONS, many)]),
    encodeCall('executeBatch(address[],uint256[],bytes[])', [
      [SOMEBODY, USDC],
      [5n, 0n],
      [NOTHING, approveCall(SOMEBODY, 2n ** 255n)],
    ]),
  ]) {
    const view = viewOf({ to: OWN, data })
    assert.deepEqual([view.from, view.isComplete], [[own], false])
    assert.deepEqual(paid(view)[0], [somebody, 'ETH', 5n])
    assert.ok(has(view.warnings, 'this account is delegated to'))
    assert.ok(has(view.warnings, `call 2: lets ${somebody} take any amount`))
  }
  const single = viewOf({ to: OWN, data: executeCall(SOMEBODY, 5n, NOTHING) })
  assert.deepEqual([single.kind, paid(single)], ['transfer', [[somebody, 'ETH', 5n]]])
  const modular = (type: number, data: Uint8Array, execution = 0) =>
    viewOf({ to: OWN, data: encodeCall('execute(bytes32,bytes)', [mode(type, execution), data]) })
  assert.deepEqual(paid(modular(0, concatBytes(SOMEBODY, toBytesBe(6n)))), [[somebody, 'ETH', 6n]])
  assert.ok(has(modular(0, concatBytes(SOMEBODY, toBytesBe(6n)), 1).warnings, 'goes on when'))
  assert.ok(has(modular(0xff, SOMEBODY).warnings, `full power over ${own}`))
  for (const view of [
    modular(2, SOMEBODY),
    modular(0, SOMEBODY),
    modular(0, NOTHING),
    modular(1, SOMEBODY),
    modular(0, SOMEBODY, 2),
  ])
    assert.ok(has(view.warnings, 'not understood'))
  const short = encodeCall('executeBatch(address[],bytes[])', [[SOMEBODY], []])
  assert.ok(has(viewOf({ to: OWN, data: short }).warnings, 'not understood'))
})

test('batches in batches end at a bound, and so do calls in a batch', () => {
  let data = transferCall(SOMEBODY, 1n)
  for (let depth = 0; depth < 6; depth++) data = encodeCall('multicall(bytes[])', [[data]])
  const deep = viewOf({ data })
  assert.equal(deep.isComplete, false)
  assert.ok(has(deep.warnings, 'more calls than are read'))
  const wide = (count: number) =>
    viewOf({
      data: encodeCall('multicall(bytes[])', [Array(count).fill(transferCall(SOMEBODY, 1n))]),
    })
  assert.deepEqual([wide(128).isComplete, wide(128).outputs.length], [true, 128])
  assert.deepEqual([wide(129).isComplete, wide(129).outputs.length], [false, 1])
  const inBoth = (count: number) => {
    const inner = encodeCall('multicall(bytes[])', [Array(count).fill(transferCall(SOMEBODY, 1n))])
    return viewOf({ data: encodeCall('multicall(bytes[])', [[inner, inner]]) }).isComplete
  }
  assert.deepEqual([inBoth(64), inBoth(65)], [true, false])
})

test('a fee that is large beside the payment, and fees that are not included', () => {
  const dear = viewOf({
    to: SOMEBODY,
    gasLimit: 21_000n,
    maxFee: 100_000_000_000n,
    value: 2_333_333_333_333_333n,
  })
  assert.ok(has(dear.warnings, 'the fee can be 90 % of the 0.002333333333333333 ETH that are paid'))
  assert.ok(
    has(
      viewOf({ to: SOMEBODY, gasLimit: 21_000n, maxFee: 100_000_000_000n, value: 1n }).warnings,
      'more than the',
    ),
  )
  const onBase = findAdapter('base').parse({
    unsigned: unsignedTx({ ...TRANSFER_FIELDS, chainId: 8_453n }),
    context: NO_CONTEXT,
    key: erin.key,
  })
  assert.ok(has(onBase.view().notes, 'fee for data on Ethereum, which is not included'))
  assert.ok(!has(viewOf({}).notes, 'not included'))
})
