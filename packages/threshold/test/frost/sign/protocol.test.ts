/** Signing as sessions over the in-memory network. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { concatBytes, decode, encode, Secret, utf8 } from '@quorate/base'
import type { PreprocessedNonces } from '#src/frost/sign/commit-round.js'
import type { SigningItem } from '#src/frost/sign/item.js'
import { signingJudge } from '#src/frost/sign/judge.js'
import { SigningKey } from '#src/frost/sign/key.js'
import { startPreprocessing, startSigning } from '#src/frost/sign/protocol.js'
import {
  type ShareMessage,
  shareMessageCodec,
  wrongShareProofCodec,
} from '#src/frost/sign/share-round.js'
import { type FrostSuite, verifySignature } from '#src/frost/suite.js'
import { frostSuites } from '#src/frost/suites/table.js'
import { nobleVerifier } from '#src/session/envelope-crypto.js'
import type { Evidence } from '#src/session/evidence.js'
import { verifyEvidence } from '#src/session/evidence.js'
import type { PartyId } from '#src/session/party.js'
import type { Step } from '#src/session/round.js'
import {
  alterBody,
  keysOf,
  outputsOf,
  participants,
  type RunOptions,
  type RunResult,
  runSessions,
} from '#src/testing/index.js'
import { dealt, ids, random } from './fixtures.ts'

const itemsOf = (suite: FrostSuite): readonly SigningItem[] =>
  suite.scheme === 'ed25519'
    ? [{ message: utf8('one') }, { message: utf8('two') }]
    : [
        { message: utf8('one'), tweaks: [{ kind: 'taproot' }] },
        { message: utf8('two') },
        {
          message: utf8('three'),
          tweaks: [{ kind: 'taproot', merkleRoot: new Uint8Array(32).fill(9) }],
        },
        { message: utf8('one'), tweaks: [{ kind: 'taproot' }] },
      ]

const signers = ids(1, 3, 4, 5)
/** The same steps from a party that sends another body in one round, and keeps to it in its echo. */
const cheating = <Out>(
  step: Step<Out>,
  round: number,
  change: (body: Uint8Array) => Uint8Array,
): Step<Out> =>
  step.kind === 'done'
    ? step
    : {
        ...step,
        send:
          step.round.number === round
            ? step.send.map((each) => ({ ...each, body: change(each.body) }))
            : step.send,
        round: { ...step.round, advance: () => cheating(step.round.advance(), round, change) },
      }

type Result = RunResult<readonly Uint8Array[]>

for (const suite of Object.values(frostSuites)) {
  const { group } = suite
  const items = itemsOf(suite)
  const deal = dealt(suite, 3, 5)
  const { key, shares } = deal
  const optionsOf = (self: PartyId) => ({ self, signers, key, share: shares.get(self)!, random })
  const run = (more: Partial<RunOptions<readonly Uint8Array[]>> = {}): Result =>
    runSessions({
      parties: signers,
      make: (self) => startSigning({ ...optionsOf(self), items }),
      ...more,
    })

  const assertSignatures = (result: Result): void => {
    const outputs = [...outputsOf(result).values()]
    assert.equal(outputs.length, signers.length)
    for (const signatures of outputs) {
      assert.deepEqual(signatures, outputs[0])
      assert.equal(signatures.length, items.length)
      for (const [i, { message, tweaks }] of items.entries())
        assert.ok(
          verifySignature(suite, new SigningKey(key, tweaks).publicKey, message, signatures[i]!),
        )
    }
  }
  const codec = shareMessageCodec(items.length)
  const plusOne = (share: Uint8Array): Uint8Array =>
    group.encodeScalar(group.decodeScalar(share) + 1n)
  type Lie = {
    readonly from: number
    readonly round: number
    readonly change: (body: Uint8Array) => Uint8Array
  }
  const runWith = (
    lies: readonly Lie[],
    envelopes: RunOptions<unknown>['envelopes'] = false,
  ): Result =>
    run({
      envelopes,
      make: (self) =>
        lies
          .filter(({ from }) => from === self)
          .reduce(
            (step, { round, change }) => cheating(step, round, change),
            startSigning({ ...optionsOf(self), items }),
          ),
    })
  /** Another share message in the right form. */
  const otherShares = (from: number, change: (message: ShareMessage) => ShareMessage): Lie => ({
    from,
    round: 2,
    change: (body) => encode(codec, change(decode(codec, body, { maxBytes: body.length }))),
  })
  const wrongShare = (from: number, item: number): Lie =>
    otherShares(from, (message) =>
      message.map((each, i) => (i === item ? { ...each, share: plusOne(each.share) } : each)),
    )
  const abortOf = (result: Result, party: number) => {
    const state = result.states.get(party as PartyId)!
    assert.equal(state.kind, 'aborted')
    if (state.kind !== 'aborted') throw new Error('not aborted')
    return state.abort
  }

  describe(suite.id, () => {
    test('all signers end with the same signatures, whatever the order of delivery', () => {
      assertSignatures(run())
      for (const orderSeed of [1, 2, 3]) assertSignatures(run({ orderSeed }))
      assertSignatures(run({ envelopes: true }))
    })

    test('preprocessed nonces: one round, and each pair signs once', () => {
      const made = outputsOf(
        runSessions<readonly PreprocessedNonces[]>({
          parties: signers,
          make: (self) => startPreprocessing({ ...optionsOf(self), count: items.length }),
        }),
      )
      const start = (self: PartyId) =>
        startSigning({ ...optionsOf(self), items, preprocessed: made.get(self)! })
      const rounds = new Set<number>()
      assertSignatures(
        run({
          make: start,
          tamper: (delivery) => {
            rounds.add(delivery.round)
            return [delivery]
          },
        }),
      )
      assert.deepEqual([...rounds], [2])
      assert.throws(() => start(signers[0]!), { code: 'threshold/nonce-used' })
    })

    test('every cheater is named by every honest party, with evidence that convicts it', () => {
      const all = participants(signers, 'sign')
      const result = runWith([wrongShare(3, 0), wrongShare(5, items.length - 1)], all)
      for (const honest of [1, 4]) {
        const abort = abortOf(result, honest)
        assert.equal(abort.code, 'threshold/invalid-share')
        assert.deepEqual(abort.culprits, [3, 5])
        const judge = signingJudge({ key, signers, items })
        const verifier = { ...nobleVerifier, ...keysOf(all), cluster: new Uint8Array(32), judge }
        assert.deepEqual(verifyEvidence(abort.evidence!, verifier), [3, 5])

        const evidence = abort.evidence!
        const refused: readonly Evidence[] = [
          { ...evidence, culprits: [...evidence.culprits, signers[0]!] },
          { ...evidence, proof: undefined },
          { ...evidence, proof: Uint8Array.of(1) },
          { ...evidence, claim: 'threshold/invalid-proof' },
        ]
        for (const each of refused)
          assert.throws(() => verifyEvidence(each, verifier), {
            code: 'threshold/evidence-rejected',
          })
        // About another message, key or signer set the same messages prove nothing.
        const others = [
          signingJudge({ key, signers, items: items.map(() => ({ message: utf8('other') })) }),
          signingJudge({ key: dealt(suite, 3, 5).key, signers, items }),
          signingJudge({ key, signers: ids(1, 3, 5), items }),
        ]
        for (const other of others)
          assert.throws(() => verifyEvidence(evidence, { ...verifier, judge: other }), {
            code: 'threshold/evidence-rejected',
          })
      }
    })

    test('an accuser cannot convict an honest signer by commitments of its own making', () => {
      const made = outputsOf(
        runSessions<readonly PreprocessedNonces[]>({
          parties: signers,
          make: (self) => startPreprocessing({ ...optionsOf(self), count: items.length }),
        }),
      )
      const bodies = new Map<PartyId, Uint8Array>()
      const commitments = made.get(signers[0]!)!.map((each) => each.commitments)
      run({
        make: (self) => startSigning({ ...optionsOf(self), items, preprocessed: made.get(self)! }),
        tamper: (delivery) => {
          if (delivery.kind === 'broadcast') bodies.set(delivery.from, delivery.body)
          return [delivery]
        },
      })
      const judge = signingJudge({ key, signers, items })
      const messages = [
        {
          from: signers[1]!,
          to: 0,
          round: 2,
          kind: 'broadcast' as const,
          body: bodies.get(signers[1]!)!,
        },
      ]
      const proofWith = (swap: boolean): Uint8Array =>
        encode(wrongShareProofCodec, [
          {
            item: 0,
            commitments: [...commitments[0]!].map(([party, { encoded }]) => ({
              party,
              commitment: swap && party === 1 ? commitments[1]!.get(party)!.encoded : encoded,
            })),
          },
        ])
      for (const swap of [false, true])
        assert.deepEqual(judge('threshold/invalid-share', messages, proofWith(swap)), [])
    })

    test('a share made in another context, and one that is no scalar, are refused', () => {
      const lies = [
        otherShares(4, (m) => m.map((each) => ({ ...each, context: new Uint8Array(32) }))),
        otherShares(4, (m) => m.map((each) => ({ ...each, share: new Uint8Array(32).fill(255) }))),
      ]
      for (const lie of lies) {
        const abort = abortOf(runWith([lie]), 1)
        assert.equal(abort.code, 'threshold/invalid-share')
        assert.deepEqual(abort.culprits, [4])
      }
    })

    test('commitments that are no elements, too many or too few are the fault of their sender', () => {
      const damage: readonly ((body: Uint8Array) => Uint8Array)[] = [
        (body) => body.fill(0, 8, 40),
        (body) => body.slice(0, -1),
        (body) => concatBytes(body, Uint8Array.of(0)),
        () => new Uint8Array(),
      ]
      for (const change of damage) {
        const lie = { from: 5, round: 1, change: (body: Uint8Array) => change(body.slice()) }
        const abort = abortOf(runWith([lie]), 3)
        assert.equal(abort.code, 'threshold/malformed-message')
        assert.deepEqual(abort.culprits, [5])
      }
    })

    test('different commitments for different signers are an equivocation', () => {
      const tamper = alterBody({ from: 5, to: 1, round: 1, kind: 'broadcast' }, (body) => {
        const other = body.slice()
        const length = 2 * group.elementLength
        // Two commitments change places: all remain valid elements.
        const [a, b] = [other.slice(3, 3 + length), other.slice(3 + length + 2, 3 + 2 * length + 2)]
        other.set(b, 3)
        other.set(a, 3 + length + 2)
        return other
      })
      const abort = abortOf(run({ tamper, envelopes: true }), 3)
      assert.equal(abort.code, 'threshold/equivocation')
      assert.deepEqual(abort.culprits, [5])
    })

    test('a signer that sends nothing is missing, not blamed', () => {
      const result = run({ tamper: (d) => (d.from === 4 && d.round === 2 ? [] : [d]) })
      const abort = abortOf(result, 1)
      assert.equal(abort.code, 'threshold/timeout')
      assert.deepEqual(abort.culprits, [])
      assert.deepEqual(abort.laggards, [4])
    })

    test('what cannot be signed is refused before anything is sent', () => {
      const self = signers[0]!
      const bad = { code: 'threshold/bad-parameters' }
      const start = (more: object) => () => startSigning({ ...optionsOf(self), items, ...more })
      for (const set of [ids(1, 3), ids(3, 4, 5), ids(1, 1, 3), []])
        assert.throws(start({ signers: set }), bad)
      assert.throws(start({ items: [] }), bad)
      assert.throws(start({ items: Array.from({ length: 257 }, () => items[0]) }), bad)
      assert.throws(start({ preprocessed: [] }), bad)
      for (const count of [0, 257, 1.5])
        assert.throws(() => startPreprocessing({ ...optionsOf(self), count }), bad)
      const tweaks = [{ kind: 'taproot' as const, merkleRoot: new Uint8Array(31) }]
      const code =
        suite.scheme === 'ed25519' ? 'threshold/unsupported-tweak' : 'threshold/bad-tweak'
      assert.throws(start({ items: [{ message: utf8('x'), tweaks }] }), { code })
    })

    test('a session that ends early wipes its nonces and leaves the share alone', () => {
      const share = new Secret(shares.get(signers[0]!)!.expose().slice())
      const fresh: Uint8Array[] = []
      const step = startSigning({
        ...optionsOf(signers[0]!),
        share,
        items,
        random: {
          bytes(length) {
            const bytes = random.bytes(length)
            fresh.push(bytes)
            return bytes
          },
        },
      })
      assert.ok(
        fresh.length === 2 * items.length &&
          fresh.every((each) => each.every((byte) => byte === 0)),
      )
      assert.equal(step.kind, 'next')
      if (step.kind === 'next') step.round[Symbol.dispose]!()
      assert.throws(() => step.kind === 'next' && step.round.advance())
      assert.ok(!share.isWiped)
    })
  })
}
