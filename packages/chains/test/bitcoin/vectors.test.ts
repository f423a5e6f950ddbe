/** BIP-341 wallet test vectors, key path: the file's one transaction, with nine inputs of three kinds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, fromHex, isFault, toHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { Transaction } from '@scure/btc-signer'
import { RawPSBTV0 } from '@scure/btc-signer/psbt.js'
import { RawOldTx } from '@scure/btc-signer/script.js'
import { readVectors } from '../vectors.js'
import { NO_CONTEXT, taprootWallet } from '../wallets.js'

type Vectors = {
  readonly scriptPubKey: readonly {
    readonly given: { readonly internalPubkey: string; readonly scriptTree: unknown }
    readonly intermediary: { readonly merkleRoot: string | null; readonly tweakedPubkey: string }
    readonly expected: { readonly scriptPubKey: string; readonly bip350Address: string }
  }[]
  readonly keyPathSpending: readonly {
    readonly given: {
      readonly rawUnsignedTx: string
      readonly utxosSpent: readonly { readonly scriptPubKey: string; readonly amountSats: number }[]
    }
    readonly inputSpending: readonly {
      readonly given: {
        readonly txinIndex: number
        readonly internalPrivkey: string
        readonly merkleRoot: string | null
        readonly hashType: number
      }
      readonly intermediary: { readonly internalPubkey: string; readonly sigHash: string }
      readonly expected: { readonly witness: readonly [string] }
    }[]
  }[]
}

const vectors = readVectors<Vectors>('bips/bip-0341/wallet-test-vectors.json')
const skip = vectors === undefined ? 'vectors not present' : false

/** The unsigned transaction of the vectors as a PSBT, with all fields that a signer of each input needs. */
function psbtOfVectors({ keyPathSpending }: Vectors): Uint8Array {
  const [{ given, inputSpending }] = keyPathSpending as readonly [Vectors['keyPathSpending'][0]]
  const unsignedTx = RawOldTx.decode(fromHex(given.rawUnsignedTx))
  const inputs = given.utxosSpent.map(({ scriptPubKey, amountSats }, i) => {
    const witnessUtxo = { script: fromHex(scriptPubKey), amount: BigInt(amountSats) }
    const spending = inputSpending.find((each) => each.given.txinIndex === i)
    if (spending === undefined) return { witnessUtxo }
    const { hashType, merkleRoot } = spending.given
    return {
      witnessUtxo,
      tapInternalKey: fromHex(spending.intermediary.internalPubkey),
      ...(hashType === 0 ? {} : { sighashType: hashType }),
      ...(merkleRoot === null ? {} : { tapMerkleRoot: fromHex(merkleRoot) }),
    }
  })
  const outputs = unsignedTx.outputs.map(() => ({}))
  const raw = { global: { unsignedTx }, inputs, outputs }
  return RawPSBTV0.encode(raw as Parameters<typeof RawPSBTV0.encode>[0])
}

test('sighashes and witnesses of key path spends, byte for byte', { skip }, () => {
  const unsigned = psbtOfVectors(vectors!)
  const spendings = vectors!.keyPathSpending[0]!.inputSpending
  let covered = 0
  for (const { given, intermediary, expected } of spendings) {
    const wallet = taprootWallet(fromHex(given.internalPrivkey))
    const parse = () =>
      findAdapter('bitcoin').parse({ unsigned, context: NO_CONTEXT, key: wallet.key })
    if (given.hashType > 1) {
      assert.throws(parse, (error) => isFault(error, 'chains/sighash-type'))
      continue
    }
    covered++
    const tx = parse()
    const [item, ...others] = tx.prepare()
    assert.equal(others.length, 0)
    assert.equal(item!.id, `input-${given.txinIndex}`)
    assert.equal(toHex(item!.message), intermediary.sigHash)
    const witness = fromHex(expected.witness[0])
    const signature = wallet.sign(item!)
    assert.deepEqual(
      given.hashType === 0 ? signature : concatBytes(signature, Uint8Array.of(given.hashType)),
      witness,
    )
    const { bytes } = tx.attach(new Map([[item!.id, signature]])).serialise('psbt')
    const signed = Transaction.fromPSBT(bytes, { disableScriptCheck: true })
    assert.deepEqual(signed.getInput(given.txinIndex).tapKeySig, witness)
    assert.deepEqual(tx.verify(bytes), [])
  }
  assert.equal(covered, 2)
})

test('addresses of keys without scripts, and outputs of keys with a script root', { skip }, () => {
  const bitcoin = findAdapter('bitcoin')
  for (const { given, intermediary, expected } of vectors!.scriptPubKey) {
    const { bip350Address } = expected
    assert.equal(bitcoin.parseAddress(bip350Address), bip350Address)
    assert.equal(toHex(bitcoin.addressKey(bip350Address)), intermediary.tweakedPubkey)
    if (intermediary.merkleRoot !== null) continue
    for (const parity of ['02', '03']) {
      const publicKey = fromHex(`${parity}${given.internalPubkey}`)
      assert.equal(bitcoin.address({ scheme: 'bip340-secp256k1', publicKey }), bip350Address)
    }
  }
})
