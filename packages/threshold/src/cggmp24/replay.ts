/**
 * Checks that anybody can repeat. What a broadcast or direct message must satisfy depends only on
 * public facts and on the broadcasts of earlier rounds, so one object per session holds both and
 * checks for the parties while the session runs, and for third parties afterwards.
 *
 * Evidence of a fault is: the signed messages of the accused, its signed echoes, which are its own
 * word on what everybody broadcast in earlier rounds, and those broadcasts as the proof. The judge
 * replays them and convicts only where the same check fails that an honest party's messages pass for
 * everybody: under the parameters that the accused itself attested, and no others.
 */
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  field,
  int,
  isFault,
  record,
} from '@quorate/base'
import { Abort } from '../session/abort.ts'
import { echoOf } from '../session/echo.ts'
import { MAX_ENVELOPE_BYTES } from '../session/envelope.ts'
import type { Judge, Testimony } from '../session/evidence.ts'
import { MAX_PARTIES, type PartyId, party } from '../session/party.ts'
import { type Inlet, next, type Round, type Send, type Step } from '../session/round.ts'
import { checkContext, contextIn } from './context.ts'

export type PublicChecks = {
  /** What the first broadcast of every party begins with, 32 bytes. */
  readonly context: Uint8Array
  /** The last round, at least 0, whose broadcasts by all must be known before one of `round` is judged. */
  basisOf(round: number): number
  /** Longest body of a broadcast, or of a direct message, of that round. */
  maxBytes(round: number, kind: 'broadcast' | 'direct'): number
  /** Reads and keeps a broadcast, without judging it. @throws Fault of class InvalidInput for one that cannot be read */
  note(round: number, from: PartyId, body: Uint8Array): void
  /** Judges the broadcast noted of that party. Earlier rounds are closed. @throws Abort naming it */
  check(round: number, from: PartyId): void
  /** The cheap part of `check`: false for a broadcast that it would surely refuse. */
  isPlausible?(round: number, from: PartyId): boolean
  /** Judges a direct message, after its sender's broadcast of the round. @throws Abort naming the sender; Fault of class InvalidInput */
  checkDirect(round: number, from: PartyId, to: PartyId, body: Uint8Array): void
  /** All broadcasts of the round are noted. @throws Abort blaming nobody where there is no way on */
  close(round: number): void
}

export type ReplayFacts = {
  /** Session id, 32 bytes. */
  readonly sid: Uint8Array
  readonly protocol: string
  /** Ascending. */
  readonly parties: readonly PartyId[]
}

type Note = { readonly round: number; readonly from: PartyId; readonly body: Uint8Array }
const notesCodec: Codec<readonly Note[]> = array(
  record({
    round: field(1, int(1, 255)),
    from: field(2, party),
    body: field(3, bytes({ max: MAX_ENVELOPE_BYTES })),
  }),
  { max: 16 * MAX_PARTIES },
)
const MAX_NOTES_BYTES = 1 << 23

/** A running session's checks, with the broadcasts it has seen. */
export class Replay {
  readonly checks: PublicChecks
  readonly #notes: Note[] = []

  constructor(checks: PublicChecks) {
    this.checks = checks
  }

  /** Keeps a broadcast, this party's own among them. */
  note(round: number, from: PartyId, body: Uint8Array): void {
    this.checks.note(round, from, body)
    this.#notes.push({ round, from, body })
  }

  /** The way in for the broadcasts of a round. */
  broadcast(round: number, also?: (from: PartyId) => void): Inlet {
    return {
      // The real limit is checked below, where a breach of it comes with a proof.
      maxBytes: MAX_ENVELOPE_BYTES,
      accept: (from, body) =>
        this.#blaming(round, from, () => {
          refuseUnlike(this.checks, round, from, body)
          this.note(round, from, body)
          this.checks.check(round, from)
          also?.(from)
        }),
    }
  }

  /**
   * As `broadcast`, for a last round whose result shows whether any of its messages was bad: what was
   * taken in is judged by `judge`, which only a bad result calls for.
   */
  unjudged(round: number): Inlet {
    return {
      maxBytes: MAX_ENVELOPE_BYTES,
      accept: (from, body) =>
        this.#blaming(round, from, () => {
          refuseUnlike(this.checks, round, from, body)
          this.note(round, from, body)
        }),
    }
  }

  isPlausible(round: number, senders: readonly PartyId[]): boolean {
    return senders.every((from) => this.checks.isPlausible?.(round, from) ?? true)
  }

  /** Judges the broadcasts of these senders. @throws Abort naming every one whose broadcast is bad */
  judge(round: number, senders: readonly PartyId[]): void {
    const aborts: Abort[] = []
    for (const from of senders)
      try {
        this.#blaming(round, from, () => this.checks.check(round, from))
      } catch (error) {
        if (!(error instanceof Abort)) throw error
        aborts.push(error)
      }
    const first = aborts.find(({ culprits }) => culprits.length > 0) ?? aborts[0]
    if (first !== undefined)
      throw first.with({ culprits: aborts.flatMap(({ culprits }) => culprits) })
  }

  /** The way in for the direct messages of a round, addressed to `self`. */
  direct(round: number, self: PartyId, also: (from: PartyId, body: Uint8Array) => void): Inlet {
    return {
      maxBytes: MAX_ENVELOPE_BYTES,
      mayDisclose: true,
      accept: (from, body) =>
        this.#blaming(round, from, () => {
          limit(body, this.checks.maxBytes(round, 'direct'), from)
          this.checks.checkDirect(round, from, self, body)
          also(from, body)
        }),
    }
  }

  /** Names `from` for what cannot be read, and gives every blame the proof that a judge needs. */
  #blaming(round: number, from: PartyId, work: () => void): void {
    try {
      work()
    } catch (error) {
      const abort = asAbort(error, from)
      throw abort.culprits.length === 0
        ? abort
        : abort.with({
            proof: encode(
              notesCodec,
              this.#notes.filter((each) => each.round <= this.checks.basisOf(round)),
            ),
          })
    }
  }
}

function asAbort(error: unknown, from: PartyId): Abort {
  if (error instanceof Abort) return error
  if (isFault(error) && error.class === 'InvalidInput')
    return new Abort('threshold/malformed-message', { culprits: [from], cause: error })
  throw error
}

/** The next round of a replayed protocol: `send` goes out after this party's own broadcast is noted. */
export function attestedRound<Out>(
  replay: Replay,
  self: PartyId,
  round: Omit<Round<Out>, 'isAttested'>,
  send: readonly Send[],
): Step<Out> {
  for (const { to, body } of send) if (to === 'all') replay.note(round.number, self, body)
  const { number, broadcast, direct, needsNoEcho = false } = round
  return next(
    {
      number,
      isAttested: !needsNoEcho,
      needsNoEcho,
      ...(broadcast && { broadcast }),
      ...(direct && { direct }),
      advance() {
        replay.checks.close(number)
        return round.advance()
      },
      [Symbol.dispose]: () => round[Symbol.dispose]?.(),
    },
    ...send,
  )
}

/**
 * The judge of one session. `make` gives fresh checks from facts that the judge trusts; what the
 * accuser says counts only where the accused attested it. Convicts nobody where anything is in doubt.
 */
export const replayJudge =
  (facts: ReplayFacts, make: () => PublicChecks): Judge =>
  (_claim, messages, proof) => {
    const notes = proof === undefined ? [] : parse(proof)
    if (notes === undefined) return []
    return facts.parties.filter((accused) =>
      isGuilty(
        facts,
        make(),
        notes,
        accused,
        messages.filter(({ from }) => from === accused),
      ),
    )
  }

function parse(proof: Uint8Array): readonly Note[] | undefined {
  try {
    return decode(notesCodec, proof, { maxBytes: MAX_NOTES_BYTES })
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}

function isGuilty(
  facts: ReplayFacts,
  checks: PublicChecks,
  notes: readonly Note[],
  accused: PartyId,
  messages: readonly Testimony[],
): boolean {
  const broadcasts = messages
    .filter(({ kind }) => kind === 'broadcast')
    .sort((a, b) => a.round - b.round)
  // The last round of which the accused attested all broadcasts.
  let closed = 0
  for (const { round, body: own } of broadcasts) {
    // What is left out may be what the honest message of this round answers to.
    if (checks.basisOf(round) > closed) return false
    const signed = (kind: Testimony['kind']): readonly Testimony[] =>
      messages.filter((each) => each.round === round && each.kind === kind)
    const verdict = outcomeOf(accused, () => {
      refuseUnlike(checks, round, accused, own)
      checks.note(round, accused, own)
      checks.check(round, accused)
      for (const { to, body } of signed('direct')) {
        const receiver = facts.parties.find((each) => each === to)
        if (receiver === undefined) continue
        limit(body, checks.maxBytes(round, 'direct'), accused)
        checks.checkDirect(round, accused, receiver, body)
      }
    })
    if (verdict !== 'passes') return verdict === 'guilty'
    const [echo] = signed('echo')
    if (echo !== undefined && attests(facts, checks, notes, round, accused, own, echo.body))
      closed = round
  }
  return false
}

/** Whether the accused's echo covers these broadcasts of the round, which are then noted and closed. */
function attests(
  facts: ReplayFacts,
  checks: PublicChecks,
  notes: readonly Note[],
  round: number,
  accused: PartyId,
  own: Uint8Array,
  echo: Uint8Array,
): boolean {
  const bodies: [PartyId, Uint8Array][] = []
  for (const each of facts.parties) {
    const body =
      each === accused
        ? own
        : notes.find((note) => note.round === round && note.from === each)?.body
    if (body === undefined) return false
    bodies.push([each, body])
  }
  if (!equalBytes(echo, echoOf(facts.sid, facts.protocol, round, bodies))) return false
  const verdict = outcomeOf(accused, () => {
    for (const [from, body] of bodies) if (from !== accused) checks.note(round, from, body)
    checks.close(round)
  })
  // Others' broadcasts are not the accused's fault, whatever is in them.
  return verdict === 'passes'
}

/**
 * Refuses a broadcast that cannot be one of this session. The context comes before everything else:
 * how long a message is, and how many items it has, depends on what its sender takes the session for.
 */
function refuseUnlike(checks: PublicChecks, round: number, from: PartyId, body: Uint8Array): void {
  const theirs = round === 1 ? contextIn(body) : undefined
  if (theirs !== undefined) checkContext(checks.context, theirs)
  limit(body, checks.maxBytes(round, 'broadcast'), from)
}

function limit(body: Uint8Array, maxBytes: number, from: PartyId): void {
  if (body.length > maxBytes) throw new Abort('threshold/malformed-message', { culprits: [from] })
}

function outcomeOf(accused: PartyId, work: () => void): 'passes' | 'guilty' | 'in doubt' {
  try {
    work()
    return 'passes'
  } catch (error) {
    if (error instanceof Abort) return error.culprits.includes(accused) ? 'guilty' : 'in doubt'
    if (isFault(error) && error.class === 'InvalidInput') return 'guilty'
    throw error
  }
}
