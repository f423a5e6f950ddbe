/** What this node says to the others: seals it and hands it to the bus. */
import type { PartyId } from '@quorate/threshold'
import { type Control, encodeControl } from './control.ts'
import { type Dispatch, provesItself } from './parcel.ts'
import type { Outgoing, Peers } from './peers.ts'
import type { SignerPorts } from './ports.ts'

/** The session id of messages that concern no session. */
export const NO_SESSION: Uint8Array = new Uint8Array(32)

export class Outbox {
  readonly #peers: Peers
  readonly #ports: Pick<SignerPorts, 'send'>
  /** What leaves together, while it is being said. */
  #together: Dispatch[] | undefined

  constructor(peers: Peers, ports: Pick<SignerPorts, 'send'>) {
    this.#peers = peers
    this.#ports = ports
  }

  /** To one party, sealed. */
  tell(to: PartyId, message: Control, sid: Uint8Array = NO_SESSION): void {
    this.#control(message, sid, to, [to])
  }

  /** To each of `receivers` but this node, signed. */
  tellAll(receivers: readonly PartyId[], message: Control, sid: Uint8Array = NO_SESSION): void {
    this.#control(message, sid, 'all', receivers)
  }

  #control(
    message: Control,
    sid: Uint8Array,
    to: PartyId | 'all',
    receivers: readonly PartyId[],
  ): void {
    const body = encodeControl(message)
    const isAside = to === 'all' && provesItself(message)
    this.#say({
      message: { sid, protocol: 'quorate', round: 0, kind: 'control', to, body },
      receivers,
      isAside,
    })
  }

  /** A message of any kind: one to all goes to each of `receivers` but this node. */
  send(message: Outgoing, receivers: readonly PartyId[]): void {
    this.#say({ message, receivers, isAside: false })
  }

  /** What `work` says leaves when it has returned, in as few pieces as it takes. */
  together(work: () => void): void {
    const said: Dispatch[] = []
    this.#together = said
    try {
      work()
    } finally {
      this.#together = undefined
      this.#dispatch(said)
    }
  }

  #say(dispatch: Dispatch): void {
    if (this.#together === undefined) this.#dispatch([dispatch])
    else this.#together.push(dispatch)
  }

  #dispatch(dispatches: readonly Dispatch[]): void {
    for (const { to, frame } of this.#peers.pack(dispatches)) this.#ports.send(to, frame)
  }
}
