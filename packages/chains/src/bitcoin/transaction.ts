/** A PSBT that the wallet may sign, and the same once signed. */

import { equalBytes, Fault } from '@quorate/base'
import type { Transaction } from '@scure/btc-signer'
import { RawPSBTV2 } from '@scure/btc-signer/psbt.js'
import type { SerialisedTx, SignedTx, SignItem, TxFormat, UnsignedTx } from '../adapter.ts'
import type { BitcoinNetwork } from '../networks.ts'
import type { OwnCoin } from './form.ts'
import {
  decodeStrictly,
  type Psbt,
  readRawTransaction,
  readTransaction,
  startsWithPsbtMagic,
} from './psbt.ts'
import { isWitnessProgram } from './script.ts'
import { viewOf } from './view.ts'

/** Standard transactions have at most 400 000 weight units, and a byte is at least one. */
const MAX_RAW_BYTES = 400_000

type OwnInput = { readonly index: number; readonly own: OwnCoin; readonly item: SignItem }

export function bitcoinTransaction(psbt: Psbt, network: BitcoinNetwork): UnsignedTx {
  const inputs = ownInputs(psbt)
  return {
    view: () => viewOf(psbt, network),
    prepare: () => inputs.map(({ item }) => item),
    attach(signatures) {
      const tx = readTransaction(psbt.unsigned)
      for (const { index, own, item } of inputs) {
        const signature = signatures.get(item.id)
        if (signature === undefined)
          throw new Fault('chains/missing-signature', { detail: item.id })
        const flaw = psbt.spender.flawOf(item, signature)
        if (flaw !== undefined)
          throw new Fault('chains/bad-signature', { detail: `${item.id}: ${flaw}` })
        tx.updateInput(index, psbt.spender.place(own, signature), true)
      }
      return signedTransaction(psbt, tx.toPSBT())
    },
    verify: (signed) => reasonsAgainst(signed, psbt, inputs),
  }
}

const ownInputs = ({ coins, items }: Psbt): readonly OwnInput[] =>
  coins.flatMap(({ own }, index): readonly OwnInput[] =>
    own === undefined ? [] : [{ index, own, item: items.get(index)! }],
  )

const signedTransaction = (psbt: Psbt, signedPsbt: Uint8Array): SignedTx => ({
  serialise(format: TxFormat = 'raw'): SerialisedTx {
    if (format === 'psbt')
      return {
        bytes: psbt.version === 2 ? closedToChanges(signedPsbt) : signedPsbt,
        txid: hasFixedId(psbt) ? readTransaction(signedPsbt).id : undefined,
      }
    if (format !== 'raw') throw new Fault('chains/unknown-format')
    if (psbt.coins.some(({ own, isFinal }) => own === undefined && !isFinal))
      throw new Fault('chains/others-unsigned')
    const tx = readTransaction(signedPsbt)
    psbt.coins.forEach(({ own }, i) => {
      if (own !== undefined) tx.finalizeIdx(i)
    })
    return { bytes: tx.extract(), txid: tx.id }
  },
})

/** BIP-370: whoever signs all inputs and outputs clears the flags that allow to add more. */
function closedToChanges(psbt: Uint8Array): Uint8Array {
  const raw = RawPSBTV2.decode(psbt)
  if (raw.global.txModifiable !== undefined) raw.global.txModifiable &= ~0b011
  return RawPSBTV2.encode(raw)
}

/** Whether no signature of others can change the txid: only scriptSigs, which witness programs lack, enter it. */
const hasFixedId = ({ coins }: Psbt): boolean =>
  coins.every(({ script, isFinal }) => isFinal || isWitnessProgram(script))

function reasonsAgainst(
  signed: Uint8Array,
  psbt: Psbt,
  inputs: readonly OwnInput[],
): readonly string[] {
  if (signed.length > MAX_RAW_BYTES) return ['it is larger than nodes relay']
  let tx: Transaction
  let unsigned: Uint8Array
  try {
    const isPsbt = startsWithPsbtMagic(signed)
    tx = isPsbt ? decodeStrictly(signed) : readRawTransaction(signed)
    if (!isPsbt && !equalBytes(tx.toBytes(true, true), signed))
      return ['it is not written canonically']
    unsigned = tx.unsignedTx
  } catch {
    return ['it is neither a Bitcoin transaction nor a PSBT']
  }
  if (!equalBytes(unsigned, readTransaction(psbt.unsigned).unsignedTx))
    return ['it is another transaction: its inputs, outputs or lock time differ']
  return inputs.flatMap(({ index, own, item }) => {
    const signature = psbt.spender.read(own, tx.getInput(index))
    if (signature === undefined) return [`input ${index} is not signed`]
    return psbt.spender.flawOf(item, signature) === undefined
      ? []
      : [`the signature of input ${index} does not verify`]
  })
}
