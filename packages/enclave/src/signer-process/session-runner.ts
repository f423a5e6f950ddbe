/**
 * Where the driver of a session runs: on this thread, for protocols whose steps take milliseconds,
 * or in a worker (`session-worker.ts`), for those whose steps would keep the event loop. Either way a
 * session stays in one place, and what comes out is the same.
 */
import type { Random } from '@quorate/base'
import { wipeSecrets } from '@quorate/platform/workers'
import {
  type OriginalClaim,
  type Outgoing,
  type PartyId,
  type Received,
  Session,
  type SessionState,
  type Step,
} from '@quorate/threshold'
import {
  type BegunProgram,
  beginProgram,
  type Program,
  type ProgramTable,
  type SessionFacts,
} from './session-environment.ts'
import type { SigningKeyOf } from './session-originals.ts'
import type { PROGRAMS } from './session-programs.ts'

type Table = typeof PROGRAMS
type CallOf<Name extends keyof Table, Out> =
  Table[Name] extends Program<infer Input, infer Output>
    ? Output extends Out
      ? { readonly name: Name; input(): Input | Promise<Input> }
      : never
    : never

/** A program of the table that puts out `Out`, and what makes its input, called when the session begins. */
export type ProgramCall<Out = unknown> = {
  [Name in keyof Table]: CallOf<Name, Out>
}[keyof Table]

/** How a session comes to its first step: by code of this thread, or by a program. */
export type SessionStart<Out = unknown> =
  | { begin(sid: Uint8Array): Promise<Step<Out>> | Step<Out> }
  | { readonly program: ProgramCall<Out> }

/** Where a session stands. */
export type Standing =
  | { readonly kind: 'running' }
  | Exclude<SessionState<unknown>, { readonly kind: 'running' }>

/** Hears what a session does, in the order it does it. */
export type SessionListener = {
  /** Messages to send, and where the session stands after them. */
  advanced(messages: readonly Outgoing[], standing: Standing): void
  progress(phase: string, done: number, of: number): void
  /** The session is lost, by no doing of its parties. */
  failed(error: unknown): void
}

/** Reads the signed originals that become evidence. */
export type Originals = {
  /** What an original says and who signed it; `undefined` for one that does not verify. */
  claim(original: Uint8Array): OriginalClaim | undefined
  /** The keys that are in force now. */
  signingKeys(parties: readonly PartyId[]): readonly SigningKeyOf[]
}

export type SessionOrder = {
  readonly facts: SessionFacts
  readonly start: SessionStart
  readonly originals: Originals
  readonly listener: SessionListener
}

export type RunningSession = {
  /** Takes the first step. Called once. */
  begin(): void
  /** Takes one message in; the body is the session's from then on, to wipe. */
  receive(message: Received): void
  /** Its time is over. */
  expire(): void
  /** Wipes what it holds. Nothing more is heard of it. */
  [Symbol.dispose](): void
}

/** Makes a session ready to begin. @throws what its start throws */
export type SessionRunner = (order: SessionOrder) => Promise<RunningSession>

/** The deadline of sessions whose owner tells them when their time is over. */
export const NEVER: number = Number.POSITIVE_INFINITY

/** Runs sessions on this thread, programs as well: those of `table`, or all there are. */
export const inlineRunner =
  (random: Random, table?: ProgramTable): SessionRunner =>
  async ({ facts, start, originals, listener }) => {
    const begun = await firstStep(facts, start, listener, random, table)
    const session = new Session({
      ...facts,
      first: begun.first,
      deadline: NEVER,
      readOriginal: (original) => originals.claim(original),
    })
    const report = (messages: readonly Outgoing[]): void =>
      listener.advanced(messages, session.state)
    return {
      begin: () => report(session.begin()),
      receive: (message) => report(session.receive(message)),
      expire: () => report(session.expire(NEVER)),
      [Symbol.dispose]() {
        session[Symbol.dispose]()
        begun[Symbol.dispose]()
      },
    }
  }

async function firstStep(
  facts: SessionFacts,
  start: SessionStart,
  listener: SessionListener,
  random: Random,
  table: ProgramTable | undefined,
): Promise<BegunProgram> {
  if (!('program' in start))
    return { first: await start.begin(facts.sid), [Symbol.dispose]: () => undefined }
  const programs: ProgramTable = table ?? (await import('./session-programs.ts')).PROGRAMS
  const input = await start.program.input()
  const begun = await beginProgram(programs[start.program.name]!, input, {
    ...facts,
    random,
    progress: (phase, done, of) => listener.progress(phase, done, of),
  })
  return {
    first: begun.first,
    [Symbol.dispose]() {
      begun[Symbol.dispose]()
      wipeSecrets(input)
    },
  }
}
