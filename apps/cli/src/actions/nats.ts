/** nats permissions and nats setup: what a NATS server needs to know of a cluster, and what must be on it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, type Logger } from '@quorate/base'
import {
  type Broker,
  DEFAULT_PREFIX,
  natsAuthorization,
  openBroker,
  openJetStreamQueue,
  openNatsBoard,
  PREFIX_PATTERN,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import type { Given, Run } from '../command.ts'
import { checkNatsUrl } from '../nats-url.ts'
import { readCluster } from '../records.ts'

/** The public key of a user; its last two bytes are a checksum, which the server looks at. */
const NKEY = /^U[A-Z2-7]{55}$/
/** One word of a subject. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/

export const permissions: Run = async (given, output) => {
  const { cluster, record } = readCluster(given.required('cluster'))
  const nodes = given.list('node').map((each) => {
    const [name, nkey] = pairOf('--node', each)
    return { index: Number(name), nkey }
  })
  const wanted = record.nodes.map(({ index }) => index)
  if (
    nodes.length !== wanted.length ||
    wanted.some((index) => !nodes.some((node) => node.index === index))
  )
    throw new Fault('cli/bad-value', {
      detail: `--node takes one key for each of the nodes ${wanted.join(', ')}`,
    })
  const clients = given.list('client').map((each) => {
    const [name, nkey] = pairOf('--client', each)
    return { name, nkey }
  })
  const setupKey = checkedKey('--setup', given.required('setup'))
  const keys = [...nodes, ...clients].map(({ nkey }) => nkey).concat(setupKey)
  if (new Set(keys).size !== keys.length)
    throw new Fault('cli/bad-value', { detail: 'every user has a key of its own' })
  const authorization = natsAuthorization({
    prefix: prefixOf(given),
    cluster,
    nodes,
    clients,
    setup: setupKey,
  })
  output.result({ authorization }, () => authorization.trimEnd().split('\n'))
}

/** @throws cli/bad-value */
function pairOf(option: string, text: string): readonly [name: string, nkey: string] {
  const [name = '', ...rest] = text.split('=')
  if (!NAME.test(name))
    throw new Fault('cli/bad-value', { detail: `${option} takes ${option.slice(2)}=NKEY` })
  return [name, checkedKey(option, rest.join('='))]
}

function checkedKey(option: string, nkey: string): string {
  if (NKEY.test(nkey)) return nkey
  throw new Fault('cli/bad-value', {
    detail: `${option} takes a public nkey: 56 letters and digits that begin with U; the secret begins with SU`,
  })
}

function prefixOf(given: Given): string {
  const prefix = given.text('prefix') ?? DEFAULT_PREFIX
  if (PREFIX_PATTERN.test(prefix)) return prefix
  throw new Fault('cli/bad-value', {
    detail: '--prefix takes words of letters, digits, - and _, with dots',
  })
}

const SILENT: Logger = { log: () => {}, with: () => SILENT }
const WAIT_MS = 15_000
const LOOK_MS = 100

export const setup: Run = async (given, output) => {
  const servers = given.list('nats-url').map(checkNatsUrl)
  if (servers.length === 0) throw new Fault('cli/missing-argument', { detail: '--nats-url' })
  const prefix = prefixOf(given)
  const ports = { timers: systemTimers, random: systemRandom, logger: SILENT }
  const broker = await openBroker({
    ...ports,
    servers,
    name: 'quorate-setup',
    credentialsFile: given.text('credentials'),
    caFile: given.text('ca'),
  })
  try {
    output.progress('connecting')
    await Promise.race([broker.connection(), late()])
    output.progress('making what is missing')
    const queue = await openJetStreamQueue({ ...ports, broker, prefix, isMaker: true })
    // Any question makes the streams; whoever sets up need not be permitted to hear the answer.
    const stop = queue.onResponse('sign', 'setup', () => undefined)
    const none = { cluster: new Uint8Array(32), self: 1, peers: [] }
    const board = await openNatsBoard({ broker, prefix, ...none, isMaker: true })
    await board.read().catch(() => undefined)
    const made = [`${prefix}_requests`, `${prefix}_responses`, `KV_${prefix}_nodes`].map((name) =>
      name.replaceAll('.', '_'),
    )
    await Promise.race([untilThere(broker, made), late()])
    stop()
    await queue.close()
    output.result({ streams: made }, () => [
      `The server has ${made.join(', ')}.`,
      'The setup key can go from its configuration.',
    ])
  } finally {
    await broker.close()
  }
}

async function late(): Promise<never> {
  await sleep(WAIT_MS, undefined, { ref: false })
  throw new Fault('platform/broker-unavailable')
}

/** Looks until the server has all these streams. */
async function untilThere(broker: Broker, names: readonly string[]): Promise<void> {
  const connection = await broker.connection()
  for (const name of names)
    for (;;) {
      const answer = await connection.request(`$JS.API.STREAM.INFO.${name}`).catch(() => undefined)
      if (answer !== undefined && !('error' in answer.json<object>())) break
      await sleep(LOOK_MS)
    }
}
