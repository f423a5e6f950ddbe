/**
 * The control socket of `hsm watch`: acts of operators while the watcher holds the state, one POST route
 * each. Nothing but the permissions of files says who may: the socket has mode 0600 and lies in the
 * directory of the state, which has mode 0700, so that it is the same user, who could change the state
 * itself if the watcher did not run. A path too long for a socket is refused at the start.
 */
import { join } from 'node:path'
import {
  type Address,
  createHttp,
  createLogger,
  type HttpRoute,
  type HttpServer,
  streamSink,
  systemClock,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { type Act, type OnRotations, type OnState, ROTATION_ACTS, STATE_ACTS } from './hsm-acts.ts'

/** Where the socket lies in the directory of a state. */
export const controlSocket = (directory: string): string => join(directory, 'watch.sock')

/** The path of the route that carries out the act of that name. */
export const actPath = (name: string): string => `/api/v1/${name}`

type On = OnState & OnRotations

/** Takes acts on what `on` has, until it is closed. @throws platform/port-taken, platform/cannot-listen */
export function serveActs(directory: string, on: On): Promise<HttpServer> {
  const acts: readonly (readonly [string, Act<On, unknown>])[] = Object.entries({
    ...STATE_ACTS,
    ...ROTATION_ACTS,
  })
  return serveLocally(
    { path: controlSocket(directory) },
    acts.map(([name, act]) => ({
      method: 'POST',
      path: actPath(name),
      schema: { body: act.input },
      isPublic: true,
      handle: async ({ body }) => ({ body: await act.carryOut(on, body) }),
    })),
  )
}

/** Serves routes that are public for whoever reaches the address, and logs troubles of its own to stderr. @throws platform/port-taken, platform/cannot-listen */
export const serveLocally = (
  address: Address,
  routes: readonly (HttpRoute<undefined> & { readonly isPublic: true })[],
): Promise<HttpServer> =>
  createHttp<undefined>({
    address,
    routes,
    authenticate: () => undefined,
    logger: createLogger({
      level: 'warn',
      format: 'json',
      sink: streamSink(process.stderr),
      clock: systemClock,
    }),
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
  })
