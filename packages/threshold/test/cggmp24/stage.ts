/**
 * Sessions of CGGMP24 as tests play and judge them: over real envelopes, by a judge who holds only
 * what is public. Everything that an attack needs of the library comes through here, so that an attack
 * can be played against a copy of the library as well (`attacks/without-guard.ts`).
 */
import assert from 'node:assert/strict'
import { encodeCbor } from '@quorate/base'
import { Modulus, RingPedersen } from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import { replayJudge } from '#src/cggmp24/replay.js'
import { stripEnvelope } from '#src/session/envelope.js'
import { nobleVerifier } from '#src/session/envelope-crypto.js'
import {
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  type Judge,
  type Verifier,
  verifyEvidence,
} from '#src/session/evidence.js'
import type { MessageKind } from '#src/session/message.js'
import { type PartyId, partiesUpTo, partyId } from '#src/session/party.js'
import {
  keysOf,
  participants,
  type RunOptions,
  type RunResult,
  runSessions,
} from '#src/testing/index.js'
import { signedTransport } from '#src/testing/transport.js'
import type { Scene } from './scenes.js'

await chooseBackends()

const PROTOCOL = 'cggmp24'
const WHO = participants(partiesUpTo(5), 'stage')

export type Hooks = Pick<
  RunOptions<unknown>,
  'cheat' | 'tamper' | 'wire' | 'inject' | 'orderSeed' | 'envelopes'
>

export const play = <Out>({ sid, parties, make }: Scene<Out>, hooks: Hooks = {}): RunResult<Out> =>
  runSessions({
    sid,
    parties,
    make,
    protocol: PROTOCOL,
    envelopes: WHO.filter(({ party }) => parties.includes(party)),
    ...hooks,
  })

/** Whoever holds the public records of the session, and nothing else. */
export const verifierOf = ({ sid, parties, checks }: Scene<unknown>): Verifier => ({
  ...keysOf(WHO),
  ...nobleVerifier,
  cluster: new Uint8Array(32),
  judge: replayJudge({ sid, protocol: PROTOCOL, parties }, checks),
})

/** One message as it was signed, with what a third party needs to read it. */
export type Spoken = {
  readonly from: PartyId
  /** 0 = all. */
  readonly to: number
  readonly round: number
  readonly kind: MessageKind
  readonly body: Uint8Array
  readonly original: Evidence['originals'][number]
}

/** Plays, and keeps every message that was sent. */
export function record<Out>(
  scene: Scene<Out>,
  hooks: Omit<Hooks, 'wire' | 'envelopes'> = {},
): { readonly result: RunResult<Out>; readonly spoken: readonly Spoken[] } {
  const transport = signedTransport(WHO, {
    cluster: new Uint8Array(32),
    sid: scene.sid,
    protocol: PROTOCOL,
  })
  const spoken = new Map<string, Spoken>()
  const wire: NonNullable<Hooks['wire']> = (delivery) => {
    const { from, round, kind, body, salt } = transport.unwrap(delivery.to, delivery.bytes)
    const isForOne = kind === 'direct'
    const to = isForOne ? delivery.to : 0
    const envelope = isForOne ? stripEnvelope(delivery.bytes) : delivery.bytes
    const original = { envelope, ...(isForOne && { opening: { salt: salt!, body } }) }
    spoken.set(`${round}/${kind}/${from}/${to}`, { from, to, round, kind, body, original })
    return [delivery]
  }
  const result = play(scene, { ...hooks, wire })
  return { result, spoken: [...spoken.values()] }
}

/** A message that the party signs, whatever its session would say. */
export function utter(
  scene: Scene<unknown>,
  from: PartyId,
  message: Pick<Spoken, 'round' | 'kind' | 'body'>,
): Spoken {
  const name = { cluster: new Uint8Array(32), sid: scene.sid, protocol: PROTOCOL }
  const envelope = signedTransport(WHO, name).wrap(from, { ...message, to: 'all' })
  return { ...message, from, to: 0, original: { envelope } }
}

/** Evidence as an accuser may put it together: signed messages, and what others are said to have broadcast. */
export const accuse = (
  { sid }: Scene<unknown>,
  culprits: readonly PartyId[],
  messages: readonly Pick<Spoken, 'original'>[],
  notes: readonly Pick<Spoken, 'round' | 'from' | 'body'>[],
  claim: string = 'threshold/invalid-proof',
): Evidence => ({
  v: 1,
  sid,
  protocol: PROTOCOL,
  claim,
  culprits,
  originals: messages.map(({ original }) => original),
  proof: encodeCbor(
    notes.map(
      ({ round, from, body }) =>
        new Map<number, number | Uint8Array>([
          [1, round],
          [2, from],
          [3, body],
        ]),
    ),
  ),
})

export type Verdict = {
  readonly code: string
  readonly culprits: readonly PartyId[]
  readonly detail: string | undefined
  readonly evidence: Evidence | undefined
}

/** How the session of that party was aborted. */
export function verdictOf({ states }: RunResult<unknown>, party: number): Verdict {
  const state = states.get(partyId(party))!
  assert.equal(state.kind, 'aborted', `party ${party}`)
  if (state.kind !== 'aborted') assert.fail()
  const { code, culprits, detail, evidence } = state.abort
  return { code, culprits, detail, evidence }
}

/** Whether the verifier is convinced; anything but a refusal is thrown on. */
export function convicts(verifier: Verifier, evidence: Evidence): boolean {
  try {
    verifyEvidence(evidence, verifier)
    return true
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'threshold/evidence-rejected') return false
    throw error
  }
}

/**
 * Asserts that the parties `by`, all but the culprit unless told, ended with this code and name the
 * culprit alone; that what they hold convinces a third party after it was stored and read; and that
 * it convicts nobody else.
 */
export function assertConvicted(
  scene: Scene<unknown>,
  result: RunResult<unknown>,
  culprit: number,
  code: string,
  { detail, by }: { readonly detail?: string; readonly by?: readonly number[] } = {},
): void {
  for (const party of by ?? scene.parties.filter((each) => each !== culprit)) {
    const verdict = verdictOf(result, party)
    assert.deepEqual([verdict.code, verdict.culprits], [code, [culprit]], `party ${party}`)
    if (detail !== undefined) assert.equal(verdict.detail?.startsWith(detail), true, verdict.detail)
    assert.ok(verdict.evidence !== undefined)
    const evidence = decodeEvidence(encodeEvidence(verdict.evidence))
    const verifier = thinkingOnce(verifierOf(scene))
    assert.deepEqual(verifyEvidence(evidence, verifier), [culprit])
    for (const other of scene.parties)
      if (other !== culprit)
        assert.ok(!convicts(verifier, { ...evidence, culprits: [other] }), `frames ${other}`)
  }
}

/** A verifier of one piece of evidence, whomever it is said to convict: alerts take long to judge. */
function thinkingOnce(verifier: Verifier): Verifier {
  let convicted: readonly PartyId[] | undefined
  const judge: Judge = (...args) => {
    convicted ??= verifier.judge!(...args)
    return convicted
  }
  return { ...verifier, judge }
}

/** Asserts that every party's session was aborted, and that none of them blames anybody. */
export function assertNobodyBlamed(result: RunResult<unknown>, code?: string): void {
  for (const party of result.states.keys()) {
    const verdict = verdictOf(result, party)
    assert.deepEqual(verdict.culprits, [], `party ${party}: ${verdict.code}`)
    assert.equal(verdict.evidence, undefined)
    if (code !== undefined) assert.equal(verdict.code, code)
  }
}

/** Points and codecs of this copy of the library: those of another are refused. */
export { secp256k1, Transcript } from '@quorate/math'
/** The same parameters over this copy's arithmetic. */
export const ringPedersen = ({ n, s, t }: RingPedersen): RingPedersen =>
  new RingPedersen(Modulus.of(n), s, t)
export { openCodec as keygenOpenCodec } from '#src/cggmp24/keygen/checks.js'
export type { ItemSigner } from '#src/cggmp24/presign/signer.js'
export { verifyPrm } from '#src/cggmp24/proofs/prm.js'
export { verifyDoubleUse } from '#src/cggmp24/sign/double-use.js'
export { cheating, heedless } from './accomplices.js'
export {
  auxScene,
  idsOf,
  type KeygenExtra,
  keygenScene,
  L112,
  L128,
  onlineScene,
  type PresignExtra,
  presignChecks,
  presignFacts,
  presignScene,
  type Scene,
  sidOf,
  signScene,
  TESTED,
  walletOf,
} from './scenes.js'
