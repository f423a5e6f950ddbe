/**
 * Calls that carry other calls: Multicall3, multicall of a contract upon itself, Safe's multiSend and
 * execTransaction, and the execute methods of smart accounts (ERC-4337, ERC-7579, ERC-7821).
 */
import { equalBytes } from '@quorate/base'
import { fromBytesBe } from '@quorate/math'
import {
  type AbiType,
  type AbiValue,
  abiTypes,
  decodeAbi,
  type Signature,
  signatureOf,
} from './abi.ts'
import { formatAddress } from './address.ts'
import { type Call, isZero } from './effects.ts'
import { ADDRESS_BYTES, refuse, WORD_BYTES } from './fields.ts'

/** The calls in a call. */
export type Batch = {
  readonly calls: readonly Call[]
  /** The contract that makes the calls as itself, so that its code decides what becomes of them. */
  readonly through: Uint8Array | undefined
  readonly warnings: readonly string[]
}

export type BatchMethod = {
  readonly signature: Signature
  /** @throws chains/malformed-transaction for inner data in another layout */
  batch(args: readonly AbiValue[], call: Call): Batch
}

type Bytes = Uint8Array
type Inner = {
  readonly to: Bytes
  readonly value: bigint
  readonly data: Bytes
  readonly isDelegate?: boolean
}

const method = <Args extends readonly AbiValue[]>(
  text: string,
  batch: (args: Args, call: Call) => Batch,
): BatchMethod => ({
  signature: signatureOf(text),
  batch: (args, call) => batch(args as Args, call),
})

/** The account that runs the code of a call. */
const runner = ({ isDelegate, caller, to }: Call): Bytes => (isDelegate === true ? caller : to)

/** Calls that the called contract makes as itself, with the coins it was given first of all. */
function through(call: Call, inner: readonly Inner[], warnings: readonly string[] = []): Batch {
  const account = runner(call)
  const passed = inner.reduce((sum, { value }) => sum + value, 0n)
  const payer = passed <= call.value ? call.payer : account
  return {
    calls: inner.map((each) => ({ ...each, caller: account, payer })),
    through: account,
    warnings,
  }
}

/** Calls of a contract upon itself that keep the caller, each of which sees the same value. */
const upon = (call: Call, data: readonly Bytes[]): Batch => ({
  calls: data.map((each) => ({ ...call, value: 0n, data: each })),
  through: undefined,
  warnings: [],
})

const MAY_FAIL = 'goes on when one of the calls fails'

export const BATCH_METHODS: readonly BatchMethod[] = [
  method<[readonly (readonly [Bytes, boolean, Bytes])[]]>(
    'aggregate3((address,bool,bytes)[])',
    ([calls], call) =>
      through(
        call,
        calls.map(([to, , data]) => ({ to, value: 0n, data })),
        calls.some(([, mayFail]) => mayFail) ? [MAY_FAIL] : [],
      ),
  ),
  method<[readonly (readonly [Bytes, boolean, bigint, Bytes])[]]>(
    'aggregate3Value((address,bool,uint256,bytes)[])',
    ([calls], call) =>
      through(
        call,
        calls.map(([to, , value, data]) => ({ to, value, data })),
        calls.some(([, mayFail]) => mayFail) ? [MAY_FAIL] : [],
      ),
  ),
  method<[readonly (readonly [Bytes, Bytes])[]]>('aggregate((address,bytes)[])', ([calls], call) =>
    through(
      call,
      calls.map(([to, data]) => ({ to, value: 0n, data })),
    ),
  ),
  method<[boolean, readonly (readonly [Bytes, Bytes])[]]>(
    'tryAggregate(bool,(address,bytes)[])',
    ([mustSucceed, calls], call) =>
      through(
        call,
        calls.map(([to, data]) => ({ to, value: 0n, data })),
        mustSucceed ? [] : [MAY_FAIL],
      ),
  ),
  method<[readonly Bytes[]]>('multicall(bytes[])', ([data], call) => upon(call, data)),
  method<[bigint, readonly Bytes[]]>('multicall(uint256,bytes[])', ([, data], call) =>
    upon(call, data),
  ),
  method<[Bytes, readonly Bytes[]]>('multicall(bytes32,bytes[])', ([, data], call) =>
    upon(call, data),
  ),
  method<[Bytes]>('multiSend(bytes)', ([packed], call) => through(call, packedCalls(packed))),
  method<[Bytes, bigint, Bytes, bigint, bigint, bigint, bigint, Bytes, Bytes, Bytes]>(
    'execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)',
    ([to, value, data, operation, , , gasPrice, gasToken, refund], call) => {
      // Coins that come along stay in the Safe, which pays from its own.
      const { calls, warnings, ...batch } = through(
        { ...call, value: 0n },
        [{ to, value, data, isDelegate: isDelegation(operation) }],
        gasPrice > 0n ? [refundWarning(call.to, gasToken, refund)] : [],
      )
      return { ...batch, calls, warnings }
    },
  ),
]

/** Methods by which the owner of a smart account has it make calls. */
export const EXECUTE_METHODS: readonly BatchMethod[] = [
  method<[Bytes, bigint, Bytes]>('execute(address,uint256,bytes)', ([to, value, data], call) =>
    through(call, [{ to, value, data }]),
  ),
  method<[readonly Bytes[], readonly Bytes[]]>(
    'executeBatch(address[],bytes[])',
    ([targets, data], call) => through(call, zipped(targets, undefined, data)),
  ),
  method<[readonly Bytes[], readonly bigint[], readonly Bytes[]]>(
    'executeBatch(address[],uint256[],bytes[])',
    ([targets, values, data], call) =>
      // SimpleAccount takes an empty list of values for zeros.
      through(call, zipped(targets, values.length === 0 ? undefined : values, data)),
  ),
  method<[readonly (readonly [Bytes, bigint, Bytes])[]]>(
    'executeBatch((address,uint256,bytes)[])',
    ([calls], call) => through(call, calls.map(toInner)),
  ),
  method<[Bytes, Bytes]>('execute(bytes32,bytes)', ([mode, data], call) =>
    modularCalls(mode, data, call),
  ),
]

/** What a Safe pays back to whoever sends its transaction is up to the sender's gas. */
export const refundWarning = (safe: Bytes, token: Bytes, receiver: Bytes): string =>
  `pays for gas out of ${formatAddress(safe)} ${isZero(token) ? 'in coins' : `in the token ${formatAddress(token)}`} to ${isZero(receiver) ? 'whoever sends it' : formatAddress(receiver)}`

/** Safe: 0 is a call, 1 runs the code of `to` as the Safe itself. @throws chains/malformed-transaction */
export function isDelegation(operation: bigint): boolean {
  if (operation > 1n) refuse('an operation that Safe does not have')
  return operation === 1n
}

const toInner = ([to, value, data]: readonly [Bytes, bigint, Bytes]): Inner => ({ to, value, data })

function zipped(
  targets: readonly Bytes[],
  values: readonly bigint[] | undefined,
  data: readonly Bytes[],
): readonly Inner[] {
  if (targets.length !== data.length || (values !== undefined && values.length !== data.length))
    return refuse('lists of different lengths')
  return targets.map((to, i) => ({ to, value: values?.[i] ?? 0n, data: data[i]! }))
}

/** Safe's form, one behind the other: operation (1 byte), to (20), value (32), length (32), data. */
function packedCalls(packed: Bytes): readonly Inner[] {
  const calls: Inner[] = []
  for (let at = 0; at < packed.length; ) {
    const head = packed.subarray(at, at + 1 + ADDRESS_BYTES + 2 * WORD_BYTES)
    const toEnd = 1 + ADDRESS_BYTES
    const length = fromBytesBe(head.subarray(toEnd + WORD_BYTES))
    const from = at + toEnd + 2 * WORD_BYTES
    if (from > packed.length || length > BigInt(packed.length - from))
      return refuse('packed calls that end too early')
    at = from + Number(length)
    calls.push({
      to: head.slice(1, toEnd),
      value: fromBytesBe(head.subarray(toEnd, toEnd + WORD_BYTES)),
      data: packed.slice(from, at),
      isDelegate: isDelegation(BigInt(head[0]!)),
    })
  }
  return calls
}

const EXECUTIONS: readonly AbiType[] = abiTypes('((address,uint256,bytes)[])')
const SINGLE = 0x00
const MANY = 0x01
const DELEGATE = 0xff
const TRY = 0x01
/** ERC-7579: call type, execution type, 4 unused bytes, then a mode and a payload of the account's own. */
const MODE_FROM = 2
/** ERC-7821: the mode selector of a batch that may carry data of its own, which we do not read. */
const WITHOUT_DATA = new Uint8Array(WORD_BYTES - MODE_FROM)

function modularCalls(mode: Bytes, data: Bytes, call: Call): Batch {
  const [type, execution] = mode
  if (!equalBytes(mode.subarray(MODE_FROM), WITHOUT_DATA) || execution! > TRY)
    return refuse('a mode of the account’s own')
  const warnings = execution === TRY ? [MAY_FAIL] : []
  if (type === MANY) {
    const [calls] = decodeAbi(EXECUTIONS, data) as readonly [
      readonly (readonly [Bytes, bigint, Bytes])[],
    ]
    return through(call, calls.map(toInner), warnings)
  }
  const to = data.slice(0, ADDRESS_BYTES)
  if (to.length < ADDRESS_BYTES) return refuse('an execution without a target')
  if (type === DELEGATE)
    return through(
      call,
      [{ to, value: 0n, data: data.slice(ADDRESS_BYTES), isDelegate: true }],
      warnings,
    )
  const dataFrom = ADDRESS_BYTES + WORD_BYTES
  if (type !== SINGLE || data.length < dataFrom) return refuse('a call of an unknown type')
  const value = fromBytesBe(data.subarray(ADDRESS_BYTES, dataFrom))
  return through(call, [{ to, value, data: data.slice(dataFrom) }], warnings)
}
