import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  bytes,
  encode,
  type Fault,
  field,
  isFault,
  newId,
  record,
  Secret,
  union,
} from '@quorate/base'
import { systemRandom, WorkerPool } from '@quorate/platform/workers'
import {
  Abort,
  deal,
  describeKey,
  encodeKeyShare,
  frostSuite,
  type MessageKind,
  nobleVerifier,
  type Outgoing,
  type PartyId,
  partiesUpTo,
  partyId,
  type Received,
  SIGNING_PROTOCOL,
  sealEnvelope,
  verifyEvidence,
  verifySignature,
  type WalletKey,
} from '@quorate/threshold'
import { keysOf, participants } from '@quorate/threshold/testing'
import { readClaim } from '#src/signer-process/session-originals.js'
import {
  inlineRunner,
  type Originals,
  type ProgramCall,
  type RunningSession,
  type SessionRunner,
  type Standing,
} from '#src/signer-process/session-runner.js'
import { signerPool, workerRunner } from '#src/signer-process/session-worker.js'
import { TEST_PROGRAMS, type TestJobs } from './session-jobs.js'

// Threads of a pool do not keep this process alive: something must.
const alive = setInterval(() => undefined, 1_000)
const flag = new SharedArrayBuffer(4)
const pool = new WorkerPool<TestJobs>({
  entry: new URL('./session-jobs.js', import.meta.url),
  size: 2,
  data: { flag },
})
const signers = signerPool({ backend: 'noble' })
after(async () => {
  clearInterval(alive)
  await Promise.all([pool.close(), signers.close()])
})

const runners: Record<string, SessionRunner> = {
  'on this thread': inlineRunner(systemRandom, TEST_PROGRAMS),
  'in a worker': workerRunner(pool, systemRandom),
}
const inWorker = runners['in a worker']!

const [one, two] = [partyId(1), partyId(2)]
const cluster = new Uint8Array(32).fill(1)
const sid = new Uint8Array(32).fill(2)
const everyone = participants(partiesUpTo(3), 'sessions')
const originals: Originals = {
  claim: (original) => readClaim(original, keysOf(everyone)),
  signingKeys: (parties) =>
    parties.map((party) => {
      const { epoch, signingKey } = everyone.find((each) => each.party === party)!
      return { party, epoch, envelopeKey: signingKey }
    }),
}

/** A session of a program and all that is heard of it. */
class Watched {
  readonly sent: Outgoing[] = []
  readonly progress: string[] = []
  session!: RunningSession
  /** Where it stands at the end. @rejects where it failed */
  readonly end: Promise<Standing>
  #ended!: { resolve(standing: Standing): void; reject(error: unknown): void }
  #onProgress: () => void = () => undefined
  #onSent: (messages: readonly Outgoing[]) => void = () => undefined

  constructor() {
    this.end = new Promise((resolve, reject) => {
      this.#ended = { resolve, reject }
    })
    this.end.catch(() => undefined)
  }

  static async of(
    run: SessionRunner,
    name: keyof typeof TEST_PROGRAMS,
    input: unknown,
    o: { parties?: readonly PartyId[]; self?: PartyId; onSent?: Watched['send'] } = {},
  ): Promise<Watched> {
    const watched = new Watched()
    watched.#onSent = o.onSent ?? (() => undefined)
    watched.session = await run({
      facts: { sid, protocol: 'test', self: o.self ?? one, parties: o.parties ?? [one, two] },
      start: { program: { name, input: () => input } as ProgramCall },
      originals,
      listener: {
        advanced: (messages, standing) => {
          watched.sent.push(...messages)
          watched.#onSent(messages)
          if (standing.kind !== 'running') watched.#ended.resolve(standing)
        },
        progress: (...how) => {
          watched.progress.push(how.join(' '))
          watched.#onProgress()
        },
        failed: (error) => watched.#ended.reject(error),
      },
    })
    return watched
  }

  readonly send = (_messages: readonly Outgoing[]): void => undefined

  progressed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onProgress = resolve
    })
  }

  async output(): Promise<unknown> {
    const end = await this.end
    assert.equal(end.kind, 'done', end.kind === 'aborted' ? end.abort.code : '')
    return (end as Extract<Standing, { kind: 'done' }>).output
  }

  async abort(): Promise<Abort> {
    const end = await this.end
    assert.equal(end.kind, 'aborted')
    return (end as Extract<Standing, { kind: 'aborted' }>).abort
  }

  async failure(): Promise<Fault> {
    const error: unknown = await this.end.then(
      () => assert.fail('it did not fail'),
      (reason: unknown) => reason,
    )
    assert.ok(isFault(error))
    return error
  }
}

const received = (
  body: Uint8Array,
  kind: MessageKind = 'broadcast',
  from: PartyId = two,
  original: Uint8Array = new Uint8Array(),
): Received => ({ from, round: 1, kind, body, original })

const complaint = union({ complaint: [2, record({ body: field(1, bytes({ max: 100 })) })] })
const complain = (n: number): Uint8Array =>
  encode(complaint, { kind: 'complaint', value: { body: Uint8Array.of(n) } })

/** A broadcast of party 2, signed. */
function signedBroadcast(body: Uint8Array, seq: number): Received {
  const { epoch, crypto } = everyone[1]!
  const header = { cluster, epoch, sid, protocol: 'test', round: 1, from: two, seq } as const
  const original = sealEnvelope(
    { ...header, kind: 'broadcast', expiresAt: 1_000, to: 'all', body },
    crypto,
  )
  return received(body, 'broadcast', two, original)
}

function dealt() {
  const suite = frostSuite('FROST-ED25519-SHA512-v1')
  const made = deal({ suite, threshold: 2, parties: 2, random: systemRandom })
  const key: WalletKey = {
    wallet: newId('wal', 0, systemRandom),
    protocol: 'frost',
    generation: 0,
    parties: [one, two].map((index) => ({ index, nodeId: newId('nod', 0, systemRandom) })),
    createdBy: { kind: 'dealer' },
    ...describeKey({ ...made, tweaks: [] }),
  }
  const shares = [one, two].map((party) =>
    encodeKeyShare({ v: 1, key, party, secret: made.shares.get(party)!, custody: 'software' }),
  )
  return { suite, key, shares }
}

const signingRunners = {
  ...runners,
  'in a worker of the signer process': workerRunner(signers, systemRandom),
}
for (const [where, run] of Object.entries(signingRunners))
  test(`FROST signs ${where}, from shares that move to the session`, async () => {
    const { suite, key, shares } = dealt()
    const message = Uint8Array.of(1, 2, 3)
    const sessions = new Map<PartyId, Watched>()
    const sendFrom =
      (from: PartyId) =>
      (messages: readonly Outgoing[]): void => {
        for (const { round, kind, body } of messages)
          sessions.get(from === one ? two : one)!.session.receive({
            from,
            round,
            kind,
            body: body.slice(),
            original: new Uint8Array(),
          })
      }
    for (const self of [one, two])
      sessions.set(
        self,
        await Watched.of(
          run,
          SIGNING_PROTOCOL,
          { share: shares[self - 1], items: [{ message }] },
          { self, onSent: sendFrom(self) },
        ),
      )
    for (const { session } of sessions.values()) session.begin()
    const outputs = await Promise.all([...sessions.values()].map((each) => each.output()))
    for (const { session } of sessions.values()) session[Symbol.dispose]()
    assert.deepEqual(outputs[0], outputs[1])
    const [signature] = outputs[0] as readonly Uint8Array[]
    assert.ok(verifySignature(suite, key.groupKey, message, signature!))
    assert.ok(shares.every(({ isWiped }) => isWiped))
  })

for (const [where, run] of Object.entries(runners)) {
  test(`an abort comes with all that it says, ${where}`, async () => {
    const watched = await Watched.of(run, 'test/accuse', null)
    watched.session.begin()
    const message = signedBroadcast(Uint8Array.of(9), 0)
    watched.session.receive(message)
    const abort = await watched.abort()
    assert.ok(abort instanceof Abort)
    const { code, culprits, witnesses, laggards, proof, detail, round } = abort
    assert.deepEqual(
      { code, culprits, witnesses, laggards, proof, detail, round, complaint: abort.complaint },
      {
        code: 'threshold/invalid-proof',
        culprits: [two],
        witnesses: [one],
        laggards: [two],
        proof: Uint8Array.of(1, 2, 3),
        detail: 'as an example',
        round: 1,
        complaint: Uint8Array.of(4, 5),
      },
    )
    assert.deepEqual(abort.evidence?.originals, [{ envelope: message.original }])
    assert.deepEqual(abort.evidence.proof, proof)
    // The last words are sent too.
    assert.deepEqual(
      watched.sent.map(({ kind, round: of }) => [kind, of]),
      [
        ['broadcast', 1],
        ['dispute', 2],
      ],
    )
  })

  test(`an equivocation is proven by signed originals, ${where}`, async () => {
    const watched = await Watched.of(run, 'test/order', null, { parties: partiesUpTo(3) })
    watched.session.begin()
    watched.session.receive(signedBroadcast(Uint8Array.of(1), 0))
    watched.session.receive(signedBroadcast(Uint8Array.of(2), 1))
    const { code, evidence } = await watched.abort()
    assert.equal(code, 'threshold/equivocation')
    const verifier = { ...nobleVerifier, ...keysOf(everyone), cluster }
    assert.deepEqual(verifyEvidence(evidence!, verifier), [two])
  })

  test(`messages keep their order, ${where}`, async () => {
    const watched = await Watched.of(run, 'test/order', null)
    watched.session.begin()
    for (let n = 0; n < 12; n++) watched.session.receive(received(complain(n), 'dispute'))
    watched.session.receive(received(Uint8Array.of(1)))
    assert.deepEqual(
      await watched.output(),
      Array.from({ length: 12 }, (_, n) => n),
    )
  })

  test(`time that is over names the laggards, ${where}`, async () => {
    const watched = await Watched.of(run, 'test/order', null)
    watched.session.begin()
    watched.session.expire()
    const { code, laggards, round } = await watched.abort()
    assert.deepEqual([code, laggards, round], ['threshold/timeout', [two], 1])
  })
}

test('an abort of a program that does not begin names its culprits', async () => {
  const watched = await Watched.of(inWorker, 'test/refuse', null)
  watched.session.begin()
  const { code, culprits } = await watched.abort()
  assert.deepEqual([code, culprits], ['threshold/invalid-share', [two]])
  await assert.rejects(
    Watched.of(runners['on this thread']!, 'test/refuse', null),
    (error) => error instanceof Abort && error.culprits[0] === two,
  )
})

test('this thread has its turns while a session computes', async () => {
  const busy = await Watched.of(inWorker, 'test/busy', null)
  busy.session.begin()
  const isBusy = busy.progressed()
  busy.session.receive(received(Uint8Array.of(1)))
  await isBusy
  // The session now computes until this thread says otherwise, which it could not if it were blocked.
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(Array.isArray(await pool.run('wiped', undefined)))
  assert.deepEqual(busy.progress, ['busy 0 1'])
  Atomics.store(new Int32Array(flag), 0, 1)
  assert.equal(await busy.output(), 'answered')
  assert.deepEqual(busy.progress, ['busy 0 1', 'busy 1 1'])
})

test('a session is lost with its worker, under a code, and the next one has another worker', async () => {
  const watched = await Watched.of(inWorker, 'test/die', null)
  watched.session.begin()
  watched.session.receive(received(Uint8Array.of(1)))
  assert.equal((await watched.failure()).code, 'platform/worker-died')
  const another = await Watched.of(inWorker, 'test/order', null)
  another.session.begin()
  another.session.receive(received(Uint8Array.of(1)))
  assert.deepEqual(await another.output(), [])
})

test('a bug in a session ends that one alone, and says nothing of its values', async () => {
  const watched = await Watched.of(inWorker, 'test/bug', null)
  watched.session.begin()
  watched.session.receive(received(Uint8Array.of(1)))
  const failure = await watched.failure()
  assert.equal(failure.code, 'platform/job-failed')
  assert.doesNotMatch(failure.message, /wombat/)
})

test('secrets are wiped here when a session begins, and there when it ends, whichever way', async () => {
  const single = new WorkerPool<TestJobs>({
    entry: new URL('./session-jobs.js', import.meta.url),
    size: 1,
  })
  const run = workerRunner(single, systemRandom)
  const begin = async (): Promise<Watched> => {
    const plain = Uint8Array.of(1, 2, 3)
    const secret = new Secret(plain)
    const watched = await Watched.of(run, 'test/secret', secret)
    watched.session.begin()
    assert.ok(secret.isWiped)
    assert.deepEqual([...plain], [0, 0, 0])
    return watched
  }
  const done = await begin()
  done.session.receive(received(Uint8Array.of(1)))
  const output = (await done.output()) as Secret<Uint8Array>
  assert.deepEqual([...output.expose()], [1, 2, 3])
  assert.deepEqual(await single.run('wiped', undefined), [true, true])

  const givenUp = await begin()
  // Its first message is there, so it has begun.
  while (givenUp.sent.length === 0) await new Promise((resolve) => setImmediate(resolve))
  givenUp.session[Symbol.dispose]()
  assert.deepEqual(await single.run('wiped', undefined), [true, true, true, true])

  const neverBegun = new Secret(Uint8Array.of(4))
  const watched = await Watched.of(run, 'test/secret', neverBegun)
  watched.session[Symbol.dispose]()
  assert.ok(neverBegun.isWiped)
  await single.close()
})

test('a direct message is wiped here once the worker has it', async () => {
  const watched = await Watched.of(inWorker, 'test/order', null)
  watched.session.begin()
  const body = Uint8Array.of(5, 6)
  watched.session.receive(received(body, 'direct'))
  assert.deepEqual([...body], [0, 0])
  watched.session[Symbol.dispose]()
})

test('a party cannot fill the memory of a busy worker, nor can one that is no signer', async () => {
  const posted: PartyId[] = []
  let answer: (from: PartyId) => void = () => undefined
  const stalled = workerRunner(
    {
      open(_job, _input, listener) {
        answer = (from) => listener.message({ kind: 'taken', from })
        return {
          post: (to) => void (to.kind === 'received' && posted.push(to.message.from)),
          close: () => undefined,
        }
      },
    },
    systemRandom,
  )
  const { session } = await Watched.of(stalled, 'test/order', null, { parties: partiesUpTo(3) })
  session.begin()
  for (let n = 0; n < 100; n++) session.receive(received(complain(n), 'dispute', two))
  assert.equal(posted.length, 16)
  session.receive(received(complain(0), 'dispute', partyId(3)))
  session.receive(received(complain(0), 'dispute', partyId(4)))
  assert.deepEqual(posted.slice(16), [partyId(3)])
  answer(two)
  session.receive(received(complain(0), 'dispute', two))
  session.receive(received(complain(0), 'dispute', two))
  assert.deepEqual(posted.slice(17), [two])
})
