/**
 * What only one session at a time may have, until it has ended: the name of a wallet that is being
 * made, the making of auxiliary information for a request.
 */
import { Fault, toHex } from '@quorate/base'
import { Abort, type Manifest, sessionId } from '@quorate/threshold'
import type { Participation } from './participation.ts'
import type { CheckedRequest } from './requests.ts'

export class Reservations {
  readonly #holders = new Map<string, string>()
  readonly #find: (sid: string) => Participation | undefined

  /** `find` looks up a session that runs here by the hex of its id. */
  constructor(find: (sid: string) => Participation | undefined) {
    this.#find = find
  }

  /**
   * Holds what the session needs for itself; returns how to let go. A second session for the same
   * wallet takes the place of one that never came to run. @throws enclave/label-taken, enclave/busy
   */
  hold(manifest: Manifest, { request: { body } }: CheckedRequest): () => void {
    const { purpose } = manifest
    if (purpose === 'aux') {
      const name = `aux/${toHex(manifest.request)}`
      if (this.#holders.has(name)) throw new Fault('enclave/busy')
      return this.#take(name, manifest)
    }
    if (purpose !== 'keygen' || body.kind !== 'createWallet') return () => undefined
    const name = `${body.value.project}/${body.value.label}`
    const holder = this.#holders.get(name)
    if (holder !== undefined && !this.#giveWay(holder, manifest))
      throw new Fault('enclave/label-taken')
    return this.#take(name, manifest)
  }

  #take(name: string, manifest: Manifest): () => void {
    const sid = toHex(sessionId(manifest))
    this.#holders.set(name, sid)
    return () => {
      if (this.#holders.get(name) === sid) this.#holders.delete(name)
    }
  }

  /** Whether that session has ended, or does now because nothing was begun in it and its coordinator tries again. */
  #giveWay(sid: string, { wallet, coordinator }: Manifest): boolean {
    const session = this.#find(sid)
    // Its id is being burnt.
    if (session === undefined) return false
    const { manifest, phase } = session
    if (phase === 'ended') return true
    if (manifest.wallet !== wallet || manifest.coordinator !== coordinator || phase !== 'preparing')
      return false
    session.end(new Abort('threshold/cancelled'))
    return true
  }
}
