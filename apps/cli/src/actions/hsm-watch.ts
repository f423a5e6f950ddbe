/** hsm watch: looks after the devices of a configuration, and rotates keys in time, until it is ended. */
import type { HsmEvent, HsmWatch, RoleCustody } from '@quorate/hsm'
import {
  addressText,
  type HttpServer,
  hardenProcess,
  METRICS_CONTENT_TYPE,
  Registry,
} from '@quorate/platform'
import type { Run } from '../command.ts'
import { serveActs, serveLocally } from '../hsm-control.ts'
import { withRotations } from '../hsm-rotations.ts'
import { stateDirectory } from '../hsm-state-options.ts'

const DEFAULT_PORT = 9464

export const run: Run = (given, output) =>
  withRotations(given, output, async ({ custody, rotations, config, watch, state }) => {
    hardenProcess()
    const stopped = new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve).once('SIGINT', resolve)
    })
    const port = given.integer('port', 0, 65_535) ?? DEFAULT_PORT
    const tell = watch.events.on((event) => output.note(described(event)))
    const registry = new Registry('quorate_')
    const forget = watch.addMetrics(registry)
    const { locks } = custody
    const { alerts } = watch
    // First: operators may have to act while a device keeps the rest waiting.
    const control = await serveActs(stateDirectory(given), {
      state,
      locks,
      alerts,
      rotations,
      config,
    })
    let figures: HttpServer | undefined
    try {
      const devices = await openAll(custody)
      figures = await serveFigures(port, watch, registry)
      if (config.isEnabled) rotations.start()
      const metrics = `http://${addressText(figures.address)}/metrics`
      const socket = addressText(control.address)
      const { pid } = process
      output.result({ devices, rotates: config.isEnabled, metrics, socket, pid }, () => [
        ...devices.map(({ name, failure }) => `${name}: ${failure ?? 'open'}`),
        `Keys are ${config.isEnabled ? '' : 'not '}rotated by time. Figures at ${metrics}; Ctrl-C stops it.`,
        `Meanwhile it does what hsm lock, unlock, alerts, rotate and failover ask, over ${socket}.`,
      ])
      await stopped
    } finally {
      await Promise.all([control.close(), figures?.close()])
      forget()
      tell()
    }
  })

type Opened = { readonly name: string; readonly failure?: string }

/** A device is watched from when it is opened; one that cannot be now is probed until it can. */
const openAll = (custody: RoleCustody): Promise<readonly Opened[]> =>
  Promise.all(
    custody.status.slots.map(async ({ name }): Promise<Opened> => {
      try {
        await custody.failover.providerOf(name)
        return { name }
      } catch (error) {
        return { name, failure: error instanceof Error ? error.message : 'it cannot be opened' }
      }
    }),
  )

const serveFigures = (port: number, watch: HsmWatch, registry: Registry): Promise<HttpServer> =>
  serveLocally({ host: '127.0.0.1', port }, [
    {
      method: 'GET',
      path: '/health',
      isPublic: true,
      handle: () => Promise.resolve({ body: { status: 'ok' } }),
    },
    {
      method: 'GET',
      path: '/metrics',
      isPublic: true,
      handle: () =>
        Promise.resolve({
          text: {
            type: METRICS_CONTENT_TYPE,
            content: watch.renderMetrics() + registry.render(),
          },
        }),
    },
  ])

/** `2026-…Z warning breaker.opened primary reason=hsm/unavailable`. */
function described({ time, severity, kind, component, ...facts }: HsmEvent): string {
  const more = Object.entries(facts).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return [new Date(time).toISOString(), severity, kind, component, ...more].join(' ')
}
