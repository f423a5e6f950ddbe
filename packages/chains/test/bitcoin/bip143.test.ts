/** BIP-143, "Native P2WPKH": the example transaction, second input. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex, toHex, utf8 } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { RawOldTx } from '@scure/btc-signer/script.js'
import { preimagesOf } from '#src/bitcoin/bip143.js'
import { digestOf, verifyEcdsa } from '#src/ecdsa.js'
import { ecdsaWallet, erin, SUITE } from '../ecdsa-wallets.js'

const UNSIGNED =
  '0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000'
const SECRET = '619c335025c7f4012e556c2a58b2506e30b8511b53ade95ea316fd8c3286feb9'
const SCRIPT_CODE = '76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac'
const PREIMAGE =
  '0100000096b827c8483d4e9b96712b6713a7b68d6e8003a781feba36c31143470b4efd3752b0a642eea2fb7ae638c36f6252b6750293dbe574a806984b8e4d8548339a3bef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a010000001976a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac0046c32300000000ffffffff863ef3e1a92afbfdb97f31ad0fc7683ee943e9abcf2501590ff8f6551f47e5e51100000001000000'
const SIGHASH = 'c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670'
const SIGNATURE =
  '304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee'

test('preimage, hash and signature of the standard', () => {
  const unsigned = fromHex(UNSIGNED)
  assert.equal(toHex(RawOldTx.encode(RawOldTx.decode(unsigned))), UNSIGNED)
  const message = preimagesOf({ unsignedTx: unsigned })(1, fromHex(SCRIPT_CODE), 600_000_000n)
  assert.equal(toHex(message), PREIMAGE)
  assert.equal(toHex(digestOf('sha256d', message)), SIGHASH)
  const { key, sign } = ecdsaWallet(fromHex(SECRET))
  const compact = secp256k1.Signature.fromBytes(fromHex(SIGNATURE), 'der').toBytes('compact')
  assert.ok(verifyEcdsa(key.publicKey, 'sha256d', message, compact))
  const { publicKey } = key
  const item = { id: 'x', scheme: 'ecdsa-secp256k1', publicKey, message, hash: 'sha256d' } as const
  assert.deepEqual(sign(item), compact)
})

test('a message for an address is framed as wallets frame it', () => {
  const { message } = findAdapter('bitcoin', SUITE).addressItem(erin.key, utf8('hello'))
  assert.deepEqual(message, utf8('\x18Bitcoin Signed Message:\n\x05hello'))
})
