/** Countersignatures that overtook the manifests they are for: links between different pairs of nodes differ. */
import { equalBytes } from '@quorate/base'
import type { PartyId } from '@quorate/threshold'

/** Of one sender; each is a few hundred bytes. */
const MAX_EARLY = 16

export type EarlyWord = {
  readonly sid: Uint8Array
  readonly from: PartyId
  readonly countersignature: Uint8Array
}

export class EarlyWords {
  #words: EarlyWord[] = []

  keep(word: EarlyWord): void {
    const ofSender = this.#words.filter(({ from }) => from === word.from)
    // A sender that floods pushes out its own only.
    if (ofSender.length >= MAX_EARLY) this.#words.splice(this.#words.indexOf(ofSender[0]!), 1)
    this.#words.push(word)
  }

  /** What was kept for that session, which is forgotten here. */
  take(sid: Uint8Array): readonly EarlyWord[] {
    const taken = this.#words.filter((word) => equalBytes(word.sid, sid))
    if (taken.length > 0) this.#words = this.#words.filter((word) => !equalBytes(word.sid, sid))
    return taken
  }
}
