/**
 * The transaction that a PSBT is about, without anything that unlocks its coins. Version 0 holds it
 * whole (BIP-174); version 2 spreads it over its maps (BIP-370).
 */
import { concatBytes, Fault } from '@quorate/base'
import { ByteReader } from '../encoding/reader.ts'
import { FIRST_LOCK_TIME, GLOBAL, INPUT, OUTPUT, u32Of } from './psbt-fields.ts'
import { checkMap, type PsbtMap, readMaps, valueIn } from './psbt-maps.ts'
import { NOTHING, type RawTx, readTx } from './raw-transaction.ts'

/** More inputs than a standard transaction has use for; bounds the work of one request. */
export const MAX_INPUTS = 256
export const MAX_OUTPUTS = 2048
const FINAL_SEQUENCE = 0xffffffff

export type Skeleton = {
  readonly version: 0 | 2
  readonly global: PsbtMap
  readonly inputs: readonly PsbtMap[]
  readonly outputs: readonly PsbtMap[]
  readonly tx: RawTx
}

/**
 * The maps of `psbt`, each as the standards want it, and its transaction with at least one input and
 * one output.
 * @throws chains/transaction-too-large, chains/malformed-transaction, chains/unsupported-version
 */
export function readSkeleton(psbt: Uint8Array): Skeleton {
  const [global, ...rest] = readMaps(psbt, 1 + MAX_INPUTS + MAX_OUTPUTS)
  if (global === undefined) return malformed('it ends after its first bytes')
  const version = versionOf(global)
  checkMap(global, GLOBAL, version, 'globally')
  const whole = version === 0 ? readUnsigned(valueIn(global, GLOBAL.unsignedTx)!) : undefined
  const inputCount = whole?.inputs.length ?? countOf(valueIn(global, GLOBAL.inputCount)!)
  const outputCount = whole?.outputs.length ?? countOf(valueIn(global, GLOBAL.outputCount)!)
  if (inputCount > MAX_INPUTS) tooLarge(`${inputCount} inputs, at most ${MAX_INPUTS}`)
  if (outputCount > MAX_OUTPUTS) tooLarge(`${outputCount} outputs, at most ${MAX_OUTPUTS}`)
  if (rest.length !== inputCount + outputCount) malformed('a map for each input and output')
  if (inputCount === 0 || outputCount === 0) malformed('it has no inputs or no outputs')
  const inputs = rest.slice(0, inputCount)
  const outputs = rest.slice(inputCount)
  inputs.forEach((map, i) => {
    checkMap(map, INPUT, version, `input ${i}`)
  })
  outputs.forEach((map, i) => {
    checkMap(map, OUTPUT, version, `output ${i}`)
  })
  return { version, global, inputs, outputs, tx: whole ?? assembled(global, inputs, outputs) }
}

function versionOf(global: PsbtMap): 0 | 2 {
  const field = valueIn(global, GLOBAL.version)
  const version = field === undefined ? 0 : field.length === 4 ? u32Of(field) : undefined
  if (version === 0 || version === 2) return version
  throw new Fault('chains/unsupported-version')
}

function readUnsigned(bytes: Uint8Array): RawTx {
  const tx = readTx(bytes)
  if (tx.hasWitnesses || tx.inputs.some(({ scriptSig }) => scriptSig.length > 0))
    malformed('its transaction is not unsigned')
  return tx
}

const countOf = (value: Uint8Array): number => new ByteReader(value).compactSize()

/** Of version 2, whose maps have all fields that it requires. */
const assembled = (
  global: PsbtMap,
  inputs: readonly PsbtMap[],
  outputs: readonly PsbtMap[],
): RawTx => ({
  version: u32Of(valueIn(global, GLOBAL.txVersion)!),
  inputs: inputs.map((map) => {
    const sequence = valueIn(map, INPUT.sequence)
    return {
      ...NOTHING,
      outpoint: concatBytes(valueIn(map, INPUT.previousTxid)!, valueIn(map, INPUT.outputIndex)!),
      sequence: sequence === undefined ? FINAL_SEQUENCE : u32Of(sequence),
    }
  }),
  outputs: outputs.map((map) => ({
    amount: new ByteReader(valueIn(map, OUTPUT.amount)!).u64(),
    script: valueIn(map, OUTPUT.script)!,
  })),
  lockTime: lockTimeOf(global, inputs),
})

/**
 * BIP-370, "Determining Lock Time": the highest of those that inputs require, of the one kind that
 * all of these inputs allow, and of heights if they allow both; else the fallback.
 */
function lockTimeOf(global: PsbtMap, inputs: readonly PsbtMap[]): number {
  const required = inputs
    .map((map) => ({
      height: valueIn(map, INPUT.requiredHeight),
      time: valueIn(map, INPUT.requiredTime),
    }))
    .filter(({ height, time }) => height !== undefined || time !== undefined)
  const fallback = valueIn(global, GLOBAL.fallbackLockTime)
  if (required.length === 0) return fallback === undefined ? 0 : u32Of(fallback)
  for (const kind of ['height', 'time'] as const) {
    const values = required.map((each) => each[kind]).filter((each) => each !== undefined)
    if (values.length === required.length) return Math.max(...values.map(u32Of))
  }
  return malformed('inputs that require a height and inputs that require a time')
}

/** Whether a lock time is a block height; else it is a Unix time. */
export const isHeight = (lockTime: number): boolean => lockTime < FIRST_LOCK_TIME

function malformed(detail: string): never {
  throw new Fault('chains/malformed-transaction', { detail })
}

function tooLarge(detail: string): never {
  throw new Fault('chains/transaction-too-large', { detail })
}
