/**
 * The driver of one protocol session, sans-IO: it is given received messages and the time, and
 * answers with messages to send. The transport has verified who sent each message; from there on the
 * driver owns everything that is the same in all protocols:
 *
 *   - only other parties of the session are heard, and this party itself never from outside;
 *   - messages of the next two rounds wait, one per sender, round and kind; late ones are dropped;
 *   - an identical duplicate is dropped, a different one is an equivocation;
 *   - sizes are capped before anything is parsed;
 *   - broadcasts are checked by echo (Goldwasser–Lindell 2005, "echo broadcast"): each party sends a
 *     hash of all it received, and on a difference the signed originals, so that whoever signed two
 *     bodies is convicted, and nobody is where nothing proves it;
 *   - silence ends the session at the deadline, and is blamed on nobody.
 *
 * Whatever way a session ends, its rounds are disposed of and direct messages are overwritten.
 */
import { bug, equalBytes } from '@quorate/base'
import { Abort } from './abort.ts'
import {
  decodeDispute,
  encodeComplaint,
  encodeOriginals,
  MAX_DISPUTE_BYTES,
  Testimonies,
} from './dispute.ts'
import { compareEchoes, type Echoes, echoOf } from './echo.ts'
import { MAX_ENVELOPE_BYTES } from './envelope.ts'
import { contradict, type Evidence } from './evidence.ts'
import type { MessageKind, OriginalClaim, Outgoing, Received } from './message.ts'
import { MessageLog } from './message-log.ts'
import { MAX_PARTIES, type PartyId } from './party.ts'
import type { Inlet, Round, Send, Step } from './round.ts'

export type SessionState<Out> =
  | { readonly kind: 'running'; readonly waitingFor: readonly PartyId[] }
  | { readonly kind: 'done'; readonly output: Out }
  | { readonly kind: 'aborted'; readonly abort: Abort }

export type SessionOptions<Out> = {
  /** Session id, 32 bytes. */
  readonly sid: Uint8Array
  readonly protocol: string
  readonly self: PartyId
  /** Ascending, with this party. */
  readonly parties: readonly PartyId[]
  readonly first: Step<Out>
  /** Milliseconds of the caller's monotonic clock. */
  readonly deadline: number
  /** Checks the signature of an original and says what it covers; `undefined` for one that does not verify. */
  readonly readOriginal: (original: Uint8Array) => OriginalClaim | undefined
}

type Ended<Out> = Exclude<SessionState<Out>, { readonly kind: 'running' }>

const ROUNDS_AHEAD = 2
const NO_ECHOES: Echoes = { differing: [], missing: [] }

export class Session<Out> {
  readonly #options: SessionOptions<Out>
  readonly #others: readonly PartyId[]
  readonly #log = new MessageLog()
  readonly #testimonies = new Testimonies()
  readonly #ownBroadcasts = new Map<number, Uint8Array>()
  #outbox: Outgoing[] = []
  #round: Round<Out> | undefined
  #number = 0
  #echo: Uint8Array | undefined
  #isDisputing = false
  /** Faulty direct messages that may be shown. */
  #exhibits: Evidence['originals'] = []
  #ended: Ended<Out> | undefined

  constructor(options: SessionOptions<Out>) {
    const { parties, self } = options
    if (
      parties.length > MAX_PARTIES ||
      !parties.includes(self) ||
      parties.some((p, i) => i > 0 && parties[i - 1]! >= p)
    )
      bug('the parties of a session are ascending and contain its own')
    this.#options = options
    this.#others = parties.filter((each) => each !== self)
  }

  get state(): SessionState<Out> {
    return this.#ended ?? { kind: 'running', waitingFor: this.#waitingFor() }
  }

  /** Sends the messages of the first step. Called once. */
  begin(): readonly Outgoing[] {
    if (this.#number !== 0) bug('a session begins once')
    return this.#react(() => {
      this.#enter(this.#options.first)
      this.#proceed()
    })
  }

  /** Takes one message in. Never throws for what a peer did: the state turns aborted. */
  receive(message: Received): readonly Outgoing[] {
    return this.#react(() => {
      if (!this.#others.includes(message.from) || message.round > this.#number + ROUNDS_AHEAD)
        return
      if (message.kind === 'dispute') this.#takeDispute(message)
      else if (!this.#store(message)) return
      this.#proceed()
    })
  }

  /** Ends the session if its time is over. `now` is in milliseconds of the same clock as the deadline. */
  expire(now: number): readonly Outgoing[] {
    return this.#react(() => {
      if (now >= this.#options.deadline)
        throw new Abort('threshold/timeout', { laggards: this.#waitingFor() })
    })
  }

  /** Ends a running session and wipes what it holds; a finished one keeps its result. */
  [Symbol.dispose](): void {
    if (this.#ended === undefined)
      this.#end({
        kind: 'aborted',
        abort: new Abort('threshold/cancelled', { round: this.#number }),
      })
  }

  #react(work: () => void): readonly Outgoing[] {
    if (this.#ended !== undefined) return []
    try {
      work()
    } catch (error) {
      if (!(error instanceof Abort)) {
        this[Symbol.dispose]()
        throw error
      }
      this.#fail(error)
    }
    const out = this.#outbox
    this.#outbox = []
    return out
  }

  #enter(step: Step<Out>): void {
    const previous = this.#round
    if (step.kind === 'done') {
      this.#post(this.#number + 1, step.send)
      this.#end({ kind: 'done', output: step.output })
      return
    }
    const { round } = step
    if (round.number <= this.#number) bug('rounds are numbered upwards')
    if (previous !== round) previous?.[Symbol.dispose]?.()
    this.#round = round
    this.#number = round.number
    this.#echo = undefined
    this.#isDisputing = false
    this.#log.leaveBefore(round.number)
    this.#post(round.number, step.send)
  }

  #post(round: number, send: readonly Send[]): void {
    for (const { to, body } of send) {
      if (to === 'all') {
        if (this.#ownBroadcasts.has(round)) bug('one broadcast per round')
        this.#ownBroadcasts.set(round, body)
      }
      this.#outbox.push({ round, kind: to === 'all' ? 'broadcast' : 'direct', to, body })
    }
  }

  /** Goes on as far as the messages at hand allow. */
  #proceed(): void {
    while (this.#ended === undefined && this.#round !== undefined) {
      const round = this.#round
      if (!this.#hasAll('broadcast', round.broadcast) || !this.#echoesAgree(round)) return
      if (!this.#hasAll('direct', round.direct)) return
      this.#acceptAll(round)
      this.#enter(round.advance())
      this.#judgeEarlyComplaints()
    }
  }

  /** Parties other than this one that send by this inlet. */
  #senders(inlet: Inlet): readonly PartyId[] {
    return inlet.senders === undefined
      ? this.#others
      : this.#others.filter((each) => inlet.senders!.includes(each))
  }

  #hasAll(kind: MessageKind, inlet: Inlet | undefined): boolean {
    return (
      inlet === undefined ||
      this.#senders(inlet).every((from) => this.#find(kind, from) !== undefined)
    )
  }

  #find(kind: MessageKind, from: PartyId): Received | undefined {
    return this.#log.find(this.#number, kind, from)
  }

  #acceptAll(round: Round<Out>): void {
    const aborts: Abort[] = []
    for (const kind of ['broadcast', 'direct'] as const) {
      const inlet = round[kind]
      // Direct messages are checked against broadcasts, so these must all be good first.
      if (inlet === undefined || aborts.length > 0) continue
      for (const from of this.#senders(inlet)) {
        try {
          const { body } = this.#find(kind, from)!
          this.#limit(from, body, inlet.maxBytes)
          inlet.accept(from, body)
        } catch (error) {
          if (!(error instanceof Abort)) throw error
          aborts.push(error)
          if (inlet.mayDisclose === true) this.#exhibit(this.#find(kind, from)!)
        }
      }
    }
    // Every cheater of the round is named at once, under the code of the first who is to blame.
    const first = aborts.find(({ culprits }) => culprits.length > 0) ?? aborts[0]
    if (first !== undefined)
      throw first.with({ culprits: aborts.flatMap(({ culprits }) => culprits) })
  }

  /** Keeps a copy of a faulty direct message, with what proves that its sender signed it. */
  #exhibit({ body, salt, original }: Received): void {
    const claim = this.#claimOf(original)
    if (claim === undefined) return
    const opening = { salt: salt ?? new Uint8Array(), body: body.slice() }
    this.#exhibits = [...this.#exhibits, { envelope: claim.proof, opening }]
  }

  #limit(from: PartyId, body: Uint8Array, maxBytes: number): void {
    if (body.length > maxBytes)
      throw new Abort('threshold/malformed-message', { culprits: [from], detail: 'too long' })
  }

  /** Keeps a message that was not there before and can still be wanted. */
  #store(message: Received): boolean {
    const { round, kind, from, body } = message
    if (round < this.#number || round < 1) return false
    const earlier = this.#log.find(round, kind, from)
    if (earlier !== undefined) {
      if (equalBytes(earlier.body, body)) return false
      this.#convict(from, this.#claimOf(earlier.original), this.#claimOf(message.original))
    }
    const inlet = kind === 'echo' ? undefined : this.#round?.[kind]
    const isCurrent = round === this.#number && this.#round !== undefined
    if (isCurrent && kind !== 'echo' && inlet === undefined) return false
    this.#limit(from, body, kind === 'echo' ? 32 : isCurrent ? inlet!.maxBytes : MAX_ENVELOPE_BYTES)
    this.#log.put(message)
    return true
  }

  /** Whether every party received the same broadcasts of this round, as far as is known. */
  #echoesAgree(round: Round<Out>): boolean {
    const isAgreed = this.#others.length < 2 && round.isAttested !== true
    if (round.broadcast === undefined || round.needsNoEcho === true || isAgreed) return true
    if (this.#echo === undefined) {
      this.#echo = this.#ownEcho(round.broadcast)
      this.#outbox.push({ round: this.#number, kind: 'echo', to: 'all', body: this.#echo })
      // Disputes that came before our own copies can convict only now.
      this.#findEquivocation(this.#number)
    }
    const { differing, missing } = this.#compareEchoes(this.#echo)
    if (differing.length > 0) {
      this.#disputeRound()
      // Whoever disagreed has shown all it has, and nobody signed two bodies: no proof, so no blame.
      if (differing.every((from) => this.#testimonies.hasSpoken(from, this.#number)))
        throw new Abort('threshold/echo-mismatch')
    }
    return differing.length === 0 && missing.length === 0
  }

  #compareEchoes(own: Uint8Array): Echoes {
    return compareEchoes(own, this.#others, (from) => this.#find('echo', from)?.body)
  }

  #ownEcho(inlet: Inlet): Uint8Array {
    const { sid, protocol, parties, self } = this.#options
    const bodyOf = (from: PartyId): Uint8Array | undefined =>
      from === self ? this.#ownBroadcasts.get(this.#number) : this.#find('broadcast', from)?.body
    const bodies = (inlet.senders ?? parties).map((from): [PartyId, Uint8Array] => [
      from,
      bodyOf(from) ?? bug('a broadcast is missing'),
    ])
    return echoOf(sid, protocol, this.#number, bodies)
  }

  #disputeRound(): void {
    if (this.#isDisputing) return
    this.#isDisputing = true
    const originals = this.#others.map((from) => this.#find('broadcast', from)?.original)
    this.#dispute(
      this.#number,
      originals.flatMap((each) => this.#claimOf(each)?.proof ?? []),
    )
  }

  #takeDispute(message: Received): void {
    const { from, round, body } = message
    this.#limit(from, body, MAX_DISPUTE_BYTES)
    const parsed = decodeDispute(body)
    if (parsed === undefined) throw new Abort('threshold/malformed-message', { culprits: [from] })
    if (parsed.kind === 'originals') {
      const { originals } = parsed.value
      this.#testimonies.add(from, round, () =>
        originals.flatMap((each) => this.#claimOf(each) ?? []),
      )
      this.#findEquivocation(round)
    } else if (round === this.#number && this.#round !== undefined)
      this.#judge(message, parsed.value.body)
    else if (round > this.#number && this.#log.find(round, 'dispute', from) === undefined)
      this.#log.put(message)
  }

  #judgeEarlyComplaints(): void {
    for (const from of this.#others) {
      const message = this.#ended === undefined ? this.#find('dispute', from) : undefined
      const parsed = message && decodeDispute(message.body)
      if (parsed?.kind === 'complaint') this.#judge(message!, parsed.value.body)
    }
  }

  #judge(message: Received, complaint: Uint8Array): void {
    const inlet = this.#round?.dispute
    if (inlet === undefined) return
    this.#limit(message.from, complaint, inlet.maxBytes)
    // The complaint belongs to what convicts a false accuser.
    this.#log.put(message)
    inlet.accept(message.from, complaint)
  }

  /** Aborts if two originals at hand were signed for the same place of that round. */
  #findEquivocation(round: number): void {
    const own = this.#others.flatMap(
      (from) => this.#claimOf(this.#log.find(round, 'broadcast', from)?.original) ?? [],
    )
    const pair = this.#testimonies.findContradiction(own, this.#others)
    if (pair !== undefined) this.#convict(pair[0].from, ...pair)
  }

  #claimOf(original: Uint8Array | undefined): OriginalClaim | undefined {
    const claim = original && this.#options.readOriginal(original)
    const { sid, protocol } = this.#options
    return claim !== undefined && equalBytes(claim.sid, sid) && claim.protocol === protocol
      ? claim
      : undefined
  }

  /** Aborts for an equivocation; where both originals are at hand, all others get them too. */
  #convict(culprit: PartyId, a: OriginalClaim | undefined, b: OriginalClaim | undefined): never {
    if (a === undefined || b === undefined || !contradict(a, b))
      throw new Abort('threshold/equivocation', { culprits: [culprit] })
    const originals = [a.proof, b.proof]
    this.#dispute(a.round, originals)
    const evidence = this.#evidence('threshold/equivocation', [culprit], originals)
    throw new Abort('threshold/equivocation', { culprits: [culprit], evidence })
  }

  #dispute(round: number, originals: readonly Uint8Array[]): void {
    this.#outbox.push({ round, kind: 'dispute', to: 'all', body: encodeOriginals(originals) })
  }

  #evidence(
    claim: string,
    culprits: readonly PartyId[],
    originals: readonly Uint8Array[],
    proof?: Uint8Array,
  ): Evidence {
    const { sid, protocol } = this.#options
    const envelopes = originals.map((envelope) => ({ envelope }))
    return {
      v: 1,
      sid,
      protocol,
      claim,
      culprits,
      originals: [...envelopes, ...this.#exhibits],
      ...(proof && { proof }),
    }
  }

  #fail(abort: Abort): void {
    const { code, culprits, witnesses, proof, complaint } = abort
    const originals = this.#log.publicOriginals([...culprits, ...witnesses], this.#number)
    const isProvable = culprits.length > 0 && originals.length + this.#exhibits.length > 0
    const evidence =
      abort.evidence ?? (isProvable ? this.#evidence(code, culprits, originals, proof) : undefined)
    if (complaint !== undefined) {
      const body = encodeComplaint(complaint)
      this.#outbox.push({ round: this.#number + 1, kind: 'dispute', to: 'all', body })
    }
    this.#end({
      kind: 'aborted',
      abort: abort.with({ round: this.#number, ...(evidence && { evidence }) }),
    })
  }

  #end(state: Ended<Out>): void {
    this.#ended = state
    this.#round?.[Symbol.dispose]?.()
    this.#round = undefined
    this.#log[Symbol.dispose]()
    this.#ownBroadcasts.clear()
  }

  #waitingFor(): readonly PartyId[] {
    const round = this.#round
    if (round === undefined) return this.#others
    const isMissing = (kind: 'broadcast' | 'direct', from: PartyId): boolean => {
      const inlet = round[kind]
      const isAwaited = inlet !== undefined && this.#senders(inlet).includes(from)
      return isAwaited && this.#find(kind, from) === undefined
    }
    const { differing, missing } =
      this.#echo === undefined ? NO_ECHOES : this.#compareEchoes(this.#echo)
    const isSilent = (from: PartyId): boolean =>
      missing.includes(from) ||
      (differing.includes(from) && !this.#testimonies.hasSpoken(from, this.#number))
    return this.#others.filter(
      (from) => isMissing('broadcast', from) || isMissing('direct', from) || isSilent(from),
    )
  }
}
