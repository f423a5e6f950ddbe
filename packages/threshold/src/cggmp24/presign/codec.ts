/**
 * Presignatures on their way from the thread that made them to the one that keeps them, and their public
 * part as evidence shows it. No presignature is ever written to a disk.
 */
import {
  array,
  bytes,
  type Codec,
  type CodecType,
  decode,
  encode,
  Fault,
  field,
  int,
  oneOf,
  record,
  type Secret,
} from '@quorate/base'
import { fromBytesBe } from '@quorate/math'
import { MAX_PARTIES, type PartyId, party } from '../../session/party.ts'
import { LEVELS, type LevelId } from '../level.ts'
import { point, scalar } from '../wire.ts'
import { Presignature, type PublicPresignature } from './presignature.ts'

const MAX_BYTES = 1 << 14

const codec = record({
  level: field(1, oneOf(...(Object.keys(LEVELS) as LevelId[]))),
  context: field(2, bytes(32)),
  view: field(3, bytes(32)),
  item: field(4, int(0, 255)),
  Gamma: field(5, point),
  delta: field(6, scalar),
  signers: field(
    7,
    array(
      record({
        party: field(1, party as Codec<PartyId>),
        delta: field(2, point),
        chi: field(3, point),
        entropy: field(4, bytes({ max: 32 })),
      }),
      { min: 1, max: MAX_PARTIES },
    ),
  ),
  publicKey: field(8, point),
  path: field(9, array(int(0, 0x7fffffff), { max: 10 })),
})

export function encodePresignature(of: PublicPresignature): Uint8Array {
  const { deltas, chis, entropies, ...rest } = of
  const signers = [...deltas].map(([each, delta]) => ({
    party: each,
    delta,
    chi: chis.get(each)!,
    entropy: entropies.get(each) ?? new Uint8Array(),
  }))
  return encode(codec, { ...rest, signers } satisfies CodecType<typeof codec>)
}

/** @throws base/malformed, base/not-canonical, base/too-large, math/bad-element, math/bad-scalar */
export function decodePresignature(encoded: Uint8Array): PublicPresignature {
  const { signers, ...rest } = decode(codec, encoded, { maxBytes: MAX_BYTES })
  return {
    ...rest,
    deltas: new Map(signers.map((each) => [each.party, each.delta])),
    chis: new Map(signers.map((each) => [each.party, each.chi])),
    entropies: new Map(
      signers.flatMap((each) => (each.entropy.length === 0 ? [] : [[each.party, each.entropy]])),
    ),
  }
}

/** What `moveOut` gave, as a presignature again. Treats `moved` as secret; the caller wipes it. */
export function receivePresignature(
  of: PublicPresignature,
  self: PartyId,
  moved: Secret<Uint8Array>,
): Presignature {
  const secrets = moved.expose()
  if (secrets.length !== 64 && secrets.length !== 96)
    throw new Fault('base/malformed', { detail: 'no presignature has so many bytes' })
  const entropy = secrets.length === 96 ? secrets.slice(64) : undefined
  return new Presignature(
    of,
    self,
    fromBytesBe(secrets.subarray(0, 32)),
    fromBytesBe(secrets.subarray(32, 64)),
    entropy,
  )
}
