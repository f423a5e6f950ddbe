import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { concatBytes, encode } from '@quorate/base'
import fc from 'fast-check'
import type { Abort } from '#src/session/abort.js'
import { nobleVerifier } from '#src/session/envelope-crypto.js'
import { decodeEvidence, encodeEvidence, verifyEvidence } from '#src/session/evidence.js'
import { type PartyId, partiesUpTo } from '#src/session/party.js'
import { done, inlet, next } from '#src/session/round.js'
import { Session } from '#src/session/session.js'
import {
  alterBody,
  conspire,
  delay,
  drop,
  duplicate,
  keysOf,
  misbehave,
  outputsOf,
  participants,
  type RunOptions,
  type RunResult,
  recoded,
  runSessions,
} from '#src/testing/index.js'
import { beginTalk, type Heard, type Shape, wordCodec } from './echo-protocol.js'

const [P1, P2, P3] = partiesUpTo(3) as [PartyId, PartyId, PartyId]
const talk = (n: number, shape: Shape, more: Partial<RunOptions<Heard>> = {}): RunResult<Heard> => {
  const parties = partiesUpTo(n)
  return runSessions({ parties, make: (self) => beginTalk(self, parties, shape), ...more })
}
const abortOf = ({ states }: RunResult<unknown>, party: PartyId): Abort => {
  const state = states.get(party)!
  assert.equal(state.kind, 'aborted')
  return (state as { abort: Abort }).abort
}
const endOf = (session: Session<unknown>): Abort => {
  const { state } = session
  assert.ok(state.kind === 'aborted')
  return state.abort
}
/** A session of its own, with nobody on the other side. */
const alone = (shape: Shape, n = 3): Session<Heard> => {
  const parties = partiesUpTo(n)
  return new Session({
    sid: new Uint8Array(32),
    protocol: 'test',
    self: P1,
    parties,
    first: beginTalk(P1, parties, shape),
    deadline: 100,
    readOriginal: () => undefined,
  })
}
const word = (text: string, round = 1): Uint8Array => encode(wordCodec, { word: text, round })
const from2 = { from: P2, round: 1, kind: 'broadcast', original: new Uint8Array() } as const

describe('delivery', () => {
  const shapes = fc.array(fc.constantFrom('broadcast', 'direct', 'both'), {
    minLength: 1,
    maxLength: 4,
  }) as fc.Arbitrary<Shape>

  test('any order of delivery, duplicates and all, gives everyone the same', () => {
    const run = fc.property(
      fc.integer({ min: 1, max: 6 }),
      shapes,
      fc.nat(),
      fc.boolean(),
      (n, shape, orderSeed, twice) => {
        const tamper = twice ? duplicate({}) : undefined
        const outputs = outputsOf(talk(n, shape, { orderSeed, ...(tamper && { tamper }) }))
        for (const [self, heard] of outputs) {
          const kinds = shape.flatMap((form, i) =>
            (form === 'both' ? ['broadcast', 'direct'] : [form]).map((kind) => ({
              kind,
              round: i + 1,
            })),
          )
          const expected = kinds.flatMap(({ kind, round }) =>
            partiesUpTo(n)
              .filter((each) => each !== self)
              .map(
                (each) =>
                  `${round}/${kind}/${each}/${round}/${kind === 'direct' ? `${each} to ${self}` : `from ${each}`}`,
              ),
          )
          assert.deepEqual(heard, expected.sort())
        }
      },
    )
    fc.assert(run, { numRuns: 150 })
  })

  test('fifty parties, and no more', () => {
    outputsOf(talk(50, ['broadcast']))
    assert.throws(() => partiesUpTo(51), { code: 'threshold/bad-parameters' })
  })

  test('real envelopes carry it all', () => {
    outputsOf(talk(3, ['both', 'broadcast', 'direct'], { envelopes: true, orderSeed: 5 }))
  })

  test('whatever the network eats, nobody is blamed', () => {
    const lossy = fc.property(
      fc.integer({ min: 2, max: 5 }),
      shapes,
      fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
      (n, shape, dice) => {
        const { states } = talk(n, shape, { tamper: (d) => (dice.next().value === 0 ? [] : [d]) })
        for (const state of states.values()) {
          assert.notEqual(state.kind, 'running')
          if (state.kind === 'aborted') {
            assert.equal(state.abort.code, 'threshold/timeout')
            assert.deepEqual(state.abort.culprits, [])
            assert.ok(state.abort.laggards.length > 0)
          }
        }
      },
    )
    fc.assert(lossy, { numRuns: 80 })
  })

  test('a late message changes nothing, a delayed one is waited for', () => {
    outputsOf(talk(3, ['broadcast', 'broadcast'], { tamper: delay({ from: 2, round: 1 }) }))
    outputsOf(
      talk(3, ['broadcast', 'broadcast'], { tamper: (d) => [d, { ...d, isDelayed: true }] }),
    )
  })

  test('laggards are named, and named only as such', () => {
    const abort = abortOf(talk(3, ['broadcast'], { tamper: drop({ from: 2, to: 1 }) }), P1)
    assert.equal(abort.code, 'threshold/timeout')
    assert.deepEqual([abort.laggards, abort.culprits, abort.evidence], [[2], [], undefined])
  })
})

describe('who is heard', () => {
  test('neither this party from outside, nor strangers, nor rounds far ahead', () => {
    const session = alone(['broadcast'])
    session.begin()
    // Anything that were heard would end the session, by its length.
    const body = new Uint8Array((1 << 18) + 1)
    for (const message of [
      { ...from2, from: P1 },
      { ...from2, from: 9 as PartyId },
      { ...from2, round: 4 },
      { ...from2, round: 0 },
      { ...from2, kind: 'direct' as const },
    ])
      assert.deepEqual(session.receive({ ...message, body }), [])
    assert.deepEqual(session.state, { kind: 'running', waitingFor: [2, 3] })
  })

  test('early messages wait, also those before the beginning', () => {
    const session = alone(['broadcast', 'broadcast'], 2)
    session.receive({ ...from2, round: 2, body: word('b', 2) })
    session.receive({ ...from2, body: word('a') })
    session.begin()
    assert.deepEqual(session.state, {
      kind: 'done',
      output: ['1/broadcast/2/1/a', '2/broadcast/2/2/b'],
    })
  })

  test('a body that is too long is refused before it is parsed, also when it is early', () => {
    for (const [round, length] of [
      [1, 101],
      [2, (1 << 18) + 1],
      [2, 101],
    ] as const) {
      const session = alone(['broadcast', 'broadcast'], 2)
      session.begin()
      session.receive({ ...from2, round, body: new Uint8Array(length) })
      session.receive({ ...from2, body: word('a') })
      const abort = endOf(session)
      assert.deepEqual([abort.code, abort.culprits], ['threshold/malformed-message', [2]])
    }
  })

  test('an early body may be as long as any round allows', () => {
    const lengths: number[] = []
    const listen = (number: number) => ({
      number,
      direct: {
        maxBytes: 1 << 20,
        accept: (_: PartyId, body: Uint8Array) => void lengths.push(body.length),
      },
    })
    const session = new Session<undefined>({
      sid: new Uint8Array(32),
      protocol: 'test',
      self: P1,
      parties: partiesUpTo(2),
      first: next<undefined>({
        ...listen(1),
        advance: () => next({ ...listen(2), advance: () => done(undefined) }),
      }),
      deadline: 1,
      readOriginal: () => undefined,
    })
    session.begin()
    for (const [round, length] of [
      [2, 1_000_000],
      [1, 1],
    ] as const)
      session.receive({ ...from2, kind: 'direct', round, body: new Uint8Array(length) })
    assert.equal(session.state.kind, 'done')
    assert.deepEqual(lengths, [1, 1_000_000])
  })

  test('the bound is the session’s business, not that of the round’s parser', () => {
    const accepted: number[] = []
    const session = new Session<undefined>({
      sid: new Uint8Array(32),
      protocol: 'test',
      self: P1,
      parties: partiesUpTo(2),
      first: next({
        number: 1,
        direct: { maxBytes: 10, accept: (_, body) => void accepted.push(body.length) },
        advance: () => assert.fail('not reached'),
      }),
      deadline: 1,
      readOriginal: () => undefined,
    })
    session.receive({ ...from2, kind: 'direct', body: new Uint8Array(11) })
    session.begin()
    assert.deepEqual([endOf(session).culprits, accepted], [[2], []])
  })

  test('what does not parse names its sender, and every one of them', () => {
    const abort = abortOf(
      talk(4, ['broadcast'], {
        cheat: conspire(
          misbehave({ from: 2, round: 1 }, () => Uint8Array.of(0xff)),
          misbehave({ from: 4, round: 1 }, (body) => concatBytes(body, body)),
        ),
      }),
      P1,
    )
    assert.deepEqual(
      [abort.code, abort.culprits, abort.round],
      ['threshold/malformed-message', [2, 4], 1],
    )
  })
})

test('direct messages are not looked at when a broadcast of the round is bad', () => {
  const result = talk(3, ['both'], {
    cheat: misbehave({ from: 2, round: 1 }, () => Uint8Array.of(0xff)),
    tamper: alterBody({ from: 3, kind: 'direct' }, () => Uint8Array.of(0xff)),
  })
  assert.deepEqual(abortOf(result, P1).culprits, [2])
})

describe('broadcasts', () => {
  const everyone = participants(partiesUpTo(4), 'broadcasts')
  const tell = (other: string, to: number) =>
    alterBody(
      { from: 2, to, kind: 'broadcast', round: 1 },
      recoded(wordCodec, () => ({ word: other, round: 1 })),
    )
  const verifier = ({ name }: RunResult<unknown>) => ({
    ...keysOf(everyone),
    ...nobleVerifier,
    cluster: name.cluster,
  })

  for (const orderSeed of [undefined, 1, 2, 3, 4, 5])
    test(`an equivocation convicts its sender everywhere, with evidence for all (order ${orderSeed})`, () => {
      const result = talk(4, ['broadcast', 'direct'], {
        envelopes: everyone,
        tamper: tell('something else', 3),
        ...(orderSeed !== undefined && { orderSeed }),
      })
      for (const party of [1, 3, 4] as PartyId[]) {
        const { code, culprits, evidence } = abortOf(result, party)
        assert.deepEqual([code, culprits], ['threshold/equivocation', [2]])
        assert.deepEqual(
          verifyEvidence(decodeEvidence(encodeEvidence(evidence!)), verifier(result)),
          [2],
        )
      }
    })

  test('evidence does not convict anyone else, nor in another cluster or session', () => {
    const result = talk(4, ['broadcast'], {
      envelopes: everyone,
      tamper: tell('something else', 3),
    })
    const { evidence } = abortOf(result, P1)
    const rejected = { code: 'threshold/evidence-rejected' }
    const [first] = evidence!.originals
    const check =
      (changed: object, more: object = {}) =>
      () =>
        verifyEvidence({ ...evidence!, ...changed }, { ...verifier(result), ...more })
    assert.throws(check({ culprits: [P3] }), rejected)
    assert.throws(check({ culprits: [P2, P3] }), rejected)
    assert.throws(check({ originals: [first!, first!] }), rejected)
    assert.throws(check({ sid: new Uint8Array(32).fill(1) }), rejected)
    assert.throws(check({ claim: 'threshold/invalid-proof' }), rejected)
    assert.throws(check({}, { cluster: new Uint8Array(32).fill(1) }), rejected)
    assert.throws(check({}, { epochKey: () => everyone[2]!.signingKey }), rejected)
  })

  test('two bodies to one receiver are an equivocation too', () => {
    const result = talk(4, ['broadcast'], {
      envelopes: everyone,
      tamper: (d) =>
        d.from === 2 && d.to === 1 && d.kind === 'broadcast'
          ? [d, { ...d, body: word('second thought') }]
          : [d],
    })
    for (const party of [1, 3, 4] as PartyId[]) {
      const { code, culprits, evidence } = abortOf(result, party)
      assert.deepEqual([code, culprits], ['threshold/equivocation', [2]])
      assert.deepEqual(verifyEvidence(evidence!, verifier(result)), [2])
    }
  })

  test('a false echo ends the session and is blamed on nobody', () => {
    const falsify = alterBody({ from: 2, kind: 'echo' }, () => new Uint8Array(32))
    const silent = talk(4, ['broadcast', 'broadcast'], { envelopes: everyone, tamper: falsify })
    for (const party of [1, 3, 4] as PartyId[]) {
      // Party 2 has nothing to show for its echo, so it is waited for until the deadline.
      const { code, culprits, laggards } = abortOf(silent, party)
      assert.deepEqual([code, culprits, laggards], ['threshold/timeout', [], [2]])
    }
    const deceive = alterBody({ to: 2, kind: 'echo' }, () => new Uint8Array(32))
    const open = talk(4, ['broadcast', 'broadcast'], {
      envelopes: everyone,
      tamper: (d) => falsify(d).flatMap(deceive),
    })
    for (const party of partiesUpTo(4)) {
      const { code, culprits } = abortOf(open, party)
      assert.deepEqual([code, culprits], ['threshold/echo-mismatch', []])
    }
  })

  test('a dispute about nothing is ignored, and one with forged originals convicts nobody', () => {
    const forged = talk(3, ['broadcast'], {
      envelopes: participants(partiesUpTo(3), 'forger'),
      tamper: tell('forged', 3),
    })
    const { evidence } = abortOf(forged, P1)
    assert.throws(() => verifyEvidence(evidence!, verifier(forged)), {
      code: 'threshold/evidence-rejected',
    })
    outputsOf(
      talk(3, ['broadcast', 'broadcast'], {
        envelopes: everyone.slice(0, 3),
        tamper: (d) =>
          d.from === 2 && d.kind === 'echo'
            ? [{ ...d, kind: 'dispute', body: DISPUTE_OF_NOTHING }, d]
            : [d],
      }),
    )
  })

  test('without broadcasts from all there is no echo, and no result', () => {
    const session = alone(['broadcast'])
    session.begin()
    assert.deepEqual(session.receive({ ...from2, body: word('a') }), [])
    const [echo] = session.receive({ ...from2, from: P3, body: word('b') })
    assert.deepEqual([echo?.kind, echo?.to, echo?.body.length], ['echo', 'all', 32])
    assert.deepEqual(session.state, { kind: 'running', waitingFor: [2, 3] })
    session.receive({ ...from2, kind: 'echo', body: echo!.body })
    assert.deepEqual(session.state, { kind: 'running', waitingFor: [3] })
    session.receive({ ...from2, from: P3, kind: 'echo', body: echo!.body })
    assert.equal(session.state.kind, 'done')
  })
})
// { 1: { 1: [] } } as the pair [1, { 1: [] }]
const DISPUTE_OF_NOTHING = Uint8Array.of(0x82, 0x01, 0xa1, 0x01, 0x80)

describe('the end', () => {
  test('nothing is said or heard after it', () => {
    const session = alone(['broadcast'])
    session.begin()
    assert.deepEqual(session.expire(99), [])
    assert.equal(session.state.kind, 'running')
    session.expire(100)
    assert.equal(endOf(session).code, 'threshold/timeout')
    assert.deepEqual(session.receive({ ...from2, body: word('a') }), [])
    session[Symbol.dispose]()
    assert.equal(endOf(session).code, 'threshold/timeout')
  })

  test('rounds are disposed of once each, direct bodies overwritten', () => {
    let disposed = 0
    const parties = partiesUpTo(2)
    const session = new Session({
      sid: new Uint8Array(32),
      protocol: 'test',
      self: P1,
      parties,
      first: beginTalk(P1, parties, ['direct', 'direct'], () => disposed++),
      deadline: 1,
      readOriginal: () => undefined,
    })
    session.begin()
    const secrets = [word('secret'), word('another', 2)]
    session.receive({ ...from2, kind: 'direct', body: secrets[0]! })
    assert.equal(disposed, 1)
    session.receive({ ...from2, kind: 'direct', round: 2, body: secrets[1]! })
    assert.equal(disposed, 2)
    assert.equal(session.state.kind, 'done')
    for (const secret of secrets) assert.ok(secret.every((byte) => byte === 0))
  })

  test('ending a running session cancels it', () => {
    const session = alone(['direct'])
    session.begin()
    const body = word('secret')
    session.receive({ ...from2, kind: 'direct', body })
    session[Symbol.dispose]()
    assert.equal(endOf(session).code, 'threshold/cancelled')
    assert.ok(body.every((byte) => byte === 0))
  })

  test('a mistake in a protocol is thrown, not blamed on a peer', () => {
    const session = new Session({
      sid: new Uint8Array(32),
      protocol: 'test',
      self: P1,
      parties: partiesUpTo(2),
      first: next({
        number: 1,
        direct: inlet(wordCodec, 100, () => {
          throw new TypeError('our own mistake')
        }),
        advance: () => assert.fail('not reached'),
      }),
      deadline: 1,
      readOriginal: () => undefined,
    })
    session.begin()
    assert.throws(() => session.receive({ ...from2, kind: 'direct', body: word('a') }), TypeError)
    assert.equal(endOf(session).code, 'threshold/cancelled')
  })
})
