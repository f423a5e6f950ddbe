/**
 * Wallets of threshold ECDSA on a development cluster of its own. Primes of the shorter level are
 * made in a fraction of the time; the demo shows the full one.
 */
import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { checkBitcoin, checkEthereum } from '@quorate/referee'
import { keccak256, verifyMessage } from 'viem'
import { cliIn, document, errorOf, type Ran, scratch } from './support/cli.js'
import { rpcAnswers, startNetwork } from './support/network.js'

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

const PAYEE = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const BY_HAND = ['--nonce', '0', '--max-fee', '20gwei', '--priority-fee', '1gwei']

test('a transfer is made with what a node says, signed, and handed to that node', async () => {
  const sent: unknown[] = []
  const node = await startNetwork(
    rpcAnswers({
      eth_chainId: () => '0xaa36a7',
      eth_getTransactionCount: () => '0x4',
      eth_getBlockByNumber: () => ({ baseFeePerGas: '0x3b9aca00' }),
      eth_maxPriorityFeePerGas: () => '0x3b9aca00',
      eth_estimateGas: () => '0x5208',
      eth_sendRawTransaction: ([raw]) => {
        sent.push(raw)
        return keccak256(raw as `0x${string}`)
      },
    }),
  )
  try {
    const rpc = ['--rpc', node.url]
    const pay = ['--wallet', 'till', '--to', PAYEE, '--amount', '0.001 ETH']
    const out = ['--out', at('transfer.hex')]
    assert.equal((await cli('tx', 'new', 'transfer', ...pay, ...rpc, ...out)).code, 0)
    const made = document<Signed>(
      await cli('tx', 'sign', at('transfer.hex'), '--wallet', 'till', '--out', at('s'), '--json'),
    )
    const { txid } = document<{ readonly txid: string }>(
      await cli('tx', 'send', at('s'), '--wallet', 'till', ...rpc, '--json'),
    )
    assert.deepEqual([sent, txid], [[`0x${made.signed}`], made.txid])
    const send = ['tx', 'send', at('s'), ...rpc, '--json']
    refusedWith(await cli(...send, '--network', 'ethereum'), 3, 'cli/mainnet')
    refusedWith(await cli(...send, '--network', 'ethereum', '--mainnet'), 2, 'chains/other-chain')
    refusedWith(await cli(...send), 2, 'cli/missing-argument')
    assert.equal(sent.length, 1)
  } finally {
    await node.close()
  }
})

test('what a token is called is shown as claimed, and signed with what was claimed', async () => {
  const token = `0x${'7e'.repeat(20)}`
  const pay = ['--wallet', 'till', '--token', token, '--to', PAYEE, '--amount', '5', ...BY_HAND]
  const { unsigned } = document<{ readonly unsigned: string }>(
    await cli('tx', 'new', 'token-transfer', ...pay, '--json'),
  )
  const claim = { address: token, symbol: 'QUX', decimals: 2 }
  writeFileSync(at('tokens.json'), JSON.stringify({ tokens: [claim] }))
  const context = ['--wallet', 'till', '--context', at('tokens.json')]
  const shown = await cli('tx', 'show', unsigned, ...context)
  assert.match(shown.out, /0\.05 QUX/)
  const made = document<Signed>(await cli('tx', 'sign', unsigned, ...context, '--json'))
  const verified = await cli(
    'tx',
    'verify',
    '--unsigned',
    unsigned,
    '--signed',
    made.signed,
    ...context,
  )
  assert.equal(verified.code, 0, verified.err)
  for (const json of ['{"tokens":[{}]}', '{"tokens":[],"more":1}', '{"loaded":{}}']) {
    writeFileSync(at('bad.json'), json)
    const bad = ['--wallet', 'till', '--context', at('bad.json'), '--json']
    refusedWith(await cli('tx', 'show', unsigned, ...bad), 2, 'chains/bad-context')
  }
})

test('a message is signed as personal_sign does it', async () => {
  const message = 'I hold this key.'
  const made = await cli('message', 'sign', message, '--wallet', 'till')
  const [, signature] = /^signed {2}(0x[0-9a-f]{130})$/m.exec(made.out) ?? []
  const address = wallet.address as `0x${string}`
  assert.ok(await verifyMessage({ address, message, signature: signature as `0x${string}` }))
  writeFileSync(at('text'), message)
  const { txid, signed } = document<Partial<Signed>>(
    await cli('message', 'sign', '--file', at('text'), '--wallet', 'till', '--json'),
  )
  assert.equal(txid, undefined)
  assert.ok(await verifyMessage({ address, message, signature: `0x${signed}` }))
  const sign = ['message', 'sign', '--wallet', 'till', '--json']
  refusedWith(await cli(...sign), 2, 'cli/missing-argument')
  refusedWith(await cli(...sign, 'x', '--network', 'bitcoin-testnet4'), 2, 'cli/bad-value')
})

test('a message is signed on Solana as an off-chain message', async () => {
  const create = ['wallet', 'create', '--network', 'solana-devnet', '--name', 'sol', '--json']
  const { wallet: sol } = document<{ readonly wallet: WalletJson }>(await cli(...create))
  const made = document<{
    readonly signatures: readonly { readonly message: string; readonly signature: string }[]
  }>(await cli('message', 'sign', 'I hold this key.', '--wallet', 'sol', '--json'))
  const [{ message, signature }] = made.signatures as [(typeof made.signatures)[0]]
  const content = Buffer.from(message, 'hex')
  assert.match(content.toString('latin1'), /^\xffsolana offchain.*I hold this key\.$/s)
  const x = Buffer.from(sol.groupKey, 'hex').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  assert.ok(verify(null, content, key, Buffer.from(signature, 'hex')))
})

test('typed data are read, and policy has its say', async () => {
  const fields = [{ name: 'text', type: 'string' }]
  const domain = { name: 'Test', chainId: SEPOLIA }
  const typed = { types: { Note: fields }, primaryType: 'Note', domain, message: { text: 'hi' } }
  writeFileSync(at('typed.json'), JSON.stringify(typed))
  refusedWith(
    await cli('typed-data', 'sign', at('typed.json'), '--wallet', 'till', '--json'),
    3,
    'policy/denied',
  )
  const told = await cli('typed-data', 'sign', at('typed.json'), '--wallet', 'till')
  assert.match(told.err, /message\.text.*hi/)
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
  const { custody, ...now } = document<WalletJson & { readonly custody: readonly unknown[] }>(
    await cli('wallet', 'show', 'till', '--json'),
  )
  assert.equal(custody.length, 3)
  assert.deepEqual(now, { ...wallet, generation, createdAt: now.createdAt })
  const { unsigned, made } = await signExample()
  assert.deepEqual(
    checkEthereum({ chainId: SEPOLIA, from: wallet.address, unsigned, signed: made.signed })
      .reasons,
    [],
  )
  assert.equal((await cli('tx', 'sign', unsigned, '--wallet', 'till', '--out', at('x'))).code, 0)
})
