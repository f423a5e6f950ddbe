/** Messages of sessions that this node has not joined yet: a signer that starts alone is ahead of the others. */
import { equalBytes } from '@quorate/base'
import type { PartyId, Received } from '@quorate/threshold'

/** Of one sender: as many as it may have sessions under way. */
const MAX_EARLY = 128
/** Longer ones are not kept: what is sent early is short. */
const MAX_BYTES = 1 << 15

type Early = { readonly sid: Uint8Array; readonly message: Received }

export class EarlyMessages {
  readonly #bySender = new Map<PartyId, Early[]>()

  /** A sender that floods pushes out its own only. */
  keep(sid: Uint8Array, message: Received): void {
    const { from, body, kind } = message
    if (body.length > MAX_BYTES || kind === 'direct') return
    const ofSender = this.#bySender.get(from) ?? []
    if (ofSender.length === MAX_EARLY) ofSender.shift()
    ofSender.push({ sid, message })
    this.#bySender.set(from, ofSender)
  }

  /** What was kept for that session, which is forgotten here. */
  take(sid: Uint8Array): readonly Received[] {
    const taken: Received[] = []
    for (const [sender, all] of this.#bySender) {
      const rest: Early[] = []
      for (const early of all)
        if (equalBytes(early.sid, sid)) taken.push(early.message)
        else rest.push(early)
      this.#bySender.set(sender, rest)
    }
    return taken
  }
}
