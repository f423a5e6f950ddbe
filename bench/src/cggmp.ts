/**
 * Threshold ECDSA (CGGMP24), every proof included, one process for each party:
 *
 *   keygen, aux, presign       milliseconds from the first message to the last result, all processes
 *                              sharing this machine
 *   …-cpu-per-party            processor time of one party: the median of all parties and runs
 *   …-bytes-per-peer           what one party sends to each other party
 *   presign-batch              the same for eight presignatures in one session, divided by eight
 *   online-share               one signer's share from a presignature
 *   online                     the whole of signing from presignatures, all signers in one process:
 *                              shares sent, echoed, checked, added up and the signature verified
 */
import { fork } from 'node:child_process'
import { webcrypto } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Random } from '@quorate/base'
import { chooseBackends, safePrime } from '@quorate/math/native'
import {
  beginOnlineSigning,
  beginPresign,
  LEVELS,
  type Outgoing,
  type PartyId,
  type Presignature,
  partiesUpTo,
} from '@quorate/threshold'
import { outputsOf, presignOptions, runSessions, testWallet } from '@quorate/threshold/testing'
import type { FromParty, PartyTask, Phase, ToParty } from './cggmp-party.ts'
import { timed } from './measure.ts'
import { type Bench, type Row, row } from './report.ts'

const LEVEL = LEVELS['CGGMP24-secp256k1-SHA256-128-v1']
const SHAPES: readonly [threshold: number, parties: number][] = [
  [2, 2],
  [2, 3],
  [3, 5],
  [5, 9],
]
const KEYGENS = 7
const PRESIGNS = 5
const BATCH = 8
const ONLINE = 20
const SAFE_PRIMES = 8

const random: Random = { bytes: (length) => webcrypto.getRandomValues(new Uint8Array(length)) }

export const cggmp: Bench = {
  about: 'CGGMP24 at 128 bits: one process per party; online signing in one process; no baseline',
  async *run() {
    await chooseBackends()
    yield row(
      'cggmp/safe-prime-1536',
      mean(
        Array.from({ length: SAFE_PRIMES }, () => timed(() => safePrime(LEVEL.primeBits, random))),
      ),
    )
    for (const [threshold, parties] of SHAPES) {
      const prefix = `cggmp/128/${threshold}-of-${parties}`
      yield* acrossParties(prefix, threshold, parties)
      yield* online(prefix, threshold, parties)
    }
  },
}

async function* acrossParties(
  prefix: string,
  threshold: number,
  holders: number,
): AsyncIterable<Row> {
  const all = partiesUpTo(holders)
  const processes = await startParties(all)
  try {
    const measure = (phase: Phase, parties: readonly PartyId[], batch = 1): Promise<Measured> =>
      runPhase(processes, { phase, parties, batch, threshold, holders })
    yield* rowsOf(`${prefix}/keygen`, await repeat(KEYGENS, () => measure('keygen', all)))
    // Primes for tests are five parties' worth.
    if (holders <= 5) yield* rowsOf(`${prefix}/aux`, await repeat(1, () => measure('aux', all)))
    const signers = all.slice(0, threshold)
    // The first session opens a context for each modulus, as a node does once after it starts.
    yield* rowsOf(`${prefix}/presign-first`, [await measure('presign', signers)])
    yield* rowsOf(`${prefix}/presign`, await repeat(PRESIGNS, () => measure('presign', signers)))
    const batch = await measure('presign', signers, BATCH)
    yield row(`${prefix}/presign-batch`, batch.wallMs / BATCH)
    yield row(`${prefix}/presign-batch-cpu-per-party`, median(batch.cpuMs) / BATCH)
  } finally {
    for (const { child } of processes.values()) child.kill()
  }
}

function* rowsOf(name: string, runs: readonly Measured[]): Iterable<Row> {
  yield row(name, median(runs.map(({ wallMs }) => wallMs)))
  yield row(`${name}-cpu-per-party`, median(runs.flatMap(({ cpuMs }) => cpuMs)))
  yield { name: `${name}-bytes-per-peer`, value: runs[0]!.bytesPerPeer, unit: 'bytes' }
}

type Party = { readonly child: ReturnType<typeof fork> }
type Measured = {
  readonly wallMs: number
  readonly cpuMs: readonly number[]
  readonly bytesPerPeer: number
}

async function startParties(parties: readonly PartyId[]): Promise<ReadonlyMap<PartyId, Party>> {
  const script = fileURLToPath(new URL('./cggmp-party.js', import.meta.url))
  const started = parties.map(async (party): Promise<[PartyId, Party]> => {
    const child = fork(script, { serialization: 'advanced' })
    await new Promise<void>((resolve) => child.once('message', () => resolve()))
    return [party, { child }]
  })
  return new Map(await Promise.all(started))
}

/** One session of `parties`, whose messages pass through here. */
function runPhase(
  processes: ReadonlyMap<PartyId, Party>,
  task: Omit<PartyTask, 'kind' | 'level' | 'self' | 'sid'>,
): Promise<Measured> {
  const sid = random.bytes(32)
  const { parties } = task
  const cpuMs: number[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const tell = (to: PartyId, message: ToParty): void => {
      processes.get(to)!.child.send(message)
    }
    const listeners = parties.map((self) => {
      const { child } = processes.get(self)!
      const onMessage = (message: FromParty): void => {
        if (message.kind === 'messages')
          for (const each of message.messages) {
            bytes += bytesSent(each, parties.length)
            for (const to of receiversOf(each, self, parties))
              tell(to, { kind: 'message', from: self, message: each })
          }
        if (message.kind !== 'done') return
        cpuMs.push(message.cpuMs)
        if (cpuMs.length < parties.length) return
        stop()
        const bytesPerPeer = Math.round(bytes / parties.length / (parties.length - 1))
        resolve({ wallMs: performance.now() - start, cpuMs, bytesPerPeer })
      }
      const onExit = (): void => {
        stop()
        reject(new Error(`party ${self} ended`))
      }
      child.on('message', onMessage).once('exit', onExit)
      return () => {
        child.off('message', onMessage).off('exit', onExit)
      }
    })
    const stop = (): void => {
      for (const off of listeners) off()
    }
    for (const self of parties) tell(self, { kind: 'begin', level: LEVEL.id, self, sid, ...task })
  })
}

const receiversOf = (
  { to }: Outgoing,
  self: PartyId,
  parties: readonly PartyId[],
): readonly PartyId[] => (to === 'all' ? parties.filter((each) => each !== self) : [to])

/** A broadcast goes to every other party. */
const bytesSent = ({ to, body }: Outgoing, parties: number): number =>
  body.length * (to === 'all' ? parties - 1 : 1)

/** Rows of signing from presignatures. */
async function* online(prefix: string, threshold: number, holders: number): AsyncIterable<Row> {
  const wallet = testWallet(LEVEL, threshold, holders, 'bench')
  const signers = partiesUpTo(threshold)
  const sid = random.bytes(32)
  const items = Array.from({ length: 2 * ONLINE }, () => ({ path: [] }))
  const made = outputsOf(
    runSessions({
      parties: signers,
      sid,
      make: (self) =>
        beginPresign({ ...presignOptions(wallet, self, { sid, signers, items }), random }),
    }),
  )
  const whole = Array.from({ length: ONLINE }, (_, i) => timed(() => signOnline(made, signers, i)))
  const digest = random.bytes(32)
  const shares = Array.from({ length: ONLINE }, (_, i) => {
    const taken = made.get(signers[0]!)![ONLINE + i]!.take()
    return timed(() => taken.sign(digest))
  })
  yield row(`${prefix}/online-share`, median(shares))
  yield row(`${prefix}/online`, median(whole))
}

function signOnline(
  made: ReadonlyMap<PartyId, readonly Presignature[]>,
  signers: readonly PartyId[],
  i: number,
): void {
  const sid = random.bytes(32)
  const message = { kind: 'message', bytes: random.bytes(100), hash: 'keccak256' } as const
  outputsOf(
    runSessions({
      parties: signers,
      sid,
      make: (self) =>
        beginOnlineSigning({
          sid,
          self,
          signers,
          items: [{ kind: 'bound', presignature: made.get(self)![i]!, message }],
        }),
    }),
  )
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  while (results.length < times) results.push(await work())
  return results
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}
