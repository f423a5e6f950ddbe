import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { concatBytes, decode, encode, fromHex, Secret } from '@quorate/base'
import type { Element } from '@quorate/math'
import { accusationsCodec, accuse } from '#src/frost/keygen/accusation.js'
import { coordinatorInvestigate, coordinatorStep1 } from '#src/frost/keygen/coordinator.js'
import { dealingCodec, judgeDkg, maxDealingBytes, signedCodec } from '#src/frost/keygen/judge.js'
import { beginKeygen, dkgSuite, type SharedKey } from '#src/frost/keygen/keygen.js'
import {
  type DealerMessage,
  decodeDealerMessage,
  encodeDealerMessage,
} from '#src/frost/keygen/messages.js'
import { dkgParameters, hostPublicKey } from '#src/frost/keygen/parameters.js'
import {
  participantInvestigate,
  participantStep1,
  participantStep2,
  UnattributedShare,
} from '#src/frost/keygen/participant.js'
import type { Abort } from '#src/session/abort.js'
import { nobleVerifier } from '#src/session/envelope-crypto.js'
import { type Evidence, verifyEvidence } from '#src/session/evidence.js'
import { type PartyId, partiesUpTo } from '#src/session/party.js'
import {
  alterBody,
  type Cheat,
  conspire,
  type Delivery,
  keysOf,
  misbehave,
  participants,
  type RunOptions,
  type RunResult,
  recoded,
} from '#src/testing/index.js'
import { dkgSetup, runKeygen, type Setup, SUITES } from './dkg-setup.js'

const everyone = participants(partiesUpTo(4), 'attacks')

for (const id of SUITES)
  describe(id, () => {
    const setup = dkgSetup(id, 2, 4)
    const { group } = setup.session.params.suite
    const run = (
      attack: Partial<RunOptions<SharedKey>>,
      from: Setup = setup,
    ): RunResult<SharedKey> => runKeygen(from, { envelopes: everyone, ...attack })

    /** Everyone but the cheaters ends with this code, naming them; whoever has evidence can convince others. */
    function expectBlame(
      result: RunResult<SharedKey>,
      code: string,
      culprits: readonly number[],
      isTransferable = true,
    ): Abort {
      let last: Abort | undefined
      for (const [party, state] of result.states) {
        if (culprits.includes(party)) continue
        assert.ok(state.kind === 'aborted', `party ${party} is ${state.kind}`)
        assert.deepEqual(
          [state.abort.code, state.abort.culprits],
          [code, culprits],
          `party ${party}`,
        )
        if (isTransferable) assert.deepEqual(verify(state.abort.evidence!), culprits)
        last = state.abort
      }
      return last!
    }
    const verify = (evidence: Evidence, from: Setup = setup): readonly PartyId[] =>
      verifyEvidence(evidence, {
        ...keysOf(everyone),
        ...nobleVerifier,
        cluster: new Uint8Array(32),
        judge: judgeDkg(from.session),
      })

    /** Another dealer message from one party, told to all alike. */
    const redeal = (from: number, change: (message: DealerMessage) => DealerMessage): Cheat =>
      misbehave(
        { from, round: 1 },
        recoded(dealingCodec, (body) => ({ ...body, message: rewrite(body.message, change) })),
      )
    const rewrite = (
      encoded: Uint8Array,
      change: (message: DealerMessage) => DealerMessage,
    ): Uint8Array =>
      encodeDealerMessage(
        setup.session.params,
        change(decodeDealerMessage(setup.session.params, encoded)),
      )
    const dealingOf = (
      from: number,
      of: Setup = setup,
    ): { message: DealerMessage; body: Uint8Array } => {
      const step = beginKeygen(of.optionsOf(from as PartyId))
      const { body } = step.send[0]!
      const { message } = decode(dealingCodec, body, {
        maxBytes: maxDealingBytes(of.session.params),
      })
      return { message: decodeDealerMessage(of.session.params, message), body }
    }
    const wrongShareFor =
      (...receivers: number[]) =>
      (message: DealerMessage): DealerMessage => ({
        ...message,
        encryptedShares: message.encryptedShares.map((c, i) =>
          receivers.includes(i + 1) ? (c + 1n) % group.order : c,
        ),
      })

    test('a rogue key, chosen to cancel the others, needs a proof that nobody can give', () => {
      const honest = [1, 2, 4].map((each) => dealingOf(each).message.commitment[0]!)
      const rogue: Element = group.add(group.mulBase(42n), group.negate(group.sum(honest)))
      const attack = redeal(3, (message) => ({
        ...message,
        commitment: [rogue, ...message.commitment.slice(1)],
      }))
      expectBlame(run({ cheat: attack }), 'threshold/invalid-proof', [3])
    })

    test('another party’s dealing cannot be taken over: proofs are bound to their party', () => {
      const { body } = dealingOf(1)
      expectBlame(
        run({ cheat: misbehave({ from: 3, round: 1 }, () => body) }),
        'threshold/invalid-proof',
        [3],
      )
    })

    test('a commitment that is longer, and would raise the threshold, is malformed', () => {
      const higher = dkgSetup(id, 3, 4)
      const { body } = dealingOf(3, higher)
      expectBlame(
        run({ cheat: misbehave({ from: 3, round: 1 }, () => body) }),
        'threshold/malformed-message',
        [3],
      )
    })

    test('a message with anything behind it is malformed', () => {
      const longer = recoded(dealingCodec, (body) => ({
        ...body,
        message: concatBytes(body.message, Uint8Array.of(0)),
      }))
      expectBlame(
        run({ cheat: misbehave({ from: 3, round: 1 }, longer) }),
        'threshold/malformed-message',
        [3],
      )
    })

    test('a commitment to zero adds nothing to the key, and is refused', () => {
      const zero = redeal(2, (message) => ({
        ...message,
        commitment: message.commitment.map(() => group.identity),
      }))
      expectBlame(run({ cheat: zero }), 'threshold/invalid-proof', [2])
    })

    test('a wrong share is shown to everyone by its receiver', () => {
      const abort = expectBlame(
        run({ cheat: redeal(2, wrongShareFor(4)) }),
        'threshold/invalid-share',
        [2],
      )
      const refused = { code: 'threshold/evidence-rejected' }
      assert.throws(() => verify({ ...abort.evidence!, culprits: [4 as PartyId] }), refused)
      assert.throws(() => verify({ ...abort.evidence!, proof: Uint8Array.of(1) }), refused)
      assert.throws(() => verify({ ...abort.evidence!, proof: undefined }), refused)
      assert.throws(
        () => verify(abort.evidence!, dkgSetup(id, 2, 4, { sid: new Uint8Array(32).fill(1) })),
        refused,
      )
    })

    test('every dealer of a wrong share is named, in any order of delivery', () => {
      for (const orderSeed of [1, 2, 3]) {
        const cheat = conspire(redeal(2, wrongShareFor(4)), redeal(3, wrongShareFor(4)))
        expectBlame(run({ cheat, orderSeed }), 'threshold/invalid-share', [2, 3])
      }
    })

    test('a nonce whose secret the dealer does not know is refused: opening its shares would betray others', () => {
      const elsewhere = dkgSetup(id, 2, 4, { seed: 'elsewhere', sid: new Uint8Array(32).fill(7) })
      const { nonce } = dealingOf(1, elsewhere).message
      expectBlame(
        run({ cheat: redeal(3, (message) => ({ ...message, nonce })) }),
        'threshold/invalid-proof',
        [3],
      )
      // Nor does its owner's proof for the other session help.
      const { body } = dealingOf(3, elsewhere)
      expectBlame(
        run({ cheat: misbehave({ from: 3, round: 1 }, () => body) }),
        'threshold/invalid-proof',
        [3],
      )
    })

    test('a nonce outside the group is malformed', () => {
      const nonce = new Uint8Array(group.elementLength).fill(0xff)
      expectBlame(
        run({ cheat: redeal(3, (message) => ({ ...message, nonce })) }),
        'threshold/malformed-message',
        [3],
      )
    })

    test('whoever signs something else under our transcript’s hash is convicted by that', () => {
      const forged = misbehave(
        { from: 2, round: 2 },
        recoded(signedCodec, (body) => ({ ...body, signature: new Uint8Array(64).fill(1) })),
      )
      expectBlame(run({ cheat: forged }), 'threshold/invalid-certificate', [2])
      const other = misbehave(
        { from: 2, round: 2 },
        recoded(signedCodec, (body) => ({ ...body, transcriptHash: new Uint8Array(32) })),
      )
      expectBlame(run({ cheat: other }), 'threshold/invalid-certificate', [2], false)
    })

    test('different dealings for different parties are an equivocation', () => {
      const { body } = dealingOf(2, dkgSetup(id, 2, 4, { seed: 'other' }))
      const tamper = alterBody({ from: 2, to: 4, kind: 'broadcast', round: 1 }, () => body)
      expectBlame(run({ tamper }), 'threshold/equivocation', [2])
    })

    describe('an accusation', () => {
      const complaint = (body: Uint8Array): Uint8Array => {
        // union variant 2, record { 1: bytes }
        const length =
          body.length < 24
            ? [0x40 | body.length]
            : body.length < 256
              ? [0x58, body.length]
              : [0x59, body.length >> 8, body.length & 255]
        return Uint8Array.of(0x82, 0x02, 0xa1, 0x01, ...length, ...body)
      }
      const accusing =
        (body: Uint8Array) =>
        (d: Delivery): readonly Delivery[] =>
          d.from === 3 && d.kind === 'broadcast' && d.round === 2
            ? [{ ...d, kind: 'dispute', body: complaint(body) }]
            : [d]
      const opened = (accused: number, nonce: Element) => {
        const { hostSecret, random } = setup.optionsOf(3 as PartyId)
        return accuse(setup.session, 2, hostSecret, accused as PartyId, nonce, random.bytes(32))
      }
      const nonceOf = (party: number): Element => group.decode(dealingOf(party).message.nonce)

      test('without ground falls back on the accuser, whatever it opens', () => {
        const right = opened(1, nonceOf(1))
        for (const accusation of [
          right,
          { ...right, proof: new Uint8Array(64).fill(1) },
          { ...right, opened: group.encode(group.generator) },
          { ...right, opened: fromHex('ff'.repeat(group.elementLength)) },
        ]) {
          const result = run({ tamper: accusing(encode(accusationsCodec, [accusation])) })
          const byOthers = new Map([...result.states].filter(([party]) => party !== 1))
          expectBlame({ ...result, states: byOthers }, 'threshold/false-accusation', [3])
          // The accused has no signed original of its own to show with it, but knows.
          expectBlame(result, 'threshold/false-accusation', [3], false)
        }
      })

      test('of a party by itself, or of nobody in the session, falls back too', () => {
        for (const accused of [3, 9])
          expectBlame(
            run({ tamper: accusing(encode(accusationsCodec, [opened(accused, nonceOf(1))])) }),
            'threshold/false-accusation',
            [3],
            false,
          )
      })
    })

    test('a lying coordinator gets no certificate, and is told from a lying dealer', () => {
      const { params } = setup.session
      const dealt = setup.parties.map((each) => {
        const { hostSecret, random } = setup.optionsOf(each)
        return { ...participantStep1(params, hostSecret, random.bytes(32)), hostSecret }
      })
      const dealings = dealt.map(({ encoded }) => encoded)
      const { encoded } = coordinatorStep1(params, dealings)
      const [own] = dealt as [(typeof dealt)[0]]
      const step2 = (joint: Uint8Array) =>
        participantStep2(own, own.hostSecret, joint, new Uint8Array(32))
      step2(encoded)

      const lied = encoded.slice()
      const mine = encoded.length - 32 * setup.parties.length // our encrypted sum
      lied.set(
        group.encodeScalar((group.decodeScalar(encoded.slice(mine, mine + 32)) + 1n) % group.order),
        mine,
      )
      let inquiry: UnattributedShare['inquiry'] | undefined
      assert.throws(
        () => step2(lied),
        (error) => {
          assert.ok(error instanceof UnattributedShare)
          inquiry = error.inquiry
          return true
        },
      )
      const [answer] = coordinatorInvestigate(params, dealings)
      assert.throws(() => participantInvestigate(inquiry!, answer!), {
        code: 'threshold/faulty-coordinator',
        culprits: [],
      })
    })
  })

test('host keys are checked before anything is sent', () => {
  const suite = dkgSuite(SUITES[0]!)
  const keys = [1n, 2n, 3n].map((k) => hostPublicKey(suite, suite.group.encodeScalar(k)))
  const [a, b, c] = keys as [Uint8Array, Uint8Array, Uint8Array]
  const make = (threshold: number, hostKeys: readonly Uint8Array[]) => () =>
    dkgParameters({ suite, threshold, hostKeys })
  for (const threshold of [0, 4, 1.5, Number.NaN])
    assert.throws(make(threshold, keys), { code: 'threshold/bad-parameters' })
  assert.throws(make(1, []), { code: 'threshold/bad-parameters' })
  assert.throws(
    make(
      2,
      Array.from({ length: 51 }, () => a),
    ),
    { code: 'threshold/bad-parameters' },
  )
  assert.throws(make(2, [a, b, a]), { code: 'threshold/duplicate-host-key' })
  assert.throws(make(2, [a, b, new Uint8Array(32)]), { code: 'threshold/bad-host-key' })
  assert.throws(() => hostPublicKey(suite, new Uint8Array(32)), { code: 'threshold/bad-host-key' })
  assert.throws(() => hostPublicKey(suite, new Uint8Array(31)), { code: 'threshold/bad-host-key' })
  const params = make(2, [a, b, c])()
  const stranger = new Secret(suite.group.encodeScalar(4n))
  const random = { bytes: (length: number) => new Uint8Array(length).fill(1) }
  const sid = new Uint8Array(32)
  assert.throws(() => beginKeygen({ params, sid, hostSecret: stranger, random }), {
    code: 'threshold/bad-host-key',
  })
  const own = new Secret(suite.group.encodeScalar(1n))
  const zeros = { bytes: (length: number) => new Uint8Array(length) }
  assert.throws(() => beginKeygen({ params, sid, hostSecret: own, random: zeros }), {
    code: 'threshold/bad-randomness',
  })
})
