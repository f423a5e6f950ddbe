import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { isAlive } from '#src/dev/state.js'
import { cliIn, document, scratch } from './support/cli.js'

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
    readonly transaction: {
      readonly unsigned: string
      readonly signed: string
      readonly txid: string
      readonly message: string
      readonly signature: string
      readonly inputs: readonly { readonly message: string; readonly signature: string }[]
    }
    readonly keygenMs: number
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
    ],
  )
  for (const {
    publicKey,
    threshold,
    parties,
    transaction,
    keygenMs,
    signMs,
    ...wallet
  } of wallets) {
    assert.match(wallet.id, /^wal_/)
    assert.match(publicKey, /^[0-9a-f]{64}$/)
    assert.deepEqual([threshold, parties], [2, 3])
    assert.match(transaction.signature, /^[0-9a-f]{128}$/)
    const { message, signature } = transaction
    assert.deepEqual(transaction.inputs[0], { message, signature })
    assert.ok(transaction.signed.includes(signature) && !transaction.unsigned.includes(signature))
    assert.ok(keygenMs > 0 && signMs > 0)
  }
  const [bitcoin, solana] = wallets
  assert.equal(bitcoin?.transaction.inputs.length, 3)
  assert.match(bitcoin.transaction.message, /^[0-9a-f]{64}$/)
  assert.ok(solana?.transaction.signed.endsWith(solana.transaction.message))
  assert.deepEqual(
    [...processes, ...signers].filter((pid) => isAlive(pid)),
    [],
  )
  assert.deepEqual(readdirSync(directory), [])
})
