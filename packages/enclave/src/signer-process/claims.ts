/**
 * Who leads a request, where a client asked several nodes at once: all rank the nodes alike by
 * H(request ‖ node), and the first of those that ask leads. A claim is no right: after a while, or
 * once its sessions have ended, anybody may lead, so that a node which stops cannot keep a request.
 */
import { type Clock, Fault, isFault, TAGS, taggedHash, toHex, utf8 } from '@quorate/base'
import type { Manifest, PartyId } from '@quorate/threshold'
import type { Participation } from './participation.ts'

/** How long the first to lead keeps others out, in milliseconds. */
export const CLAIM_MS = 10_000

/** What says that another node leads the request, or led it. */
const ELSEWHERE: readonly string[] = ['enclave/in-flight', 'enclave/already-signed']

/** Whether a request failed here because another node leads it. */
export const isElsewhere = (error: unknown): boolean =>
  isFault(error) &&
  (ELSEWHERE.includes(error.code) || (isFault(error.cause) && ELSEWHERE.includes(error.cause.code)))

type Claim = {
  readonly by: PartyId
  readonly since: number
  readonly sessions: Set<Participation>
}

const rank = (request: Uint8Array, party: PartyId): string =>
  toHex(taggedHash(TAGS.signerOrder, request, utf8(`lead/${party}`)))

export class Claims {
  readonly #clock: Clock
  readonly #byRequest = new Map<string, Claim>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Lets the coordinator of the manifest lead its request here. One that ranks before the present
   * one takes its place while nothing has begun; `giveWay` then ends those sessions.
   * @throws enclave/in-flight where another one leads
   */
  take({ request, coordinator }: Manifest, giveWay: (session: Participation) => void): void {
    const name = toHex(request)
    const claim = this.#byRequest.get(name)
    if (claim !== undefined && claim.by !== coordinator && this.#isFresh(claim)) {
      const isRunning = [...claim.sessions].some(({ phase }) => phase !== 'preparing')
      if (isRunning || rank(request, claim.by) < rank(request, coordinator))
        throw new Fault('enclave/in-flight')
      for (const session of Array.from(claim.sessions)) giveWay(session)
    }
    if (claim?.by === coordinator) return
    const since = this.#clock.monotonic()
    this.#byRequest.set(name, { by: coordinator, since, sessions: new Set() })
  }

  #isFresh(claim: Claim): boolean {
    return claim.sessions.size > 0 && this.#clock.monotonic() - claim.since < CLAIM_MS
  }

  /** The session is one of its coordinator's claim, until it has ended. */
  enter(session: Participation): void {
    const { request, coordinator } = session.manifest
    const name = toHex(request)
    const claim = this.#byRequest.get(name)
    if (claim?.by !== coordinator) return
    claim.sessions.add(session)
    const leave = (): void => {
      claim.sessions.delete(session)
      if (claim.sessions.size === 0 && this.#byRequest.get(name) === claim)
        this.#byRequest.delete(name)
    }
    session.outcome.then(leave, leave)
  }
}
