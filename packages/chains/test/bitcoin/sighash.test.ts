/** BIP-143: the examples "Native P2WPKH" and "P2SH-P2WPKH"; legacy and forked hashes against another implementation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, fromHex, toHex, utf8 } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { SigHash, Transaction } from '@scure/btc-signer'
import { readTx, writeTx } from '#src/bitcoin/raw-transaction.js'
import { preimagesOf } from '#src/bitcoin/sighash.js'
import { digestOf, verifyEcdsa } from '#src/ecdsa.js'
import { ecdsaWallet, erin, SUITE } from '../ecdsa-wallets.js'

const NATIVE = {
  unsigned:
    '0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000',
  secret: '619c335025c7f4012e556c2a58b2506e30b8511b53ade95ea316fd8c3286feb9',
  input: 1,
  scriptCode: '76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac',
  amount: 600_000_000n,
  preimage:
    '0100000096b827c8483d4e9b96712b6713a7b68d6e8003a781feba36c31143470b4efd3752b0a642eea2fb7ae638c36f6252b6750293dbe574a806984b8e4d8548339a3bef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a010000001976a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac0046c32300000000ffffffff863ef3e1a92afbfdb97f31ad0fc7683ee943e9abcf2501590ff8f6551f47e5e51100000001000000',
  sighash: 'c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670',
  signature:
    '304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee',
}
const NESTED = {
  unsigned:
    '0100000001db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000000feffffff02b8b4eb0b000000001976a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac92040000',
  secret: 'eb696a065ef48a2192da5b28b694f87544b30fae8327c4510137a922f32c6dcf',
  input: 0,
  scriptCode: '76a91479091972186c449eb1ded22b78e40d009bdf008988ac',
  amount: 1_000_000_000n,
  preimage:
    '01000000b0287b4a252ac05af83d2dcef00ba313af78a3e9c329afa216eb3aa2a7b4613a18606b350cd8bf565266bc352f0caddcf01e8fa789dd8a15386327cf8cabe198db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a5477010000001976a91479091972186c449eb1ded22b78e40d009bdf008988ac00ca9a3b00000000feffffffde984f44532e2173ca0d64314fcefe6d30da6f8cf27bafa706da61df8a226c839204000001000000',
  sighash: '64f3b0f4dd2bb3aa1ce8566d220cc74dda9df97d8490cc81d89d735c92e59fb6',
  signature:
    '3044022047ac8e878352d3ebbde1c94ce3a10d057c24175747116f8288e5d794d12d482f0220217f36a485cae903c713331d877c1f64677e3622ad4010726870540656fe9dcb',
}

for (const [name, vector] of Object.entries({ NATIVE, NESTED }))
  test(`preimage, hash and signature of the standard, ${name}`, () => {
    const tx = readTx(fromHex(vector.unsigned))
    assert.equal(toHex(writeTx(tx)), vector.unsigned)
    const message = preimagesOf(tx).segwit(
      vector.input,
      fromHex(vector.scriptCode),
      vector.amount,
      1,
    )
    assert.equal(toHex(message), vector.preimage)
    assert.equal(toHex(digestOf('sha256d', message)), vector.sighash)
    const { key, sign } = ecdsaWallet(fromHex(vector.secret))
    const compact = secp256k1.Signature.fromBytes(fromHex(vector.signature), 'der')
    const { publicKey } = key
    assert.ok(verifyEcdsa(publicKey, 'sha256d', message, compact.toBytes('compact')))
    const item = {
      id: 'x',
      scheme: 'ecdsa-secp256k1',
      publicKey,
      message,
      hash: 'sha256d',
    } as const
    assert.deepEqual(sign(item), compact.toBytes('compact'))
  })

test('the legacy and the forked message are those of another implementation, or differ in the type', () => {
  const tx = readTx(fromHex(NATIVE.unsigned))
  const preimages = preimagesOf(tx)
  // Private there, yet the only other implementation at hand.
  const theirs = Transaction.fromRaw(fromHex(NATIVE.unsigned), {
    allowUnknownInputs: true,
  }) as unknown as { preimageLegacy(i: number, code: Uint8Array, type: number): Uint8Array }
  const code = fromHex(NATIVE.scriptCode)
  for (const i of [0, 1]) {
    const legacy = preimages.legacy(i, code, SigHash.ALL)
    assert.deepEqual(digestOf('sha256d', legacy), theirs.preimageLegacy(i, code, SigHash.ALL))
  }
  // Bitcoin Cash, replay-protected sighash: as BIP-143, with 0x41 in the type's four bytes.
  const forked = preimages.segwit(1, code, NATIVE.amount, 0x41)
  assert.equal(toHex(forked), `${NATIVE.preimage.slice(0, -8)}41000000`)
})

test('a message for an address is framed as wallets of each coin frame it', () => {
  for (const [slug, prefix] of [
    ['bitcoin', '\x18Bitcoin Signed Message:\n'],
    ['litecoin', '\x19Litecoin Signed Message:\n'],
    ['dogecoin', '\x19Dogecoin Signed Message:\n'],
    ['bitcoin-cash', '\x18Bitcoin Signed Message:\n'],
  ] as const) {
    const { message } = findAdapter(slug, SUITE).addressItem(erin.key, utf8('hello'))
    assert.deepEqual(message, concatBytes(utf8(prefix), utf8('\x05hello')))
  }
})
