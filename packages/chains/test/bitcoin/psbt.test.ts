/** Every reason why a PSBT is not signed, each with its code. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, type FaultCode, fromHex, isFault, toHex, utf8 } from '@quorate/base'
import { findAdapter, type UnsignedTx } from '@quorate/chains'
import { base64 } from '@scure/base'
import type { TransactionInputUpdate } from '@scure/btc-signer/psbt.js'
import { readMaps, writeMaps } from '#src/bitcoin/psbt-maps.js'
import { readTx, type Unlocking, writeTx } from '#src/bitcoin/raw-transaction.js'
import {
  alice,
  bob,
  coinOf,
  NO_CONTEXT,
  PAYEE_SCRIPT,
  type PsbtParts,
  psbtOf,
  SAMPLE,
  signaturesFor,
  taprootOutput,
  xOnly,
} from '../wallets.js'

const adapter = findAdapter('bitcoin-testnet4')
const parse = (unsigned: Uint8Array, context = NO_CONTEXT): UnsignedTx =>
  adapter.parse({ unsigned, context, key: alice.key })

function refuses(unsigned: Uint8Array, code: FaultCode, detail = ''): void {
  assert.throws(
    () => parse(unsigned),
    (error) => isFault(error, code) && (error.detail ?? '').includes(detail),
    code,
  )
}

const withInputs = (...inputs: PsbtParts['inputs']): Uint8Array => psbtOf({ ...SAMPLE, inputs })
const ours = SAMPLE.inputs[0]!
const big = (more: object): Uint8Array => withInputs(coinOf(alice, 0, 100_000n, more))
const ROOT = new Uint8Array(32).fill(0x11)
const SIGNATURE = new Uint8Array(64).fill(1)

test('bytes that are no PSBT', () => {
  const sample = psbtOf(SAMPLE)
  refuses(new Uint8Array(0), 'chains/malformed-transaction')
  refuses(utf8(base64.encode(sample)), 'chains/malformed-transaction', 'base64')
  refuses(sample.slice(0, -1), 'chains/malformed-transaction')
  refuses(concatBytes(sample, Uint8Array.of(1)), 'chains/malformed-transaction')
  refuses(concatBytes(sample, Uint8Array.of(0)), 'chains/malformed-transaction', 'a map for each')
  refuses(new Uint8Array((1 << 20) + 1), 'chains/transaction-too-large')
  assert.throws(
    () => parse(sample, Uint8Array.of(1)),
    (error) => isFault(error, 'chains/unexpected-context'),
  )
})

test('a PSBT whose fields are in another order is read as it is, and comes back in that order', () => {
  const sample = toHex(big({}))
  const [utxo, key] = [/01012b[0-9a-f]{86}/, /011720[0-9a-f]{64}/].map(
    (entry) => entry.exec(sample)![0],
  )
  const swapped = sample.replace(`${utxo}${key}`, `${key}${utxo}`)
  assert.notEqual(swapped, sample)
  const [ordered, other] = [sample, swapped].map((each) => parse(fromHex(each)))
  assert.deepEqual(other!.prepare(), ordered!.prepare())
  const { bytes } = other!.attach(signaturesFor(other!, alice)).serialise('psbt')
  assert.ok(toHex(bytes).includes(`${key}${utxo}`))
  assert.deepEqual(ordered!.verify(bytes), [])
})

test('what is read is what is written, byte for byte, and no length has two forms', () => {
  for (const sample of [
    psbtOf(SAMPLE),
    psbtOf({ ...SAMPLE, version: 2 }),
    psbtOf({ ...SAMPLE, lockTime: 5 }),
  ]) {
    const maps = readMaps(sample, 99)
    assert.deepEqual(writeMaps(maps), sample)
    // The same first length, written in three bytes.
    refuses(
      concatBytes(sample.slice(0, 5), Uint8Array.of(0xfd, sample[5]!, 0), sample.slice(6)),
      'chains/malformed-transaction',
      'shortest form',
    )
  }
})

test('a coin without amount and script, ours or not', () => {
  const { witnessUtxo: _, ...blind } = ours
  refuses(withInputs(blind), 'chains/missing-utxo', 'input 0')
  refuses(withInputs(ours, { txid: '77'.repeat(32), index: 0 }), 'chains/missing-utxo', 'input 1')
})

test('a coin spent twice', () => {
  refuses(withInputs(ours, ours), 'chains/duplicate-input', 'input 1')
})

test('nothing of ours, or claimed to be ours while it is not', () => {
  refuses(withInputs(coinOf(bob, 0, 100_000n)), 'chains/not-our-key')
  refuses(
    withInputs(coinOf(bob, 0, 100_000n, { tapInternalKey: xOnly(alice) })),
    'chains/key-mismatch',
  )
  refuses(big({ tapInternalKey: xOnly(bob) }), 'chains/key-mismatch')
  refuses(big({ tapMerkleRoot: ROOT }), 'chains/key-mismatch')
})

test('a spend by script', () => {
  const leaf = concatBytes(Uint8Array.of(0x20), xOnly(alice), Uint8Array.of(0xac, 0xc0))
  const controlBlock = { version: 0xc0, internalKey: xOnly(bob), merklePath: [] }
  const tapLeafScript: TransactionInputUpdate['tapLeafScript'] = [[controlBlock, leaf]]
  refuses(big({ tapLeafScript }), 'chains/script-path')
  refuses(
    big({ tapScriptSig: [[{ pubKey: xOnly(bob), leafHash: ROOT }, SIGNATURE]] }),
    'chains/script-path',
  )
  refuses(withInputs(coinOf(bob, 0, 100_000n, { tapLeafScript })), 'chains/script-path')
})

test('signature types that leave something open', () => {
  for (const sighashType of [2, 3, 0x81, 0x82, 0x83, 0x80, 4, 0xff, 0x101])
    refuses(big({ sighashType }), 'chains/sighash-type', 'input 0')
})

test('public keys of 65 bytes are keys, and other lengths are none', () => {
  const origin = (key: Uint8Array): Uint8Array => {
    const entry = concatBytes(Uint8Array.of(1 + key.length, 6), key, Uint8Array.of(4, 0, 0, 0, 7))
    const sample = toHex(big({}))
    const at = sample.indexOf('011720')
    return fromHex(`${sample.slice(0, at)}${toHex(entry)}${sample.slice(at)}`)
  }
  const point = new Uint8Array(65).fill(4)
  assert.ok(
    parse(origin(point))
      .view()
      .notes.some((note) => note.includes('hints')),
  )
  for (const key of [point.slice(1), new Uint8Array(65).fill(3), new Uint8Array(33).fill(4)])
    refuses(origin(key), 'chains/malformed-transaction', 'input 0: origin')
})

test('what is signed or final already', () => {
  refuses(big({ tapKeySig: SIGNATURE }), 'chains/already-signed')
  refuses(big({ finalScriptWitness: [SIGNATURE] }), 'chains/already-signed')
})

test('amounts that cannot be, and a fee below zero', () => {
  const most = 2_100_000_000_000_000n
  refuses(withInputs(coinOf(alice, 0, most + 1n)), 'chains/bad-amount', 'input 0')
  refuses(
    withInputs(coinOf(alice, 0, most), coinOf(alice, 1, 1n)),
    'chains/bad-amount',
    'all inputs',
  )
  const output = (amount: bigint) => ({ script: PAYEE_SCRIPT, amount })
  refuses(psbtOf({ ...SAMPLE, outputs: [output(most + 1n)] }), 'chains/bad-amount', 'output 0')
  refuses(psbtOf({ ...SAMPLE, outputs: [output(100_001n)] }), 'chains/negative-fee')
  assert.equal(parse(psbtOf({ ...SAMPLE, outputs: [output(100_000n)] })).view().fee?.amount, 0n)
})

test('more inputs or bytes than are relayed', () => {
  const inputs = Array.from({ length: 257 }, (_, i) => ({ ...coinOf(alice, 0, 1_000n), index: i }))
  refuses(withInputs(...inputs), 'chains/transaction-too-large', '257 inputs')
  assert.equal(parse(withInputs(...inputs.slice(1))).prepare().length, 256)
  const huge = { script: concatBytes(Uint8Array.of(0x6a), new Uint8Array(100_000)), amount: 0n }
  refuses(psbtOf({ ...SAMPLE, outputs: [huge] }), 'chains/transaction-too-large')
})

test('a transaction that is unsigned has neither scripts nor witnesses for its inputs', () => {
  const [global, ...rest] = readMaps(psbtOf(SAMPLE), 99)
  const tx = readTx(global![0]!.value)
  const withInput = (unlocking: Partial<Unlocking>): Uint8Array => {
    const [first, ...others] = tx.inputs
    const value = writeTx({ ...tx, inputs: [{ ...first!, ...unlocking }, ...others] })
    return writeMaps([[{ ...global![0]!, value }], ...rest])
  }
  assert.deepEqual(withInput({}), psbtOf(SAMPLE))
  const item = Uint8Array.of(1)
  refuses(withInput({ scriptSig: item }), 'chains/malformed-transaction', 'not unsigned')
  refuses(withInput({ witness: [item] }), 'chains/malformed-transaction', 'not unsigned')
})

test('more outputs than are read', () => {
  const outputs = (n: number) =>
    Array.from({ length: n }, () => ({ script: PAYEE_SCRIPT, amount: 1n }))
  refuses(psbtOf({ ...SAMPLE, outputs: outputs(2049) }), 'chains/transaction-too-large', '2049')
  assert.equal(parse(psbtOf({ ...SAMPLE, outputs: outputs(2048) })).view().outputs.length, 2048)
})

test('more maps or fields than can be read in good time are refused unread', () => {
  const head = psbtOf(SAMPLE).slice(0, 5)
  const field = (i: number): Uint8Array => Uint8Array.of(3, 0xf0, i >> 8, i & 0xff, 1, 0)
  const fields = (n: number): Uint8Array =>
    concatBytes(head, ...Array.from({ length: n }, (_, i) => field(i)))
  refuses(fields(8193), 'chains/transaction-too-large', '8192 fields')
  refuses(fields(8192), 'chains/malformed-transaction')
  refuses(
    concatBytes(head, new Uint8Array(2306)),
    'chains/transaction-too-large',
    'inputs and outputs',
  )
  refuses(concatBytes(head, new Uint8Array(2305)), 'chains/malformed-transaction')
})

test('no inputs or no outputs', () => {
  refuses(psbtOf({ ...SAMPLE, outputs: [] }), 'chains/malformed-transaction')
})

test('a key with a script root signs under the root, but gets no change there', () => {
  const script = taprootOutput(alice, ROOT)
  const unsigned = psbtOf({
    inputs: [
      coinOf(alice, 0, 50_000n, {
        witnessUtxo: { script, amount: 50_000n },
        tapMerkleRoot: ROOT,
      }),
    ],
    outputs: [
      { script, amount: 20_000n },
      { script: taprootOutput(alice), amount: 29_000n },
    ],
  })
  const tx = parse(unsigned)
  assert.deepEqual(tx.prepare()[0]!.tweak, { kind: 'taproot', merkleRoot: ROOT })
  assert.deepEqual(tx.verify(tx.attach(signaturesFor(tx, alice)).serialise().bytes), [])
  assert.deepEqual(
    tx.view().outputs.map(({ isChange }) => isChange),
    [false, true],
  )
  assert.ok(tx.view().warnings.some((warning) => warning.includes('spent by a script')))
})

test('later changes to the caller’s bytes change nothing', () => {
  const unsigned = psbtOf(SAMPLE)
  const tx = parse(unsigned)
  const view = tx.view()
  unsigned.fill(0)
  assert.deepEqual(tx.view(), view)
  tx.attach(signaturesFor(tx, alice)).serialise()
})
