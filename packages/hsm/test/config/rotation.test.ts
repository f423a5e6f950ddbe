import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { isFault } from '@quorate/base'
import { HSM_SETTINGS, resolveHsm, rotationConfig, rotationConfigOf } from '@quorate/hsm'
import { loadConfig } from '@quorate/platform'
import { isCode, openIn, scratch } from '../kit.ts'

async function resolved(t: TestContext, section: string, takesCustody: boolean) {
  const directory = scratch(t)
  await (await openIn(directory)).close()
  const file = join(directory, 'hsm.yaml')
  writeFileSync(file, `type: simulated\ndirectory: ${directory}\n${section}`)
  const settings = loadConfig(HSM_SETTINGS, { flags: { 'hsm.file': file }, env: {} })
  return resolveHsm(settings, { environment: 'development', env: {}, takesCustody })
}

describe('a section of rotation', () => {
  const spelled = [
    'rotation:\n  intervalDays: 90\n  overlapDays: 7\n  rotationTime: "03:15:00"\n  timeZone: Asia/Tokyo\n  backupEnabled: true\n  backupLocation: s3://keys/hsm\n',
    'rotation:\n  interval_days: 90\n  overlap_days: 7\n  rotation_time: "03:15:00"\n  time_zone: Asia/Tokyo\n  backup_enabled: true\n  backup_location: s3://keys/hsm\n',
    'intervalDays: 90\noverlapDays: 7\nrotationTime: "03:15:00"\ntimeZone: Asia/Tokyo\nbackupEnabled: true\nbackupLocation: s3://keys/hsm\n',
  ]
  for (const [i, section] of spelled.entries())
    test(`is read in its spelling ${i + 1}`, async (t) => {
      const config = rotationConfigOf((await resolved(t, section, true)).sections)
      assert.deepEqual(config, {
        isEnabled: true,
        schedule: {
          intervalDays: 90,
          timeOfDay: { hours: 3, minutes: 15, seconds: 0 },
          timeZone: 'Asia/Tokyo',
        },
        overlapDays: 7,
        roles: [],
        consumers: [],
        oldKeys: 'deactivate',
        isBackupEnabled: true,
        backupLocation: 's3://keys/hsm',
        backupsKept: 10,
      })
    })

  test('has the defaults that are documented, and none is none', async (t) => {
    const { isEnabled, schedule, overlapDays } = rotationConfigOf(
      (await resolved(t, 'rotation: { enabled: true }\n', true)).sections,
    )
    assert.deepEqual(
      [isEnabled, schedule.intervalDays, overlapDays, schedule.timeZone, schedule.timeOfDay],
      [true, 30, 2, 'UTC', { hours: 0, minutes: 0, seconds: 0 }],
    )
    assert.equal(rotationConfigOf((await resolved(t, '', true)).sections).isEnabled, false)
    const off = 'rotation:\n  enabled: false\n  intervalDays: 3\n'
    assert.equal(rotationConfigOf((await resolved(t, off, true)).sections).isEnabled, false)
  })

  test('is refused by a program that rotates nothing, unless it is switched off', async (t) => {
    await assert.rejects(resolved(t, 'rotation:\n  intervalDays: 30\n', false), (error) => {
      assert.ok(isFault(error, 'hsm/not-yet-supported'))
      assert.match(error.message, /rotation\.intervalDays \(.*hsm\.yaml:4\)/)
      return true
    })
    await resolved(t, 'rotation:\n  enabled: false\n  intervalDays: 30\n', false)
  })
})

const WRONG = [
  { intervalDays: 0 },
  { intervalDays: 3651 },
  { intervalDays: 1.5 },
  { overlapDays: 30 },
  { overlapDays: -1 },
  { rotationTime: '25:00:00' },
  { timeZone: 'Mars/Olympus' },
  { backupEnabled: true },
  { backupsKept: 0, backupLocation: '/x' },
  { roles: ['Not A Role'] },
  { consumers: ['a b'] },
] as const
for (const values of WRONG)
  test(`${JSON.stringify(values)} is refused`, () => {
    assert.throws(() => rotationConfig(values), isCode('hsm/bad-config'))
  })
