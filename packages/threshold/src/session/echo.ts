/** The echo of a broadcast round: one hash of everything that all parties said in it. */
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeCbor, equalBytes, TAGS, taggedHash } from '@quorate/base'
import type { PartyId } from './party.ts'

/** The echo of the bodies that each sender broadcast, in ascending order of senders; 32 bytes. */
export const echoOf = (
  sid: Uint8Array,
  protocol: string,
  round: number,
  bodies: readonly (readonly [PartyId, Uint8Array])[],
): Uint8Array =>
  taggedHash(
    TAGS.echo,
    encodeCbor([sid, protocol, round, bodies.map(([from, body]) => [from, sha256(body)])]),
  )

export type Echoes = {
  /** Parties whose echo is not ours. */
  readonly differing: readonly PartyId[]
  /** Parties whose echo has not come. */
  readonly missing: readonly PartyId[]
}

/** Compares the echoes that came with our own. */
export function compareEchoes(
  own: Uint8Array,
  parties: readonly PartyId[],
  echoBy: (party: PartyId) => Uint8Array | undefined,
): Echoes {
  const differs = (party: PartyId): boolean => {
    const echo = echoBy(party)
    return echo !== undefined && !equalBytes(echo, own)
  }
  return {
    differing: parties.filter(differs),
    missing: parties.filter((party) => echoBy(party) === undefined),
  }
}
