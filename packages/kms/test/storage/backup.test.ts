import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { combineMnemonics } from '@quorate/math'
import { systemClock, systemRandom } from '@quorate/platform'
import { backUp } from '#src/barrier/backup.js'
import { recoveryParams, recoveryRecipient } from '#src/barrier/recipients.js'
import { addQuorum } from '#src/barrier/rotation.js'
import type { MakeModule } from '#src/kms.js'
import { acceptRollback, inspectBackup, restoreBackup } from '#src/storage/restore.js'
import { openTestKms } from '#src/testing/index.js'
import { scratch } from '../scratch.js'

const faultIs = (code: string) => (error: unknown) => isFault(error) && error.code === code
const PROJECT = 'prj_00000000000000000000000001'
const place = { project: PROJECT, table: 't', row: 'r', version: 1, column: 'value' }

test('a backup opens for its quorum alone; the restored store waits until the quorum accepts it', async (t) => {
  const [from, to] = [scratch(t), join(scratch(t), 'restored')]
  const kms = await openTestKms({ directory: from })
  await assert.rejects(backUp(kms, 'early', 'system'), faultIs('kms/no-recovery'))
  const { shares } = await addQuorum(
    kms,
    { groupThreshold: 1, groups: [{ threshold: 2, members: 3 }] },
    'system',
  )
  await kms.barrier.project(PROJECT)
  const blob = kms.barrier.seal(place, utf8('kept'))
  const { path, checkpoint, rows } = await backUp(kms, 'first', 'system')
  assert.ok(rows > 5)
  await assert.rejects(backUp(kms, 'first', 'system'), faultIs('platform/file-unreadable'))
  await kms.close()

  const secret = combineMnemonics(shares[0]!.slice(0, 2))
  const quorum = recoveryRecipient(recoveryParams(secret), systemRandom, secret)
  const other = systemRandom.bytes(32)
  const base = {
    backup: path,
    databaseUri: undefined,
    clock: systemClock,
    random: systemRandom,
  }
  await assert.rejects(
    restoreBackup({
      ...base,
      directory: scratch(t),
      recipients: [recoveryRecipient(recoveryParams(other), systemRandom, other)],
    }),
    faultIs('kms/no-recipient'),
  )
  const content = readFileSync(path)
  for (const forged of [
    content.subarray(0, content.length - 5),
    content.subarray(0, content.length - 43),
    content.with(content.length - 10, content.at(-10)! ^ 1),
    Buffer.from('nonsense'),
  ]) {
    const file = join(scratch(t), 'forged')
    writeFileSync(file, forged)
    await assert.rejects(
      restoreBackup({ ...base, backup: file, directory: scratch(t), recipients: [quorum] }),
      faultIs('kms/backup-unreadable'),
    )
  }

  const look = await inspectBackup(path, [quorum])
  assert.deepEqual(
    [look.checkpoint, look.rows, look.openedBy, look.environment],
    [checkpoint, rows, quorum.id, 'development'],
  )
  const others = combineMnemonics(shares[0]!.slice(1))
  const rollback = await restoreBackup({
    ...base,
    directory: to,
    recipients: [recoveryRecipient(recoveryParams(others), systemRandom, others)],
  })
  assert.equal(rollback.seq, checkpoint)
  await assert.rejects(
    restoreBackup({ ...base, directory: to, recipients: [quorum] }),
    faultIs('kms/not-empty'),
  )
  const ended: string[] = []
  const module: MakeModule = () => ({
    restored: async () => void ended.push('restored'),
    unsealed: async () => void ended.push('unsealed'),
  })
  const restored = await openTestKms({ directory: to, modules: [module] })
  assert.ok(restored.isSealed)
  await assert.rejects(restored.unsealWith([quorum]), faultIs('kms/restore-pending'))
  await assert.rejects(
    acceptRollback(restored.sql, secret, checkpoint - 1),
    faultIs('kms/restore-pending'),
  )
  await acceptRollback(restored.sql, other, checkpoint)
  await assert.rejects(restored.unsealWith([quorum]), faultIs('kms/restore-pending'))
  await acceptRollback(restored.sql, secret, checkpoint)
  assert.ok(await restored.unsealWith([quorum]))
  assert.deepEqual(ended, ['restored', 'unsealed'])
  await restored.barrier.project(PROJECT)
  assert.equal(Buffer.from(restored.barrier.open(place, blob)).toString(), 'kept')
  await restored.close()
  const again = await openTestKms({ directory: to, modules: [module] })
  assert.ok(again.isSealed, 'its HSM is another one')
  assert.ok(await again.unsealWith([quorum]))
  assert.deepEqual(ended, ['restored', 'unsealed', 'unsealed'])
  await again.close()
})
