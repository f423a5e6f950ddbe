import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { type FaultCode, isFault, toHex } from '@quorate/base'
import { accountOf, addressesAt, describeAccount } from '#src/account.js'
import { checkAddress } from '#src/wallets.js'

const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)

/** BIP-32, test vector 2: the public key of the chain m and its chain code. */
const wallet: WalletJson = {
  id: 'wal_00000000000000000000000001',
  project: 'prj_00000000000000000000000001',
  label: 'till',
  protocol: 'cggmp24',
  suite: 'CGGMP24-secp256k1-SHA256-128-v1',
  scheme: 'ecdsa-secp256k1',
  network: 'ethereum-sepolia',
  caip2: 'eip155:11155111',
  threshold: 2,
  corruptionBound: 1,
  parties: 3,
  unsafeThreshold: false,
  blind: false,
  generation: 0,
  groupKey: '03cbcaa9c98c877a26977d00825c956a238e8dddfbd322cce4f74b0b5bd6ace4a7',
  publicKey: '03cbcaa9c98c877a26977d00825c956a238e8dddfbd322cce4f74b0b5bd6ace4a7',
  address: '',
  addresses: {},
  chainCode: '60499f801b896d83179a4374aeb7822aaeaceaa0db1f85ee3e904c4defbd9689',
  policyHash: '00'.repeat(32),
  environment: 'development',
  createdAt: '2026-01-01T00:00:00.000Z',
}
const NETWORKS = ['ethereum-sepolia', 'bitcoin-testnet4', 'bitcoin-regtest']
const addresses = Object.fromEntries(
  NETWORKS.map((network) => [network, accountOf(wallet, { network }).address]),
)
const shown: WalletJson = { ...wallet, address: addresses['ethereum-sepolia']!, addresses }
/** Without a chain code, as FROST wallets are. */
const { chainCode: _, ...single } = {
  ...shown,
  suite: 'FROST-secp256k1-SHA256-TR-v1',
  scheme: 'bip340-secp256k1' as const,
  network: 'bitcoin-testnet4',
}

test('the same key has an address of each network', () => {
  assert.match(addresses['ethereum-sepolia']!, /^0x[0-9a-fA-F]{40}$/)
  assert.match(addresses['bitcoin-testnet4']!, /^tb1q/)
  assert.match(addresses['bitcoin-regtest']!, /^bcrt1q/)
  assert.equal(accountOf(shown).network, 'ethereum-sepolia')
  assert.equal(accountOf(shown, { network: 'eip155:11155111' }).network, 'ethereum-sepolia')
  assert.throws(
    () => accountOf(shown, { network: 'solana-devnet' }),
    fails('chains/unsupported-suite'),
  )
})

test('a derived key is that of BIP-32', () => {
  const { key, path } = accountOf(shown, { path: [0] })
  assert.equal(
    toHex(key.publicKey),
    '02fc9e5af0ac8d9b3cecfe2a888e2117ba3d089d8585886c9c826b6b22a98d12ea',
  )
  assert.deepEqual(path, [0])
  const derived = addressesAt(shown, [0])
  assert.deepEqual(Object.keys(derived), NETWORKS)
  for (const network of NETWORKS) assert.notEqual(derived[network], addresses[network])
  assert.throws(() => accountOf(single, { path: [0] }), fails('cli/bad-value'))
})

test('a wallet with one wrong address is not believed', () => {
  assert.doesNotThrow(() => checkAddress(shown))
  for (const network of NETWORKS) {
    const wrong = { ...addresses, [network]: addressesAt(shown, [1])[network]! }
    assert.throws(() => checkAddress({ ...shown, addresses: wrong }), fails('cli/does-not-verify'))
  }
  const other = addressesAt(shown, [1])['ethereum-sepolia']!
  assert.throws(() => checkAddress({ ...shown, address: other }), fails('cli/does-not-verify'))
})

test('an account is named by what differs from the wallet itself', () => {
  assert.equal(describeAccount(accountOf(shown)), 'till')
  assert.equal(
    describeAccount(accountOf(shown, { network: 'bitcoin-testnet4', path: [0, 5] })),
    'till, key m/0/5, on bitcoin-testnet4',
  )
})
