import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, isFault, toHex, utf8 } from '@quorate/base'
import { findAdapter, personalMessage } from '@quorate/chains'
import { erin, frank } from '../ecdsa-wallets.js'
import { NO_CONTEXT, signaturesFor } from '../wallets.js'

const adapter = findAdapter('ethereum-sepolia')
const parse = (unsigned: Uint8Array, context = NO_CONTEXT) =>
  adapter.parse({ unsigned, context, key: erin.key })
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))
const malformed = (error: unknown): boolean => isFault(error, 'chains/malformed-transaction')

test('a text is shown, signed as EIP-191 says, and never complete', () => {
  const tx = parse(personalMessage(utf8('Log in\nto example.org')))
  const view = tx.view()
  assert.deepEqual(
    [view.kind, view.isComplete, view.outputs, view.fee],
    ['message', false, [], undefined],
  )
  assert.ok(has(view.notes, '"Log in\\nto example.org"'))
  assert.equal(view.warnings.length, 1)
  const [item] = tx.prepare()
  assert.equal(
    Buffer.from(item!.message).toString(),
    '\x19Ethereum Signed Message:\n21Log in\nto example.org',
  )
  const { bytes, txid } = tx.attach(signaturesFor(tx, erin)).serialise()
  assert.equal(txid, undefined)
  assert.equal(bytes.length, 65)
  assert.ok(bytes[64] === 27 || bytes[64] === 28)
  assert.deepEqual(tx.verify(bytes), [])
  assert.match(tx.verify(bytes.with(64, 55 - bytes[64]!))[0]!, /another key/)
  assert.match(tx.verify(bytes.with(64, 0))[0]!, /not a signed message/)
  assert.match(tx.verify(bytes.slice(0, 64))[0]!, /not a signed message/)
  const foreign = concatBytes(signaturesFor(tx, frank).get('message')!, Uint8Array.of(27))
  assert.match(tx.verify(foreign)[0]!, /does not verify/)
})

test('lengths are read in the one way that fits', () => {
  for (const length of [0, 1, 9, 10, 98, 99, 100, 4_000]) {
    const message = utf8('1'.repeat(length))
    assert.ok(has(parse(personalMessage(message)).view().notes, `of ${length} bytes`))
  }
})

test('what is no framed message is refused', () => {
  const good = personalMessage(utf8('hello'))
  for (const bytes of [
    good.slice(0, -1),
    concatBytes(good, Uint8Array.of(0)),
    utf8('\x19Ethereum Signed Message:\n'),
    utf8('\x19Ethereum Signed Message:\n05hello'),
    utf8('\x19Ethereum signed Message:\n5hello'),
    concatBytes(Uint8Array.of(0x19, 0x01), new Uint8Array(64)),
    concatBytes(Uint8Array.of(0x19, 0x00), new Uint8Array(64)),
    Uint8Array.of(0x19),
  ])
    assert.throws(() => parse(bytes), malformed, toHex(bytes))
  assert.throws(
    () => parse(personalMessage(new Uint8Array(70_000))),
    (error) => isFault(error, 'chains/transaction-too-large'),
  )
  assert.throws(
    () => parse(good, Uint8Array.of(1)),
    (error) => isFault(error, 'chains/unexpected-context'),
  )
})

test('hashes, bytes that are no text, and hidden letters are called out', () => {
  const warnings = (message: Uint8Array) => parse(personalMessage(message)).view().warnings
  assert.ok(has(warnings(new Uint8Array(32).fill(0xff)), 'as long as a hash'))
  assert.ok(has(warnings(Uint8Array.of(0xff)), 'is no text'))
  assert.ok(has(warnings(utf8('pay \u202eecila')), 'cannot be seen'))
  assert.ok(has(warnings(utf8('pay\u200b')), 'cannot be seen'))
  assert.ok(!has(warnings(utf8('tab\t and line\n')), 'cannot be seen'))
})
