/** Every reason why a transaction is not signed, each with its code; and vectors of others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, type FaultCode, fromHex, isFault, toHex, utf8 } from '@quorate/base'
import { findAdapter, type UnsignedTx } from '@quorate/chains'
import { recoveryIdOf } from '#src/ecdsa.js'
import { encodeSigned, readSigned, readUnsigned } from '#src/evm/envelope.js'
import type { Rlp } from '#src/evm/rlp.js'
import {
  ecdsaWallet,
  erin,
  fieldsOf,
  TRANSFER_FIELDS,
  type TxFields,
  typedTx,
  unsignedTx,
} from '../ecdsa-wallets.js'
import { NO_CONTEXT } from '../wallets.js'

const adapter = findAdapter('ethereum-sepolia')
const parse = (unsigned: Uint8Array, context = NO_CONTEXT): UnsignedTx =>
  adapter.parse({ unsigned, context, key: erin.key })

function refuses(unsigned: Uint8Array, code: FaultCode, detail = ''): void {
  assert.throws(
    () => parse(unsigned),
    (error) => isFault(error, code) && (error.detail ?? '').includes(detail),
    `${code} ${detail}`,
  )
}
const refusesFields = (fields: Partial<TxFields>, code: FaultCode, detail = ''): void =>
  refuses(unsignedTx({ ...TRANSFER_FIELDS, ...fields }), code, detail)

/** Transactions of @ethereumjs/tx, `test/json/eip1559.json`, the first three: a test chain with id 7822. */
const SECRET = fromHex('8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63')
const VECTORS: readonly (readonly [nonce: bigint, value: bigint, gas: bigint, hex: string])[] = [
  [
    819n,
    43_203_529n,
    35_552n,
    '02f870821e8e8203338301284d8301d97c828ae094000000000000000000000000000000000000aaaa8402933bc980c080a0d067f2167008c59219652f91cbf8788dbca5f771f6e91e2b7657e85b78b472e0a01d305af9fe81fdba43f0dfcd400ed24dcace0a7e30d4e85701dcaaf484cd079e',
  ],
  [
    353n,
    61_901_619n,
    32_593n,
    '02f86f821e8e8201618297c283021467827f5194000000000000000000000000000000000000aaaa8403b08b3380c001a004205678f13fc1d7b10feea6513dfa76e24418b6e08097d95c6f93a3b64e536da01d45ad61bfece43862de2cce7d2575a8c1d08c26c87f3cb5f26d7b0be54a91b2',
  ],
  [
    985n,
    32_531_825n,
    68_541n,
    '02f871821e8e8203d983010349830213a183010bbd94000000000000000000000000000000000000aaaa8401f0657180c001a0e6d23c5ecc0f388a4d41a9523c3ad171e98083a61288c340b968dfe0903a6741a07319e8d54a4fd8f0c081d3ce093d869f9df598481991c8534bfd8f2c163884b4',
  ],
]

test('transactions that another library has signed are read, and written again byte for byte', () => {
  const { key, sign } = ecdsaWallet(SECRET)
  for (const [nonce, value, gas, hex] of VECTORS) {
    const { tx, yParity, signature } = readSigned(fromHex(hex))
    assert.deepEqual(
      [tx.chainId, tx.nonce, tx.value, tx.gasLimit, tx.data.length],
      [7822n, nonce, value, gas, 0],
    )
    assert.equal(toHex(tx.to!), '000000000000000000000000000000000000aaaa')
    const id = recoveryIdOf(key.publicKey, 'keccak256', tx.unsigned, signature)
    assert.equal(id, Number(yParity))
    const own = sign({
      id: 'x',
      scheme: 'ecdsa-secp256k1',
      publicKey: key.publicKey,
      message: tx.unsigned,
      hash: 'keccak256',
    })
    assert.deepEqual(own, signature)
    assert.equal(toHex(encodeSigned(readUnsigned(tx.unsigned), Number(yParity), own)), hex)
  }
})

test('bytes that are no unsigned EIP-1559 transaction', () => {
  refuses(new Uint8Array(0), 'chains/malformed-transaction')
  refuses(utf8(`0x${toHex(unsignedTx(TRANSFER_FIELDS))}`), 'chains/malformed-transaction', 'hexa')
  refuses(Uint8Array.of(0x80), 'chains/malformed-transaction')
  refuses(Uint8Array.of(2, 0x80), 'chains/malformed-transaction', 'list')
  refuses(new Uint8Array(128 * 1024 + 1).fill(2), 'chains/transaction-too-large')
  const sample = unsignedTx(TRANSFER_FIELDS)
  refuses(sample.slice(0, -1), 'chains/malformed-transaction')
  refuses(concatBytes(sample, Uint8Array.of(0)), 'chains/malformed-transaction')
  assert.throws(
    () => parse(sample, Uint8Array.of(1)),
    (error) => isFault(error, 'chains/bad-context'),
  )
})

test('types that there are not are refused by name', () => {
  const rest = unsignedTx(TRANSFER_FIELDS).slice(1)
  for (const type of [0, 6, 0x7f])
    refuses(concatBytes(Uint8Array.of(type), rest), 'chains/unsupported-version', `type ${type}`)
})

test('fields that are missing, too many, or of the wrong kind', () => {
  const fields = fieldsOf(TRANSFER_FIELDS)
  const malformed = (given: readonly Rlp[], detail: string): void =>
    refuses(typedTx(given), 'chains/malformed-transaction', detail)
  malformed(fields.slice(0, 8), '8 fields')
  malformed([...fields, new Uint8Array(0)], '10 fields')
  refuses(typedTx([...fields, ...fields.slice(0, 3)]), 'chains/already-signed')
  for (let i = 0; i < 8; i++) malformed(fields.with(i, []), '')
  malformed(fields.with(8, new Uint8Array(0)), 'no list')
  for (const to of [new Uint8Array(19), new Uint8Array(21), Uint8Array.of(1)])
    malformed(fields.with(5, to), 'recipient')
  const address = new Uint8Array(20)
  for (const entry of [
    new Uint8Array(20),
    [],
    [address],
    [address, [], []],
    [new Uint8Array(19), []],
    [address, address],
    [address, [new Uint8Array(31)]],
    [[], []],
  ])
    malformed(fields.with(8, [entry]), 'access list')
})

test('numbers with leading zeros, and numbers out of range', () => {
  const fields = fieldsOf(TRANSFER_FIELDS)
  for (const i of [0, 1, 2, 3, 4, 6]) {
    const bytes = fields[i] as Uint8Array
    refuses(typedTx(fields.with(i, concatBytes(Uint8Array.of(0), bytes))), 'chains/not-canonical')
    refuses(typedTx(fields.with(i, Uint8Array.of(0))), 'chains/not-canonical', 'leading zeros')
    refuses(
      typedTx(fields.with(i, new Uint8Array(33).fill(1))),
      'chains/malformed-transaction',
      'out of range',
    )
  }
  refusesFields({ nonce: 2n ** 64n - 1n }, 'chains/malformed-transaction', 'nonce')
  assert.ok(parse(unsignedTx({ ...TRANSFER_FIELDS, nonce: 2n ** 64n - 2n })))
  refusesFields({ gasLimit: 2n ** 64n }, 'chains/malformed-transaction', 'gas limit')
})

test('gas and fees that contradict themselves', () => {
  refusesFields({ gasLimit: 20_999n }, 'chains/bad-gas', '20999')
  refusesFields({ gasLimit: 0n }, 'chains/bad-gas')
  refusesFields({ priorityFee: 30_000_000_001n }, 'chains/bad-gas', 'above the maximum')
  assert.ok(parse(unsignedTx({ ...TRANSFER_FIELDS, priorityFee: 30_000_000_000n })))
  const most = 2n ** 256n - 1n - 21_000n
  const poor = { maxFee: 1n, priorityFee: 0n }
  assert.ok(parse(unsignedTx({ ...TRANSFER_FIELDS, ...poor, value: most })))
  refusesFields({ ...poor, value: most + 1n }, 'chains/bad-amount')
})

test('a transaction for another chain, known or not', () => {
  refusesFields({ chainId: 1n }, 'chains/other-chain', 'ethereum, not ethereum-sepolia')
  refusesFields({ chainId: 7_777n }, 'chains/other-chain', 'chain id 7777')
  refusesFields({ chainId: 137n }, 'chains/other-chain', 'polygon, not')
  refusesFields({ chainId: 0n }, 'chains/other-chain')
})

test('keys that are not compressed points are refused', () => {
  const uncompressed = secp256k1.Point.fromBytes(erin.key.publicKey).toBytes(false)
  for (const publicKey of [new Uint8Array(33), uncompressed, erin.key.publicKey.slice(1)])
    assert.throws(
      () => adapter.address({ scheme: 'ecdsa-secp256k1', publicKey }),
      (error) => isFault(error, 'chains/bad-key'),
    )
})
