/** A PSBT that the wallet may sign, and the same once signed. */

import { equalBytes, Fault } from '@quorate/base'
import type { SerialisedTx, SignedTx, SignItem, TxFormat, UnsignedTx } from '../adapter.ts'
import type { OwnCoin } from './form.ts'
import type { BitcoinNetwork } from './networks.ts'
import { type Psbt, unlockingOf } from './psbt.ts'
import { GLOBAL } from './psbt-fields.ts'
import { entryOf, isPsbt, type PsbtMap, valueIn, withEntries, writeMaps } from './psbt-maps.ts'
import { NOTHING, type RawTx, readTx, txidOf, writeStripped, writeTx } from './raw-transaction.ts'
import { isWitnessProgram } from './script.ts'
import { readSkeleton } from './skeleton.ts'
import { viewOf } from './view.ts'

/** Standard transactions have at most 400 000 weight units, and a byte is at least one. */
const MAX_RAW_BYTES = 400_000

type OwnInput = { readonly index: number; readonly own: OwnCoin; readonly item: SignItem }

export function bitcoinTransaction(psbt: Psbt, network: BitcoinNetwork): UnsignedTx {
  const inputs = ownInputs(psbt)
  return {
    view: () => viewOf(psbt, network),
    prepare: () => inputs.map(({ item }) => item),
    attach(given) {
      const signatures = new Map(
        inputs.map(({ index, own, item }) => {
          const signature = given.get(item.id)
          if (signature === undefined)
            throw new Fault('chains/missing-signature', { detail: item.id })
          const flaw = own.flawOf(item, signature)
          if (flaw !== undefined)
            throw new Fault('chains/bad-signature', { detail: `${item.id}: ${flaw}` })
          return [index, signature.slice()] as const
        }),
      )
      return signedTransaction(psbt, signatures)
    },
    verify: (signed) => reasonsAgainst(signed, psbt, inputs),
  }
}

const ownInputs = ({ coins, items }: Psbt): readonly OwnInput[] =>
  coins.flatMap(({ own }, index): readonly OwnInput[] =>
    own === undefined ? [] : [{ index, own, item: items.get(index)! }],
  )

/** `signatures` by input. */
function signedTransaction(psbt: Psbt, signatures: ReadonlyMap<number, Uint8Array>): SignedTx {
  const tx: RawTx = {
    ...psbt.tx,
    inputs: psbt.coins.map(({ own, final }, i) => ({
      ...psbt.tx.inputs[i]!,
      ...(own === undefined ? (final ?? NOTHING) : own.unlock(signatures.get(i)!)),
    })),
  }
  return {
    serialise(format: TxFormat = 'raw'): SerialisedTx {
      if (format === 'psbt')
        return {
          bytes: writeMaps(signedMaps(psbt, signatures)),
          txid: hasFixedId(psbt) ? txidOf(tx) : undefined,
        }
      if (format !== 'raw') throw new Fault('chains/unknown-format')
      if (psbt.coins.some(({ own, final }) => own === undefined && final === undefined))
        throw new Fault('chains/others-unsigned')
      return { bytes: writeTx(tx), txid: txidOf(tx) }
    },
  }
}

const signedMaps = (
  { global, inputs, outputs, coins }: Psbt,
  signatures: ReadonlyMap<number, Uint8Array>,
): readonly PsbtMap[] => [
  closedToChanges(global),
  ...inputs.map((map, i) => {
    const own = coins[i]!.own
    return own === undefined ? map : withEntries(map, own.fields(signatures.get(i)!))
  }),
  ...outputs,
]

/** BIP-370: whoever signs all inputs and outputs clears the flags that allow to add more. */
function closedToChanges(global: PsbtMap): PsbtMap {
  const flags = valueIn(global, GLOBAL.txModifiable)
  return flags === undefined
    ? global
    : withEntries(global, [entryOf(GLOBAL.txModifiable, Uint8Array.of(flags[0]! & ~0b011))])
}

/** Whether no signature of others can change the txid: only scriptSigs, which witness programs lack, enter it. */
const hasFixedId = ({ coins }: Psbt): boolean =>
  coins.every(
    ({ own, final, script }) =>
      own !== undefined || final !== undefined || isWitnessProgram(script),
  )

function reasonsAgainst(
  signed: Uint8Array,
  psbt: Psbt,
  inputs: readonly OwnInput[],
): readonly string[] {
  if (signed.length > MAX_RAW_BYTES && !isPsbt(signed)) return ['it is larger than nodes relay']
  let found: FoundSignatures
  try {
    found = isPsbt(signed) ? signaturesInPsbt(signed) : signaturesInRaw(signed)
  } catch {
    return ['it is neither a transaction nor a PSBT']
  }
  if (!equalBytes(writeStripped(found.tx), writeStripped(psbt.tx)))
    return ['it is another transaction: its inputs, outputs or lock time differ']
  return inputs.flatMap(({ index, own, item }) => {
    const signature = found.signatureOf(own, index)
    if (signature === undefined) return [`input ${index} is not signed`]
    return own.flawOf(item, signature) === undefined
      ? []
      : [`the signature of input ${index} does not verify`]
  })
}

type FoundSignatures = {
  /** Without anything that unlocks its coins. */
  readonly tx: RawTx
  signatureOf(own: OwnCoin, i: number): Uint8Array | undefined
}

function signaturesInRaw(raw: Uint8Array): FoundSignatures {
  const tx = readTx(raw)
  return {
    tx: { ...tx, inputs: tx.inputs.map((input) => ({ ...input, ...NOTHING })) },
    signatureOf: (own, i) => own.readUnlocking(tx.inputs[i]!),
  }
}

function signaturesInPsbt(psbt: Uint8Array): FoundSignatures {
  const { tx, inputs } = readSkeleton(psbt)
  const unlocked = inputs.map(unlockingOf)
  return {
    tx,
    signatureOf(own, i) {
      const final = unlocked[i]
      return final === undefined ? own.readFields(inputs[i]!) : own.readUnlocking(final)
    },
  }
}
