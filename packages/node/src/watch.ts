/**
 * Watches what the node does, for metrics and traces: requests from their HTTP call to their outcome,
 * sessions by the audit records that the signer has the daemon write, phases by the progress that it
 * reports. It decides nothing, and nothing waits for it.
 *
 *   trace of a request   HTTP call → operation ⇠ link ⇢ its sessions; the caller's trace where it sent one
 *   trace of a session   first half of the session id, so that the spans of all its signers meet in it
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { SignedRequest } from '@quorate/api'
import { type Clock, type Logger, toHex } from '@quorate/base'
import type { AuditDraft } from '@quorate/enclave'
import {
  type Counter,
  type Histogram,
  parseTraceparent,
  type Registry,
  SECONDS,
  type Span,
  type TraceContext,
  type Tracer,
} from '@quorate/platform'
import { codeOf } from './fault-code.ts'
import type { Reached } from './operations.ts'

export type Run = (request: SignedRequest) => Promise<Reached>

type Session = {
  readonly action: string
  readonly requestId: string | undefined
  readonly begunAt: number
  readonly span: Span | undefined
  phase:
    | { readonly name: string; readonly since: number; readonly span: Span | undefined }
    | undefined
}

/** Sessions that are followed at once: far more than may run. */
const MAX_FOLLOWED = 10_000
/** From the first try to the last that there is. */
const ATTEMPTS: readonly number[] = [1, 2, 3, 4, 5, 8]

export type WatchOptions = {
  readonly registry: Registry
  readonly tracer: Tracer | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** Of this node. */
  readonly index: () => number
}

export class Watch {
  readonly #o: WatchOptions
  /** By session id, and the newest of each request. */
  readonly #sessions = new Map<string, Session>()
  readonly #ofRequest = new Map<string, Session>()
  /** Spans of operations, by request id. */
  readonly #operations = new Map<string, Span>()
  /** The HTTP call that code is carried out for. */
  readonly #call = new AsyncLocalStorage<TraceContext>()
  readonly #requests: Counter<'kind' | 'outcome'>
  readonly #failures: Counter<'kind' | 'code'>
  readonly #seconds: Histogram<'kind'>
  readonly #attempts: Histogram
  readonly #sessionsEnded: Counter<'action' | 'outcome'>
  readonly #sessionFailures: Counter<'action' | 'code'>
  readonly #sessionSeconds: Histogram<'action'>
  readonly #phaseSeconds: Histogram<'phase'>
  readonly #decisions: Counter<'action' | 'decision'>
  #signedAt: number | undefined

  constructor(options: WatchOptions) {
    this.#o = options
    const { registry, clock } = options
    this.#requests = registry.counter(
      'requests_total',
      'Requests of clients that this node led, by what they came to.',
      ['kind', 'outcome'],
    )
    this.#failures = registry.counter(
      'request_failures_total',
      'Requests that failed, by the code of the error.',
      ['kind', 'code'],
    )
    this.#seconds = registry.histogram(
      'request_seconds',
      'From taking a request on to its outcome.',
      SECONDS,
      ['kind'],
    )
    this.#attempts = registry.histogram(
      'signing_attempts',
      'Sessions that a signature took.',
      ATTEMPTS,
    )
    this.#sessionsEnded = registry.counter(
      'sessions_total',
      'Sessions that this node took part in, by how they ended.',
      ['action', 'outcome'],
    )
    this.#sessionFailures = registry.counter(
      'session_failures_total',
      'Sessions that failed, by the code of the error.',
      ['action', 'code'],
    )
    this.#sessionSeconds = registry.histogram(
      'session_seconds',
      'From joining a session to its end, where it took more than one round.',
      SECONDS,
      ['action'],
    )
    this.#phaseSeconds = registry.histogram(
      'session_phase_seconds',
      'How long a phase of a session took.',
      SECONDS,
      ['phase'],
    )
    this.#decisions = registry.counter('decisions_total', 'Decisions that were put on record.', [
      'action',
      'decision',
    ])
    registry.read(
      'gauge',
      'last_signature_age_seconds',
      'Since this node last took part in a signature.',
      () =>
        this.#signedAt === undefined ? undefined : (clock.monotonic() - this.#signedAt) / 1000,
    )
  }

  /** Carries out an HTTP call under a span of its own. Gives the header that tells its caller the trace. */
  async call<T>(
    name: string,
    given: string | undefined,
    attributes: { readonly [name: string]: string },
    carryOut: () => Promise<T>,
  ): Promise<{ readonly value: T; readonly context: TraceContext | undefined }> {
    const { tracer } = this.#o
    if (tracer === undefined) return { value: await carryOut(), context: undefined }
    const parent = parseTraceparent(given)
    const span = tracer.start({ name, kind: 'server', parent, attributes })
    try {
      const value = await this.#call.run(span.context, carryOut)
      span.end()
      return { value, context: span.context }
    } catch (error) {
      span.end(codeOf(error))
      throw error
    }
  }

  /** `run`, watched. */
  running(run: Run): Run {
    return async (request) => {
      const { kind, value } = request.body
      const { clock, tracer } = this.#o
      const begun = clock.monotonic()
      const span = tracer?.start({
        name: `request ${kind}`,
        parent: this.#call.getStore(),
        attributes: {
          'quorate.request.id': value.requestId,
          'quorate.node.index': this.#o.index(),
        },
      })
      if (span !== undefined) this.#operations.set(value.requestId, span)
      try {
        const reached = await run(request)
        this.#requests.add({ kind, outcome: 'waiting' in reached ? 'waiting' : 'done' })
        if ('result' in reached && reached.result.kind === 'sign')
          this.#attempts.observe({}, reached.result.attempts)
        span?.end()
        return reached
      } catch (error) {
        const code = codeOf(error)
        this.#requests.add({ kind, outcome: 'failed' })
        this.#failures.add({ kind, code })
        const { requestId } = value
        this.#o.logger.log('warn', 'request.failed', { requestId, kind, code })
        span?.end(code)
        throw error
      } finally {
        this.#seconds.observe({ kind }, (clock.monotonic() - begun) / 1000)
        this.#operations.delete(value.requestId)
      }
    }
  }

  /** Records of the signer that are on disk now. */
  audited(drafts: readonly AuditDraft[]): void {
    for (const draft of drafts) {
      const { action, decision, outcome, sid, reason } = draft
      if (decision !== 'none' && outcome !== 'done') this.#decisions.add({ action, decision })
      if (sid === undefined || draft.decision === 'none') continue
      if (outcome === 'begun') this.#begun(draft, sid)
      else this.#ended(action, sid, outcome, reason)
    }
  }

  #begun({ action, requestId, resource, fields }: AuditDraft, sid: Uint8Array): void {
    if (this.#sessions.size >= MAX_FOLLOWED) this.#forget(this.#sessions.keys().next().value!)
    const name = toHex(sid)
    const operation = requestId === undefined ? undefined : this.#operations.get(requestId)
    const span = this.#o.tracer?.start({
      name: `session ${action}`,
      ids: sessionSpan(name, this.#o.index()),
      attributes: {
        'quorate.session.id': name,
        'quorate.wallet.id': resource,
        'quorate.node.index': this.#o.index(),
        ...(requestId !== undefined && { 'quorate.request.id': requestId }),
        ...Object.fromEntries(fields.map(({ name: field, value }) => [`quorate.${field}`, value])),
      },
    })
    if (span !== undefined && operation !== undefined) {
      operation.link(span.context)
      span.link(operation.context)
    }
    const begunAt = this.#o.clock.monotonic()
    const session: Session = { action, requestId, begunAt, span, phase: undefined }
    this.#sessions.set(name, session)
    if (requestId !== undefined) this.#ofRequest.set(requestId, session)
  }

  #ended(
    action: string,
    sid: Uint8Array,
    outcome: AuditDraft['outcome'],
    reason: string | undefined,
  ): void {
    const code = outcome === 'failed' ? (reason ?? 'enclave/internal') : undefined
    const now = this.#o.clock.monotonic()
    const session = this.#forget(toHex(sid))
    // Some have a second record, for what became of their result.
    if (session === undefined) return
    this.#sessionsEnded.add({ action, outcome })
    if (code !== undefined) this.#sessionFailures.add({ action, code })
    else if (action === 'tx.sign') this.#signedAt = now
    this.#endPhase(session)
    // One that was begun and ended in one write was over before it was heard of.
    if (now > session.begunAt)
      this.#sessionSeconds.observe({ action }, (now - session.begunAt) / 1000)
    session.span?.end(code)
  }

  #forget(name: string): Session | undefined {
    const session = this.#sessions.get(name)
    if (session === undefined) return undefined
    this.#sessions.delete(name)
    const { requestId } = session
    if (requestId !== undefined && this.#ofRequest.get(requestId) === session)
      this.#ofRequest.delete(requestId)
    return session
  }

  /** How far a request is. */
  progressed(requestId: string, phase: string): void {
    const session = this.#ofRequest.get(requestId)
    if (session === undefined || session.phase?.name === phase) return
    this.#endPhase(session)
    const span = this.#o.tracer?.start({ name: phase, parent: session.span?.context })
    session.phase = { name: phase, since: this.#o.clock.monotonic(), span }
  }

  #endPhase({ phase }: Session): void {
    if (phase === undefined) return
    this.#phaseSeconds.observe(
      { phase: phase.name },
      (this.#o.clock.monotonic() - phase.since) / 1000,
    )
    phase.span?.end()
  }
}

/** Ids of a node's span of a session: each node can work out those of every other. */
export const sessionSpan = (
  sid: string,
  index: number,
): { readonly traceId: string; readonly spanId: string } => ({
  traceId: sid.slice(0, 32),
  spanId: sid.slice(32, 46) + index.toString(16).padStart(2, '0'),
})
