/** Starting and stopping the node processes of the development cluster. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Fault, isFault, isFaultCode, utf8, wipe } from '@quorate/base'
import { writeFileAtomic } from '@quorate/platform'
import { type Connection, connectionTo } from '../connection.ts'
import { type DevDevice, deviceLines, type GivenDevice } from './device.ts'
import { firstWord, letGo } from './leash.ts'
import { type DevNode, type DevState, isAlive, isRunning } from './state.ts'

const LAUNCHER = fileURLToPath(new URL('../../../bin/quorate.mjs', import.meta.url))

/** Variables that a daemon gets: settings come from its file alone, whatever the user has set. */
const PASSED =
  /^(PATH|HOME|TMPDIR|TZ|LANG|LC_.*|NODE_OPTIONS|NODE_V8_COVERAGE|QUORATE_FAILPOINTS|QUORATE_DEBUG)$/

const passedEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED.test(name)))

/** JSON text is YAML, too, and quotes whatever a path may hold. */
function configOf(node: DevNode, { nodes, nats }: DevState, device: DevDevice | undefined): string {
  const peers = nodes
    .filter(({ index }) => index !== node.index)
    .map(({ index, mesh }) => `    - ${JSON.stringify(`${index}=unix:${mesh}`)}`)
  return [
    '# Written by quorate up at every start.',
    'environment: development',
    `data: ${JSON.stringify(node.directory)}`,
    'http:',
    `  socket: ${JSON.stringify(node.socket)}`,
    ...(node.port === null ? [] : [`  port: ${node.port}`]),
    'mesh:',
    `  listen: ${JSON.stringify(`unix:${node.mesh}`)}`,
    ...(peers.length === 0 ? [] : ['  peers:', ...peers]),
    // All nodes share this machine: no minutes of computing for presignatures that nobody may need.
    'pool:',
    '  presignatures: 2',
    ...(nats === undefined ? [] : ['bus: nats', 'nats:', `  url: ${JSON.stringify(nats)}`]),
    ...(device === undefined ? [] : deviceLines(device, node.index, PIN_DESCRIPTOR)),
    '',
  ].join('\n')
}

/** After the three of every program and Node's own channel. */
const PIN_DESCRIPTOR = 4

/** What goes through the descriptor, where anything does. */
const pinFor = (given: GivenDevice | undefined): Uint8Array | undefined =>
  given?.device.pinFile === null ? given.pin?.expose().slice() : undefined

/** Wipes the PIN once it is on its way, and leaves nothing open that would keep this program. */
function givePin(pipe: Writable, pin: Uint8Array): void {
  // A daemon that ended at once has said why, or says nothing; either is seen elsewhere.
  pipe.on('error', () => undefined)
  pipe.end(pin, () => {
    wipe(pin)
    pipe.destroy()
  })
}

export type Started = {
  readonly node: DevNode
  /** Lets the daemon outlive this program; until then it ends with it. */
  release(): void
}

/**
 * Starts the daemon of `node`; resolves once it serves.
 * @throws the fault that it failed with; cli/node-failed where it ended without a word
 */
export async function startDaemon(
  node: DevNode,
  state: DevState,
  given: GivenDevice | undefined,
): Promise<Started> {
  const config = join(node.directory, 'quorate.yaml')
  writeFileAtomic(config, utf8(configOf(node, state, given?.device)))
  const log = openSync(join(node.directory, 'node.log'), 'a', 0o600)
  // A core dump would hold secrets; Node itself cannot forbid one.
  const command = ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, LAUNCHER]
  const pin = pinFor(given)
  const child = spawn('/bin/sh', [...command, 'node', 'start', '--json', '--config', config], {
    cwd: '/',
    detached: true,
    env: passedEnv(),
    stdio: ['ignore', log, log, 'ipc', pin === undefined ? 'ignore' : 'pipe'],
  })
  closeSync(log)
  if (pin !== undefined) givePin(child.stdio[PIN_DESCRIPTOR] as Writable, pin)
  const report = await firstWord(child)
  if (report?.kind === 'ready')
    return {
      node: { ...node, pid: report.pid, signerPid: report.signerPid },
      release: () => letGo(child),
    }
  letGo(child)
  if (report?.kind === 'failed' && isFaultCode(report.code))
    throw new Fault(report.code, {
      detail: [`node ${node.index}`, report.detail ?? ''].filter(Boolean).join(': '),
    })
  throw new Fault('cli/node-failed', { detail: `node ${node.index}` })
}

const STOP_MS = 8_000
const POLL_MS = 40

/** Asks the daemon to stop, and ends it by force where it does not. Its signer ends with it. */
export async function stopDaemon(node: DevNode): Promise<void> {
  const { pid, signerPid } = node
  if (pid === null || !isRunning(node)) return
  signal(pid, 'SIGTERM')
  const end = performance.now() + STOP_MS
  while (isRunning(node) && performance.now() < end) await sleep(POLL_MS)
  if (!isRunning(node)) return
  signal(pid, 'SIGKILL')
  while (isAlive(pid)) await sleep(POLL_MS)
  if (signerPid === null) return
  // The signer's pipe is closed now, and it ends by itself.
  const last = performance.now() + STOP_MS
  while (isAlive(signerPid) && performance.now() < last) await sleep(POLL_MS)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It has ended in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const MEET_MS = 30_000

/** Waits until every node sees every other. @throws cli/start-timeout */
export async function waitForPeers(
  known: Pick<Connection, 'cluster' | 'credentials' | 'threshold'>,
  nodes: readonly DevNode[],
  onProgress: (text: string) => void,
): Promise<void> {
  const clients = nodes.map(({ socket }) => connectionTo(known, { socketPath: socket }).client)
  const end = performance.now() + MEET_MS
  for (;;) {
    const whole = await Promise.all(clients.map((client) => seesAll(client, nodes.length)))
    const count = whole.filter(Boolean).length
    if (count === nodes.length) return
    onProgress(`${count} of ${nodes.length} nodes see all others`)
    if (performance.now() > end) throw new Fault('cli/start-timeout')
    await sleep(POLL_MS)
  }
}

async function seesAll(client: Connection['client'], size: number): Promise<boolean> {
  try {
    const { peers } = await client.call('getStatus', {})
    return peers.filter(({ state }) => state === 'connected').length === size - 1
  } catch (error) {
    if (isFault(error, 'sdk/unreachable')) return false
    throw error
  }
}
