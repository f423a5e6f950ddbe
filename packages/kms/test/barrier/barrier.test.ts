import assert from 'node:assert/strict'
import test from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { systemRandom } from '@quorate/platform'
import fc from 'fast-check'
import { headerOf, keyVersionOf } from '#src/barrier/blob.js'
import { storedRecipients } from '#src/barrier/instance.js'
import type { Place } from '#src/barrier/port.js'
import { addQuorum, removeRecipient, rotateInstance, rotateProject } from '#src/barrier/rotation.js'
import { openTestKms } from '#src/testing/index.js'
import { scratch } from '../scratch.js'

const PROJECT = 'prj_00000000000000000000000001'
const OTHER = 'prj_00000000000000000000000002'
const place: Place = { project: PROJECT, table: 't', row: 'row', version: 1, column: 'value' }
const closed = (error: unknown): boolean => isFault(error, 'kms/does-not-open')
const faultIs = (code: string) => (error: unknown) => isFault(error) && error.code === code

test('a value opens at its own place only, and any change of its bytes is found', async (t) => {
  const kms = await openTestKms({ directory: scratch(t) })
  const { barrier } = kms
  await Promise.all([barrier.project(PROJECT), barrier.project(OTHER)])
  const secret = utf8('canary-value')
  const blob = barrier.seal(place, secret)
  assert.deepEqual(new Uint8Array(barrier.open(place, blob)), secret)
  assert.notDeepEqual(barrier.seal(place, secret), blob, 'each seal has a nonce of its own')
  for (const wrong of [
    { project: OTHER },
    { table: 'u' },
    { row: 'row2' },
    { version: 2 },
    { column: 'comment' },
    // Parts that would look alike if they were joined without their lengths.
    { table: 'tr', row: 'ow' },
  ])
    assert.throws(() => barrier.open({ ...place, ...wrong }, blob), closed, JSON.stringify(wrong))
  for (let i = 0; i < blob.length; i++)
    assert.throws(() => barrier.open(place, blob.with(i, blob[i]! ^ 1)), closed, `byte ${i}`)
  for (const length of [0, 5, 33, blob.length - 1])
    assert.throws(() => barrier.open(place, blob.subarray(0, length)), closed)
  const second = await openTestKms({ directory: scratch(t) })
  await second.barrier.project(PROJECT)
  assert.throws(() => second.barrier.open(place, blob), closed, 'another store')
  await Promise.all([kms.close(), second.close()])
})

test('any bytes come back; the header says which key', async (t) => {
  const kms = await openTestKms({ directory: scratch(t) })
  await kms.barrier.project(PROJECT)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(), (bytes, version) => {
      const at = { ...place, version }
      const blob = kms.barrier.seal(at, bytes)
      assert.equal(keyVersionOf(blob), 1)
      assert.deepEqual(blob.subarray(0, 6), headerOf(1))
      assert.deepEqual(new Uint8Array(kms.barrier.open(at, blob)), bytes)
    }),
  )
  await kms.close()
})

test('blind indexes, audit hashes and peppers are the same after a restart, and differ by purpose', async (t) => {
  const directory = scratch(t)
  const values = async (): Promise<readonly string[]> => {
    const kms = await openTestKms({ directory })
    const { barrier } = kms
    await Promise.all([barrier.project(PROJECT), barrier.project(OTHER)])
    const all = [
      barrier.blindIndex(PROJECT, 'name', 'A'),
      barrier.blindIndex(PROJECT, 'name', 'B'),
      barrier.blindIndex(PROJECT, 'tag', 'A'),
      barrier.blindIndex(OTHER, 'name', 'A'),
      barrier.auditHash(PROJECT, 'name', utf8('A')),
      barrier.pepper('token', utf8('A')),
      barrier.pepper('client', utf8('A')),
    ].map((bytes) => Buffer.from(bytes).toString('hex'))
    await kms.close()
    return all
  }
  const first = await values()
  assert.equal(new Set(first).size, first.length)
  assert.deepEqual(await values(), first)
})

test('keys rotate at every level while values stay readable, and old keys are gone', async (t) => {
  const directory = scratch(t)
  const kms = await openTestKms({ directory })
  const { barrier } = kms
  await barrier.project(PROJECT)
  const blob = barrier.seal(place, utf8('old'))
  assert.equal(await rotateProject(kms, PROJECT, 'system'), 2)
  assert.equal(keyVersionOf(barrier.seal(place, utf8('new'))), 2)
  assert.equal(Buffer.from(barrier.open(place, blob)).toString(), 'old')
  assert.deepEqual(await rotateInstance(kms, 'system'), [])
  assert.equal(barrier.keyring.newestTerm, 2)
  const recipients = await storedRecipients(kms.sql)
  assert.ok(recipients.every(({ term }) => term === 2))
  assert.deepEqual(await kms.sql.read('SELECT DISTINCT term FROM project_key'), [{ term: 2 }])
  assert.equal(Buffer.from(barrier.open(place, blob)).toString(), 'old')
  await kms.close()
  const again = await openTestKms({ directory })
  await again.barrier.project(PROJECT)
  assert.equal(Buffer.from(again.barrier.open(place, blob)).toString(), 'old')
  await again.close()
})

test('a recovery quorum opens the store without its HSM, also after rotation; others do not', async (t) => {
  const { combineMnemonics } = await import('@quorate/math')
  const { recoveryParams, recoveryRecipient } = await import('#src/barrier/recipients.js')
  const kms = await openTestKms({ directory: scratch(t) })
  await kms.barrier.project(PROJECT)
  const blob = kms.barrier.seal(place, utf8('kept'))
  const shape = { groupThreshold: 1, groups: [{ threshold: 2, members: 3 }] }
  const { shares, recipient } = await addQuorum(kms, shape, 'system')
  await rotateInstance(kms, 'system')
  await kms.seal('system')
  assert.ok(kms.isSealed)
  assert.throws(() => kms.barrier.open(place, blob), faultIs('kms/sealed'))
  await assert.rejects(kms.context.journal.record({} as never), faultIs('kms/sealed'))
  await assert.rejects(kms.context.sql.read('SELECT 1'), faultIs('kms/sealed'))
  const withSecret = (secret: Uint8Array) =>
    kms.unsealWith([recoveryRecipient(recoveryParams(secret), systemRandom, secret)])
  assert.equal(await withSecret(systemRandom.bytes(32)), false)
  const secret = combineMnemonics([shares[0]![2]!, shares[0]![0]!])
  assert.equal(await withSecret(secret), true)
  await kms.barrier.project(PROJECT)
  assert.equal(Buffer.from(kms.barrier.open(place, blob)).toString(), 'kept')
  await removeRecipient(kms, recipient, 'system')
  await kms.seal('system')
  assert.equal(await withSecret(secret), false)
  assert.equal(await kms.unsealWith(kms.recipients), true)
  const [hsm] = kms.recipients
  await assert.rejects(removeRecipient(kms, hsm!.id, 'system'), faultIs('kms/last-recipient'))
  await kms.close()
})

test('the keys of a project that was destroyed open nothing again', async (t) => {
  const directory = scratch(t)
  const kms = await openTestKms({ directory })
  await kms.barrier.project(PROJECT)
  const blob = kms.barrier.seal(place, utf8('gone'))
  await kms.context.journal.commit({
    statements: [kms.barrier.forgetProject(PROJECT)],
    audit: [
      {
        actor: 'system',
        action: 'project.delete',
        resource: PROJECT,
        decision: 'none',
        outcome: 'done',
        fields: [],
      },
    ],
  })
  await kms.barrier.project(PROJECT)
  assert.throws(() => kms.barrier.open(place, blob), closed, 'a new key is another key')
  await kms.close()
})
