/**
 * What a cheating node says in the rounds of a session. It waits until all others have spoken (a
 * rushing adversary), then says what it likes, and covers it up: to each node it confirms exactly
 * the broadcasts that this node confirmed, and to its own honest inside everyone confirms what the
 * inside believes to have sent. So nothing but the check that is attacked can stop it.
 */
import { toHex } from '@quorate/base'
import type { Heard, HostileNode, Said } from '@quorate/enclave/testing'
import type { Manifest, PartyId } from '@quorate/threshold'

export type Telling = {
  readonly manifest: Manifest
  /** What its honest inside would say. */
  readonly own: Uint8Array
  /** What the others said in this round. */
  readonly others: ReadonlyMap<PartyId, Uint8Array>
}
export type Lie = {
  readonly purpose: Manifest['purpose']
  readonly round: number
  /** The body for all, or one for each receiver. */
  say(telling: Telling): Uint8Array | ReadonlyMap<PartyId, Uint8Array>
}

type Round = {
  own: Said | undefined
  readonly bodies: Map<PartyId, Uint8Array>
  ownEcho: Said | undefined
  readonly echoes: Map<PartyId, Heard>
}

/** Tells these lies from now on, until `behave`. Returns how often it has lied so far. */
export function tell(hostile: HostileNode, ...lies: readonly Lie[]): () => number {
  const rounds = new Map<string, Round>()
  let told = 0

  const lieOf = ({ sid, round }: Pick<Said, 'sid' | 'round'>): Lie | undefined => {
    const manifest = hostile.manifestOf(sid)
    return lies.find((lie) => lie.purpose === manifest?.purpose && lie.round === round)
  }
  const roundOf = ({ sid, round }: Pick<Said, 'sid' | 'round'>): Round => {
    const name = `${toHex(sid)}/${round}`
    const known = rounds.get(name) ?? {
      own: undefined,
      bodies: new Map(),
      ownEcho: undefined,
      echoes: new Map(),
    }
    rounds.set(name, known)
    return known
  }
  const lie = (at: Round): void => {
    if (
      at.own === undefined ||
      at.own.receivers.some((each) => each !== hostile.index && !at.bodies.has(each))
    )
      return
    const { own, bodies } = at
    const body = lieOf(own)!.say({
      manifest: hostile.manifestOf(own.sid)!,
      own: own.body,
      others: bodies,
    })
    told++
    if (body instanceof Uint8Array) hostile.say({ ...own, body })
    else
      for (const [receiver, each] of body)
        hostile.say({ ...own, body: each, receivers: [receiver] })
    at.own = undefined
  }
  const coverUp = (at: Round): void => {
    if (at.ownEcho === undefined) return
    for (const [from, heard] of at.echoes) {
      hostile.say({ ...at.ownEcho, body: heard.body, receivers: [from] })
      void hostile.hear(heard, at.ownEcho.body)
    }
    at.echoes.clear()
  }

  hostile.outgoing = (message) => {
    if (lieOf(message) === undefined) return [message]
    const at = roundOf(message)
    if (message.kind === 'broadcast') {
      at.own = message
      lie(at)
    } else if (message.kind === 'echo') {
      at.ownEcho = message
      // Not now: its inside is in the middle of a sentence.
      queueMicrotask(() => coverUp(at))
    } else return [message]
    return []
  }
  hostile.incoming = (heard) => {
    const { header, body } = heard
    if (lieOf(header) === undefined) return heard
    const at = roundOf(header)
    if (header.kind === 'broadcast') {
      at.bodies.set(header.from, body)
      lie(at)
      return heard
    }
    if (header.kind !== 'echo') return heard
    at.echoes.set(header.from, heard)
    coverUp(at)
    return undefined
  }
  return () => told
}
