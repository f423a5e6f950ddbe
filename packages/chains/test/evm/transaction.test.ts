import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, isFault, toHex } from '@quorate/base'
import { findAdapter, type KeyRef, type UnsignedTx } from '@quorate/chains'
import { toBytesBe } from '@quorate/math'
import fc from 'fast-check'
import { decodeRlp, encodeRlp, type Rlp } from '#src/evm/rlp.js'
import { erin, frank, TRANSFER_FIELDS, typedTx, unsignedTx } from '../ecdsa-wallets.js'
import { NO_CONTEXT, signaturesFor } from '../wallets.js'

const adapter = findAdapter('ethereum-sepolia')
const parse = (unsigned: Uint8Array, key: KeyRef = erin.key): UnsignedTx =>
  adapter.parse({ unsigned, context: NO_CONTEXT, key })
const sample = unsignedTx(TRANSFER_FIELDS)
const bad = (detail: string) => (error: unknown) =>
  isFault(error, 'chains/bad-signature') && error.detail!.includes(detail)

test('what is signed is the unsigned transaction itself, hashed by the signer', () => {
  const [item, ...more] = parse(sample).prepare()
  assert.equal(more.length, 0)
  assert.deepEqual(item, {
    id: 'transaction',
    scheme: 'ecdsa-secp256k1',
    publicKey: erin.key.publicKey,
    message: sample,
    hash: 'keccak256',
  })
})

test('signed, it leads back to the sender and is named by its hash', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }),
      fc.bigInt({ min: 0n, max: 2n ** 90n }),
      fc.uint8Array({ maxLength: 100 }),
      (nonce, value, data) => {
        const tx = parse(unsignedTx({ ...TRANSFER_FIELDS, nonce, value, data }))
        const { bytes, txid } = tx.attach(signaturesFor(tx, erin)).serialise()
        assert.equal(txid, `0x${toHex(keccak_256(bytes))}`)
        assert.deepEqual(tx.verify(bytes), [])
        const fields = decodeRlp(bytes.subarray(1)) as readonly Rlp[]
        assert.deepEqual(typedTx(fields.slice(0, 9)), tx.prepare()[0]!.message)
        const [parity, r, s] = fields.slice(9) as readonly Uint8Array[]
        const number = (part: Uint8Array): bigint => BigInt(`0x0${toHex(part)}`)
        const sender = new secp256k1.Signature(number(r!), number(s!), Number(number(parity!)))
          .recoverPublicKey(keccak_256(tx.prepare()[0]!.message))
          .toBytes(true)
        assert.deepEqual(sender, erin.key.publicKey)
      },
    ),
    { numRuns: 20 },
  )
})

test('missing, foreign, high, malformed and unsayable signatures are refused', () => {
  const tx = parse(sample)
  const signature = signaturesFor(tx, erin).get('transaction')!
  const attach = (given: Uint8Array, to = tx): unknown =>
    to.attach(new Map([['transaction', given]]))
  assert.throws(
    () => tx.attach(new Map()),
    (error) => isFault(error, 'chains/missing-signature'),
  )
  assert.throws(() => tx.attach(signaturesFor(tx, frank)), bad('not one of this key'))
  const order = secp256k1.Point.Fn.ORDER
  const high = toBytesBe(order - BigInt(`0x${toHex(signature.slice(32))}`))
  assert.throws(() => attach(concatBytes(signature.slice(0, 32), high)), bad('upper half'))
  assert.throws(() => attach(new Uint8Array(64)), bad('between 1'))
  assert.throws(() => attach(concatBytes(signature, Uint8Array.of(0))), bad('64 bytes'))
  assert.throws(
    () => tx.attach(signaturesFor(tx, erin)).serialise('psbt'),
    (error) => isFault(error, 'chains/unknown-format'),
  )
  const { publicKey, given } = beyondOrder()
  const strange = parse(sample, { scheme: 'ecdsa-secp256k1', publicKey })
  assert.ok(adapter.verifySignature(publicKey, sample, given))
  assert.throws(() => attach(given, strange), bad('another nonce'))
})

/** A key that fits a signature whose nonce point lies beyond the group order: nobody finds one by chance. */
function beyondOrder() {
  for (let r = 1n; ; r++)
    try {
      const signature = new secp256k1.Signature(r, 99n, 3)
      const publicKey = signature.recoverPublicKey(keccak_256(sample)).toBytes(true)
      return { publicKey, given: signature.toBytes('compact') }
    } catch {
      // No point of the curve has x = r + order.
    }
}

test('verify names what is wrong with a signed transaction', () => {
  const tx = parse(sample)
  const { bytes } = tx.attach(signaturesFor(tx, erin)).serialise()
  assert.match(tx.verify(new Uint8Array(3))[0]!, /not a signed EIP-1559/)
  assert.match(tx.verify(sample)[0]!, /not a signed EIP-1559/)
  assert.match(parse(unsignedTx({ ...TRANSFER_FIELDS, nonce: 8n })).verify(bytes)[0]!, /another/)
  const fields = decodeRlp(bytes.subarray(1)) as readonly Rlp[]
  const rewrite = (i: number, value: Uint8Array): Uint8Array =>
    concatBytes(Uint8Array.of(2), encodeRlp(fields.with(i, value)))
  const parity = fields[9] as Uint8Array
  const other = parity.length === 0 ? Uint8Array.of(1) : new Uint8Array(0)
  assert.match(tx.verify(rewrite(9, other))[0]!, /yParity leads to another key/)
  assert.match(tx.verify(rewrite(9, Uint8Array.of(2)))[0]!, /not a signed EIP-1559/)
  assert.match(tx.verify(rewrite(10, Uint8Array.of(1)))[0]!, /does not verify/)
  assert.match(tx.verify(rewrite(11, new Uint8Array(0)))[0]!, /between 1 and the group order/)
  assert.match(parse(sample, frank.key).verify(bytes)[0]!, /does not verify/)
})

test('later changes to the caller’s bytes change nothing', () => {
  const unsigned = sample.slice()
  const tx = parse(unsigned)
  const view = tx.view()
  unsigned.fill(0)
  assert.deepEqual(tx.view(), view)
  assert.deepEqual(tx.prepare()[0]!.message, sample)
})
