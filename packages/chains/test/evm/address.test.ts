import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, isFault, toHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { contractAddress } from '#src/evm/address.js'
import { ecdsaWallet } from '../ecdsa-wallets.js'

const adapter = findAdapter('ethereum')

/** EIP-55, test cases. */
const CHECKSUMMED = [
  '0x52908400098527886E0F7030069857D2E4169EE7',
  '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
  '0xde709f2102306220921060314715629080e2fb77',
  '0x27b1fdb04752bbc536007a920d24acb045561c26',
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
]

test('addresses have one spelling, and plain ones are put into it', () => {
  for (const address of CHECKSUMMED) {
    assert.equal(adapter.parseAddress(address), address)
    assert.equal(adapter.parseAddress(address.toLowerCase()), address)
    assert.equal(adapter.parseAddress(`0x${address.slice(2).toUpperCase()}`), address)
  }
})

test('a wrong checksum and text that is no address are refused', () => {
  const good = CHECKSUMMED[4]!
  const swapped = (at: number): string => {
    const letter = good[at]!
    const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()
    return good.slice(0, at) + other + good.slice(at + 1)
  }
  const letters = Array.from(good, (_, i) => i).filter((i) => i > 1 && /[a-fA-F]/.test(good[i]!))
  for (const text of [
    ...letters.map(swapped),
    '',
    '0x',
    good.slice(2),
    `0X${good.slice(2)}`,
    `${good}0`,
    good.slice(0, -1),
    ` ${good}`,
    `${good}\n`,
    'x'.repeat(1_000_000),
  ])
    assert.throws(
      () => adapter.parseAddress(text),
      (error) => isFault(error, 'chains/bad-address'),
      text.slice(0, 50),
    )
})

test('the address of a key, on every network the same, names no key', () => {
  // EIP-155, example: private key and sender.
  const { key } = ecdsaWallet(
    fromHex('4646464646464646464646464646464646464646464646464646464646464646'),
  )
  const address = '0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F'
  for (const slug of ['ethereum', 'ethereum-sepolia', 'ethereum-hoodi'])
    assert.equal(findAdapter(slug).address(key), address)
  assert.throws(
    () => adapter.addressKey(address),
    (error) => isFault(error, 'chains/no-key-in-address'),
  )
})

test('the address of a contract comes from its creator and nonce', () => {
  // https://ethereum.stackexchange.com/q/760: the first contracts of one sender.
  const sender = fromHex('6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0')
  assert.deepEqual(
    [0n, 1n, 2n, 3n].map((nonce) => toHex(contractAddress(sender, nonce))),
    [
      'cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d',
      '343c43a37d37dff08ae8c4a11544c718abb4fcf8',
      'f778b86fa74e846c4f0a1fbd1335fe81c00a0c91',
      'fffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c',
    ],
  )
})
