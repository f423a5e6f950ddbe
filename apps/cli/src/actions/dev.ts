/** up, down and reset: the development cluster as a whole. */
import { createInterface } from 'node:readline/promises'
import { Fault } from '@quorate/base'
import type { Given, Run } from '../command.ts'
import { describeState } from '../dev/describe.ts'
import { devDeviceOf, refuseOtherDevice } from '../dev/device.ts'
import { type Home, homeOf, requireCluster } from '../dev/home.ts'
import { type DevState, isRunning, readState } from '../dev/state.ts'
import { removeCluster, takeDown, takeUp } from '../dev/up.ts'
import { checkNatsUrl } from '../nats-url.ts'
import type { Output } from '../output.ts'

const DEFAULT_PORT = 7600
const MAX_NODES = 50

export const up: Run = async (given, output) => {
  const home = homeOf(given)
  const size = given.integer('nodes', 2, MAX_NODES)
  refuseOtherDevice(given, home)
  const { state, wasRunning, isNew } = await takeUp(
    home,
    {
      size,
      threshold: given.integer('threshold', 2, MAX_NODES),
      port: portOf(given),
      nats: natsOf(given),
      device: () => devDeviceOf(given, home),
    },
    (text) => output.progress(text),
  )
  if (given.flag('first-run')) {
    const { firstRun } = await import('../dev/first-run.ts')
    return firstRun(home, state, output)
  }
  output.result(stateJson(home, state, { wasRunning, isNew }), () => [
    wasRunning
      ? `${state.nodes.length} nodes run already; nothing to do.`
      : `${state.nodes.length} nodes run; ${isNew ? 'the cluster is new' : 'they have taken up the data of before'}.`,
    ...describeState(home, state),
  ])
}

/** No TCP where it is 0. */
function portOf(given: Given): number | null {
  const port = given.integer('port', 0, 65_535 - MAX_NODES) ?? DEFAULT_PORT
  return port === 0 ? null : port
}

const DEFAULT_NATS = 'nats://127.0.0.1:4222'

/** The NATS server that is asked for; null for none, nothing where it is not said. @throws cli/bad-value */
function natsOf(given: Given): string | null | undefined {
  const bus = given.text('bus')
  const url = given.text('nats-url')
  if (bus !== undefined && bus !== 'mesh' && bus !== 'nats')
    throw new Fault('cli/bad-value', { detail: '--bus takes mesh or nats' })
  if (url !== undefined && bus !== 'nats')
    throw new Fault('cli/bad-value', { detail: '--nats-url goes with --bus nats' })
  if (bus === undefined) return undefined
  return bus === 'nats' ? checkNatsUrl(url ?? DEFAULT_NATS) : null
}

const stateJson = (home: Home, { threshold, nodes, nats }: DevState, more: object): object => ({
  home: home.path,
  ...more,
  threshold,
  ...(nats !== undefined && { nats }),
  nodes: nodes.map(({ index, pid, signerPid, socket, port }) => ({
    index,
    pid,
    signerPid,
    socket,
    port,
  })),
})

export const down: Run = async (given, output) => {
  const home = homeOf(given)
  requireCluster(home)
  output.progress('stopping the nodes')
  const stopped = await takeDown(home)
  output.result({ stopped }, () => [
    stopped === 0
      ? 'No node was running.'
      : `${stopped} nodes stopped. Their data stay in ${home.dev}`,
  ])
}

export const reset: Run = async (given, output) => {
  const home = homeOf(given)
  const { nodes } = readState(home)
  if (nodes.some(isRunning) && !given.flag('down')) throw new Fault('cli/still-running')
  await confirm(given, output, home)
  if (given.flag('down')) await takeDown(home)
  removeCluster(home)
  output.result({ removed: home.dev }, () => [`Removed ${home.dev} with all its keys and wallets.`])
}

/** @throws cli/not-confirmed unless the word was given or is typed now */
async function confirm(given: Given, output: Output, { dev }: Home): Promise<void> {
  let word = given.text('confirm')
  if (word === undefined && process.stdin.isTTY && !output.isJson) {
    const prompt = createInterface({ input: process.stdin, output: process.stderr })
    word = await prompt.question(
      `This removes ${dev} with all keys and wallets in it. Type reset to go on: `,
    )
    prompt.close()
  }
  if (word !== 'reset') throw new Fault('cli/not-confirmed', { detail: 'the word is reset' })
}
