import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { isAlive } from '#src/dev/state.js'
import { cliIn, document, scratch } from './support/cli.js'

type Transaction = {
  readonly network: string
  readonly address: string
  readonly unsigned: string
  readonly signed: string
  readonly txid: string
  readonly message: string
  readonly signature: string
  readonly inputs: readonly { readonly message: string; readonly signature: string }[]
  readonly signMs: number
  readonly judge: string
}
type Demo = {
  readonly processes: readonly number[]
  readonly signers: readonly number[]
  readonly wallets: readonly {
    readonly id: string
    readonly protocol: string
    readonly suite: string
    readonly threshold: number
    readonly parties: number
    readonly publicKey: string
    readonly network: string
    readonly address: string
    readonly transaction: Transaction
    readonly transactions: readonly Transaction[]
    readonly keygenMs: number
    readonly phases: readonly { readonly phase: string; readonly ms: number }[]
    readonly signMs: number
  }[]
}

test('the demo gives one document, and leaves nothing behind', async () => {
  const directory = scratch()
  const { processes, signers, wallets } = document<Demo>(
    await cliIn(scratch(), { TMPDIR: directory })('demo', '--json'),
  )
  assert.equal(new Set([...processes, ...signers]).size, 6)
  assert.deepEqual(
    wallets.map(({ network, protocol, suite }) => [network, protocol, suite]),
    [
      ['bitcoin-testnet4', 'frost', 'FROST-secp256k1-SHA256-TR-v1'],
      ['solana-devnet', 'frost', 'FROST-ED25519-SHA512-v1'],
      ['ethereum-sepolia', 'cggmp24', 'CGGMP24-secp256k1-SHA256-128-v1'],
    ],
  )
  for (const {
    publicKey,
    threshold,
    parties,
    transaction,
    transactions,
    keygenMs,
    phases,
    signMs,
    ...wallet
  } of wallets) {
    assert.match(wallet.id, /^wal_/)
    assert.match(publicKey, /^(0[23])?[0-9a-f]{64}$/)
    assert.deepEqual([threshold, parties], [2, 3])
    assert.deepEqual(transaction, transactions[0])
    assert.deepEqual([transaction.network, transaction.address], [wallet.network, wallet.address])
    for (const { message, signature, inputs, signed, unsigned } of transactions) {
      assert.match(signature, /^[0-9a-f]{128}$/)
      assert.deepEqual(inputs[0], { message, signature })
      assert.ok(signed !== unsigned && !unsigned.includes(signature))
    }
    assert.ok(keygenMs > 0 && signMs > 0)
    // A key that is there at once has no progress to show.
    assert.ok(phases.length > 0 || wallet.protocol === 'frost')
  }
  const [bitcoin, solana, ethereum] = wallets
  assert.equal(bitcoin?.transaction.inputs.length, 3)
  assert.match(bitcoin.transaction.message, /^[0-9a-f]{64}$/)
  assert.ok(solana?.transaction.signed.endsWith(solana.transaction.message))
  assert.deepEqual(
    ethereum?.transactions.map(({ network, judge, inputs }) => [network, judge, inputs.length]),
    [
      ['ethereum-sepolia', '@ethereumjs/tx', 1],
      ['bitcoin-testnet4', 'bitcoinjs-lib', 3],
    ],
  )
  // What is signed is the transaction itself, and it is hashed by whoever signs.
  assert.equal(ethereum?.transaction.message, ethereum?.transaction.unsigned)
  assert.deepEqual(
    [...processes, ...signers].filter((pid) => isAlive(pid)),
    [],
  )
  assert.deepEqual(readdirSync(directory), [])
})
