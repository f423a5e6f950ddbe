/** Wallets: seeds of BIP-39 and SLIP-39, and the keys below them, against other implementations. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { p256 } from '@noble/curves/nist.js'
import { concatBytes, type Secret, utf8 } from '@quorate/base'
import { confirmations, hasCapability, type KeyInfo, parseKeyId, type Wallet } from '@quorate/hsm'
import { combineMnemonics } from '@quorate/math'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english'
import { isCode } from '../kit.ts'
import { PACKAGE } from '../modules/fixture.ts'
import { type Bench, benchFor, secret, skip, textOf } from './kit.ts'

const PATH = "m/44'/60'/0'/0/0"
const WALLET = { name: 'treasury', algorithm: 'secp256k1' } as const

function derive(
  { hsm }: Bench,
  { id }: Wallet,
  path = PATH,
  label = path,
  algorithm: 'p256' | 'secp256k1' = 'secp256k1',
): Promise<KeyInfo> {
  assert.ok(hasCapability(hsm, 'derive'))
  return hsm.deriveKey(id, path, { label, algorithm })
}

/** The public key at m/0' by SLIP-10, whose rare second tries are left out. */
function firstHardenedP256(seed: Uint8Array): Uint8Array {
  const hash = (key: string | Uint8Array, data: Uint8Array): Buffer =>
    createHmac('sha512', key).update(data).digest()
  const integer = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  const root = hash('Nist256p1 seed', seed)
  const master = root.subarray(0, 32)
  const child = hash(
    root.subarray(32),
    concatBytes(Uint8Array.of(0), master, Uint8Array.of(0x80, 0, 0, 0)),
  )
  const { n } = p256.Point.CURVE()
  const scalar = (integer(child.subarray(0, 32)) + integer(master)) % n
  return p256.Point.BASE.multiply(scalar).toBytes(true)
}

describe('a wallet with words', { skip }, () => {
  test('has the keys that others derive from them, with and without a passphrase', async (t) => {
    const bench = await benchFor(t)
    for (const [name, passphrase] of [
      ['plain', ''],
      ['guarded', 'correct horse'],
      ['short', 'ab'],
    ] as const) {
      const { wallet, words } = await bench.wallets.createWithWords(
        { name, algorithm: 'secp256k1' },
        secret(passphrase),
      )
      const mnemonic = textOf(words)
      assert.ok(validateMnemonic(mnemonic, wordlist))
      const root = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic, passphrase))
      const { publicKey } = await derive(bench, wallet, PATH, `${name}-0`)
      assert.deepEqual(publicKey, root.derive(PATH).publicKey)
      const { serial } = await bench.hsm.info()
      await bench.wallets.remove(name, confirmations.removeWallet(serial, name))
      const again = await bench.wallets.restore(
        { name, algorithm: 'secp256k1' },
        secret(mnemonic),
        secret(passphrase),
      )
      assert.deepEqual(again, wallet)
      assert.deepEqual(
        (await derive(bench, again, PATH, `${name}-1`)).publicKey,
        root.derive(PATH).publicKey,
      )
    }
  })

  test('is not made of words that are none', async (t) => {
    const { wallets } = await benchFor(t)
    for (const words of [
      'abandon',
      `${'abandon '.repeat(23)}abandon`,
      `${'abandon '.repeat(23)}art x`,
    ])
      await assert.rejects(wallets.restore(WALLET, secret(words)), isCode('hsm/shares-refused'))
    assert.deepEqual(await wallets.list(), [])
  })
})

describe('keys of a wallet', { skip }, () => {
  test('sign, know their place, and share the nodes above them', async (t) => {
    const bench = await benchFor(t)
    const { hsm, wallets, device } = bench
    const wallet = await wallets.create(WALLET)
    const first = await derive(bench, wallet, "m/44'/60'/0'/0/0", 'first')
    const second = await derive(bench, wallet, 'm/44h/60h/0h/0/1', 'second')
    assert.equal((await device.state()).slots.taken, 7)
    assert.equal((await hsm.sign(second.id, { message: utf8('m') })).length, 64)
    assert.equal((await wallets.nodeOf(first.id)).address, "m/44'/60'/0'/0/0")
    assert.deepEqual(await wallets.keyAt('treasury', "m/44'/60'/0'/0/1"), second)
    // From a node on the way, which carries the name of its place.
    const node = await hsm.find({ label: "treasury m/44'/60'/0'/0" })
    assert.ok(hasCapability(hsm, 'derive'))
    const third = await hsm.deriveKey(node.id, 'm/2', { label: 'third', algorithm: 'secp256k1' })
    assert.deepEqual(await wallets.keyAt('treasury', 'm/44h/60h/0h/0/2'), third)
    await assert.rejects(derive(bench, wallet, 'm/44h/60h/0h/0/2'), isCode('hsm/key-exists'))
  })

  test('are made once although the library crashes on the way', async (t) => {
    const bench = await benchFor(t)
    const wallet = await bench.wallets.create(WALLET)
    bench.simulator.fail('zkGenWalletChildKey', { kind: 'crash-after', times: 2 })
    const key = await derive(bench, wallet, "m/44'/60'", 'account')
    assert.deepEqual(await bench.hsm.find({ label: 'account' }), key)
    assert.equal((await bench.device.state()).slots.taken, 3)
  })

  test('of p256 follow SLIP-10, and the curve cannot be mixed', async (t) => {
    const bench = await benchFor(t)
    const { wallet, words } = await bench.wallets.createWithWords({
      name: 'web',
      algorithm: 'p256',
    })
    const taken = (await bench.device.state()).slots.taken
    await assert.rejects(derive(bench, wallet, "m/0'"), isCode('hsm/bad-argument'))
    assert.equal((await bench.device.state()).slots.taken, taken)
    const { publicKey } = await derive(bench, wallet, "m/0'", 'web', 'p256')
    assert.deepEqual(publicKey, firstHardenedP256(mnemonicToSeedSync(textOf(words))))
  })

  test('have paths that are paths, and parents of wallets', async (t) => {
    const bench = await benchFor(t)
    const wallet = await bench.wallets.create(WALLET)
    for (const path of ['', 'm', '44', 'm/', 'm/x', 'm/01', 'm/2147483648', `m${'/0'.repeat(17)}`])
      await assert.rejects(derive(bench, wallet, path, 'x'), isCode('hsm/bad-argument'), path)
    const { id } = await bench.hsm.generateKey({ label: 'plain', algorithm: 'secp256k1' })
    await assert.rejects(derive(bench, { ...wallet, id }, 'm/0', 'x'), isCode('hsm/bad-argument'))
    await assert.rejects(
      derive(bench, { ...wallet, id: parseKeyId('ab5e') }, 'm/0', 'x'),
      isCode('hsm/key-not-found'),
    )
  })

  test('go with their wallet, for the exact text only', async (t) => {
    const bench = await benchFor(t)
    const { wallets, hsm, device } = bench
    const wallet = await wallets.create(WALLET)
    await derive(bench, wallet)
    const { serial } = await hsm.info()
    for (const typed of ['treasury', confirmations.removeWallet(serial, 'other')])
      await assert.rejects(wallets.remove('treasury', typed), isCode('hsm/confirmation-mismatch'))
    assert.equal((await hsm.list()).length, 5)
    await wallets.remove('treasury', confirmations.removeWallet(serial, 'treasury'))
    assert.deepEqual(await hsm.list(), [])
    assert.equal((await device.state()).slots.taken, 0)
    await assert.rejects(wallets.remove('treasury', ''), isCode('hsm/wallet-not-found'))
  })
})

test('names of wallets are taken once, and are ASCII', { skip }, async (t) => {
  const { wallets } = await benchFor(t)
  await wallets.create(WALLET)
  await assert.rejects(wallets.create(WALLET), isCode('hsm/wallet-exists'))
  for (const name of ['', ' x', 'x ', 'ä', 'a\0b', 'x'.repeat(64)])
    await assert.rejects(wallets.create({ ...WALLET, name }), isCode('hsm/bad-argument'))
  assert.deepEqual(
    (await wallets.list()).map(({ name }) => name),
    ['treasury'],
  )
})

const SHAPE = {
  groupThreshold: 2,
  groups: [
    { threshold: 2, members: 3 },
    { threshold: 1, members: 1 },
    { threshold: 3, members: 3 },
  ],
  iterationExponent: 0,
} as const

/** All shares of a new wallet, group by group. */
async function makeAll(
  { wallets }: Bench,
  options: {
    readonly passphrase?: Secret<Uint8Array>
    readonly password?: Secret<Uint8Array>
  } = {},
): Promise<{ readonly wallet: Wallet; readonly shares: readonly (readonly string[])[] }> {
  const { passphrase, password } = options
  const making = await wallets.makeShares({
    ...WALLET,
    ...SHAPE,
    ...(passphrase !== undefined && { passphrase }),
  })
  let wallet: Wallet | undefined
  const shares: string[][] = []
  for (const { members } of SHAPE.groups) {
    const group: string[] = []
    for (let i = 0; i < members; i++) {
      assert.equal(wallet, undefined, 'the wallet exists before the last share')
      const made = await making.next(password)
      group.push(textOf(made.share))
      wallet = made.wallet
    }
    shares.push(group)
  }
  assert.ok(wallet !== undefined)
  return { wallet, shares }
}

describe('shares of SLIP-39', { skip }, () => {
  test('that the device makes are read by our own implementation', async (t) => {
    const bench = await benchFor(t)
    const { wallet, shares } = await makeAll(bench, { passphrase: secret('TREZOR') })
    const [first = [], second = [], third = []] = shares
    assert.equal(first[0]?.split(' ').length, 33)
    const { publicKey } = await derive(bench, wallet)
    for (const some of [
      [first[2]!, first[0]!, second[0]!],
      [second[0]!, ...third],
    ]) {
      const seed = combineMnemonics(some, 'TREZOR')
      assert.deepEqual(publicKey, HDKey.fromMasterSeed(seed).derive(PATH).publicKey)
    }
  })

  test('restore the wallet in any order, and progress is told', async (t) => {
    const bench = await benchFor(t)
    const { wallets, hsm } = bench
    const { wallet, shares } = await makeAll(bench, { password: secret('pass') })
    const { publicKey } = await derive(bench, wallet, PATH, 'before')
    const { serial } = await hsm.info()
    await wallets.remove('treasury', confirmations.removeWallet(serial, 'treasury'))
    const [first = [], second = []] = shares
    const taking = await wallets.takeShares(WALLET)
    const password = secret('pass')
    assert.deepEqual(await taking.add(secret(first[2]!), password), { missing: 2 })
    assert.deepEqual(await taking.add(secret(second[0]!), password), { missing: 1 })
    assert.deepEqual(await taking.add(secret(first[0]!), password), { wallet })
    assert.deepEqual((await derive(bench, wallet, PATH, 'after')).publicKey, publicKey)
  })

  test('that cannot be right are refused before the device sees them', async (t) => {
    const bench = await benchFor(t)
    const { wallets, simulator } = bench
    const { shares } = await makeAll(bench)
    const { shares: others } = await makeAll({
      ...bench,
      wallets: {
        ...wallets,
        makeShares: (options) => wallets.makeShares({ ...options, name: 'other' }),
      },
    })
    const taking = await wallets.takeShares({ ...WALLET, name: 'restored' })
    const share = shares[0]![0]!
    await taking.add(secret(share))
    const calls = simulator.calls('zkAddRestoreSLIP39Mnemonic')
    const wrong = share.replace(/\w+$/, (word) => (word === 'academic' ? 'acid' : 'academic'))
    await assert.rejects(taking.add(secret(wrong)), isCode('math/bad-share'))
    await assert.rejects(taking.add(secret(share)), isCode('math/bad-shares'))
    await assert.rejects(taking.add(secret(others[0]![1]!)), isCode('math/bad-shares'))
    assert.equal(simulator.calls('zkAddRestoreSLIP39Mnemonic'), calls)
    // With a wrong password the device has enough, and gets no seed out of them.
    await taking.add(secret(shares[0]![1]!), secret('wrong'))
    await assert.rejects(taking.add(secret(shares[1]![0]!)), isCode('hsm/shares-refused'))
    assert.equal((await wallets.list()).length, 2)
    await wallets.create({ ...WALLET, name: 'next' })
  })

  test('have a shape that the device takes', async (t) => {
    const { wallets } = await benchFor(t)
    const group = { threshold: 2, members: 3 }
    for (const shape of [
      { ...SHAPE, groupThreshold: 4 },
      { ...SHAPE, groupThreshold: 0 },
      { ...SHAPE, groups: [] },
      { ...SHAPE, groups: Array.from({ length: 15 }, () => group) },
      { ...SHAPE, groups: [group, { threshold: 1, members: 2 }] },
      { ...SHAPE, groups: [group, { threshold: 2, members: 15 }] },
      { ...SHAPE, iterationExponent: 6 },
    ])
      await assert.rejects(wallets.makeShares({ ...WALLET, ...shape }), isCode('hsm/bad-argument'))
  })
})

describe('a session', { skip }, () => {
  test('locks everything that makes keys until it ends', async (t) => {
    const { hsm, wallets } = await benchFor(t)
    const making = await wallets.makeShares({ ...WALLET, ...SHAPE })
    for (const attempt of [
      () => hsm.generateKey({ label: 'k', algorithm: 'p256' }),
      () => wallets.create({ ...WALLET, name: 'other' }),
      () => wallets.makeShares({ ...WALLET, ...SHAPE, name: 'other' }),
      () => wallets.takeShares({ ...WALLET, name: 'other' }),
    ])
      await assert.rejects(attempt(), isCode('hsm/wallet-session-open'))
    await making.cancel()
    await hsm.generateKey({ label: 'k', algorithm: 'p256' })
    await assert.rejects(making.next(), isCode('hsm/wallet-session-lost'))
  })

  test('whose process has ended is over, and the device is free again', async (t) => {
    const { hsm, wallets, simulator } = await benchFor(t)
    const making = await wallets.makeShares({ ...WALLET, ...SHAPE })
    await making.next()
    simulator.fail('zkAddSLIP39MemberPassword', { kind: 'crash' })
    await assert.rejects(making.next(), isCode('hsm/unavailable'))
    await assert.rejects(making.next(), isCode('hsm/wallet-session-lost'))
    assert.deepEqual(await wallets.list(), [])
    await hsm.generateKey({ label: 'k', algorithm: 'p256' })
  })

  test('in which the device ends too early or too late gives no wallet', async (t) => {
    const { wallets, simulator } = await benchFor(t)
    const making = await wallets.makeShares({ ...WALLET, ...SHAPE })
    simulator.fail('zkAddSLIP39MemberPassword', { kind: 'answer', value: 20 })
    await assert.rejects(making.next(), isCode('hsm/wrong-result'))
    await assert.rejects(making.next(), isCode('hsm/wallet-session-lost'))
  })
})

const REFUSALS = ['math/bad-share', 'math/bad-shares', 'hsm/shares-refused'] as const

type Vector = readonly [string, readonly string[], string, string]

/** The official vectors, where they are. */
function vectors(): readonly Vector[] {
  for (let at = PACKAGE; dirname(at) !== at; at = dirname(at)) {
    const path = join(at, '../shared/vectors/slip39/vectors.json')
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as readonly Vector[]
  }
  return []
}

test('the official vectors restore to their keys, and the wrong ones to none', {
  skip: skip || (vectors().length === 0 && 'vectors not present'),
}, async (t) => {
  const bench = await benchFor(t)
  const { wallets, hsm } = bench
  const { serial } = await hsm.info()
  let restored = 0
  for (const [description, shares, master, xprv] of vectors()) {
    const taking = await wallets.takeShares(WALLET, secret('TREZOR'))
    const fed: string[] = []
    let wallet: Wallet | undefined
    try {
      for (const share of shares) {
        fed.push(share)
        const taken = await taking.add(secret(share))
        if ('wallet' in taken) {
          wallet = taken.wallet
          break
        }
      }
    } catch (error) {
      const isExpected = REFUSALS.some((code) => isCode(code)(error))
      assert.ok(isExpected && master === '', `${description}: ${String(error)}`)
    }
    if (wallet === undefined) {
      assert.equal(master, '', description)
      await wallets.cancelSession()
      continue
    }
    // The device takes shares one by one: in one wrong vector the first is a whole set by itself.
    const root =
      master === ''
        ? HDKey.fromMasterSeed(combineMnemonics(fed, 'TREZOR'))
        : HDKey.fromExtendedKey(xprv)
    const { publicKey } = await derive(bench, wallet, "m/44'/0", description.slice(0, 2))
    assert.deepEqual(publicKey, root.derive("m/44'/0").publicKey, description)
    await wallets.remove('treasury', confirmations.removeWallet(serial, 'treasury'))
    restored++
  }
  assert.ok(restored >= vectors().filter(([, , master]) => master !== '').length)
})
