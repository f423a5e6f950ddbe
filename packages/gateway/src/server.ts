/**
 * The gateway: a stateless client of a cluster for programs that were written for another one. It
 * holds the keys of its client entries and nothing else; policy is the nodes' to apply, and what they
 * answer is verified here before it is passed on.
 */
import {
  Places,
  type PolicyChoice,
  PROBLEM_CONTENT_TYPE,
  TokenBuckets,
  toProblem,
} from '@quorate/api'
import type { AcceptedRecord } from '@quorate/auth'
import { Fault, type Logger } from '@quorate/base'
import {
  addressText,
  createHttp,
  type HttpAnswer,
  type HttpRequest,
  type HttpRoute,
  parseTraceparent,
  systemClock,
  systemRandom,
  systemTimers,
  traceparent,
} from '@quorate/platform'
import { type Credential, type Endpoint, QuorateClient } from '@quorate/sdk'
import { Bridge, type BridgeCall } from './bridge/bridge.ts'
import { keygenSchema, readKeygen, readSign, signSchema, walletParams } from './bridge/shapes.ts'
import { LabelledWallets } from './bridge/wallets.ts'
import { type Caller, callerOf } from './callers.ts'
import { checkListen, type GatewayConfig, isLoopback } from './config.ts'
import type { GrantFor } from './grants.ts'

export type GatewayOptions = {
  readonly config: GatewayConfig
  /** The record in force of the cluster that it serves. */
  readonly cluster: AcceptedRecord
  readonly credentials: readonly Credential[]
  readonly callers: readonly Caller[]
  readonly policy: PolicyChoice
  readonly grantFor: GrantFor
  readonly logger: Logger
}

export type RunningGateway = {
  /** `HOST:PORT` that it listens at. */
  readonly address: string
  readonly port: number
  stop(): Promise<void>
}

/** Larger than any request of the bridge. */
const MAX_BODY_BYTES = 16 * 1024
/** For how long one look at the nodes serves all who ask. */
const HEALTH_MS = 2_000

/**
 * Refuses what must not run. @throws gateway/other-environment, gateway/no-tokens, gateway/too-few-nodes,
 * gateway/loopback-only, gateway/plain-http
 */
export function checkGateway(
  options: Pick<GatewayOptions, 'config' | 'cluster' | 'callers'>,
): void {
  const { config, cluster, callers } = options
  const { environment, nodes } = cluster.record
  checkListen(config)
  if (config.environment !== environment)
    throw new Fault('gateway/other-environment', { detail: `the cluster is of ${environment}` })
  if (callers.length === 0 && !isOpen(config)) throw new Fault('gateway/no-tokens')
  if (config.environment !== 'development' && config.nodes.length < majorityOf(nodes.length))
    throw new Fault('gateway/too-few-nodes', {
      detail: `${config.nodes.length}, a majority is ${majorityOf(nodes.length)}`,
    })
}

const majorityOf = (size: number): number => Math.floor(size / 2) + 1

/** Whether callers without a token are served: on loopback, in development. */
const isOpen = (config: GatewayConfig): boolean =>
  config.environment === 'development' && isLoopback(config)

/** Serves until stopped. @throws those of `checkGateway`, sdk/no-credential, platform/port-taken, platform/cannot-listen */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  checkGateway(options)
  const { config, cluster, credentials, callers, logger } = options
  const clientOf = (endpoints: readonly [Endpoint, ...Endpoint[]]): QuorateClient =>
    new QuorateClient({ endpoints, cluster, credentials })
  const [first, ...others] = config.nodes
  if (first === undefined) throw new Fault('gateway/too-few-nodes', { detail: 'none' })
  const client = clientOf([first, ...others])
  // Said at start, and not at the first call.
  for (const call of ['createWallet', 'signTransaction'] as const) client.node.credentialFor(call)
  const each = config.nodes.map((endpoint) => clientOf([endpoint]))
  const need = Math.min(each.length, majorityOf(cluster.record.nodes.length))
  const bridge = new Bridge({ ...options, client, wallets: new LabelledWallets(each, need) })
  const server = await createHttp<string>({
    address: config.listen,
    hosts: config.listen.names,
    routes: routesOf(bridge, options, healthOf(each)),
    authenticate: ({ header }) => callerOf(header, callers, isOpen(config)),
    logger,
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    limits: { bodyBytes: MAX_BODY_BYTES },
  })
  const { address } = server
  logger.log('info', 'gateway.started', { address: addressText(address) })
  return {
    address: addressText(address),
    port: 'port' in address ? address.port : 0,
    stop: () => server.close(),
  }
}

function routesOf(
  bridge: Bridge,
  { config: { limits } }: GatewayOptions,
  health: () => Promise<HttpAnswer>,
): readonly HttpRoute<string>[] {
  const buckets = new TokenBuckets(limits, systemClock)
  const places = new Places(limits.maxConcurrent)
  const limited =
    (answer: (request: HttpRequest<string>) => Promise<object>): HttpRoute<string>['handle'] =>
    async (request) => {
      const waitMs = buckets.take(request.principal!)
      if (waitMs > 0) return tooMany(request.id, waitMs)
      const leave = places.take('')
      if (leave === undefined) throw new Fault('gateway/overloaded')
      try {
        return { body: await answer(request) }
      } finally {
        leave()
      }
    }
  return [
    { method: 'GET', path: '/health', isPublic: true, handle: health },
    {
      method: 'POST',
      path: '/keygen',
      schema: { body: keygenSchema },
      handle: limited((request) => bridge.keygen(readKeygen(request.body), callOf(request))),
    },
    {
      method: 'POST',
      path: '/sign',
      schema: { body: signSchema },
      handle: limited((request) => bridge.sign(readSign(request.body), callOf(request))),
    },
    {
      method: 'GET',
      path: '/pubkey/{walletID}',
      schema: { params: walletParams },
      handle: limited(({ params, signal }) =>
        bridge.pubkey((params as { readonly walletID: string }).walletID, signal),
      ),
    },
  ]
}

/** The nodes are told only of a span that is one. */
function callOf({ header, signal }: HttpRequest<string>): BridgeCall {
  const span = parseTraceparent(header('traceparent'))
  return { signal, traceparent: span && traceparent(span) }
}

/** The problem with the time after which it is worth another try. */
const tooMany = (requestId: string, waitMs: number): HttpAnswer => ({
  status: 429,
  headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) },
  text: {
    type: PROBLEM_CONTENT_TYPE,
    content: JSON.stringify(toProblem(new Fault('gateway/rate-limited'), requestId)),
  },
})

/** Whether any node serves; asked of the nodes at most every `HEALTH_MS`, however many ask here. */
function healthOf(nodes: readonly QuorateClient[]): () => Promise<HttpAnswer> {
  let last: { readonly time: number; readonly answer: Promise<HttpAnswer> } | undefined
  const ask = async (): Promise<HttpAnswer> => {
    const seen = await Promise.allSettled(nodes.map(({ node }) => node.call('getHealth', {})))
    const up = seen.filter(({ status }) => status === 'fulfilled').length
    return up > 0
      ? { body: { status: 'ok', nodes: up } }
      : { status: 503, headers: { 'retry-after': '1' }, body: { status: 'unavailable', nodes: 0 } }
  }
  return () => {
    const time = systemClock.monotonic()
    if (last === undefined || time - last.time >= HEALTH_MS) last = { time, answer: ask() }
    return last.answer
  }
}
