/** A session inside a worker: the driver, and what passes between it and the thread that sends its messages. */
import { type ConversationJob, type JobContext, systemRandom } from '@quorate/platform/workers'
import { Abort, type Outgoing, type PartyId, type Received, Session } from '@quorate/threshold'
import { fromPlainAbort, type PlainAbort, toPlainAbort } from './session-abort.ts'
import {
  type BegunProgram,
  beginProgram,
  type ProgramTable,
  type SessionFacts,
} from './session-environment.ts'
import { lookupIn, readClaim, type SigningKeyOf } from './session-originals.ts'
import { NEVER, type Standing } from './session-runner.ts'

export type SessionInput = {
  readonly facts: SessionFacts
  /** Name of a program. */
  readonly program: string
  readonly input: unknown
  /** The signers' keys at the beginning. What a key signs that comes later proves nothing to this session. */
  readonly signingKeys: readonly SigningKeyOf[]
}

export type ToSession =
  | { readonly kind: 'received'; readonly message: Received }
  | { readonly kind: 'expired' }

export type FromSession =
  /** A message of that party is being worked on, and waits no longer. */
  | { readonly kind: 'taken'; readonly from: PartyId }
  | {
      readonly kind: 'advanced'
      readonly messages: readonly Outgoing[]
      readonly standing: PlainStanding
    }
  | {
      readonly kind: 'progress'
      readonly phase: string
      readonly done: number
      readonly of: number
    }

type PlainStanding =
  | Exclude<Standing, { kind: 'aborted' }>
  | { readonly kind: 'aborted'; readonly abort: PlainAbort }

export const fromPlainStanding = (standing: PlainStanding): Standing =>
  standing.kind === 'aborted'
    ? { kind: 'aborted', abort: fromPlainAbort(standing.abort) }
    : standing

function toPlainStanding(standing: Standing): PlainStanding {
  switch (standing.kind) {
    case 'running':
      return { kind: 'running' }
    case 'done':
      return standing
    case 'aborted':
      return { kind: 'aborted', abort: toPlainAbort(standing.abort) }
  }
}

/** The job that runs sessions of the programs of this table. */
export const sessionJob = (
  programs: ProgramTable,
): ConversationJob<SessionInput, ToSession, FromSession> => ({
  async open({ facts, program, input, signingKeys }, context) {
    let begun: BegunProgram
    try {
      begun = await beginProgram(programs[program]!, input, {
        ...facts,
        random: systemRandom,
        progress: (phase, done, of) => context.send({ kind: 'progress', phase, done, of }),
      })
    } catch (error) {
      if (!(error instanceof Abort)) throw error
      const standing = toPlainStanding({ kind: 'aborted', abort: error })
      context.send({ kind: 'advanced', messages: [], standing })
      return { receive: () => undefined, [Symbol.dispose]: () => undefined }
    }
    const keys = lookupIn(signingKeys)
    const session = new Session({
      ...facts,
      first: begun.first,
      deadline: NEVER,
      readOriginal: (original) => readClaim(original, keys),
    })
    const dispose = (): void => {
      session[Symbol.dispose]()
      begun[Symbol.dispose]()
    }
    try {
      report(context, session.begin(), session)
    } catch (error) {
      dispose()
      throw error
    }
    return {
      receive(to) {
        if (to.kind === 'received') context.send({ kind: 'taken', from: to.message.from })
        // The end is told once, and what comes before it is heard of changes nothing.
        if (session.state.kind !== 'running') return
        const messages =
          to.kind === 'received' ? session.receive(to.message) : session.expire(NEVER)
        report(context, messages, session)
      },
      [Symbol.dispose]: dispose,
    }
  },
})

function report(
  context: JobContext<FromSession>,
  messages: readonly Outgoing[],
  session: Session<unknown>,
): void {
  const standing = toPlainStanding(session.state)
  if (messages.length > 0 || standing.kind !== 'running')
    context.send({ kind: 'advanced', messages, standing })
}
