/**
 * FROST signing, round two: signature shares (RFC 9591, sections 5.2 and 5.3).
 *
 *   out, in   broadcast   zᵢ and the context it was made in, for each item
 *
 * Every party aggregates for itself. A signature that verifies shows that its shares were right; where
 * one does not, every share is checked, and whoever sent a wrong one is named.
 */
import {
  array,
  bug,
  bytes,
  type Codec,
  encode,
  equalBytes,
  field,
  int,
  record,
  type Secret,
} from '@quorate/base'
import { Abort } from '../../session/abort.ts'
import { MAX_PARTIES, type PartyId, party as partyCodec } from '../../session/party.ts'
import { done, inlet, next, type Step, toAll } from '../../session/round.ts'
import type { PreprocessedNonces } from './commit-round.ts'
import { type Commitments, MAX_ITEMS, openSessions, type SigningItem } from './item.ts'
import type { GroupKey } from './key.ts'
import type { SigningSession } from './session.ts'

/** Keeps the proof below the size that evidence may have. */
const MAX_PROVEN_ITEMS = 16

export type ShareMessage = readonly { readonly share: Uint8Array; readonly context: Uint8Array }[]

export const shareMessageCodec = (items: number): Codec<ShareMessage> =>
  array(record({ share: field(1, bytes(32)), context: field(2, bytes(32)) }), {
    min: items,
    max: items,
  })
export const shareMessageLength = (items: number): number => 71 * items + 5

/** The commitments of one item that a share does not fit; the culprit's own message fixes them by their context. */
export type WrongShareProof = readonly {
  readonly item: number
  readonly commitments: readonly { readonly party: PartyId; readonly commitment: Uint8Array }[]
}[]
export const wrongShareProofCodec: Codec<WrongShareProof> = array(
  record({
    item: field(1, int(0, MAX_ITEMS - 1)),
    commitments: field(
      2,
      array(record({ party: field(1, partyCodec), commitment: field(2, bytes({ max: 66 })) }), {
        max: MAX_PARTIES,
      }),
    ),
  }),
  { max: MAX_PARTIES },
)

export type ShareOptions = {
  readonly self: PartyId
  /** Ascending, with this party. */
  readonly signers: readonly PartyId[]
  readonly key: GroupKey
  readonly share: Secret<Uint8Array>
  readonly items: readonly SigningItem[]
}

type ShareStart = ShareOptions & {
  /** The commitments were agreed on in a session of their own. */
  readonly isPreprocessed: boolean
}

/** Uses up the nonces, sends the shares, and ends with the signatures in the order of the items. */
export function exchangeShares(
  { self, signers, key, share, items, isPreprocessed }: ShareStart,
  preprocessed: readonly PreprocessedNonces[],
): Step<readonly Uint8Array[]> {
  const commitments = preprocessed.map((each) => each.commitments)
  const nonces = preprocessed.map((each) => each.nonces)
  const sessions = openSessions(key, signers, items, commitments, { party: self, nonces })
  const own = sessions.map((session, i) => ({
    share: session.sign(self, share, preprocessed[i]!.nonces),
    context: session.context,
  }))
  const codec = shareMessageCodec(items.length)
  const received = new Map<PartyId, ShareMessage>([[self, own]])
  return next(
    {
      number: 2,
      needsNoEcho: isPreprocessed,
      broadcast: inlet(
        codec,
        shareMessageLength(items.length),
        (from, message) => received.set(from, message),
        signers,
      ),
      advance() {
        const sharesOf = (item: number): ReadonlyMap<PartyId, Uint8Array> =>
          mapValues(received, (message) => message[item]!.share)
        const isAlike = sessions.every((session, item) =>
          [...received.values()].every((each) => equalBytes(each[item]!.context, session.context)),
        )
        const signatures = isAlike ? sumUp(sessions, sharesOf) : undefined
        if (signatures !== undefined) return done(signatures)
        refuseWrongShares(sessions, commitments, received)
        return bug('every share is right and a signature is not')
      },
    },
    toAll(codec, own),
  )
}

/** The signatures, where every one of them verifies: then so does what it is made of. */
function sumUp(
  sessions: readonly SigningSession[],
  sharesOf: (item: number) => ReadonlyMap<PartyId, Uint8Array>,
): readonly Uint8Array[] | undefined {
  const signatures: Uint8Array[] = []
  for (const [item, session] of sessions.entries()) {
    const signature = session.sumUp(sharesOf(item))
    if (signature === undefined) return undefined
    signatures.push(signature)
  }
  return signatures
}

function refuseWrongShares(
  sessions: readonly SigningSession[],
  commitments: readonly Commitments[],
  received: ReadonlyMap<PartyId, ShareMessage>,
): void {
  const culprits: PartyId[] = []
  const provable = new Set<number>()
  for (const [party, message] of received) {
    const item = sessions.findIndex((session, i) => {
      const { share, context } = message[i]!
      return !equalBytes(context, session.context) || !session.isValidShare(party, share)
    })
    if (item < 0) continue
    culprits.push(party)
    provable.add(item)
  }
  if (culprits.length === 0) return
  const proof: WrongShareProof = [...provable].slice(0, MAX_PROVEN_ITEMS).map((item) => ({
    item,
    commitments: [...commitments[item]!].map(([party, { encoded }]) => ({
      party,
      commitment: encoded,
    })),
  }))
  throw new Abort('threshold/invalid-share', {
    culprits,
    proof: encode(wrongShareProofCodec, proof),
  })
}

const mapValues = <K, A, B>(map: ReadonlyMap<K, A>, of: (value: A) => B): ReadonlyMap<K, B> =>
  new Map([...map].map(([key, value]) => [key, of(value)]))
