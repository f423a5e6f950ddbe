/** Takes the development cluster of a home up and down. */
import { existsSync, rmSync } from 'node:fs'
import net from 'node:net'
import { checkThreshold } from '@quorate/api'
import { Fault } from '@quorate/base'
import { ensurePrivateDirectory, openDataDirectory } from '@quorate/platform'
import { devCluster } from '../connection.ts'
import { createCluster } from './create.ts'
import { type Started, startDaemon, stopDaemon, waitForPeers } from './daemons.ts'
import type { GivenDevice } from './device.ts'
import { type Home, hasCluster, refuseLink, socketsOf } from './home.ts'
import { type DevNode, type DevState, isRunning, readState, writeState } from './state.ts'

export type UpOptions = {
  /** Of a new cluster; one that is there keeps its size. */
  readonly size: number | undefined
  readonly threshold: number | undefined
  /** Of node 1 on 127.0.0.1, the others have the next ones; null for unix sockets only. */
  readonly port: number | null
  /** The NATS server between the nodes; null for the mesh, the same as before unless given. */
  readonly nats?: string | null | undefined
  /** Asked for once, before nodes are made or started. Without one, each has a simulated HSM in its data. */
  readonly device?: () => Promise<GivenDevice | undefined>
}

export type UpResult = {
  readonly state: DevState
  readonly wasRunning: boolean
  readonly isNew: boolean
}

/**
 * Makes what is missing and starts what does not run.
 * @throws cli/other-size, platform/port-taken, platform/directory-mode, cli/node-failed, cli/start-timeout, …
 */
export async function takeUp(
  home: Home,
  options: UpOptions,
  onProgress: (text: string) => void,
): Promise<UpResult> {
  ensurePrivateDirectory(home.path)
  const lock = openDataDirectory(home.path)
  let device: GivenDevice | undefined
  try {
    const isNew = !hasCluster(home)
    if (isNew) {
      const size = options.size ?? 3
      checkThreshold({
        threshold: options.threshold ?? majority(size),
        parties: size,
        unsafeThreshold: true,
      })
      await refuseTakenPorts(portsOf(options.port, size))
      device = await options.device?.()
      await createCluster(home, size, device, onProgress)
    }
    const known = await devCluster(home)
    const size = known.cluster.record.nodes.length
    if (options.size !== undefined && options.size !== size)
      throw new Fault('cli/other-size', { detail: `${size}, not ${options.size}` })
    const before = readState(home)
    const threshold =
      options.threshold ?? (isNew || before.nodes.length === 0 ? majority(size) : before.threshold)
    checkThreshold({ threshold, parties: size, unsafeThreshold: true })
    const running = before.nodes.filter(isRunning)
    const nats = options.nats === undefined ? before.nats : (options.nats ?? undefined)
    const bus = nats === undefined ? {} : { nats }
    if (running.length > 0 && nats !== before.nats) throw new Fault('cli/still-running')
    if (running.length === size) {
      const state = { ...before, threshold }
      if (threshold !== before.threshold) await writeState(home, state)
      return { state, wasRunning: true, isNew }
    }
    const planned = plan(home, size, options.port, running)
    await refuseTakenPorts(
      planned.flatMap(({ pid, port }) => (pid === null && port !== null ? [port] : [])),
    )
    if (!isNew) device = await options.device?.()
    onProgress(`starting ${size - running.length} nodes`)
    const nodes = await startAll(home, planned, { v: 1, threshold, ...bus, nodes: planned }, device)
    const state: DevState = { v: 1, threshold, ...bus, nodes }
    await waitForPeers({ ...known, threshold }, nodes, onProgress)
    return { state, wasRunning: false, isNew }
  } finally {
    device?.pin?.[Symbol.dispose]()
    lock.release()
  }
}

const majority = (size: number): number => Math.floor(size / 2) + 1

function plan(
  home: Home,
  size: number,
  port: number | null,
  running: readonly DevNode[],
): readonly DevNode[] {
  const { directory, nodes } = socketsOf(home, size)
  if (directory !== undefined) {
    refuseLink(directory)
    ensurePrivateDirectory(directory)
  }
  return nodes.map(
    ({ api, mesh }, i): DevNode =>
      running.find(({ index }) => index === i + 1) ?? {
        index: i + 1,
        directory: home.node(i + 1),
        socket: api,
        mesh,
        port: port === null ? null : port + i,
        pid: null,
        signerPid: null,
      },
  )
}

/** Starts those that have no process yet, all at once; where one fails, stops the others again. */
async function startAll(
  home: Home,
  planned: readonly DevNode[],
  state: DevState,
  device: GivenDevice | undefined,
): Promise<readonly DevNode[]> {
  const started = await Promise.allSettled(
    planned.map(
      async (node): Promise<Started> =>
        node.pid === null ? startDaemon(node, state, device) : { node, release: () => {} },
    ),
  )
  const ready = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const failed = started.find((each) => each.status === 'rejected')
  if (failed === undefined) {
    const nodes = ready.map(({ node }) => node)
    await writeState(home, { ...state, nodes })
    for (const { release } of ready) release()
    return nodes
  }
  const isMine = ({ node }: Started): boolean => planned[node.index - 1]?.pid === null
  await Promise.all(ready.filter(isMine).map(({ node }) => stopDaemon(node)))
  throw failed.reason
}

const portsOf = (first: number | null, size: number): readonly number[] =>
  first === null ? [] : Array.from({ length: size }, (_, i) => first + i)

/** Before anything starts: a port that another program has is said at once, with its number. */
async function refuseTakenPorts(ports: readonly number[]): Promise<void> {
  for (const port of ports)
    if (await isTaken(port))
      throw new Fault('platform/port-taken', {
        detail: `127.0.0.1:${port}; quorate up --port ${port + 100} uses others`,
      })
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE'))
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () =>
      probe.close(() => resolve(false)),
    )
  })
}

/** Stops every node that runs; returns how many did. @throws cli/no-cluster */
export async function takeDown(home: Home): Promise<number> {
  const state = readState(home)
  const running = state.nodes.filter(isRunning)
  await Promise.all(running.map(stopDaemon))
  await writeState(home, {
    ...state,
    nodes: state.nodes.map((node) => ({ ...node, pid: null, signerPid: null })),
  })
  return running.length
}

/** Removes the cluster with all its keys. @throws cli/no-cluster, cli/still-running */
export function removeCluster(home: Home): void {
  const { nodes } = readState(home)
  if (nodes.some(isRunning)) throw new Fault('cli/still-running')
  const { directory } = socketsOf(home, Math.max(nodes.length, 1))
  if (directory !== undefined && existsSync(directory))
    rmSync(directory, { recursive: true, force: true })
  rmSync(home.dev, { recursive: true, force: true })
}
