/**
 * What a protocol is made of: rounds that check messages, and steps from one round to the next.
 *
 * A round awaits the messages that carry its number. `accept` of an inlet checks one message and
 * throws `Abort` naming its sender; `advance` runs once, after every awaited message was accepted.
 * A round sees no clock, socket, storage or source of randomness. The session calls inlets only
 * after the echo check, in ascending order of senders, and those of direct messages only when every
 * broadcast was good, so the outcome does not depend on the order of delivery. Bodies of direct messages are overwritten when the session ends:
 * a round copies what it keeps.
 */
import { type Codec, decode, encode, isFault } from '@quorate/base'
import { Abort } from './abort.ts'
import type { PartyId } from './party.ts'

/** The way in for one kind of message of a round. */
export type Inlet = {
  /** Longer bodies are refused before they are parsed, and their sender is blamed. */
  readonly maxBytes: number
  /** Parties that send it; all parties of the session unless told. */
  readonly senders?: readonly PartyId[]
  /**
   * Of direct messages: a faulty one may be shown to third parties, as evidence. Never for messages
   * that hold secrets of a key that lives on.
   */
  readonly mayDisclose?: boolean
  /** Checks one body and keeps what later rounds need. @throws Abort naming the sender */
  readonly accept: (from: PartyId, body: Uint8Array) => void
}

export type Round<Out> = {
  /** Rounds count up from 1; numbers that concern only other parties are left out. */
  readonly number: number
  /** Sent to all; the session makes sure that all got the same before `accept` sees any of it. */
  readonly broadcast?: Inlet
  /**
   * Echo among two parties as well. They need none to agree, but a signed echo is each party's word
   * on what it received, on which evidence of later rounds may rest.
   */
  readonly isAttested?: boolean
  /**
   * No echo: of a last round whose messages are each judged by themselves, and whose result shows that
   * it is right, nothing hangs on who else got the same.
   */
  readonly needsNoEcho?: boolean
  /** Sealed for this party alone. */
  readonly direct?: Inlet
  /** Complaints of other parties about earlier messages, judged at once when they come. */
  readonly dispute?: Inlet
  advance(): Step<Out>
  /** Wipes what the round holds. Called once, when the session leaves it by any way. */
  [Symbol.dispose]?(): void
}

export type Send = { readonly to: PartyId | 'all'; readonly body: Uint8Array }

/** The next round with the messages that carry its number; or the result with last words, numbered one higher. */
export type Step<Out> =
  | { readonly kind: 'next'; readonly round: Round<Out>; readonly send: readonly Send[] }
  | { readonly kind: 'done'; readonly output: Out; readonly send: readonly Send[] }

export const next = <Out>(round: Round<Out>, ...send: readonly Send[]): Step<Out> => ({
  kind: 'next',
  round,
  send,
})
export const done = <Out>(output: Out, ...send: readonly Send[]): Step<Out> => ({
  kind: 'done',
  output,
  send,
})

/** One message to all other parties. */
export const toAll = <Body>(codec: Codec<Body>, body: Body): Send => ({
  to: 'all',
  body: encode(codec, body),
})
/** A message of its own to each of `parties`. */
export const toEach = <Body>(
  parties: readonly PartyId[],
  codec: Codec<Body>,
  body: (to: PartyId) => Body,
): readonly Send[] => parties.map((to) => ({ to, body: encode(codec, body(to)) }))

/**
 * An inlet that parses bodies with `codec`. What does not parse is the sender's fault.
 * `accept` throws `Abort` naming whom it blames; any other error is a bug and is not caught.
 */
export function inlet<Body>(
  codec: Codec<Body>,
  maxBytes: number,
  accept: (from: PartyId, body: Body) => void,
  senders?: readonly PartyId[],
  options: Pick<Inlet, 'mayDisclose'> = {},
): Inlet {
  return {
    maxBytes,
    ...options,
    ...(senders !== undefined && { senders }),
    accept(from, body) {
      accept(from, parse(codec, maxBytes, from, body))
    },
  }
}

function parse<Body>(codec: Codec<Body>, maxBytes: number, from: PartyId, body: Uint8Array): Body {
  try {
    return decode(codec, body, { maxBytes })
  } catch (cause) {
    if (isFault(cause) && cause.class === 'InvalidInput')
      throw new Abort('threshold/malformed-message', { culprits: [from], cause })
    throw cause
  }
}
