/** What a call does, whatever it is: a payment, a method that is known here, a batch of calls, or unknown. */
import type { TxCall } from '@quorate/api'
import { equalBytes, isFault, toHex } from '@quorate/base'
import { type AbiValue, decodeAbi, type Signature } from './abi.ts'
import { formatAddress } from './address.ts'
import { BATCH_METHODS, type Batch, type BatchMethod, EXECUTE_METHODS } from './batches.ts'
import {
  type Call,
  type Effects,
  isZero,
  payerOf,
  payment,
  type Scope,
  understoodInPart,
} from './effects.ts'
import { type Method, TOKEN_METHODS } from './token-calls.ts'

/** Batches within batches. */
const MAX_DEPTH = 4
/** Calls in all: each of n calls in a batch may carry an n-th part of what the batch may. */
const MAX_CALLS = 128
const SELECTOR_BYTES = 4

/** What may still be carried. */
type Bounds = { readonly depth: number; readonly calls: number }
const TOP: Bounds = { depth: MAX_DEPTH, calls: MAX_CALLS }

const bySelector = <T extends { readonly signature: Signature }>(
  methods: readonly T[],
): ReadonlyMap<string, T> => new Map(methods.map((each) => [each.signature.selector, each]))

const TOKENS: ReadonlyMap<string, Method> = bySelector(TOKEN_METHODS)
const BATCHES: ReadonlyMap<string, BatchMethod> = bySelector([...BATCH_METHODS, ...EXECUTE_METHODS])
const EXECUTES: ReadonlyMap<string, BatchMethod> = bySelector(EXECUTE_METHODS)

/** What `call` does, with all that it carries. Variable-time: public inputs only. */
export const effectsOfCall = (call: Call, scope: Scope): Effects => effectsAt(call, scope, TOP)

/** What a smart account (`call.to`) does for its owner: nothing but its execute methods is read. */
export function effectsOfAccount(call: Call, scope: Scope): Effects {
  const batch = readBatch(call, EXECUTES)
  return batch === undefined ? unknownCall(call, scope) : batchEffects(call, batch, scope, TOP)
}

/** The effects of `call` with the call itself among the calls. */
function effectsAt(call: Call, scope: Scope, bounds: Bounds): Effects {
  const effects = readingOf(call, scope, bounds)
  const { to, data } = call
  const selector = `0x${toHex(data.subarray(0, SELECTOR_BYTES))}`
  const own: TxCall = { contract: formatAddress(to), selector }
  const calls = effects.calls === undefined ? undefined : [own, ...effects.calls]
  return { ...effects, calls }
}

function readingOf(call: Call, scope: Scope, bounds: Bounds): Effects {
  if (call.isDelegate === true) return delegateEffects(call, scope, bounds)
  if (call.data.length === 0) return plainPayment(call, scope)
  const selector = selectorOf(call)
  const token = selector === undefined ? undefined : TOKENS.get(selector)
  if (token !== undefined) {
    const args = argumentsOf(token.signature, call)
    if (args === undefined) return unknownCall(call, scope)
    const effects = token.effects(args, call, scope)
    const notes = [methodNote(token.signature, call), ...effects.notes]
    return { ...effects, calls: [], notes }
  }
  const batch = readBatch(call, BATCHES)
  return batch === undefined ? unknownCall(call, scope) : batchEffects(call, batch, scope, bounds)
}

function plainPayment(call: Call, scope: Scope): Effects {
  return {
    kind: 'transfer',
    from: payerOf(call),
    outputs: [payment(call, scope)],
    calls: [],
    allowances: [],
    isComplete: true,
    notes: [],
    warnings: isZero(call.to) ? ['pays the zero address, whose key nobody has'] : [],
  }
}

function unknownCall(call: Call, scope: Scope): Effects {
  const where = formatAddress(call.to)
  const selector = selectorOf(call)
  const name = selector === undefined ? 'data without a selector' : `selector 0x${selector}`
  const effects = understoodInPart('call', call, scope, {
    notes: [`calls ${where} with ${name}, ${call.data.length} bytes`],
    warnings: [`calls ${where}, with effects that are not understood`],
  })
  return { ...effects, calls: [] }
}

/** The code at `to` may do all that the caller can; only Safe's own multiSend is read on. */
function delegateEffects(call: Call, scope: Scope, bounds: Bounds): Effects {
  const warning = `runs the code of ${formatAddress(call.to)} with full power over ${formatAddress(call.caller)}`
  const batch = readBatch(call, BATCHES)
  const isSend = selectorOf(call) === MULTI_SEND
  if (batch !== undefined && isSend) {
    const effects = batchEffects({ ...call, value: 0n }, batch, scope, bounds)
    return { ...effects, isComplete: false, warnings: [warning, ...effects.warnings] }
  }
  return {
    kind: 'opaque',
    from: [formatAddress(call.caller)],
    outputs: [],
    isComplete: false,
    notes: [`with ${call.data.length} bytes of data`],
    warnings: [warning],
  }
}

const MULTI_SEND: string = BATCH_METHODS.find(
  ({ signature }) => signature.text === 'multiSend(bytes)',
)!.signature.selector

function batchEffects(call: Call, batch: Batch, scope: Scope, bounds: Bounds): Effects {
  const { length } = batch.calls
  if (bounds.depth === 0 || length > bounds.calls)
    return understoodInPart('call', call, scope, {
      notes: [`carries ${length} calls`],
      warnings: [
        `carries more calls than are read: at most ${MAX_CALLS} in all, and ${MAX_DEPTH} batches within each other`,
      ],
    })
  const within: Bounds = {
    depth: bounds.depth - 1,
    calls: Math.floor(bounds.calls / Math.max(length, 1)),
  }
  const inner = batch.calls.map((each) => effectsAt(each, scope, within))
  const label = (i: number): string => (inner.length === 1 ? '' : `call ${i + 1}: `)
  const passed = batch.calls.reduce((sum, { value }) => sum + value, 0n)
  // What the inner calls do not spend stays with the contract.
  const rest = call.value > passed ? { ...call, value: call.value - passed } : undefined
  return {
    kind: kindOf(inner),
    from: [...(rest === undefined ? [] : payerOf(rest)), ...inner.flatMap(({ from }) => from)],
    outputs: [
      ...inner.flatMap(({ outputs }) => outputs),
      ...(rest === undefined ? [] : [payment(rest, scope)]),
    ],
    calls: allOf(inner.map(({ calls }) => calls)),
    // The code that the calls go through may do more than make them.
    allowances:
      batch.through === undefined ? allOf(inner.map(({ allowances }) => allowances)) : undefined,
    isComplete:
      batch.through === undefined &&
      rest === undefined &&
      inner.length > 0 &&
      inner.every(({ isComplete }) => isComplete),
    notes: [
      `${formatAddress(call.to)} is given ${inner.length} call${inner.length === 1 ? '' : 's'} to make`,
      ...inner.flatMap(({ notes }, i) => notes.map((note) => label(i) + note)),
    ],
    warnings: [
      ...batch.warnings,
      ...throughWarnings(batch, scope),
      ...inner.flatMap(({ warnings }, i) => warnings.map((warning) => label(i) + warning)),
    ],
  }
}

/** Everything in the lists, where all of them are known. */
function allOf<T>(lists: readonly (readonly T[] | undefined)[]): readonly T[] | undefined {
  const known = lists.flatMap((list) => (list === undefined ? [] : [list]))
  return known.length === lists.length ? known.flat() : undefined
}

function kindOf(inner: readonly Effects[]): Effects['kind'] {
  const [first, ...more] = inner
  if (first === undefined) return 'call'
  if (more.length === 0) return first.kind
  if (inner.some(({ kind }) => kind === 'opaque')) return 'opaque'
  return inner.some(({ kind }) => kind === 'call') ? 'call' : 'batch'
}

function throughWarnings({ through }: Batch, { own }: Scope): readonly string[] {
  if (through === undefined) return []
  return equalBytes(through, own)
    ? ['what becomes of the calls is decided by the code that this account is delegated to']
    : [`what becomes of the calls is decided by the code of ${formatAddress(through)}`]
}

function readBatch(call: Call, methods: ReadonlyMap<string, BatchMethod>): Batch | undefined {
  const method = methods.get(selectorOf(call) ?? '')
  if (method === undefined) return undefined
  return orUndefined(() => method.batch(decodeAbi(method.signature.inputs, body(call)), call))
}

const argumentsOf = (signature: Signature, call: Call): readonly AbiValue[] | undefined =>
  orUndefined(() => decodeAbi(signature.inputs, body(call)))

/** Data in another layout than ours is not refused: it is only not understood. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isFault(error, 'chains/malformed-transaction')) return undefined
    throw error
  }
}

const selectorOf = ({ data }: Call): string | undefined =>
  data.length < SELECTOR_BYTES ? undefined : toHex(data.subarray(0, SELECTOR_BYTES))

const body = ({ data }: Call): Uint8Array => data.subarray(SELECTOR_BYTES)

const methodNote = ({ text, selector }: Signature, { to }: Call): string =>
  `calls ${text}, 0x${selector}, of ${formatAddress(to)}`
