/** Legacy, access list, blob and delegating transactions: read, viewed, signed, written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultCode, fromHex, isFault, toHex } from '@quorate/base'
import { findAdapter, findNetwork, type KeyRef } from '@quorate/chains'
import { evmAdapter } from '#src/evm/adapter.js'
import { encodeSignedAuthorization } from '#src/evm/authorization.js'
import { readSigned } from '#src/evm/envelope.js'
import type { EvmNetwork } from '#src/evm/networks.js'
import { minimalBytes } from '#src/evm/rlp.js'
import { ecdsaWallet, erin, fieldsOf, frank, TRANSFER_FIELDS } from '../ecdsa-wallets.js'
import { NO_CONTEXT, signaturesFor } from '../wallets.js'
import {
  accessListTx,
  authorization,
  authorizationItem,
  blobHash,
  blobTx,
  DELEGATE,
  decodedItem,
  delegationTx,
  legacy,
  ofType,
  SEPOLIA,
  unprotected,
} from './samples.js'

const parse = (unsigned: Uint8Array, network = 'ethereum-sepolia', key: KeyRef = erin.key) =>
  findAdapter(network).parse({ unsigned, context: NO_CONTEXT, key })
const refuses = (run: () => unknown, code: FaultCode, detail = ''): void =>
  assert.throws(
    run,
    (error) => isFault(error, code) && (error.detail ?? '').includes(detail),
    detail,
  )
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))
const signed = (unsigned: Uint8Array) => {
  const tx = parse(unsigned)
  const { bytes, txid } = tx.attach(signaturesFor(tx, erin)).serialise()
  assert.deepEqual(tx.verify(bytes), [])
  return { bytes, txid, read: () => readSigned(bytes) }
}

/** EIP-155, example. */
const EIP155 = {
  secret: '46'.repeat(32),
  unsigned:
    'ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080',
  signed:
    'f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
}

test('the example of EIP-155, byte for byte', () => {
  const wallet = ecdsaWallet(fromHex(EIP155.secret))
  const tx = parse(fromHex(EIP155.unsigned), 'ethereum', wallet.key)
  assert.equal(toHex(tx.prepare()[0]!.message), EIP155.unsigned)
  const { bytes } = tx.attach(signaturesFor(tx, wallet)).serialise()
  assert.equal(toHex(bytes), EIP155.signed)
  assert.deepEqual(tx.verify(fromHex(EIP155.signed)), [])
  const view = tx.view()
  assert.deepEqual([view.kind, view.isComplete, view.warnings], ['transfer', true, []])
  assert.equal(view.outputs[0]!.amount, 10n ** 18n)
  assert.equal(view.fee!.amount, 21_000n * 20_000_000_000n)
  assert.ok(has(view.notes, 'up to 21000 gas at 20 gwei'))
})

test('a legacy transaction names its chain, or is refused', () => {
  refuses(() => parse(unprotected()), 'chains/other-chain', 'names no chain')
  refuses(() => parse(legacy({ chainId: 1n })), 'chains/other-chain', 'ethereum, not')
  const { read } = signed(legacy())
  assert.equal(read().tx.chainId, SEPOLIA)
  refuses(() => parse(signed(legacy()).bytes), 'chains/already-signed')
})

test('only a network that says so takes a legacy transaction of no chain, with a warning', () => {
  const network: EvmNetwork = {
    ...(findNetwork('ethereum-sepolia') as EvmNetwork),
    needsChainId: false,
  }
  const tx = evmAdapter(network).parse({
    unsigned: unprotected(),
    context: NO_CONTEXT,
    key: erin.key,
  })
  assert.ok(has(tx.view().warnings, 'valid on every chain'))
  const { bytes } = tx.attach(signaturesFor(tx, erin)).serialise()
  const { tx: read, yParity } = readSigned(bytes)
  assert.equal(read.chainId, undefined)
  assert.ok(yParity < 2n)
  assert.deepEqual(tx.verify(bytes), [])
  assert.match(parse(legacy()).verify(bytes)[0]!, /another transaction/)
})

test('an access list transaction', () => {
  const view = parse(accessListTx).view()
  assert.equal(view.fee!.amount, 60_000n * 20_000_000_000n)
  assert.ok(has(view.notes, 'access to 1 address'))
  assert.equal(signed(accessListTx).read().tx.type, 'eip2930')
})

test('a blob transaction without its blobs: their fee is in the fee, their hashes in the notes', () => {
  const view = parse(blobTx()).view()
  const gas = 21_000n * 30_000_000_000n
  assert.equal(view.fee!.amount, gas + 2n * 131_072n * 3_000_000_000n)
  assert.ok(has(view.notes, `blob 0x${toHex(blobHash(2))}`))
  assert.equal(view.isComplete, true)
  assert.equal(signed(blobTx()).read().tx.blobs!.hashes.length, 2)
})

test('blobs of wrong number or version, beside the transaction, and without a recipient', () => {
  const malformed = 'chains/malformed-transaction'
  refuses(() => parse(blobTx([])), malformed, '0 blobs')
  refuses(() => parse(blobTx(Array(10).fill(blobHash(1)))), malformed, '10 blobs')
  refuses(() => parse(blobTx([new Uint8Array(32)])), malformed, 'version')
  refuses(() => parse(blobTx([new Uint8Array(31)])), malformed, '32 bytes')
  const fields = [...fieldsOf(TRANSFER_FIELDS), minimalBytes(1n), [blobHash(1)]]
  refuses(() => parse(ofType(3, [fields, [], [], []])), malformed, 'without them')
  refuses(() => parse(ofType(3, fields.with(5, new Uint8Array(0)))), malformed, 'no contract')
})

test('types that a network does not have are refused there', () => {
  const on = (slug: string): Uint8Array => {
    const { chainId } = findNetwork(slug) as EvmNetwork
    return ofType(3, [
      minimalBytes(chainId),
      ...fieldsOf(TRANSFER_FIELDS).slice(1),
      minimalBytes(1n),
      [blobHash(1)],
    ])
  }
  refuses(() => parse(on('base'), 'base'), 'chains/unsupported-version', 'EIP-4844')
  refuses(() => parse(authorization, 'avalanche'), 'chains/unsupported-version', 'delegation')
  assert.ok(parse(on('gnosis'), 'gnosis'))
})

test('a delegation of this wallet is shouted, one of another account named, all in part', () => {
  const own = parse(delegationTx([decodedItem(authorizationItem(SEPOLIA))])).view()
  assert.equal(own.isComplete, false)
  assert.match(
    own.warnings[0]!,
    /hands THIS WALLET over to the code of 0x[dDeE]{40}.*on this network/,
  )
  const other = parse(
    delegationTx([decodedItem(authorizationItem(SEPOLIA))]),
    'ethereum-sepolia',
    frank.key,
  ).view()
  assert.match(other.warnings[0]!, /hands 0x[0-9a-fA-F]{40} over/)
  const everywhere = parse(delegationTx([decodedItem(authorizationItem(0n))])).view()
  assert.match(everywhere.warnings[0]!, /on EVERY chain/)
  const elsewhere = parse(delegationTx([decodedItem(authorizationItem(1n))])).view()
  assert.match(elsewhere.warnings[0]!, /on the chain with id 1/)
  const end = parse(
    delegationTx([decodedItem(authorizationItem(SEPOLIA, new Uint8Array(20)))]),
  ).view()
  assert.match(end.warnings[0]!, /ends the delegation of THIS WALLET/)
  assert.equal(signed(delegationTx([decodedItem(authorizationItem(0n))])).read().tx.type, 'eip7702')
})

test('an authorization that nobody signed has no effect, and is called so', () => {
  const forged = encodeSignedAuthorization(
    { chainId: SEPOLIA, delegate: DELEGATE, nonce: 8n },
    0,
    new Uint8Array(64),
  )
  const view = parse(delegationTx([decodedItem(forged)])).view()
  assert.equal(view.isComplete, true)
  assert.match(view.warnings[0]!, /nobody signed/)
})

test('lists of authorizations that are empty, long or malformed', () => {
  const malformed = 'chains/malformed-transaction'
  const item = decodedItem(authorizationItem(SEPOLIA)) as readonly Uint8Array[]
  refuses(() => parse(delegationTx([])), malformed, 'empty')
  refuses(() => parse(delegationTx(Array(17).fill(item))), malformed, '17 authorizations')
  refuses(() => parse(delegationTx([item.slice(0, 5)])), malformed, '5 fields')
  refuses(() => parse(delegationTx([item.with(1, new Uint8Array(19))])), malformed, 'delegate')
  refuses(() => parse(delegationTx([item.with(3, Uint8Array.of(1, 0))])), malformed, 'yParity')
  const contract = [...fieldsOf({ ...TRANSFER_FIELDS, to: new Uint8Array(0) }), [item]]
  refuses(() => parse(ofType(4, contract)), malformed, 'no contract')
})

test('the wallet’s own authorization, signed as a transaction holds it', () => {
  const tx = parse(authorization)
  const view = tx.view()
  assert.deepEqual(
    [view.kind, view.isComplete, view.outputs, view.fee],
    ['opaque', false, [], undefined],
  )
  assert.match(view.warnings[0]!, /hands THIS WALLET over/)
  const { bytes, txid } = tx.attach(signaturesFor(tx, erin)).serialise()
  assert.equal(txid, undefined)
  assert.deepEqual(bytes, authorizationItem(SEPOLIA))
  assert.deepEqual(tx.verify(bytes), [])
  assert.match(tx.verify(authorizationItem(1n))[0]!, /fields differ/)
  assert.match(tx.verify(authorization)[0]!, /not a signed authorization/)
  refuses(() => parse(authorization, 'ethereum'), 'chains/other-chain')
})
