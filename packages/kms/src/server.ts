/** The KMS as a server: the store, the domains, the HTTP API on a port and a unix socket, jobs and sinks. */
import { Fault, isFault, type Logger } from '@quorate/base'
import { HsmMonitor } from '@quorate/hsm'
import {
  createHttp,
  type HttpRoute,
  type HttpServer,
  type HttpTls,
  hardenProcess,
  steadyHeap,
  systemClock,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { openSinks } from './audit/sinks.ts'
import { admitDevices } from './barrier/rotation.ts'
import type { KmsConfig } from './config.ts'
import type { KmsModule } from './context.ts'
import { gated } from './domains/access/gate.ts'
import type { AccessDomain } from './domains/access/module.ts'
import type { Principal } from './domains/access/port.ts'
import type { KmsRoute } from './domains/access/route.ts'
import { retryAfterOf } from './domains/access/throttle.ts'
import type { SecretsModule } from './domains/secrets/module.ts'
import { makeDomains } from './domains.ts'
import { housekeeping } from './jobs/housekeeping.ts'
import { Rekey } from './jobs/rekey.ts'
import { JobRunner } from './jobs/runner.ts'
import { Kms } from './kms.ts'
import { metricsOf } from './metrics.ts'
import { serverRoutes } from './routes.ts'
import { serverLeaf } from './tls.ts'

export type RunningKms = {
  readonly kms: Kms
  readonly access: AccessDomain
  readonly secrets: SecretsModule
  /** Every route, for the document of the API and for the tests that walk them. */
  readonly routes: readonly KmsRoute[]
  readonly port: number
  readonly socketPath: string
  /** SHA-256 of the certificate in hex, where the port speaks TLS: clients pin it. */
  readonly fingerprint: string | undefined
  stop(): Promise<void>
}

/** Starts the server. @throws what `Kms.open` and `createHttp` throw */
export async function startKms(config: KmsConfig, logger: Logger): Promise<RunningKms> {
  steadyHeap()
  for (const { what, detail } of hardenProcess())
    logger.log('warn', 'process.open', { what, detail })
  for (const note of config.notes) logger.log('warn', 'config.unused', { note })
  if (config.environment === 'development')
    logger.log('warn', 'kms.development', {
      note: 'DEVELOPMENT: the keys lie beside the data. Nothing here is protected; keep no real secret in it.',
    })
  const undo: (() => unknown)[] = []
  const stop = async (): Promise<void> => {
    for (const each of undo.splice(0).reverse()) await each()
  }
  try {
    return await start(config, logger, undo, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  config: KmsConfig,
  logger: Logger,
  undo: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<RunningKms> {
  const domains = makeDomains(config)
  const kms = await Kms.open({
    config,
    clock: systemClock,
    random: systemRandom,
    logger,
    modules: domains.modules,
  })
  undo.push(() => kms.close())
  const { access, secrets } = domains.made()
  const sinks = openSinks(config.sinks, logger)
  for (const sink of sinks) {
    kms.onWritten((group) => sink.accept(group))
    kms.addGate(() => sink.check())
    undo.push(() => sink.close())
  }
  if (!kms.isSealed) await admitDevices(kms)
  const rekey = new Rekey(
    kms,
    kms.modules.flatMap(({ tables = [] }: KmsModule) => tables),
  )
  const runner = new JobRunner(
    [...housekeeping(kms), rekey.job, ...kms.modules.flatMap(({ jobs = [] }) => jobs)],
    { timers: systemTimers, logger, isSealed: () => kms.isSealed },
  )
  const monitors: HsmMonitor[] = []
  for (const [i, device] of kms.devices.entries()) {
    const name = i === 0 ? config.hsm.config.type : 'second'
    const ports = { clock: systemClock, timers: systemTimers, logger }
    const monitor = await HsmMonitor.start(device, name, ports)
    monitors.push(monitor)
    undo.push(() => monitor.stop())
  }
  const servers: HttpServer[] = []
  const metrics = metricsOf({
    kms,
    sinks,
    monitors,
    jobs: () => runner.figures,
    internalErrors: () => servers.reduce((sum, { internalErrors }) => sum + internalErrors, 0),
  })
  const routes = serverRoutes(kms, rekey, metrics)
  const leaf = config.http.isTls ? await serverLeaf(config.directory) : undefined
  const serve = async (
    address: Parameters<typeof createHttp>[0]['address'],
    tls?: HttpTls,
  ): Promise<HttpServer> => {
    const server = await createHttp<Principal>({
      address,
      routes: routes.map((route): HttpRoute<Principal> => gated(route, access.access)),
      authenticate: (request) => {
        if (kms.isSealed) throw new Fault('kms/sealed')
        return access.access.authenticate(request)
      },
      hosts: ['localhost', ...config.http.hosts, ...hostOf(config.siteUrl)],
      ...(tls !== undefined && { tls }),
      challenge: 'Bearer',
      retryAfter: (error) => (isFault(error) ? retryAfterOf(error) : undefined),
      requestLevel: 'debug',
      logger,
      clock: systemClock,
      random: systemRandom,
      timers: systemTimers,
    })
    servers.push(server)
    undo.push(() => server.close())
    return server
  }
  const { socketPath } = config.http
  await serve({ path: socketPath })
  const { address } = await serve(config.http.address, leaf?.tls)
  runner.start()
  undo.push(() => runner.stop())
  const port = 'port' in address ? address.port : 0
  logger.log('info', 'kms.started', {
    environment: config.environment,
    database: kms.sql.driver,
    sealed: kms.isSealed,
    port,
    socket: socketPath,
    ...(leaf !== undefined && { fingerprint: leaf.fingerprint }),
    ...(!kms.isSealed &&
      !kms.checkpoints.isRollbackDetectable && {
        rollback: 'not detectable: set anchor.file to a place outside the data directory',
      }),
  })
  return {
    kms,
    access,
    secrets,
    routes,
    port,
    socketPath,
    fingerprint: leaf?.fingerprint,
    stop,
  }
}

const hostOf = (url: string | undefined): readonly string[] =>
  url === undefined ? [] : [new URL(url).host]
