/** hsm rotate status, schedule, now, run and accept: the keys of roles and when they are replaced. */
import { Fault } from '@quorate/base'
import {
  nextRotation,
  openKeyRoles,
  type RotationConfig,
  type RotationStatus,
  rotationConfigOf,
  rotationStatus,
} from '@quorate/hsm'
import type { Given, Run } from '../command.ts'
import { confirmed } from '../confirming.ts'
import { isEnvironment } from '../environment.ts'
import { actOnRotations } from '../hsm-acting.ts'
import { askedOf, describedDevice } from '../hsm-device.ts'
import { withRotations } from '../hsm-rotations.ts'
import { rotationsShown, timeOf } from '../hsm-shown.ts'
import { withStateRead } from '../hsm-state-copy.ts'
import type { Output } from '../output.ts'

const show = (output: Output, config: RotationConfig, all: readonly RotationStatus[]): void => {
  const { json, lines } = rotationsShown(config, all)
  output.result(json, () => lines)
}

/** What is written down, without a look at the device. */
function withStatus(
  given: Given,
  use: (config: RotationConfig, all: readonly RotationStatus[]) => void,
): Promise<void> {
  const environment = given.text('environment') ?? 'development'
  if (!isEnvironment(environment))
    throw new Fault('cli/bad-value', {
      detail: '--environment takes development, staging or production',
    })
  const device = describedDevice(askedOf(given), { environment, takesCustody: true })
  device.pin?.[Symbol.dispose]()
  const config = rotationConfigOf(device.sections)
  return withStateRead(given, async (state) => {
    use(config, rotationStatus({ config, state, roles: openKeyRoles(state), consumers: [] }))
  })
}

export const status: Run = (given, output) =>
  withStatus(given, (config, all) => show(output, config, all))

export const schedule: Run = (given, output) => {
  const count = given.integer('count', 1, 100) ?? 5
  return withStatus(given, (config, all) => {
    const items = all.map(({ role, dueAt }) => {
      const times = [dueAt]
      // Each counts from when the one before is over, which is never before it is due.
      while (times.length < count) times.push(nextRotation(config.schedule, times.at(-1) ?? dueAt))
      return { role, times: times.map(timeOf) }
    })
    const { intervalDays, timeZone } = config.schedule
    output.result({ isEnabled: config.isEnabled, intervalDays, timeZone, items }, () =>
      items.flatMap(({ role, times }) => [role, ...times.map((each) => `  ${each}`)]),
    )
    if (!config.isEnabled)
      output.note('Nothing is rotated by time: the configuration has no section rotation.')
  })
}

export const now: Run = async (given, output) => {
  const role = given.required('role')
  const confirm = await confirmed(given, output, {
    word: role,
    about: `A new key will sign for ${role}, and nothing brings the old one back.`,
  })
  await actOnRotations(given, output, 'rotate/now', { role, confirm })
}

export const run: Run = (given, output) =>
  withRotations(given, output, async ({ rotations, config }) => {
    if (!config.isEnabled)
      throw new Fault('hsm/bad-config', { detail: 'the configuration has no section rotation' })
    output.progress('looking for what is due')
    await rotations.run()
    const all = rotations.status()
    show(output, config, all)
    if (all.some(({ trouble }) => trouble !== undefined)) throw new Fault('hsm/rotation-held-up')
  })

export const accept: Run = (given, output) =>
  actOnRotations(given, output, 'rotate/accept', {
    role: given.required('role'),
    consumer: given.required('consumer'),
    key: given.required('key'),
  })
