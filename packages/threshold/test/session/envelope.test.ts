import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encode, type Fault, isFault } from '@quorate/base'
import fc from 'fast-check'
import {
  type OpenedEnvelope,
  type Outbound,
  openEnvelope,
  opens,
  type Receiver,
  readEnvelope,
  sealEnvelope,
  stripEnvelope,
} from '#src/session/envelope.js'
import { nobleVerifier } from '#src/session/envelope-crypto.js'
import { verifyEvidence } from '#src/session/evidence.js'
import { type PartyId, partiesUpTo } from '#src/session/party.js'
import {
  keysOf,
  outputsOf,
  type Participant,
  participants,
  runSessions,
  type WireDelivery,
} from '#src/testing/index.js'
import { beginTalk, wordCodec } from './echo-protocol.js'

const everyone = participants(partiesUpTo(3), 'envelopes')
const [one, two, three] = everyone as [Participant, Participant, Participant]
const filled = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value)
const message: Outbound = {
  cluster: filled(1),
  epoch: one.epoch,
  sid: filled(2),
  protocol: 'frost',
  round: 1,
  from: one.party,
  seq: 7,
  kind: 'broadcast',
  expiresAt: 1000,
  to: 'all',
  body: filled(9, 40),
}
const direct: Outbound = { ...message, kind: 'direct', to: two }
const receiver: Receiver = {
  ...keysOf(everyone),
  cluster: filled(1),
  self: two.party,
  epoch: two.epoch,
  sid: filled(2),
  now: 999,
}
const open = (
  bytes: Uint8Array,
  more: Partial<Receiver> = {},
  crypto = two.crypto,
): OpenedEnvelope => openEnvelope(bytes, { ...receiver, ...more }, crypto)
const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    assert.ok(isFault(error), String(error))
    return (error as Fault).code
  }
  return assert.fail('it was accepted')
}

describe('an envelope', () => {
  for (const outbound of [
    message,
    direct,
    { ...message, kind: 'control' } as const,
    { ...direct, kind: 'control' } as const,
  ])
    test(`carries a ${outbound.kind} message ${outbound.to === 'all' ? 'to all' : 'to one'}`, () => {
      const { header, body } = open(sealEnvelope(outbound, one.crypto))
      assert.deepEqual(body, outbound.body)
      const { from, round, seq, kind, protocol } = header
      assert.deepEqual(
        { from, round, seq, kind, protocol },
        { from: 1, round: 1, seq: 7, kind: outbound.kind, protocol: 'frost' },
      )
    })

  test('hides a body for one party, even a short one, and never seals it twice alike', () => {
    const bytes = sealEnvelope({ ...direct, body: filled(9, 40) }, one.crypto)
    assert.equal(Buffer.from(bytes).indexOf(Buffer.from(filled(9, 8))), -1)
    const again = open(sealEnvelope(direct, one.crypto))
    assert.notDeepEqual(open(bytes).header.bodyHash, again.header.bodyHash)
  })

  test('is refused with a code of its own for everything that does not fit', () => {
    const sent = sealEnvelope(message, one.crypto)
    const sealed = sealEnvelope(direct, one.crypto)
    assert.equal(
      codeOf(() => open(sent, { cluster: filled(3) })),
      'threshold/wrong-cluster',
    )
    assert.equal(
      codeOf(() => open(sent, { sid: filled(3) })),
      'threshold/wrong-session',
    )
    assert.equal(
      codeOf(() => open(sent, { now: 1000 })),
      'threshold/expired',
    )
    assert.equal(
      codeOf(() => open(sent, { epochKey: () => undefined })),
      'threshold/wrong-epoch',
    )
    assert.equal(
      codeOf(() => open(sent, { epochKey: () => three.signingKey })),
      'threshold/bad-signature',
    )
    assert.equal(
      codeOf(() => open(sent, { maxBytes: 100 })),
      'base/too-large',
    )
    assert.equal(
      codeOf(() => open(stripEnvelope(sent))),
      'base/malformed',
    )
    assert.equal(
      codeOf(() => open(sealed, { self: three.party }, three.crypto)),
      'threshold/not-addressed',
    )
    assert.equal(
      codeOf(() => open(sealed, { epoch: filled(5, 16) })),
      'threshold/wrong-epoch',
    )
    assert.equal(
      codeOf(() => open(sealed, {}, three.crypto)),
      'threshold/cannot-open',
    )
  })

  test('from this very party is refused, whoever signed it: own messages do not travel', () => {
    const own = sealEnvelope({ ...message, from: two.party, epoch: two.epoch }, two.crypto)
    assert.equal(
      codeOf(() => open(own)),
      'threshold/self-addressed',
    )
    const forged = sealEnvelope({ ...message, from: two.party, epoch: two.epoch }, three.crypto)
    assert.equal(
      codeOf(() => open(forged)),
      'threshold/self-addressed',
    )
    assert.equal(
      codeOf(() => sealEnvelope({ ...direct, to: one }, one.crypto)),
      'threshold/bad-parameters',
    )
  })

  test('cannot be signed by another party in somebody’s name', () => {
    assert.equal(
      codeOf(() => open(sealEnvelope(message, three.crypto))),
      'threshold/bad-signature',
    )
  })

  test('a round message has one form: broadcasts go to all, direct ones to one', () => {
    assert.equal(
      codeOf(() => sealEnvelope({ ...message, kind: 'direct' }, one.crypto)),
      'threshold/bad-parameters',
    )
    for (const kind of ['broadcast', 'echo', 'dispute'] as const)
      assert.equal(
        codeOf(() => sealEnvelope({ ...direct, kind }, one.crypto)),
        'threshold/bad-parameters',
      )
  })

  test('no bit of it can be changed', () => {
    const run = fc.property(
      fc.constantFrom(message, direct),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (outbound, at, flip) => {
        const bytes = sealEnvelope(outbound, one.crypto)
        bytes[at % bytes.length]! ^= flip
        const code = codeOf(() => open(bytes))
        assert.match(
          code,
          /^(base\/(malformed|not-canonical|too-large)|threshold\/(bad-signature|wrong-epoch|self-addressed|cannot-open))$/,
        )
      },
    )
    fc.assert(run, { numRuns: 300 })
  })

  test('a receiver can show a sealed body to others, and nothing but that body', () => {
    const sealed = sealEnvelope(direct, one.crypto)
    const { header, body, salt } = open(sealed)
    assert.equal(readEnvelope(sealed, keysOf(everyone), nobleVerifier).body, undefined)
    assert.ok(opens(header, { salt, body }))
    assert.ok(!opens(header, { salt, body: filled(8, 40) }))
    assert.ok(!opens(header, { salt: filled(0), body }))

    const evidence = (shown: Uint8Array) => ({
      v: 1 as const,
      sid: filled(2),
      protocol: 'frost',
      claim: 'threshold/invalid-share',
      culprits: [one.party],
      originals: [{ envelope: sealed, opening: { salt, body: shown } }],
    })
    const judge = (_: string, [first]: readonly { from: PartyId; body: Uint8Array }[]) =>
      first!.body[0] === 9 ? [first!.from] : []
    const verifier = { ...keysOf(everyone), ...nobleVerifier, cluster: filled(1), judge }
    assert.deepEqual(verifyEvidence(evidence(body), verifier), [1])
    assert.equal(
      codeOf(() => verifyEvidence(evidence(filled(9, 41)), verifier)),
      'threshold/evidence-rejected',
    )
  })
})

describe('on a hostile network', () => {
  const parties = partiesUpTo(3)
  const run = (more: object = {}) =>
    runSessions({
      parties,
      sid: filled(2),
      envelopes: everyone,
      make: (self) => beginTalk(self, parties, ['both', 'broadcast']),
      ...more,
    })

  test('a replay of another session is refused and changes nothing', () => {
    const recorded: WireDelivery[] = []
    run({
      sid: filled(3),
      wire(d: WireDelivery) {
        recorded.push(d)
        return [d]
      },
    })
    const { refusals, ...result } = run({ inject: recorded })
    outputsOf({ ...result, refusals })
    for (const codes of refusals.values())
      assert.ok(codes.length > 0 && codes.every((code) => code === 'threshold/wrong-session'))
  })

  test('envelopes of a stranger and a party’s own are refused and change nothing', () => {
    const mallory = participants(parties, 'mallory')
    const forge = (from: Participant, to: PartyId, crypto = from.crypto): WireDelivery => ({
      to,
      bytes: sealEnvelope(
        {
          ...message,
          cluster: filled(0),
          from: from.party,
          epoch: from.epoch,
          protocol: 'test',
          body: encode(wordCodec, { word: 'forged', round: 1 }),
        },
        crypto,
      ),
    })
    const { refusals, ...result } = run({
      inject: [forge(mallory[1]!, one.party), forge(mallory[0]!, one.party), forge(one, one.party)],
    })
    outputsOf({ ...result, refusals })
    assert.deepEqual(refusals.get(one.party), [
      'threshold/bad-signature',
      'threshold/self-addressed',
      'threshold/self-addressed',
    ])
  })

  test('corrupted bytes are refused; the session waits and blames nobody', () => {
    const { states } = run({
      wire: (d: WireDelivery) => {
        const bytes = d.bytes.slice()
        if (d.to === 1) bytes[bytes.length - 1]! ^= 1
        return [{ ...d, bytes }]
      },
    })
    const state = states.get(one.party)!
    assert.ok(state.kind === 'aborted' && state.abort.code === 'threshold/timeout')
    assert.deepEqual([state.abort.culprits, state.abort.laggards], [[], [2, 3]])
  })
})
