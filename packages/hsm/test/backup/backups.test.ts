import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { utf8 } from '@quorate/base'
import { type HsmProvider, hasCapability, lastRestoreDrill } from '@quorate/hsm'
import { systemRandom } from '@quorate/platform'
import { initBackupKeys, joinBackupKeys } from '#src/backup/keys.js'
import { isCode, openIn, openSoftwareIn, scratch } from '../kit.ts'
import { machine, makeKeys, placeIn, softToken } from './kit.ts'

const message = utf8('message')
type Open = (t: TestContext) => Promise<HsmProvider | { readonly absent: string }>

const DEVICES: { readonly [name: string]: Open } = {
  'a SoftHSM token': softToken,
  'software keys': (t) => openSoftwareIn(scratch(t)),
  'the simulated HSM': (t) => openIn(scratch(t)),
}

/** `count` new devices, or none where the test was skipped. */
async function open(t: TestContext, device: Open, count: number) {
  const opened: HsmProvider[] = []
  for (let i = 0; i < count; i++) {
    const one = await device(t)
    if ('absent' in one) {
      t.skip(one.absent)
      return []
    }
    opened.push(one)
  }
  return opened.map((each) => (hasCapability(each, 'wrap') ? each : assert.fail('no wrap')))
}

const SHARES = { threshold: 2, members: 3 }

for (const [name, device] of Object.entries(DEVICES))
  describe(`backups of ${name}:`, () => {
    test('what was wrapped comes back on another device as the same keys', async (t) => {
      const [first, second] = await open(t, device, 2)
      if (first === undefined || second === undefined) return
      const { keys, shares } = await initBackupKeys(first, SHARES, systemRandom)
      assert.equal(shares.length, 3)
      const made = await makeKeys(first)
      const signed = {
        ed25519: await first.sign(made.ed25519.id, { message }),
        p256: await first.sign(made.p256.id, { message }),
        secp256k1: await first.sign(made.secp256k1.id, { message }),
      }
      const sealed = await first.encrypt(made.aes.id, message, utf8('aad'))
      const tag = await first.hmac(made.mac.id, message)
      const place = await placeIn(t)
      const { backup, name: file } = await machine(first, place).backups.make()
      const missing = new Map(backup.notTaken.map(({ label, reason }) => [label, reason]))
      assert.equal(missing.get('inside'), 'stays-inside')
      // SoftHSM 2 wraps no Edwards keys, and says that it may not.
      const hasEdwards = !missing.has('identity')
      assert.equal(hasEdwards || missing.get('identity') === 'hsm/forbidden', true)
      assert.equal(missing.size, hasEdwards ? 1 : 2)

      assert.deepEqual(await joinBackupKeys(second, shares.slice(1)), keys)
      const { keys: restored } = await machine(second, place).backups.restore()
      assert.equal(restored.length, hasEdwards ? 5 : 4)
      assert.ok(restored.every(({ outcome, key }) => outcome === 'restored' && !key.isExtractable))
      const signing = ['p256', 'secp256k1', ...(hasEdwards ? ['ed25519' as const] : [])] as const
      for (const algorithm of signing) {
        const { id, publicKey } = made[algorithm]
        assert.deepEqual(await second.publicKey(id), publicKey)
        assert.ok(await second.verify(id, { message }, signed[algorithm]))
        assert.ok(await first.verify(id, { message }, await second.sign(id, { message })))
      }
      assert.deepEqual(await second.decrypt(made.aes.id, sealed, utf8('aad')), message)
      assert.deepEqual(await second.hmac(made.mac.id, message), tag)
      // Done again, as after a crash, nothing is made twice.
      const again = await machine(second, place).backups.restore(file)
      assert.ok(again.keys.every(({ outcome }) => outcome === 'there'))
    })

    test('a restored key stays in later backups, though it leaves no more', async (t) => {
      const [first, second, third] = await open(t, device, 3)
      if (first === undefined || second === undefined || third === undefined) return
      const { shares } = await initBackupKeys(first, SHARES, systemRandom)
      const made = await makeKeys(first)
      const place = await placeIn(t)
      const { backup: original } = await machine(first, place).backups.make()
      await joinBackupKeys(second, shares.slice(0, 2))
      const { backups } = machine(second, place)
      await backups.restore()
      const { backup, name: file } = await backups.make()
      assert.ok(backup.keys.every(({ isCarried }) => isCarried))
      assert.deepEqual(
        new Set(backup.keys.map(({ id }) => id)),
        new Set(original.keys.map(({ id }) => id)),
      )
      assert.ok(backup.keys.length >= 4)
      await joinBackupKeys(third, [shares[0]!, shares[2]!])
      await machine(third, place).backups.restore(file)
      assert.deepEqual(await third.publicKey(made.secp256k1.id), made.secp256k1.publicKey)
    })

    test('a drill tries every key, leaves none behind, and is remembered', async (t) => {
      const [first] = await open(t, device, 1)
      if (first === undefined) return
      await initBackupKeys(first, SHARES, systemRandom)
      await makeKeys(first)
      const { backups, state, time } = machine(first, await placeIn(t))
      await backups.make()
      const before = await first.list()
      assert.equal(lastRestoreDrill(state), 'never')
      time.advance(5000)
      await backups.drill()
      assert.deepEqual(await first.list(), before)
      assert.equal(lastRestoreDrill(state), time.now())
    })

    test('without the right backup key nothing is restored', async (t) => {
      const [first, second] = await open(t, device, 2)
      if (first === undefined || second === undefined) return
      const place = await placeIn(t)
      await assert.rejects(machine(first, place).backups.make(), isCode('hsm/no-backup-key'))
      const { shares } = await initBackupKeys(first, SHARES, systemRandom)
      await makeKeys(first)
      await machine(first, place).backups.make()
      await initBackupKeys(second, SHARES, systemRandom)
      await assert.rejects(machine(second, place).backups.restore(), isCode('hsm/backup-foreign'))
      await assert.rejects(joinBackupKeys(second, shares.slice(1)), isCode('hsm/other-backup-key'))
      await assert.rejects(joinBackupKeys(second, shares.slice(2)), isCode('math/bad-shares'))
      assert.equal((await second.list()).length, 2)
    })
  })
