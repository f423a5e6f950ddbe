/** Against Solana kit itself: its message builders, its signing functions and its verifiers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { encodeOffchain } from '@quorate/chains'
import { kitSigner } from '@quorate/sdk'
import * as kit from '@solana/kit'
import { getTransferSolInstruction } from '@solana-program/system'
import { sourcesFor } from './sources.js'

const to = kit.address('Stake11111111111111111111111111111111111111')
const blockhash = kit.blockhash('EETubP5AKHgjPAhzPAFcb8BAY1hMH639CWCFTqi3hq1k')

const transferOf = (
  source: kit.TransactionSigner,
  payer: kit.TransactionSigner,
  version: 0 | 'legacy',
) =>
  kit.pipe(
    kit.createTransactionMessage({ version }),
    (message) => kit.setTransactionMessageFeePayerSigner(payer, message),
    (message) =>
      kit.setTransactionMessageLifetimeUsingBlockhash(
        { blockhash, lastValidBlockHeight: 1n },
        message,
      ),
    (message) =>
      kit.appendTransactionMessageInstruction(
        getTransferSolInstruction({ source, destination: to, amount: 5n }),
        message,
      ),
  )

async function verifies(
  address: kit.Address,
  signature: kit.SignatureBytes,
  message: kit.ReadonlyUint8Array,
): Promise<boolean> {
  const key = await kit.getPublicKeyFromAddress(address)
  return kit.verifySignature(key, signature, message)
}

for (const { name, signer } of sourcesFor('solana-devnet', 'ed25519')) {
  const open = async () => kitSigner(kit, await signer())

  test(`${name}: is a signer of kit, and signs what it builds`, async () => {
    const own = await open()
    assert.ok(kit.isTransactionPartialSigner(own))
    assert.ok(kit.isMessagePartialSigner(own))
    for (const version of [0, 'legacy'] as const) {
      const signed = await kit.signTransactionMessageWithSigners(transferOf(own, own, version))
      kit.assertIsFullySignedTransaction(signed)
      const signature = signed.signatures[own.address]!
      assert.ok(await verifies(own.address, signature, signed.messageBytes))
      assert.equal(kit.getSignatureFromTransaction(signed).length > 80, true)
    }
  })

  test(`${name}: signs beside a payer of the fee`, async () => {
    const own = await open()
    const payer = await kit.generateKeyPairSigner()
    const signed = await kit.signTransactionMessageWithSigners(transferOf(own, payer, 0))
    kit.assertIsFullySignedTransaction(signed)
    for (const [address, signature] of Object.entries(signed.signatures))
      assert.ok(await verifies(address as kit.Address, signature!, signed.messageBytes))
  })

  test(`${name}: signs off-chain messages, and no other bytes`, async () => {
    const own = await open()
    const content = encodeOffchain('Sign in', [
      Uint8Array.from(kit.getAddressEncoder().encode(own.address)),
    ])
    const [signatures] = await own.signMessages([kit.createSignableMessage(content)])
    assert.ok(await verifies(own.address, signatures![own.address]!, content))
    const bytes = kit.compileTransaction(transferOf(own, own, 0)).messageBytes
    for (const bad of ['Sign in', Uint8Array.from(bytes), new Uint8Array(0)])
      await assert.rejects(own.signMessages([kit.createSignableMessage(bad)]), (error) =>
        isFault(error, 'sdk/not-readable'),
      )
  })
}
