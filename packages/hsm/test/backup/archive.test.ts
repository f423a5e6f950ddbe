/** A backup that was changed, cut short, swapped or made elsewhere is refused by name, and changes nothing. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type FaultCode, TAGS, taggedHash, utf8 } from '@quorate/base'
import { initBackupKeys, joinBackupKeys, memoryHsmState } from '@quorate/hsm'
import { type BlobStore, systemRandom } from '@quorate/platform'
import fc from 'fast-check'
import { openBackup, sealBackup } from '#src/backup/archive.js'
import { findBackupKeys } from '#src/backup/keys.js'
import { putDestroyed } from '#src/backup/record.js'
import { unwrapStored } from '#src/keyfiles/wrapped-key.js'
import { isCode, openIn, openSoftwareIn, scratch } from '../kit.ts'
import { machine, makeKeys, placeIn } from './kit.ts'

const SHARES = { threshold: 1, members: 1 }
const limits = { maxBytes: 1 << 24 }

/** A device with keys and a backup of them. */
async function stage(t: TestContext) {
  const provider = await openSoftwareIn(scratch(t))
  const { shares } = await initBackupKeys(provider, SHARES, systemRandom)
  const keys = await makeKeys(provider)
  const place = await placeIn(t)
  const { backups, state, time } = machine(provider, place)
  const { name, backup } = await backups.make()
  return { provider, shares, keys, place, backups, state, time, name, backup }
}

/** An empty device with the same backup key. */
async function spare(t: TestContext, shares: readonly string[], place: BlobStore) {
  const provider = await openSoftwareIn(scratch(t))
  await joinBackupKeys(provider, shares)
  return { provider, ...machine(provider, place) }
}

const DAMAGES: readonly (readonly [string, FaultCode, (file: Uint8Array) => Uint8Array])[] = [
  ['cut short', 'hsm/backup-damaged', (file) => file.subarray(0, file.length - 7)],
  ['empty', 'hsm/backup-damaged', () => new Uint8Array()],
  ['longer', 'hsm/backup-damaged', (file) => new Uint8Array([...file, 0])],
  ['something else', 'hsm/backup-damaged', () => new TextEncoder().encode('-----BEGIN')],
]

for (const [what, code, damage] of DAMAGES)
  test(`a backup that is ${what} is refused`, async (t) => {
    const { shares, place, name } = await stage(t)
    const { provider, backups } = await spare(t, shares, place)
    await place.put(name, damage(await place.get(name, limits)))
    await assert.rejects(backups.restore(name), isCode(code))
    await assert.rejects(backups.drill(name), isCode(code))
    assert.equal((await provider.list()).length, 2)
    const [listed] = await backups.list()
    assert.ok(listed !== undefined && 'trouble' in listed && listed.trouble === code)
  })

test('property: no single bit of a backup can be changed unseen', async (t) => {
  const { provider, place, name } = await stage(t)
  const file = await place.get(name, limits)
  const keys = await findBackupKeys(provider)
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 1), fc.nat(7), async (at, bit) => {
      const changed = file.slice()
      changed[at]! ^= 1 << bit
      await assert.rejects(openBackup(provider, keys, changed), (error) =>
        [isCode('hsm/backup-damaged'), isCode('hsm/backup-foreign')].some((is) => is(error)),
      )
    }),
    { numRuns: 300 },
  )
})

test('nothing of a key is in the file in plaintext, and nothing of the backup key', async (t) => {
  const secret = new Uint8Array(32).map((_, i) => i + 1)
  const provider = await openSoftwareIn(scratch(t))
  await initBackupKeys(provider, SHARES, { bytes: (length) => secret.slice(0, length) })
  await makeKeys(provider)
  const place = await placeIn(t)
  const { name, backup } = await machine(provider, place).backups.make()
  const file = Buffer.from(await place.get(name, limits))
  const kek = taggedHash(TAGS.hsmBackupPart, utf8('kek\n'), secret)
  const secrets = backup.keys.map(({ wrapped }) => unwrapStored(kek, wrapped).secret)
  assert.equal(secrets.length, 5)
  for (const hidden of [secret, kek, ...secrets]) assert.ok(!file.includes(Buffer.from(hidden)))
})

test('one backup under the name of another is refused', async (t) => {
  const { shares, place, backups, name } = await stage(t)
  const { name: second } = await backups.make()
  await place.put(second, await place.get(name, limits))
  const other = await spare(t, shares, place)
  const [, listed] = await other.backups.list()
  assert.ok(listed !== undefined && 'trouble' in listed)
  await assert.rejects(other.backups.restore(), isCode('hsm/backup-damaged'))
})

describe('the machine that made the newest', () => {
  test('knows when an older one is given for it', async (t) => {
    const { place, backups, name } = await stage(t)
    const { name: newest } = await backups.make()
    await place.delete(newest)
    await assert.rejects(backups.open(), isCode('hsm/backup-not-newest'))
    assert.equal((await backups.open(name)).backup.number, 1)
  })

  test('goes on with the number of one that a crash left behind', async (t) => {
    const { place, provider, state, backups } = await stage(t)
    const before = state.contents()
    const { name } = await backups.make()
    const again = machine(provider, place, { state: memoryHsmState(before) })
    const made = await again.backups.make()
    assert.deepEqual([made.name, made.backup.number], [name, 2])
    assert.deepEqual(
      made.backup.previous,
      (await backups.open(made.name.replace('2.', '1.'))).digest,
    )
  })

  test('begins a new chain where its memory was put back', async (t) => {
    const { place, provider, state, backups, backup } = await stage(t)
    const before = state.contents()
    for (let i = 0; i < 3; i++) await backups.make()
    const made = await machine(provider, place, { state: memoryHsmState(before) }).backups.make()
    assert.equal(made.backup.number, 1)
    assert.notDeepEqual(made.backup.chain, backup.chain)
  })
})

test('the oldest go, but never the last that holds a key which nobody destroyed', async (t) => {
  const { provider, place, keys, state } = await stage(t)
  const { backups } = machine(provider, place, { state, kept: 2 })
  await provider.destroy(keys.p256.id, { label: 'release' })
  await provider.destroy(keys.mac.id, { label: 'pepper' })
  await putDestroyed(state, 'primary', keys.mac.id)
  for (let i = 0; i < 4; i++) await backups.make()
  const numbers = async () => (await backups.list()).map(({ number }) => number)
  assert.deepEqual(await numbers(), [1, 4, 5], 'the P-256 key is in the first alone')
  await putDestroyed(state, 'primary', keys.p256.id)
  await backups.make()
  assert.deepEqual(await numbers(), [5, 6])
})

test('a device that holds another key under an id of the backup is left as it is', async (t) => {
  const { shares, place, keys } = await stage(t)
  const other = await spare(t, shares, place)
  await other.provider.generateKey({ label: 'mine', algorithm: 'p256', id: keys.p256.id })
  await assert.rejects(other.backups.restore(), isCode('hsm/key-exists'))
  assert.equal((await other.provider.list()).length, 3)
})

test('keys of one environment never get into another', async (t) => {
  const { shares, place } = await stage(t)
  const provider = await openSoftwareIn(scratch(t))
  await joinBackupKeys(provider, shares)
  const production = machine(provider, place, { environment: 'production' })
  await assert.rejects(production.backups.restore(), isCode('hsm/backup-environment'))
})

test('a key that somebody put under the id of the backup key goes before it is joined', async (t) => {
  const { provider, shares } = await stage(t)
  const { kek } = await findBackupKeys(provider)
  const trap = await openIn(scratch(t))
  await trap.makeWrappingKey({ id: kek, label: 'quorate-backup-kek' }, new Uint8Array(32).fill(1))
  await joinBackupKeys(trap, shares)
  const key = await provider.generateWrappableKey({ label: 'k', algorithm: 'p256' })
  const wrapped = await provider.wrapKey(kek, key.id)
  const moved = await trap.unwrapKey(kek, wrapped, { label: 'k', algorithm: 'p256' })
  assert.deepEqual(moved.publicKey, key.publicKey)
})

test('a backup key that could leave is none', async (t) => {
  const provider = await openSoftwareIn(scratch(t))
  await provider.generateWrappableKey({ label: 'quorate-backup-kek', algorithm: 'aes-256' })
  await provider.generateKey({ label: 'quorate-backup-mac', algorithm: 'hmac-sha256' })
  await assert.rejects(findBackupKeys(provider), isCode('hsm/weak-key'))
})

test('a drill says which key is not what the backup says, and leaves nothing behind', async (t) => {
  const { provider, keys, backups, place, name } = await stage(t)
  // The device says that it made another key than it wrapped: a damaged store, or a lie.
  const other = await provider.generateWrappableKey({ label: 'other', algorithm: 'p256' })
  const { kek } = await findBackupKeys(provider)
  const wrong = await provider.wrapKey(kek, other.id)
  const { backup } = await backups.open()
  const broken = backup.keys.map((key) =>
    key.id === keys.p256.id ? { ...key, wrapped: wrong } : key,
  )
  const found = await findBackupKeys(provider)
  const { file } = await sealBackup(provider, found, { ...backup, keys: broken })
  await place.put(name, file)
  const before = await provider.list()
  await assert.rejects(backups.drill(name), isCode('hsm/drill-failed'))
  assert.deepEqual(await provider.list(), before)
})
