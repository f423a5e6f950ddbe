/** The test vectors of the cashaddr specification (bitcoincashorg/bitcoincash.org, spec/cashaddr.md). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, isFault } from '@quorate/base'
import { type BitcoinNetwork, findAdapter } from '@quorate/chains'
import fc from 'fast-check'
import { scriptOfAddress } from '#src/bitcoin/address.js'
import { decodeCashaddr, encodeCashaddr } from '#src/bitcoin/cashaddr.js'
import { BITCOIN_NETWORKS } from '#src/bitcoin/networks.js'

/** Legacy address beside the new one. */
const TRANSLATED = [
  ['1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu', 'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a'],
  ['1KXrWXciRDZUpQwQmuM1DbwsKDLYAYsVLR', 'bitcoincash:qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy'],
  ['16w1D5WRVKJuZUsSRzdLp9w3YGcgoxDXb', 'bitcoincash:qqq3728yw0y47sqn6l2na30mcw6zm78dzqre909m2r'],
  ['3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC', 'bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq'],
  ['3LDsS579y7sruadqu11beEJoTjdFiFCdX4', 'bitcoincash:pr95sy3j9xwd2ap32xkykttr4cvcu7as4yc93ky28e'],
  ['31nwvkZwyPdgzjBJZXfDmSWsC4ZLKpYyUw', 'bitcoincash:pqq3728yw0y47sqn6l2na30mcw6zm78dzq5ucqzc37'],
] as const

/** "Larger Test Vectors": prefix and address, type, payload; the shortest and the longest of each. */
const PAYLOADS = [
  [
    'bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2',
    0,
    'F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9',
  ],
  [
    'bchtest:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t',
    1,
    'F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9',
  ],
  [
    'prefix:0r6m7j9njldwwzlg9v7v53unlr4jkmx6ey3qnjwsrf',
    15,
    'F5BF48B397DAE70BE82B3CCA4793F8EB2B6CDAC9',
  ],
  [
    'pref:p9adhakpwzztepkpwp5z0dq62m6u5v5xtyj7j3h2khlwwk5v',
    1,
    '7ADBF6C17084BC86C1706827B41A56F5CA32865925E946EA',
  ],
  [
    'bchtest:pvch8mmxy0rtfrlarg7ucrxxfzds5pamg73h7370aa87d80gyhqxq7fqng6m6',
    1,
    '3173EF6623C6B48FFD1A3DCC0CC6489B0A07BB47A37F47CFEF4FE69DE825C060',
  ],
  [
    'prefix:0lg0x333p4238k0qrc5ej7rzfw5g8e4a4r6vvzyrcy8j3s5k0en7calvclhw46hudk5flttj6ydvjc0pv3nchp52amk97tqa5zygg96ms92w6845',
    15,
    'D0F346310D5513D9E01E299978624BA883E6BDA8F4C60883C10F28C2967E67EC77ECC7EEEAEAFC6DA89FAD72D11AC961E164678B868AEEEC5F2C1DA08884175B',
  ],
] as const

const [BITCOIN, CASH] = ['bitcoin', 'bitcoin-cash'].map((slug) =>
  BITCOIN_NETWORKS.find((each) => each.slug === slug),
) as [BitcoinNetwork, BitcoinNetwork]
const cash = findAdapter('bitcoin-cash')
const bad = (error: unknown): boolean => isFault(error, 'chains/bad-address')

test('payloads of every length, both ways', () => {
  for (const [address, type, hex] of PAYLOADS) {
    const prefix = address.split(':')[0]!
    const payload = { type, hash: fromHex(hex) }
    assert.equal(encodeCashaddr(prefix, payload), address)
    assert.deepEqual(decodeCashaddr(prefix, address), payload)
    assert.equal(decodeCashaddr('other', address), undefined)
  }
})

test('an address names the script that the legacy address of the same hash names', () => {
  for (const [legacy, address] of TRANSLATED) {
    assert.equal(cash.parseAddress(address), address)
    assert.equal(cash.parseAddress(address.split(':')[1]!), address, 'without its prefix')
    assert.equal(cash.parseAddress(address.toUpperCase()), address)
    assert.deepEqual(scriptOfAddress(CASH, address), scriptOfAddress(BITCOIN, legacy))
    assert.throws(
      () => cash.parseAddress(legacy),
      (error) => isFault(error, 'chains/wrong-network') && error.message.includes('of bitcoin,'),
    )
  }
})

test('test networks, token-aware types, mixed case and unknown lengths are not taken', () => {
  const testnet = PAYLOADS[1]![0]
  assert.equal(findAdapter('bitcoin-cash-chipnet').parseAddress(testnet), testnet)
  assert.throws(
    () => cash.parseAddress(testnet),
    (error) => isFault(error, 'chains/wrong-network'),
  )
  const hash = new Uint8Array(20).fill(7)
  for (const type of [2, 3, 15])
    assert.throws(() => cash.parseAddress(encodeCashaddr('bitcoincash', { type, hash })), bad)
  const long = encodeCashaddr('bitcoincash', { type: 1, hash: new Uint8Array(32).fill(7) })
  assert.equal(cash.parseAddress(long), long)
  const key = encodeCashaddr('bitcoincash', { type: 0, hash: new Uint8Array(32).fill(7) })
  const [, first] = TRANSLATED[0]!
  // All with a right checksum: all zeros; bits set that fill the last symbol up; the reserved bit set.
  const ZEROS = 'qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqfnhks603'
  assert.deepEqual(decodeCashaddr('bitcoincash', ZEROS), { type: 0, hash: new Uint8Array(20) })
  for (const text of [
    'qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqp6swafeus',
    'sqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc3zsmrpy',
  ])
    assert.equal(decodeCashaddr('bitcoincash', text), undefined)
  for (const text of [key, `${first.slice(0, 20)}Q${first.slice(21)}`, 'bitcoincash:', ':', 'q'])
    assert.throws(() => cash.parseAddress(text), bad, text)
})

test('an address with any one character changed is refused', () => {
  const [, address] = TRANSLATED[0]!
  fc.assert(
    fc.property(
      fc.integer({ min: 12, max: address.length - 1 }),
      fc.constantFrom(...'qpzry9x8gf2tvdw0s3jn54khce6mua7l1b'.split('')),
      (at, letter) => {
        fc.pre(address[at] !== letter)
        const changed = address.slice(0, at) + letter + address.slice(at + 1)
        assert.throws(() => cash.parseAddress(changed), bad)
      },
    ),
  )
})
