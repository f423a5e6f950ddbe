/** A custody of roles and its rotations, with all that watches over them, opened for one command. */
import { join } from 'node:path'
import {
  type HsmState,
  HsmWatch,
  monitoringConfigOf,
  type OpenRotations,
  openRotations,
} from '@quorate/hsm'
import {
  createLogger,
  streamSink,
  systemClock,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import type { Given } from './command.ts'
import { namedDevice, resolveDevice } from './hsm-open.ts'
import { withState } from './hsm-state.ts'
import { stateDirectory } from './hsm-state-options.ts'
import type { Output } from './output.ts'

export type WatchedRotations = OpenRotations & {
  readonly watch: HsmWatch
  readonly state: HsmState
}

/**
 * What `use` gives, with the rotations that the configuration describes. Everything is closed whatever
 * happens. @throws platform/directory-in-use before anybody is asked for a PIN, and what opening all that throws
 */
export async function withRotations<T>(
  given: Given,
  output: Output,
  use: (opened: WatchedRotations) => Promise<T>,
): Promise<T> {
  const logger = createLogger({
    level: 'warn',
    format: output.isJson ? 'json' : 'pretty',
    sink: streamSink(process.stderr),
    clock: systemClock,
  })
  return withState(given, async (state) => {
    const device = await resolveDevice(given, namedDevice(given))
    const ports = { state, clock: systemClock, timers: systemTimers, random: systemRandom, logger }
    const watch = await HsmWatch.open(monitoringConfigOf(device.sections), {
      ...ports,
      auditDirectory: join(stateDirectory(given), 'audit'),
    })
    try {
      const { environment } = device.config
      output.progress('opening the HSM')
      const { audit, events, notifier } = watch
      const opened = await openRotations(
        { device, environment, env: process.env },
        { ...ports, audit, events, notifier, watch },
      )
      try {
        return await use({ ...opened, watch, state })
      } finally {
        await opened.close()
      }
    } finally {
      await watch.close()
    }
  })
}
