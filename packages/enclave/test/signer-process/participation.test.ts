import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, isFault, newId } from '@quorate/base'
import { ManualTime, systemRandom } from '@quorate/platform'
import { Abort, type Manifest, type PartyId, partiesUpTo, partyId } from '@quorate/threshold'
import { Participation, type Plan } from '#src/signer-process/participation.js'
import type {
  RunningSession,
  SessionListener,
  SessionOrder,
} from '#src/signer-process/session-runner.js'

const [one, two] = [partyId(1), partyId(2)]

function manifestOf(parties: readonly PartyId[]): Manifest {
  return {
    v: 1,
    cluster: new Uint8Array(32),
    request: new Uint8Array(32),
    wallet: newId('wal', 0, systemRandom),
    generation: 1,
    protocol: 'test',
    suite: 'FROST-ED25519-SHA512-v1',
    threshold: parties.length,
    policyHash: new Uint8Array(32),
    purpose: 'sign',
    signers: parties.map((party) => ({
      party,
      bootId: new Uint8Array(16),
      epoch: new Uint8Array(16),
    })),
    attempt: 0,
    coordinator: one,
    createdAt: 0,
    expiresAt: 1_000,
    minVersion: 1,
  }
}

/** A participation whose session does nothing by itself. */
class Stage {
  readonly time = new ManualTime()
  readonly calls: string[] = []
  readonly participation: Participation
  order!: SessionOrder
  /** Lets the runner have its session ready. */
  ready!: () => void

  constructor(plan: Partial<Plan> = {}) {
    const isReady = new Promise<void>((resolve) => {
      this.ready = resolve
    })
    const session: RunningSession = {
      begin: () => void this.calls.push('begin'),
      receive: ({ from, kind }) => void this.calls.push(`receive ${kind} of ${from}`),
      expire: () => void this.calls.push('expire'),
      [Symbol.dispose]: () => void this.calls.push('dispose'),
    }
    this.participation = new Participation({
      manifest: manifestOf(partiesUpTo(2)),
      self: one,
      plan: {
        budgetMs: 30_000,
        title: 'trying',
        begin: () => assert.fail('the runner decides whether to call it'),
        finish: async () => undefined,
        release: () => void this.calls.push('release'),
        ...plan,
      } as Plan,
      ports: {
        timers: this.time,
        run: async (order) => {
          this.order = order
          await isReady
          return session
        },
        originals: { claim: () => undefined, signingKeys: () => [] },
        together: (work) => work(),
        persist: () => Promise.resolve(),
        round: ({ kind, round }) => void this.calls.push(`send ${kind} ${round}`),
        progress: (...how) => void this.calls.push(`progress ${how.join(' ')}`),
      },
    })
  }

  get listener(): SessionListener {
    return this.order.listener
  }

  /** Brings it to where the session has begun. */
  async begin(): Promise<void> {
    this.countersign()
    this.ready()
    await turn()
    assert.equal(this.calls.at(-1), 'begin')
    this.calls.length = 0
  }

  countersign(): void {
    for (const party of [one, two]) this.participation.countersigned(party)
  }

  receive(from: PartyId): void {
    const body = new Uint8Array()
    this.participation.receive({ from, round: 1, kind: 'direct', body, original: body })
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('messages that come before the session is ready are given to it in their order', async () => {
  const stage = new Stage()
  stage.receive(two)
  stage.countersign()
  for (let n = 0; n < 10; n++) stage.receive(two)
  await turn()
  stage.calls.length = 0
  stage.ready()
  await turn()
  // Each signer has a share of the buffer and no more.
  assert.deepEqual(stage.calls, ['begin', ...Array(4).fill('receive direct of 2')])
})

test('a session that is given up before it is ready never begins', async () => {
  const stage = new Stage()
  stage.countersign()
  stage.participation.lost(two)
  stage.calls.length = 0
  stage.ready()
  await turn()
  assert.deepEqual(stage.calls, ['dispose'])
})

test('what the session does is sent, in order, and its progress told', async () => {
  const stage = new Stage()
  await stage.begin()
  const body = new Uint8Array()
  const messages = [
    { round: 1, kind: 'broadcast', to: 'all', body },
    { round: 1, kind: 'direct', to: two, body },
  ] as const
  stage.listener.advanced(messages, { kind: 'running' })
  stage.listener.progress('finding primes', 1, 4)
  assert.deepEqual(stage.calls, [
    'send broadcast 1',
    'send direct 1',
    'progress trying 1 0',
    'progress finding primes 1 4',
  ])
})

test('a session that is lost ends under the code of its loss, and is let go', async () => {
  const stage = new Stage()
  await stage.begin()
  stage.listener.failed(new Fault('platform/worker-died'))
  await assert.rejects(stage.participation.outcome, (e) => isFault(e, 'platform/worker-died'))
  assert.deepEqual(stage.calls, ['dispose', 'release'])
  assert.equal(stage.time.pending, 0)
})

test('the deadline lets the session name its laggards', async () => {
  const stage = new Stage()
  await stage.begin()
  stage.time.advance(30_000)
  assert.deepEqual(stage.calls, ['expire'])
  const abort = new Abort('threshold/timeout', { laggards: [two], round: 1 })
  stage.listener.advanced([], { kind: 'aborted', abort })
  await assert.rejects(stage.participation.outcome, (error) => error === abort)
})

test('a session too busy to answer its deadline ends all the same, and blames nobody', async () => {
  const stage = new Stage()
  await stage.begin()
  stage.time.advance(60_000)
  await assert.rejects(
    stage.participation.outcome,
    (error) =>
      error instanceof Abort && error.code === 'threshold/timeout' && error.laggards.length === 0,
  )
  assert.deepEqual(stage.calls, ['expire', 'dispose', 'release'])
})

test('a result that comes with the deadline is settled: what is on disk is not given up', async () => {
  let settle: () => void = () => undefined
  const finish = (): Promise<undefined> =>
    new Promise((resolve) => {
      settle = () => resolve(undefined)
    })
  const stage = new Stage({ finish })
  await stage.begin()
  stage.time.advance(30_000)
  stage.listener.advanced([], { kind: 'done', output: null })
  stage.time.advance(60_000)
  assert.equal(stage.participation.phase, 'settling')
  settle()
  assert.equal(await stage.participation.outcome, undefined)
})
