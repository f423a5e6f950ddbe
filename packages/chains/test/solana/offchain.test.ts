/** Texts to be signed: read strictly, shown whole, never mistaken for a transaction. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, isFault, utf8 } from '@quorate/base'
import { encodeOffchain, findAdapter, type UnsignedTx } from '@quorate/chains'
import { base58 } from '@scure/base'
import { quoted } from '#src/solana/programs/memo.js'
import { carol, dave, NO_CONTEXT, signaturesFor, wireOf } from '../wallets.js'
import { has } from './samples.js'

const adapter = findAdapter('solana')
const parse = (unsigned: Uint8Array, { key } = carol): UnsignedTx =>
  adapter.parse({ unsigned, context: NO_CONTEXT, key })
const keys = [carol.key.publicKey, dave.key.publicKey]
const DOMAIN = concatBytes(Uint8Array.of(0xff), utf8('solana offchain'))

type Parts = {
  readonly version?: number
  readonly format?: number
  readonly signers?: readonly Uint8Array[]
  readonly text?: Uint8Array
  readonly length?: number
}
const version0 = ({
  version = 0,
  format = 0,
  signers = [carol.key.publicKey],
  text = utf8('Sign in'),
  length = text.length,
}: Parts = {}): Uint8Array =>
  concatBytes(
    DOMAIN,
    Uint8Array.of(version),
    new Uint8Array(32).fill(0x61),
    Uint8Array.of(format, signers.length),
    ...signers,
    Uint8Array.of(length & 0xff, length >> 8),
    text,
  )

test('both versions show their text, and are never understood in full', () => {
  for (const unsigned of [version0(), encodeOffchain('Sign in', [carol.key.publicKey])]) {
    const view = parse(unsigned).view()
    assert.deepEqual([view.kind, view.isComplete, view.fee], ['message', false, undefined])
    assert.ok(has(view.notes, 'signs the text "Sign in"'))
    assert.ok(has(view.warnings, 'up to whoever reads it'))
  }
  const application = base58.encode(new Uint8Array(32).fill(0x61))
  assert.ok(has(parse(version0()).view().notes, `for the application ${application}`))
})

test('the signature covers the message, stands before it, and leaves that of others', () => {
  const message = encodeOffchain('Both of us', keys)
  const first = parse(message)
  assert.deepEqual(first.prepare()[0]!.message, message)
  assert.ok(has(first.view().notes, `to be signed by ${base58.encode(dave.key.publicKey)}, too`))
  const half = first.attach(signaturesFor(first, carol)).serialise()
  assert.match(first.verify(half.bytes)[0]!, /not signed by/)
  const second = parse(half.bytes, dave)
  const whole = second.attach(signaturesFor(second, dave)).serialise()
  assert.deepEqual(second.verify(whole.bytes), [])
  assert.deepEqual(first.verify(whole.bytes), [])
  assert.equal(whole.bytes.length, 1 + 2 * 64 + message.length)
  assert.deepEqual(parse(wireOf(message, 2)).prepare(), first.prepare())
})

test('what is malformed is refused with its reason', () => {
  const refuses = (unsigned: Uint8Array, detail: string): void => {
    assert.throws(
      () => parse(unsigned),
      (error) => isFault(error, 'chains/malformed-transaction') && error.detail!.includes(detail),
      detail,
    )
  }
  refuses(version0({ text: new Uint8Array(0) }), 'no text')
  refuses(version0({ length: 3 }), 'length')
  refuses(version0({ format: 3 }), 'format')
  refuses(version0({ signers: [] }), 'nobody')
  refuses(version0({ signers: [keys[0]!, keys[0]!] }), 'twice')
  refuses(version0({ text: utf8('Zürich') }), 'characters')
  refuses(version0({ text: utf8('x'.repeat(1233)) }), 'longer')
  refuses(version0({ format: 1, text: Uint8Array.of(0xff) }), 'no text')
  refuses(version0().slice(0, 40), 'too early')
  refuses(Uint8Array.of(0xff, 1, 2), 'too early')
  refuses(wireOf(version0(), 2), 'as many signatures')
  const sorted = encodeOffchain('x', keys)
  const at = DOMAIN.length + 2
  refuses(
    concatBytes(
      sorted.slice(0, at),
      sorted.slice(at + 32, at + 64),
      sorted.slice(at, at + 32),
      sorted.slice(at + 64),
    ),
    'sorted',
  )
  parse(version0({ format: 1, text: utf8('Zürich') }))
  parse(version0({ format: 2, text: utf8('x'.repeat(65_535)) }))
  assert.throws(
    () => parse(version0({ version: 2 })),
    (error) => isFault(error, 'chains/unsupported-version'),
  )
  assert.throws(
    () => parse(encodeOffchain('x'.repeat(1 << 17), [carol.key.publicKey])),
    (error) => isFault(error, 'chains/transaction-too-large'),
  )
  assert.throws(
    () => parse(version0(), dave),
    (error) => isFault(error, 'chains/not-our-key'),
  )
  assert.throws(
    () => adapter.parse({ unsigned: version0(), context: Uint8Array.of(0xa0), key: carol.key }),
    (error) => isFault(error, 'chains/unexpected-context'),
  )
})

test('a text cannot draw on the screen', () => {
  assert.equal(quoted('a\n"b"\\', 9), '"a\\u{a}\\u{22}b\\u{22}\\u{5c}"')
  assert.equal(quoted('\u202Eabc\u001b[2J', 9), '"\\u{202e}abc\\u{1b}[2J"')
  assert.equal(quoted('Zürich 日本', 9), '"Zürich 日本"')
  assert.match(quoted('x'.repeat(300), 200), /^"x{200}", and 100 more characters$/)
})
