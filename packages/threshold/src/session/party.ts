import { type Branded, type Codec, Fault, int } from '@quorate/base'

/** Index of a party in a session, 1 to 50. */
export type PartyId = Branded<number, 'PartyId'>

/** Most parties that the engine serves in one session. */
export const MAX_PARTIES = 50

export const party: Codec<PartyId> = int(1, MAX_PARTIES) as Codec<PartyId>

/** `index` as a party. @throws threshold/bad-parameters outside 1 to 50 */
export function partyId(index: number): PartyId {
  if (!Number.isInteger(index) || index < 1 || index > MAX_PARTIES)
    throw new Fault('threshold/bad-parameters', { detail: `no party has the index ${index}` })
  return index as PartyId
}

/** The parties 1 to `count`. @throws threshold/bad-parameters outside 1 to 50 */
export const partiesUpTo = (count: number): readonly PartyId[] =>
  Array.from({ length: partyId(count) }, (_, i) => partyId(i + 1))
