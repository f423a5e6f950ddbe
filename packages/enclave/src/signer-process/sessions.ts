/**
 * The sessions that this node takes part in. Joining one is this node's own decision: everything is
 * checked, the session id is burnt on disk, and only then does the countersignature leave.
 */
import { equalBytes, Fault, isFault, toHex } from '@quorate/base'
import { failpoint } from '@quorate/platform'
import {
  Abort,
  type Countersignature,
  countersign,
  decodeManifest,
  encodeManifest,
  type Manifest,
  type PartyId,
  type Received,
  sessionId,
  verifyCountersignature,
} from '@quorate/threshold'
import type { Change } from '../channel/rows.ts'
import type { Answers } from './answers.ts'
import { requestAudit } from './audit.ts'
import type { BurntSessions } from './burnt-sessions.ts'
import { Claims } from './claims.ts'
import type { ClockWatch } from './clock-watch.ts'
import type { ControlOf } from './control.ts'
import { EarlyMessages } from './early-messages.ts'
import { EarlyWords } from './early-words.ts'
import { checkManifest } from './judge.ts'
import type { Limits } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { Participation, type Plan } from './participation.ts'
import type { PlanContext } from './plan-context.ts'
import { fillPlan } from './pool/fill-plan.ts'
import { type CheckedRequest, checkRequest } from './requests.ts'
import { Reservations } from './reservations.ts'
import { catchUp, judged, refuseTooMany, untilMade } from './session-gate.ts'
import type { SessionRecords } from './session-records.ts'
import type { SessionRunner } from './session-runner.ts'

/** Sessions that fill pools, of one coordinator, and those of them that compute for seconds. */
const MAX_FILLS = 4
const MAX_HEAVY_FILLS = 1

/** What a session holds for itself, and what is written when it is burnt. */
type Held = { readonly release: () => void; readonly changes: readonly Change[] }
/** What a coordinator's proposal says besides the manifest. */
type Said = { readonly request: Uint8Array; readonly approvals: readonly Uint8Array[] }

export type SessionsOptions = {
  readonly context: PlanContext
  readonly records: SessionRecords
  readonly burnt: BurntSessions
  readonly outbox: Outbox
  readonly bootId: Uint8Array
  readonly limits: Limits
  readonly clock: ClockWatch
  readonly answers: Answers
  /** Where sessions run. */
  readonly run: SessionRunner
}

export class Sessions {
  readonly #o: SessionsOptions
  readonly #live = new Map<string, Participation>()
  readonly #early = new EarlyWords()
  readonly #earlyMessages = new EarlyMessages()
  readonly #reservations = new Reservations((sid) => this.#live.get(sid))
  readonly #claims: Claims

  constructor(options: SessionsOptions) {
    this.#o = options
    this.#claims = new Claims(options.context.ports.clock)
  }

  get count(): number {
    return this.#live.size
  }

  find(sid: Uint8Array): Participation | undefined {
    return this.#live.get(toHex(sid))
  }

  /** How many signatures are under way. */
  get signing(): number {
    let count = 0
    for (const { manifest } of this.#live.values()) if (manifest.purpose === 'sign') count++
    return count
  }

  /** Gives up every session and what it holds. */
  endAll(): void {
    for (const session of this.#live.values()) session.end(new Abort('threshold/timeout'))
  }

  /** That party is not to be waited for. */
  lost(party: PartyId): void {
    for (const session of this.#live.values()) session.lost(party)
  }

  receive(sid: Uint8Array, message: Received): void {
    const session = this.find(sid)
    if (session === undefined) this.#earlyMessages.keep(sid, message)
    else session.receive(message)
  }

  /** A signer's word that it takes part. */
  ready(from: PartyId, sid: Uint8Array, countersignature: Uint8Array): void {
    const session = this.find(sid)
    if (session === undefined) this.#early.keep({ sid, from, countersignature })
    else this.#countersigned(session, from, countersignature)
  }

  #countersigned(session: Participation, from: PartyId, signature: Uint8Array): void {
    const { peers } = this.#o.context
    const given: Countersignature = { party: from, sid: session.sid, signature }
    verifyCountersignature(
      session.manifest,
      given,
      peers.epochOf(from).envelopeKey,
      peers.keys.crypto,
    )
    session.countersigned(from)
  }

  /** A coordinator's proposal: joins, or says why not. */
  async proposed(from: PartyId, sid: Uint8Array, message: ControlOf<'prepare'>): Promise<void> {
    const { outbox, context } = this.#o
    try {
      const manifest = decodeManifest(message.manifest)
      if (manifest.coordinator !== from) throw new Fault('enclave/bad-prepare')
      if (!equalBytes(sessionId(manifest), sid)) throw new Fault('threshold/ssid-mismatch')
      const session = await (manifest.purpose === 'pool'
        ? this.joinFill(manifest)
        : this.join(manifest, message.request, message.approvals))
      const { countersignature } = message
      if (startsAlone(session.plan)) return
      if (countersignature === undefined) throw new Fault('enclave/bad-prepare')
      this.#countersigned(session, from, countersignature)
    } catch (error) {
      if (!isFault(error)) throw error
      context.ports.logger.log('warn', 'session.refused', { code: error.code, coordinator: from })
      await catchUp(context, from, error, message)
      outbox.tell(from, { kind: 'refuse', value: { code: error.code } }, sid)
    }
  }

  /**
   * Takes part in the session, and tells its signers. `approvals` are those that its coordinator knows.
   * @throws what `judge` and the checks before it throw
   */
  async join(
    manifest: Manifest,
    requestBytes: Uint8Array,
    approvals: readonly Uint8Array[] = [],
  ): Promise<Participation> {
    const { context, burnt, bootId, clock } = this.#o
    const { peers, ports } = context
    clock.check()
    const now = ports.clock.now()
    const sid = sessionId(manifest)
    refuseTooMany(manifest, this.#live.values(), this.#o.limits)
    burnt.refuse(sid)
    checkManifest(manifest, peers, bootId, now)
    const checked = checkRequest(requestBytes, peers.cluster, now)
    if (!equalBytes(checked.hash, manifest.request)) throw new Fault('enclave/bad-prepare')
    context.restored.refuseEarlier(checked.request.body.value.createdAt)
    context.restored.check(manifest)
    await untilMade(manifest, this.#live.values())
    const plan = await judged(context, manifest, checked, now, approvals)
    // Judging took a turn, in which the same proposal may have come once more.
    burnt.refuse(sid)
    const held = this.#hold(manifest, checked, plan)
    const said = { request: requestBytes, approvals }
    if (startsAlone(plan)) return this.#startAlone(manifest, checked, plan, held, said)
    await this.#burn(manifest, checked, plan, held)
    const session = this.#open(manifest, checked, plan, held.release)
    this.#begin(session, said)
    return session
  }

  #begin(session: Participation, said: Said): void {
    this.#announce(session, said)
    session.countersigned(this.#o.context.peers.self)
    for (const { from, countersignature } of this.#early.take(session.sid))
      this.#countersigned(session, from, countersignature)
    for (const message of this.#earlyMessages.take(session.sid)) session.receive(message)
  }

  /**
   * Runs before the session is burnt, with all that it sends kept back until then: where the others' shares
   * are here already, one write burns the session and records its result.
   */
  async #startAlone(
    manifest: Manifest,
    checked: CheckedRequest,
    plan: Plan,
    { release, changes }: Held,
    said: Said,
  ): Promise<Participation> {
    failpoint('enclave/session/before-run-alone')
    const burning = this.#o.burnt.burning(sessionId(manifest), manifest.expiresAt)
    const session = this.#open(manifest, checked, plan, release, [burning, ...changes])
    session.post(() => this.#announce(session, said))
    await session.begin(this.#earlyMessages.take(session.sid))
    try {
      if (session.phase === 'running')
        await session.write([], [requestAudit(checked, manifest, 'begun')])
    } catch (error) {
      session.end(error)
    }
    failpoint('enclave/session/after-run-alone')
    if (session.phase === 'ended') await session.outcome
    return session
  }

  /**
   * Takes part in filling a pool, for no request. What is made ends with this process, and so does the
   * session: nothing of it is written. @throws enclave/busy, and what `fillPlan` throws
   */
  async joinFill(manifest: Manifest): Promise<Participation> {
    const { context, burnt, bootId, clock } = this.#o
    const { coordinator, protocol } = manifest
    clock.check()
    const alike = [...this.#live.values()].filter(
      ({ manifest: each }) =>
        each.purpose === 'pool' && each.coordinator === coordinator && each.protocol === protocol,
    )
    if (alike.length >= (protocol === 'cggmp24' ? MAX_HEAVY_FILLS : MAX_FILLS))
      throw new Fault('enclave/busy')
    const sid = sessionId(manifest)
    burnt.refuse(sid)
    checkManifest(manifest, context.peers, bootId, context.ports.clock.now())
    context.restored.check(manifest)
    const plan = fillPlan(context, manifest)
    // In memory alone: after a restart its boot ids are not those of now.
    burnt.burning(sid, manifest.expiresAt)
    const session = this.#open(manifest, undefined, plan, () => undefined)
    const said = { request: new Uint8Array(), approvals: [] }
    if (startsAlone(plan)) {
      this.#announce(session, said)
      await session.begin(this.#earlyMessages.take(sid))
    } else this.#begin(session, said)
    return session
  }

  /** Holds what the session needs for itself, and collects what its request and its plan remember. */
  #hold(manifest: Manifest, checked: CheckedRequest, plan: Plan): Held {
    const { book } = this.#o.context
    const release = this.#reservations.hold(manifest, checked)
    try {
      if (isSigningRequest(manifest, checked))
        this.#claims.take(manifest, (session) => session.end(new Abort('threshold/cancelled')))
      const changes = [...book.admit(checked), ...(plan.atBurn?.() ?? [])]
      return { release, changes }
    } catch (error) {
      plan.release?.()
      release()
      throw error
    }
  }

  /** Puts on disk that the session has begun here. */
  async #burn(
    manifest: Manifest,
    checked: CheckedRequest,
    plan: Plan,
    { release, changes }: Held,
  ): Promise<void> {
    try {
      failpoint('enclave/session/before-burn')
      await this.#o.burnt.burn(sessionId(manifest), manifest.expiresAt, {
        audit: [requestAudit(checked, manifest, 'begun')],
        changes,
      })
      failpoint('enclave/session/after-burn')
    } catch (error) {
      plan.release?.()
      release()
      throw error
    }
  }

  #open(
    manifest: Manifest,
    checked: CheckedRequest | undefined,
    plan: Plan,
    release: () => void,
    unwritten?: readonly Change[],
  ): Participation {
    const { context, records, outbox, run, answers } = this.#o
    const { peers, ports } = context
    const requestId = checked?.request.body.value.requestId
    const session = new Participation({
      manifest,
      self: peers.self,
      plan,
      ...(unwritten !== undefined && { unwritten }),
      ports: {
        timers: ports.timers,
        run,
        originals: peers,
        persist: (...all) => ports.persist(...all),
        together: (work) => outbox.together(work),
        round: ({ round, kind, to, body }, sid, signers) =>
          outbox.send({ sid, protocol: manifest.protocol, round, kind, to, body }, signers),
        progress(phase, done, of) {
          // One that takes a single round is over before anybody could look.
          if (requestId !== undefined && !startsAlone(plan))
            ports.progress(requestId, phase, done, of)
        },
      },
    })
    const name = toHex(session.sid)
    this.#live.set(name, session)
    const epochs = session.signers.map((party) => peers.signedEpochOf(party))
    records.open(session, { checked, epochs })
    const request = isSigningRequest(manifest, checked) ? checked : undefined
    if (request !== undefined) this.#claims.enter(session)
    void session.outcome
      .then(
        () => request && answers.known(request),
        (error: unknown) => records.failed(session, error),
      )
      .finally(() => {
        this.#live.delete(name)
        release()
      })
      // The daemon is gone, or its disk: nothing can be written of it.
      .catch(() => undefined)
    return session
  }

  /** Sends this node's countersignature; with the proposal where this node coordinates. */
  #announce({ manifest, sid, signers, plan }: Participation, { request, approvals }: Said): void {
    const { peers } = this.#o.context
    const isLeader = manifest.coordinator === peers.self
    // What each sends first where it starts alone says as much, under the same key and for the same session.
    const signature = startsAlone(plan)
      ? undefined
      : countersign(manifest, peers.self, peers.keys.crypto).signature
    if (isLeader) {
      const value = {
        manifest: encodeManifest(manifest),
        request,
        ...(signature !== undefined && { countersignature: signature }),
        ...(approvals.length > 0 && { approvals }),
      }
      this.#o.outbox.tellAll(signers, { kind: 'prepare', value }, sid)
    } else if (signature !== undefined)
      this.#o.outbox.tellAll(
        signers,
        { kind: 'ready', value: { countersignature: signature } },
        sid,
      )
  }
}

/** Whether it signs what a client asked for, and not the proof of an address. */
const isSigningRequest = (
  { purpose }: Manifest,
  checked: CheckedRequest | undefined,
): checked is CheckedRequest => purpose === 'sign' && checked?.request.body.kind === 'sign'

/** Whether its first message may leave before the other signers have said that they take part. */
const startsAlone = (plan: Plan): boolean => plan.startsAlone === true && plan.agree === undefined
