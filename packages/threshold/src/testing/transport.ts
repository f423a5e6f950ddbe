/**
 * How messages become bytes and back: by real envelopes, or by the same claims without signatures,
 * for the many tests in which signatures are not the point.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import {
  bytes,
  type Codec,
  decode,
  encode,
  field,
  int,
  isFault,
  oneOf,
  record,
} from '@quorate/base'
import { openEnvelope, readEnvelope, sealEnvelope, stripEnvelope } from '../session/envelope.ts'
import { nobleVerifier } from '../session/envelope-crypto.ts'
import type { OriginalClaim, Outgoing, Received } from '../session/message.ts'
import { type PartyId, party } from '../session/party.ts'
import { keysOf, type Participant } from './participants.ts'

export type SessionName = {
  readonly cluster: Uint8Array
  readonly sid: Uint8Array
  readonly protocol: string
}

export type Transport = {
  wrap(from: PartyId, message: Outgoing): Uint8Array
  /** @throws a Fault for what a node would refuse */
  unwrap(self: PartyId, wire: Uint8Array): Received
  readOriginal(original: Uint8Array): OriginalClaim | undefined
}

const EXPIRES_AT = 1_000

/** Real envelopes, signed and sealed by the participants' epoch keys. */
export function signedTransport(all: readonly Participant[], name: SessionName): Transport {
  const participantOf = (id: PartyId): Participant => all.find((each) => each.party === id)!
  const keys = keysOf(all)
  let seq = 0
  return {
    wrap(from, { round, kind, to, body }) {
      const { epoch, crypto } = participantOf(from)
      const addressee =
        to === 'all'
          ? 'all'
          : { party: to, epoch: participantOf(to).epoch, prekey: participantOf(to).prekey }
      return sealEnvelope(
        {
          ...name,
          epoch,
          round,
          from,
          seq: seq++,
          kind,
          expiresAt: EXPIRES_AT,
          to: addressee,
          body,
        },
        crypto,
      )
    },
    unwrap(self, wire) {
      const { epoch, crypto } = participantOf(self)
      const { header, body, salt } = openEnvelope(
        wire,
        { ...keys, ...name, self, epoch, now: 0 },
        crypto,
      )
      const { from, round, kind } = header
      if (kind === 'control') throw new Error('no control messages in a test session')
      return { from, round, kind, body, original: wire, salt }
    },
    readOriginal(original) {
      try {
        const { header } = readEnvelope(original, keys, nobleVerifier)
        return { ...header, proof: stripEnvelope(original) }
      } catch (error) {
        if (isFault(error)) return undefined
        throw error
      }
    },
  }
}

type Plain = Omit<Outgoing, 'to'> & { readonly from: PartyId; readonly to: number }
const plain: Codec<Plain> = record({
  from: field(1, party),
  to: field(2, int(0, 50)),
  round: field(3, int()),
  kind: field(4, oneOf('broadcast', 'direct', 'echo', 'dispute')),
  body: field(5, bytes({ max: 1 << 20 })),
})
const LIMITS = { maxBytes: 1 << 21 }

/** The same without signatures and sealing: everyone is believed to be who it says. */
export function plainTransport({ sid, protocol }: SessionName): Transport {
  return {
    wrap: (from, { to, ...message }) =>
      encode(plain, { ...message, from, to: to === 'all' ? 0 : to }),
    unwrap: (_, wire) => ({ ...decode(plain, wire, LIMITS), original: wire }),
    readOriginal(original) {
      const { from, to, round, kind, body } = decode(plain, original, LIMITS)
      return { from, to, round, kind, sid, protocol, bodyHash: sha256(body), proof: original }
    },
  }
}
