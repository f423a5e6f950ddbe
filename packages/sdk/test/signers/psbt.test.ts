/** Against @scure/btc-signer and bitcoinjs-lib: their PSBTs in, transactions that they finish out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Scheme } from '@quorate/api'
import { psbtSigner, type WalletSigner } from '@quorate/sdk'
import * as btc from '@scure/btc-signer'
import { initEccLib, Psbt } from 'bitcoinjs-lib'
import * as ecc from 'tiny-secp256k1'
import { sourcesFor } from './sources.js'

const NETWORK = 'bitcoin-regtest'
const REGTEST = { bech32: 'bcrt', pubKeyHash: 0x6f, scriptHash: 0xc4, wif: 0xef }
const PAYEE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

initEccLib(ecc)

/** One coin of the wallet, with the whole transaction that made it. */
function unsigned(signer: WalletSigner): btc.Transaction {
  const isTaproot = signer.scheme === 'bip340-secp256k1'
  const { script } = isTaproot
    ? btc.p2tr(signer.publicKey.slice(1), undefined, REGTEST)
    : btc.p2wpkh(signer.publicKey, REGTEST)
  const previous = new btc.Transaction({ allowUnknownInputs: true })
  previous.addInput({ txid: '11'.repeat(32), index: 0 })
  previous.addOutput({ script, amount: 100_000n })
  const nonWitnessUtxo = previous.unsignedTx
  const tx = new btc.Transaction()
  tx.addInput({
    txid: previous.id,
    index: 0,
    witnessUtxo: { script, amount: 100_000n },
    ...(isTaproot ? { tapInternalKey: signer.publicKey.slice(1) } : { nonWitnessUtxo }),
  })
  tx.addOutputAddress(PAYEE, 99_000n, REGTEST)
  return tx
}

for (const scheme of ['ecdsa-secp256k1', 'bip340-secp256k1'] satisfies readonly Scheme[])
  for (const { name, signer } of sourcesFor(NETWORK, scheme)) {
    test(`${scheme}, ${name}: @scure/btc-signer finishes what was signed`, async () => {
      const wallet = await signer()
      const before = unsigned(wallet)
      const tx = btc.Transaction.fromPSBT(await psbtSigner(wallet).signPsbt(before.toPSBT()))
      assert.equal(tx.id, before.id)
      tx.finalize()
      assert.ok(tx.extract().length > 100)
    })

    test(`${scheme}, ${name}: bitcoinjs-lib verifies and finishes what was signed`, async () => {
      const wallet = await signer()
      const psbt = Psbt.fromBuffer(unsigned(wallet).toPSBT())
      psbt.combine(Psbt.fromBuffer(await psbtSigner(wallet).signPsbt(psbt.toBuffer())))
      const isValid = psbt.validateSignaturesOfAllInputs((key, hash, signature) =>
        scheme === 'ecdsa-secp256k1'
          ? ecc.verify(hash, key, signature, true)
          : ecc.verifySchnorr(hash, key, signature),
      )
      assert.ok(isValid)
      const tx = psbt.finalizeAllInputs().extractTransaction()
      assert.equal(tx.getId(), unsigned(wallet).id)
    })
  }
