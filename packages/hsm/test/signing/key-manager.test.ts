import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, type TestContext, test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { toHex, utf8 } from '@quorate/base'
import { type KeyManager, MAX_BATCH, openKeyManager, type SigningAlgorithm } from '@quorate/hsm'
import { verifyEd25519 } from '#src/ed25519.js'
import { HostedHsm } from '#src/host/hosted-hsm.js'
import { clock, openIn, scratch } from '../kit.ts'
import { openModule } from '../modules/modules.ts'
import { Bench, SECRET } from '../roles/kit.ts'
import { KeyPair, Sequencer } from './sequencer.ts'

const message = utf8('block 7')
const digest = new Uint8Array(32).fill(3)
const ROLE = 'transaction_signer'

/** The same key in all places where one can be. */
async function everywhere(
  t: TestContext,
  algorithm: SigningAlgorithm,
): Promise<ReadonlyMap<string, KeyManager>> {
  const bench = new Bench(t)
  const hsm = await bench.software()
  await hsm.importKey({ label: 'k', algorithm }, SECRET.slice())
  const directory = scratch(t)
  const simulated = await openIn(directory)
  await simulated.importKey({ label: 'k', algorithm }, SECRET.slice())
  await simulated.close()
  const custody = await bench.open([bench.slot('main', hsm)])
  await custody.bindKey(ROLE, 'main', { label: 'k' })
  const uri = `simulated:${directory}`
  const managers = new Map<string, KeyManager>([
    ['a local key', await openKeyManager({ algorithm, secretKey: SECRET })],
    ['a key of a device', await openKeyManager({ provider: hsm, key: { label: 'k' } })],
    [
      'a key by its address',
      await openKeyManager(
        { uri, environment: 'development', key: { label: 'k' } },
        { ports: { clock } },
      ),
    ],
    ['a role', await openKeyManager({ role: custody.signer(ROLE) })],
  ])
  t.after(() => Promise.all([...managers.values()].map((manager) => manager.close())))
  return managers
}

describe('a local key, a key of a device, a key by its address and a role', () => {
  for (const algorithm of ['ed25519', 'secp256k1', 'p256'] as const)
    test(`stand in the same place: ${algorithm}`, async (t) => {
      const managers = await everywhere(t, algorithm)
      const publicKeys = new Set([...managers.values()].map((each) => toHex(each.publicKey)))
      assert.equal(publicKeys.size, 1)
      for (const [name, manager] of managers) {
        assert.equal(manager.algorithm, algorithm)
        const signature = await manager.sign(message)
        for (const other of managers.values()) {
          assert.ok(await other.verify(message, signature), name)
          assert.ok(!(await other.verify(utf8('block 8'), signature)), name)
          assert.ok(!(await other.verify(message, signature.subarray(1))), name)
        }
        if (algorithm === 'ed25519')
          await assert.rejects(manager.sign({ digest }), { code: 'hsm/bad-argument' })
        else assert.ok(await manager.verify({ digest }, await manager.sign({ digest })))
      }
    })

  test('sign many at once, in order, each with its own result', async (t) => {
    for (const manager of (await everywhere(t, 'secp256k1')).values()) {
      const inputs = Array.from({ length: 30 }, (_, i) =>
        i === 7 ? { digest: new Uint8Array(31) } : utf8(`tx ${i}`),
      )
      const results = await manager.signBatch(inputs)
      assert.equal(results.length, 30)
      for (const [i, result] of results.entries())
        if (i === 7) assert.deepEqual(result, { code: 'hsm/bad-argument' })
        else
          assert.ok('signature' in result && (await manager.verify(inputs[i]!, result.signature)))
      const tooMany = Array.from({ length: MAX_BATCH + 1 }, () => message)
      await assert.rejects(manager.signBatch(tooMany), { code: 'hsm/bad-argument' })
      assert.deepEqual(await manager.signBatch([]), [])
    }
  })

  test('are refused where they have another public key than the one expected', async (t) => {
    const expected = secp256k1.getPublicKey(new Uint8Array(32).fill(1), true)
    const hsm = await new Bench(t).software()
    await hsm.importKey({ label: 'k', algorithm: 'secp256k1' }, SECRET.slice())
    for (const source of [
      { algorithm: 'secp256k1', secretKey: SECRET },
      { provider: hsm, key: { label: 'k' } },
    ] as const)
      await assert.rejects(openKeyManager(source, { expected }), { code: 'hsm/key-changed' })
  })
})

test('a batch of a role is judged, counted and written down one by one', async (t) => {
  const bench = new Bench(t)
  const custody = await bench.open([bench.slot('main', await bench.software())], {
    maxSigningRate: 5,
  })
  await custody.makeKey(ROLE, { label: 'k' })
  const manager = await openKeyManager({ role: custody.signer(ROLE) })
  const results = await manager.signBatch(
    Array.from({ length: 9 }, (_, i) => utf8(`tx ${i}`)),
    { user: 'sequencer' },
  )
  const failed = results.filter((result) => 'code' in result)
  assert.equal(failed.length, 4)
  assert.ok(failed.every(({ code }) => code === 'policy/rate-limited'))
  const records = bench.records.filter(({ operation }) => operation === 'sign')
  assert.deepEqual(
    [records.length, records.filter(({ result }) => result === 'done').length],
    [9, 5],
  )
  assert.ok(records.every(({ user }) => user === 'sequencer'))
})

test('a key in memory is gone when it is closed, and the caller keeps its own bytes', async () => {
  const secretKey = SECRET.slice()
  const manager = await openKeyManager({ algorithm: 'ed25519', secretKey })
  await manager.close()
  await assert.rejects(manager.sign(message), { code: 'hsm/closed' })
  assert.deepEqual(secretKey, SECRET)
})

test('an address that names no key, or one that signs nothing, is refused', async (t) => {
  const directory = scratch(t)
  const hsm = await openIn(directory)
  await hsm.generateKey({ label: 'aes', algorithm: 'aes-256' })
  await hsm.close()
  const uri = `simulated:${directory}`
  const open = (key?: { readonly label: string }) =>
    openKeyManager(
      { uri, environment: 'development', ...(key !== undefined && { key }) },
      { ports: { clock } },
    )
  await assert.rejects(open(), { code: 'hsm/bad-argument' })
  await assert.rejects(open({ label: 'aes' }), { code: 'hsm/bad-argument' })
  await assert.rejects(open({ label: 'none' }), { code: 'hsm/key-not-found' })
})

describe('a sequencer', () => {
  test('that signed with a key pair signs with a key manager, and its blocks verify as before', async (t) => {
    const pair = new KeyPair(SECRET)
    const before = await new Sequencer(pair).produce(['a', 'b'])
    for (const [name, keyManager] of await everywhere(t, 'ed25519')) {
      const after = await new Sequencer(keyManager).produce(['a', 'b'])
      assert.deepEqual(after, before, name)
      assert.ok(verifyEd25519(pair.publicKey, after.header, after.signature))
    }
  })

  test('signs with a token of SoftHSM', async (t) => {
    const module = await openModule('softhsm', t)
    if (!module.available) return t.skip(module.reason)
    const hsm = await HostedHsm.open({
      settings: module.settings,
      readPin: async () => utf8(module.pin),
      logger: { log: () => undefined, with: (): never => assert.fail() },
    })
    t.after(() => hsm.close())
    const { publicKey } = await hsm.generateKey({ label: 'sequencer', algorithm: 'ed25519' })
    const keyManager = await openKeyManager({ provider: hsm, key: { label: 'sequencer' } })
    t.after(() => keyManager.close())
    const { header, signature } = await new Sequencer(keyManager).produce(['a'])
    assert.ok(verifyEd25519(publicKey!, header, signature))
  })

  test('of a program that does nothing else lives until its signature is there', () => {
    const publicKey = toHex(secp256k1.getPublicKey(SECRET, true))
    const signature = toHex(secp256k1.sign(digest, SECRET, { prehash: false }))
    const program = `
      import { openKeyManager } from '@quorate/hsm'
      const publicKey = Buffer.from('${publicKey}', 'hex')
      const provider = {
        find: async () => ({ id: '00', algorithm: 'secp256k1', publicKey }),
        sign: async () => Buffer.from('${signature}', 'hex'),
      }
      const keyManager = await openKeyManager({ provider, key: { label: 'k' } })
      const digest = new Uint8Array(32).fill(3)
      console.log((await keyManager.sign({ digest })).length)
      await keyManager.close()`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { cwd: new URL('.', import.meta.url), encoding: 'utf8' },
    )
    assert.equal(stdout, '64\n', stderr)
  })
})
