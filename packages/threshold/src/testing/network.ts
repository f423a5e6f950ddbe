/**
 * An in-memory network of sessions with a deterministic scheduler, and hooks for everything that a
 * cheating party or a hostile network can do.
 *
 *   cheat    sees each message as its sender makes it: a party that lies to all alike, and knows it
 *   tamper   sees each message to each receiver before it is signed: a party that lies to some
 *   wire     sees the bytes on their way: what the network does
 *   inject   bytes that nobody in this session sent
 *
 * When nothing is left to deliver, the deadline passes for whoever still waits.
 */
import { type Codec, decode, encode, isFault } from '@quorate/base'
import type { MessageKind, Outgoing } from '../session/message.ts'
import type { PartyId } from '../session/party.ts'
import type { Send, Step } from '../session/round.ts'
import { Session, type SessionState } from '../session/session.ts'
import { type Participant, participants } from './participants.ts'
import { pick, seededRandom } from './random.ts'
import { plainTransport, type SessionName, signedTransport, type Transport } from './transport.ts'

/** One message on its way to one party. */
export type Delivery = {
  readonly from: PartyId
  readonly to: PartyId
  readonly round: number
  readonly kind: MessageKind
  readonly body: Uint8Array
  /** Delivered only when nothing else is left. */
  readonly isDelayed?: boolean
}
/** What is sent in place of a message: nothing, itself, or others. */
export type Tamper = (delivery: Delivery) => readonly Delivery[]
/** What a party sends in place of a message of its round; its own echo covers that. */
export type Cheat = (
  message: Send & { readonly from: PartyId; readonly round: number },
) => readonly Send[]
export type WireDelivery = {
  readonly to: PartyId
  readonly bytes: Uint8Array
  readonly isDelayed?: boolean | undefined
}

export type RunOptions<Out> = {
  readonly parties: readonly PartyId[]
  /** The first step of each party. */
  readonly make: (self: PartyId) => Step<Out>
  /** 32 bytes; zeros unless told. */
  readonly sid?: Uint8Array
  readonly protocol?: string
  /** Deliver in an order drawn from this seed; else first in, first out. */
  readonly orderSeed?: string | number
  /** Real envelopes, by these participants or by fresh ones; else plain claims. */
  readonly envelopes?: boolean | readonly Participant[]
  readonly cheat?: Cheat
  readonly tamper?: Tamper
  readonly wire?: (delivery: WireDelivery) => readonly WireDelivery[]
  readonly inject?: readonly WireDelivery[]
}

export type RunResult<Out> = {
  readonly states: ReadonlyMap<PartyId, SessionState<Out>>
  /** Codes of what was refused before a session saw it. */
  readonly refusals: ReadonlyMap<PartyId, readonly string[]>
  /** For checking evidence. */
  readonly name: SessionName
}

const DEADLINE = 1

/** Runs one session of all parties to its end. */
export function runSessions<Out>(options: RunOptions<Out>): RunResult<Out> {
  const { parties, make, tamper = (d) => [d], wire = (d) => [d], envelopes = false } = options
  const name = {
    cluster: new Uint8Array(32),
    sid: options.sid ?? new Uint8Array(32),
    protocol: options.protocol ?? 'test',
  }
  const transport: Transport =
    envelopes === false
      ? plainTransport(name)
      : signedTransport(envelopes === true ? participants(parties, 'network') : envelopes, name)
  const refusals = new Map(parties.map((each): [PartyId, string[]] => [each, []]))
  const queue: WireDelivery[] = [...(options.inject ?? [])]

  const post = (from: PartyId, messages: readonly Outgoing[]): void => {
    for (const { round, kind, body, to } of messages) {
      const receivers = to === 'all' ? parties.filter((each) => each !== from) : [to]
      const sent = receivers.flatMap((receiver) =>
        tamper({ from, to: receiver, round, kind, body }),
      )
      // Equal broadcasts are one envelope, as on a real network.
      const wrapped = new Map<Uint8Array, Uint8Array>()
      for (const each of sent) {
        const isForAll = each.kind !== 'direct'
        const bytes =
          (isForAll ? wrapped.get(each.body) : undefined) ??
          transport.wrap(each.from, { ...each, to: isForAll ? 'all' : each.to })
        if (isForAll && each.from === from) wrapped.set(each.body, bytes)
        queue.push(...wire({ to: each.to, bytes, isDelayed: each.isDelayed }))
      }
    }
  }

  const sessions = new Map(
    parties.map((self): [PartyId, Session<Out>] => [
      self,
      new Session({
        sid: name.sid,
        protocol: name.protocol,
        self,
        parties,
        first: options.cheat === undefined ? make(self) : cheating(self, make(self), options.cheat),
        deadline: DEADLINE,
        readOriginal: (original) => transport.readOriginal(original),
      }),
    ]),
  )
  const random = options.orderSeed === undefined ? undefined : seededRandom(options.orderSeed)
  const take = (): WireDelivery | undefined => {
    const prompt = queue.filter(({ isDelayed }) => isDelayed !== true)
    const ready = prompt.length > 0 ? prompt : queue
    const chosen = ready[random === undefined ? 0 : pick(random, Math.max(ready.length, 1))]
    if (chosen !== undefined) queue.splice(queue.indexOf(chosen), 1)
    return chosen
  }

  for (const [self, session] of sessions) post(self, session.begin())
  for (let delivery = take(); delivery !== undefined; delivery = take()) {
    const { to, bytes } = delivery
    try {
      post(to, sessions.get(to)!.receive(transport.unwrap(to, bytes.slice())))
    } catch (error) {
      if (!isFault(error)) throw error
      refusals.get(to)!.push(error.code)
    }
  }
  for (const session of sessions.values()) session.expire(DEADLINE)
  return {
    states: new Map([...sessions].map(([self, { state }]) => [self, state])),
    refusals,
    name,
  }
}

/** The steps of a party that sends what `cheat` makes of its messages. */
function cheating<Out>(from: PartyId, step: Step<Out>, cheat: Cheat, number = 0): Step<Out> {
  const change = (round: number): readonly Send[] =>
    step.send.flatMap((message) => cheat({ ...message, from, round }))
  if (step.kind === 'done') return { ...step, send: change(number + 1) }
  const { round } = step
  const { broadcast, direct, dispute, isAttested } = round
  return {
    kind: 'next',
    send: change(round.number),
    round: {
      number: round.number,
      ...(broadcast && { broadcast }),
      ...(direct && { direct }),
      ...(dispute && { dispute }),
      ...(isAttested !== undefined && { isAttested }),
      advance: () => cheating(from, round.advance(), cheat, round.number),
      [Symbol.dispose]: () => round[Symbol.dispose]?.(),
    },
  }
}

/** The results of all parties. @throws the first abort */
export function outputsOf<Out>({ states }: RunResult<Out>): ReadonlyMap<PartyId, Out> {
  return new Map(
    [...states].map(([self, state]) => {
      if (state.kind === 'aborted') throw state.abort
      if (state.kind === 'running') throw new Error(`party ${self} still runs`)
      return [self, state.output]
    }),
  )
}

/** Which messages a tampering applies to; a field left out matches any. */
export type Match = { readonly [K in 'from' | 'to' | 'round' | 'kind']?: Delivery[K] | number }
const matches = (match: Match, delivery: Delivery): boolean =>
  Object.entries(match).every(([field, value]) => delivery[field as keyof Match] === value)

const when =
  (match: Match, change: (delivery: Delivery) => readonly Delivery[]): Tamper =>
  (delivery) =>
    matches(match, delivery) ? change(delivery) : [delivery]

export const drop = (match: Match): Tamper => when(match, () => [])
export const delay = (match: Match): Tamper => when(match, (d) => [{ ...d, isDelayed: true }])
export const duplicate = (match: Match): Tamper => when(match, (d) => [d, d])
/** One party's messages of one round, sent with other contents. */
export const misbehave =
  (
    by: { readonly from: number; readonly round: number; readonly to?: PartyId | 'all' },
    change: (body: Uint8Array) => Uint8Array,
  ): Cheat =>
  (message) => {
    const isMeant =
      message.from === by.from && message.round === by.round && message.to === (by.to ?? 'all')
    return [isMeant ? { to: message.to, body: change(message.body) } : message]
  }
/** `change` on values for `misbehave` and `alterBody`: another value in the right form. */
export const recoded =
  <Body>(codec: Codec<Body>, change: (body: Body) => Body): ((body: Uint8Array) => Uint8Array) =>
  (body) =>
    encode(codec, change(decode(codec, body, { maxBytes: body.length })))
/** Sends other bytes to those that `match`; to some receivers of a broadcast only, that is an equivocation. */
export const alterBody = (match: Match, change: (body: Uint8Array) => Uint8Array): Tamper => {
  const changed = new Map<Uint8Array, Uint8Array>()
  return when(match, (d) => {
    const body = changed.get(d.body) ?? change(d.body)
    changed.set(d.body, body)
    return [{ ...d, body }]
  })
}
/** One cheat after the other. */
export const conspire =
  (...cheats: readonly Cheat[]): Cheat =>
  (message) =>
    cheats.reduce<readonly Send[]>(
      (sent, cheat) => sent.flatMap((each) => cheat({ ...message, ...each })),
      [message],
    )
