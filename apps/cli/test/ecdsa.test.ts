/**
 * Wallets of threshold ECDSA on a development cluster of its own. Primes of the shorter level are
 * made in a fraction of the time; the demo shows the full one.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { checkBitcoin, checkEthereum } from '@quorate/referee'
import { cliIn, document, errorOf, type Ran, scratch } from './support/cli.js'

const home = scratch()
const cli = cliIn(home)
const at = (name: string): string => join(home, name)
const SUITE = 'CGGMP24-secp256k1-SHA256-112-v1'

const refusedWith = (ran: Ran, exit: number, code: string): void => {
  assert.equal(ran.code, exit, ran.err)
  assert.equal(errorOf(ran).code, code)
  assert.equal(ran.out, '')
}

type Signed = {
  readonly network: string
  readonly txid: string
  readonly signed: string
  readonly signatures: readonly { readonly publicKey: string }[]
}

let wallet: WalletJson
before(async () => {
  document(await cli('up', '--port', '0', '--json'))
  const create = ['wallet', 'create', '--network', 'ethereum-sepolia', '--name', 'till']
  const made = document<{
    readonly wallet: WalletJson
    readonly phases: readonly { readonly phase: string; readonly ms: number }[]
  }>(await cli(...create, '--protocol', 'cggmp21', '--suite', SUITE, '--json'))
  wallet = made.wallet
  assert.ok(made.phases.some(({ phase }) => phase.includes('primes')))
})
after(async () => {
  await cli('reset', '--down', '--confirm', 'reset')
})

test('a wallet asked for by the old name has the exact one, and says what it is', async () => {
  const { protocol, suite, scheme, threshold, corruptionBound, network, address } = wallet
  assert.deepEqual(
    [protocol, suite, scheme, threshold, corruptionBound, network],
    ['cggmp24', SUITE, 'ecdsa-secp256k1', 2, 1, 'ethereum-sepolia'],
  )
  assert.match(address, /^0x[0-9a-fA-F]{40}$/)
  // One key, the same address on every network like Ethereum, and others on the testnets of Bitcoin's family.
  for (const other of ['ethereum-hoodi', 'base-sepolia', 'polygon-amoy'])
    assert.equal(wallet.addresses[other], address)
  assert.match(wallet.addresses['bitcoin-testnet4']!, /^tb1q/)
  assert.match(wallet.addresses['dogecoin-testnet']!, /^n/)
  assert.ok(!('ethereum' in wallet.addresses))
  type Page = { readonly items: readonly WalletJson[] }
  for (const name of ['cggmp24', 'cggmp21']) {
    const { items } = document<Page>(await cli('wallet', 'list', '--protocol', name, '--json'))
    assert.deepEqual(items, [wallet])
  }
  const none = document<Page>(await cli('wallet', 'list', '--protocol', 'frost', '--json'))
  assert.deepEqual(none.items, [])
})

/** Makes, shows and signs the example transaction of an account. */
async function signExample(...account: readonly string[]): Promise<{
  readonly unsigned: string
  readonly made: Signed
}> {
  const { unsigned } = document<{ readonly unsigned: string }>(
    await cli('tx', 'new', '--wallet', 'till', ...account, '--json'),
  )
  const shown = await cli('tx', 'show', unsigned, '--wallet', 'till', ...account)
  assert.match(shown.out, /Policy allows it/)
  const made = document<Signed>(
    await cli('tx', 'sign', unsigned, '--wallet', 'till', ...account, '--json'),
  )
  return { unsigned, made }
}

const SEPOLIA = 11_155_111

test('an EIP-1559 transaction is signed as @ethereumjs/tx expects it', async () => {
  const { unsigned, made } = await signExample()
  assert.equal(made.network, 'ethereum-sepolia')
  const { signed } = made
  const verdict = checkEthereum({ chainId: SEPOLIA, from: wallet.address, unsigned, signed })
  assert.deepEqual([verdict.reasons, verdict.txid], [[], made.txid])
})

test('the same wallet signs a P2WPKH PSBT as bitcoinjs-lib expects it', async () => {
  const { unsigned, made } = await signExample('--network', 'bitcoin-testnet4')
  const verdict = checkBitcoin({ psbtUnsigned: unsigned, signedRaw: made.signed })
  assert.deepEqual([verdict.reasons, verdict.txid], [[], made.txid])
  assert.ok(made.signatures.every(({ publicKey }) => publicKey === wallet.groupKey))
})

test('a derived key has addresses of its own, and signs', async () => {
  type Shown = {
    readonly derived: {
      readonly publicKey: string
      readonly addresses: { readonly [network: string]: string }
    }
  }
  const path = ['--path', 'm/0/5']
  const { derived } = document<Shown>(await cli('wallet', 'show', 'till', ...path, '--json'))
  assert.notEqual(derived.publicKey, wallet.groupKey)
  const ethereum = await signExample(...path)
  const verdict = checkEthereum({
    chainId: SEPOLIA,
    from: derived.addresses['ethereum-sepolia']!,
    unsigned: ethereum.unsigned,
    signed: ethereum.made.signed,
  })
  assert.deepEqual(verdict.reasons, [])
  const bitcoin = await signExample(...path, '--network', 'bitcoin-signet')
  assert.deepEqual(
    checkBitcoin({ psbtUnsigned: bitcoin.unsigned, signedRaw: bitcoin.made.signed }).reasons,
    [],
  )
  assert.ok(bitcoin.made.signatures.every(({ publicKey }) => publicKey === derived.publicKey))
})

test('a wrong protocol, network or path is refused by name', async () => {
  const create = ['wallet', 'create', '--json', '--network']
  refusedWith(
    await cli(...create, 'solana-devnet', '--protocol', 'cggmp24'),
    2,
    'cli/wrong-protocol',
  )
  refusedWith(
    await cli(...create, 'ethereum-sepolia', '--protocol', 'frost'),
    2,
    'cli/wrong-protocol',
  )
  refusedWith(await cli(...create, 'ethereum', '--json'), 3, 'enclave/mainnet-in-development')
  const sign = ['tx', 'sign', '--wallet', 'till', '--json']
  const { unsigned } = document<{ readonly unsigned: string }>(
    await cli('tx', 'new', '--wallet', 'till', '--json'),
  )
  const cases: readonly (readonly [string, string, string])[] = [
    ['--network', 'ethereum-hoodi', 'chains/other-chain'],
    ['--network', 'bitcoin-testnet4', 'chains/malformed-transaction'],
    ['--network', 'solana-devnet', 'chains/unsupported-suite'],
    ['--path', "m/0'", 'math/hardened-path'],
    ['--path', '0/1', 'math/bad-path'],
    ['--path', `m${'/0'.repeat(11)}`, 'cli/bad-value'],
  ]
  for (const [option, value, code] of cases)
    refusedWith(await cli(...sign, unsigned, option, value), 2, code)
  const made = ['tx', 'new', '--wallet', 'till', '--json']
  refusedWith(await cli(...made, '--lamports', '5'), 2, 'cli/bad-value')
  refusedWith(await cli(...made, '--wei', '1e18'), 2, 'cli/bad-value')
  refusedWith(
    await cli(...made, '--network', 'bitcoin-testnet4', '--coin', `${'ab'.repeat(32)}:0:5000`),
    2,
    'cli/bad-value',
  )
})

test('a transaction whose fee is out of all proportion is denied', async () => {
  const dear = document<{ readonly unsigned: string }>(
    await cli('tx', 'new', '--wallet', 'till', '--max-fee', '500000000000', '--json'),
  )
  const sign = await cli('tx', 'sign', dear.unsigned, '--wallet', 'till', '--json')
  refusedWith(sign, 3, 'policy/denied')
})

test('after a refresh the wallet signs with new shares of the same key', async () => {
  const { generation } = document<{ readonly generation: number }>(
    await cli('wallet', 'refresh', 'till', '--json'),
  )
  assert.equal(generation, wallet.generation + 1)
  const now = document<WalletJson>(await cli('wallet', 'show', 'till', '--json'))
  assert.deepEqual(now, { ...wallet, generation, createdAt: now.createdAt })
  const { unsigned, made } = await signExample()
  assert.deepEqual(
    checkEthereum({ chainId: SEPOLIA, from: wallet.address, unsigned, signed: made.signed })
      .reasons,
    [],
  )
  assert.equal((await cli('tx', 'sign', unsigned, '--wallet', 'till', '--out', at('x'))).code, 0)
})
