import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import {
  buildEvmTransfer,
  buildSolanaTransfer,
  findAdapter,
  type SerialisedTx,
  transactionId,
} from '@quorate/chains'
import { erin, PAID_SAMPLE, SUITE } from './ecdsa-wallets.js'
import { BLOCKHASH, OWN, SECOND } from './solana/samples.js'
import { alice, carol, NO_CONTEXT, psbtOf, SAMPLE, signaturesFor, type Wallet } from './wallets.js'

const evm = buildEvmTransfer({
  network: 'ethereum-sepolia',
  to: `0x${'ab'.repeat(20)}`,
  amount: 1n,
  nonce: 0n,
  fees: { maxFeePerGas: 2n, maxPriorityFeePerGas: 1n },
}).unsigned
const solana = buildSolanaTransfer({
  from: OWN,
  to: SECOND,
  lamports: 1n,
  lifetime: { blockhash: BLOCKHASH },
}).unsigned

type Case = readonly [network: string, wallet: Wallet, unsigned: Uint8Array, suite?: string]
const CASES: readonly Case[] = [
  ['bitcoin', alice, psbtOf(SAMPLE)],
  ['bitcoin-testnet4', erin, psbtOf(PAID_SAMPLE), SUITE],
  ['solana-devnet', carol, solana],
  ['ethereum-sepolia', erin, evm],
]

function signed([network, wallet, unsigned, suite]: Case): SerialisedTx {
  const adapter = findAdapter(network, suite)
  const tx = adapter.parse({ unsigned, context: NO_CONTEXT, key: wallet.key })
  return tx.attach(signaturesFor(tx, wallet)).serialise()
}

const refuses = (network: string, bytes: Uint8Array, code: FaultCode): void =>
  assert.throws(
    () => transactionId(network, bytes),
    (error) => isFault(error, code),
    `${network} ${code}`,
  )

test('the id is the one that the signed transaction has', () => {
  for (const each of CASES) {
    const { bytes, txid } = signed(each)
    assert.equal(transactionId(each[0], bytes), txid, each[0])
  }
})

test('what is not ready to be broadcast has none', () => {
  refuses('bitcoin', psbtOf(SAMPLE), 'chains/malformed-transaction')
  refuses('solana-devnet', solana, 'chains/missing-signature')
  refuses('ethereum-sepolia', evm, 'chains/malformed-transaction')
  const { bytes } = signed(CASES[3]!)
  refuses('ethereum', bytes, 'chains/other-chain')
  refuses('solana', bytes, 'chains/malformed-transaction')
  for (const each of CASES)
    refuses(each[0], signed(each).bytes.slice(0, -1), 'chains/malformed-transaction')
})

test('a Bitcoin transaction without what unlocks its coins has none', () => {
  const { bytes } = signed(CASES[1]!)
  // The witnesses, and the marker and flag that announce them.
  const inputsAndOutputs = bytes.slice(6, 6 + 1 + 2 * 41 + 1 + 2 * 31)
  const bare = Uint8Array.of(...bytes.slice(0, 4), ...inputsAndOutputs, 0, 0, 0, 0)
  refuses('bitcoin', bare, 'chains/missing-signature')
})
