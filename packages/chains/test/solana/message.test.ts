/** Every reason why a Solana transaction is not signed, each with its code. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, type FaultCode, isFault } from '@quorate/base'
import { findAdapter, type UnsignedTx } from '@quorate/chains'
import {
  carol,
  dave,
  type MessageParts,
  messageOf,
  NO_CONTEXT,
  RECIPIENT,
  TRANSFER,
  wireOf,
} from '../wallets.js'

const adapter = findAdapter('solana-devnet')
const parse = (unsigned: Uint8Array, context = NO_CONTEXT): UnsignedTx =>
  adapter.parse({ unsigned, context, key: carol.key })
const refuses = (unsigned: Uint8Array, code: FaultCode, detail = ''): void => {
  assert.throws(
    () => parse(unsigned),
    (error) => isFault(error, code) && (error.detail ?? '').includes(detail),
    `${code} ${detail}`,
  )
}
const wire = (parts: Partial<MessageParts>): Uint8Array => {
  const whole = { ...TRANSFER, ...parts }
  return wireOf(messageOf(whole), whole.header[0])
}
const lookup = (...bytes: number[]): Uint8Array =>
  concatBytes(new Uint8Array(32).fill(0x33), Uint8Array.from(bytes))

test('wire transactions of both versions and bare version 0 messages are read', () => {
  for (const unsigned of [wire({}), wire({ isLegacy: true }), messageOf(TRANSFER)]) {
    const tx = parse(unsigned)
    assert.equal(tx.view().isComplete, true)
    const [item] = tx.prepare()
    assert.equal(item!.scheme, 'ed25519')
    assert.deepEqual(item!.publicKey, carol.key.publicKey)
    assert.deepEqual(item!.message, unsigned.slice(unsigned.length - item!.message.length))
  }
  assert.deepEqual(parse(wire({})).prepare(), parse(messageOf(TRANSFER)).prepare())
})

test('bytes that are cut, longer, too long or of a later version', () => {
  const sample = wire({})
  refuses(new Uint8Array(0), 'chains/malformed-transaction')
  for (let end = 0; end < sample.length; end++)
    refuses(sample.slice(0, end), 'chains/malformed-transaction')
  refuses(concatBytes(sample, Uint8Array.of(0)), 'chains/malformed-transaction', 'after the end')
  refuses(new Uint8Array(1233), 'chains/transaction-too-large')
  const later = messageOf(TRANSFER)
  later[0] = 0x81
  refuses(later, 'chains/unsupported-version', 'version 1')
  assert.throws(
    () => parse(sample, Uint8Array.of(1)),
    (error) => isFault(error, 'chains/bad-context'),
  )
})

test('the limit of a packet counts the signatures that a bare message lacks', () => {
  const call = (length: number) => ({ program: 2, accounts: [0], data: new Uint8Array(length) })
  const calls = Array.from({ length: 8 }, () => call(120))
  const room = 1232 - wire({ calls }).length
  const full = messageOf({ ...TRANSFER, calls: [...calls, call(room - 4)] })
  assert.equal(wireOf(full).length, 1232)
  parse(full)
  refuses(
    messageOf({ ...TRANSFER, calls: [...calls, call(room - 3)] }),
    'chains/transaction-too-large',
  )
})

test('headers that do not fit', () => {
  refuses(wire({ header: [0, 0, 1] }), 'chains/malformed-transaction', 'nobody signs')
  refuses(wire({ header: [1, 1, 1] }), 'chains/malformed-transaction', 'nobody signs')
  refuses(wire({ header: [1, 0, 3] }), 'chains/malformed-transaction', 'header')
  refuses(wire({ header: [4, 0, 0] }), 'chains/malformed-transaction', 'header')
  refuses(wireOf(messageOf(TRANSFER), 2), 'chains/malformed-transaction', 'as many signatures')
})

test('accounts and programs out of range or listed twice', () => {
  const [payer, recipient, system] = TRANSFER.accounts as [Uint8Array, Uint8Array, Uint8Array]
  const call = TRANSFER.calls[0]!
  const bad = 'chains/malformed-transaction'
  refuses(wire({ accounts: [payer, system, system] }), bad, 'twice')
  refuses(wire({ accounts: [payer, payer, system] }), bad, 'twice')
  refuses(wire({ calls: [{ ...call, program: 0 }] }), bad, 'without a program')
  refuses(wire({ calls: [{ ...call, program: 3 }] }), bad, 'without a program')
  refuses(wire({ calls: [{ ...call, accounts: [0, 3] }] }), bad, 'not there')
  // A program may not come out of a table, even where an account of that number would exist.
  const lookups = [lookup(1, 0, 0)]
  refuses(wire({ lookups, calls: [{ ...call, program: 3 }] }), bad, 'without a program')
  parse(wire({ lookups, calls: [{ ...call, accounts: [0, 3] }] }))
  refuses(wire({ lookups: [lookup(0, 0)] }), bad, 'looks nothing up')
  assert.ok(recipient.length === 32)
})

test('more instructions than the network takes', () => {
  const call = { program: 2, accounts: [], data: new Uint8Array(0) }
  parse(wire({ calls: Array.from({ length: 64 }, () => call) }))
  refuses(
    wire({ calls: Array.from({ length: 65 }, () => call) }),
    'chains/malformed-transaction',
    '64 instructions',
  )
})

test('lengths that are not in their shortest form', () => {
  const sample = messageOf(TRANSFER)
  const accountCount = 4
  assert.equal(sample[accountCount], 3)
  const longer = concatBytes(
    sample.slice(0, accountCount),
    Uint8Array.of(0x83, 0x00),
    sample.slice(accountCount + 1),
  )
  refuses(longer, 'chains/malformed-transaction', 'shortest')
})

test('only a wallet whose signature is required, and still missing, signs', () => {
  const others = [dave.key.publicKey, RECIPIENT, new Uint8Array(32)]
  refuses(wire({ accounts: others }), 'chains/not-our-key')
  refuses(
    wire({ accounts: [dave.key.publicKey, carol.key.publicKey, new Uint8Array(32)] }),
    'chains/not-our-key',
  )
  const signed = wire({})
  signed[64] = 1
  refuses(signed, 'chains/already-signed')
})
