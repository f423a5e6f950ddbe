import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { concatBytes, isFault } from '@quorate/base'
import { findAdapter, type UnsignedTx } from '@quorate/chains'
import { base58 } from '@scure/base'
import {
  carol,
  dave,
  messageOf,
  NO_CONTEXT,
  RECIPIENT,
  signaturesFor,
  TRANSFER,
  wireOf,
} from '../wallets.js'

const adapter = findAdapter('solana-devnet')
const parse = (unsigned: Uint8Array, { key } = carol): UnsignedTx =>
  adapter.parse({ unsigned, context: NO_CONTEXT, key })
const message = messageOf(TRANSFER)

test('the signature goes into its place, and is the id', () => {
  const tx = parse(wireOf(message))
  const signatures = signaturesFor(tx, carol)
  const { bytes, txid } = tx.attach(signatures).serialise()
  const signature = signatures.get('message')!
  assert.deepEqual(bytes, concatBytes(Uint8Array.of(1), signature, message))
  assert.equal(txid, base58.encode(signature))
  assert.deepEqual(tx.verify(bytes), [])
  assert.deepEqual(parse(message).attach(signatures).serialise(), { bytes, txid })
})

test('missing, foreign and malformed signatures are refused', () => {
  const tx = parse(wireOf(message))
  const bad = (error: unknown): boolean => isFault(error, 'chains/bad-signature')
  assert.throws(
    () => tx.attach(new Map()),
    (error) => isFault(error, 'chains/missing-signature'),
  )
  assert.throws(() => tx.attach(signaturesFor(tx, dave)), bad)
  for (const length of [0, 63, 64, 65])
    assert.throws(() => tx.attach(new Map([['message', new Uint8Array(length)]])), bad)
  assert.throws(
    () => tx.attach(signaturesFor(tx, carol)).serialise('psbt'),
    (error) => isFault(error, 'chains/unknown-format'),
  )
})

test('two signers one after the other, the payer last', () => {
  const two = messageOf({
    ...TRANSFER,
    header: [2, 0, 1],
    accounts: [dave.key.publicKey, carol.key.publicKey, RECIPIENT, new Uint8Array(32)],
    calls: [],
  })
  const tx = parse(wireOf(two, 2))
  const half = tx.attach(signaturesFor(tx, carol)).serialise()
  assert.equal(half.txid, undefined)
  assert.deepEqual(tx.verify(half.bytes), [`it is not signed by ${adapter.address(dave.key)}`])
  const second = parse(half.bytes, dave)
  const whole = second.attach(signaturesFor(second, dave)).serialise()
  assert.equal(whole.txid, base58.encode(ed25519.sign(two, new Uint8Array(32).fill(8))))
  assert.deepEqual(tx.verify(whole.bytes), [])
})

test('verify names what is wrong with a signed transaction', () => {
  const tx = parse(wireOf(message))
  const { bytes } = tx.attach(signaturesFor(tx, carol)).serialise()
  assert.match(tx.verify(Uint8Array.of(2, 0, 0))[0]!, /not a Solana transaction/)
  assert.match(tx.verify(new Uint8Array(3))[0]!, /another transaction/)
  assert.match(tx.verify(message)[0]!, /not signed by/)
  assert.match(tx.verify(wireOf(message, 2))[0]!, /as many signatures/)
  assert.match(tx.verify(wireOf(message))[0]!, /not signed by/)
  assert.match(parse(wireOf(messageOf({ ...TRANSFER, calls: [] }))).verify(bytes)[0]!, /another/)
  const forged = bytes.slice()
  forged[5]! ^= 1
  assert.match(tx.verify(forged)[0]!, /does not verify/)
})

test('addresses are 32 bytes in base 58, and a key must be a point of prime order', () => {
  const address = adapter.address(carol.key)
  assert.equal(adapter.parseAddress(address), address)
  assert.deepEqual(adapter.addressKey(address), carol.key.publicKey)
  for (const text of [
    '',
    '0',
    address.slice(4),
    `${address}1`,
    '1'.repeat(31),
    '1'.repeat(1_000_000),
  ])
    assert.throws(
      () => adapter.parseAddress(text),
      (error) => isFault(error, 'chains/bad-address'),
    )
  assert.equal(adapter.parseAddress('1'.repeat(32)), '1'.repeat(32))
  const identity = new Uint8Array(32)
  identity[0] = 1
  for (const publicKey of [
    new Uint8Array(31),
    identity,
    new Uint8Array(32),
    Uint8Array.of(2, ...new Uint8Array(31)),
  ])
    assert.throws(
      () => adapter.address({ scheme: 'ed25519', publicKey }),
      (error) => isFault(error, 'chains/bad-key'),
    )
})
