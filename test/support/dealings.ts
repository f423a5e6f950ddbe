/** Round 1 and 2 of key generation over Ed25519, taken apart and put together again as a cheater likes. */
import { bytes, concatBytes, decode, encode, field, record, TAGS, taggedHash } from '@quorate/base'
import type { HostileNode } from '@quorate/enclave/testing'
import { type Element, ed25519 as group, mod } from '@quorate/math'
import { dkgSuite, type Manifest, type PartyId, partiesOf } from '@quorate/threshold'
import type { Lie } from './lies.ts'

export type Dealing = {
  readonly commitment: readonly Element[]
  readonly possession: Uint8Array
  readonly nonce: Uint8Array
  /** Encrypted by addition, for each party in order. */
  readonly shares: readonly bigint[]
  readonly nonceProof: Uint8Array
}

const POINT = 32
const PROOF = 64
const MAX_BYTES = 4096
const dealing = record({
  message: field(1, bytes({ max: MAX_BYTES })),
  nonceProof: field(2, bytes({ max: 65 })),
})
const certificate = record({ transcriptHash: field(1, bytes(32)), signature: field(2, bytes(64)) })

/** The dealing of one of `parties` parties, with as many coefficients as it has. */
export function readDealing(body: Uint8Array, parties = 3): Dealing {
  const { message, nonceProof } = decode(dealing, body, { maxBytes: MAX_BYTES })
  let rest = message
  const take = (length: number): Uint8Array => {
    const taken = rest.slice(0, length)
    rest = rest.subarray(length)
    return taken
  }
  const coefficients = (message.length - PROOF - POINT - 32 * parties) / POINT
  return {
    commitment: Array.from({ length: coefficients }, () => group.decode(take(POINT))),
    possession: take(PROOF),
    nonce: take(POINT),
    shares: Array.from({ length: parties }, () => group.decodeScalar(take(32))),
    nonceProof,
  }
}

export const writeDealing = ({
  commitment,
  possession,
  nonce,
  shares,
  nonceProof,
}: Dealing): Uint8Array =>
  encode(dealing, {
    message: concatBytes(
      ...commitment.map((each) => group.encode(each)),
      possession,
      nonce,
      ...shares.map((each) => group.encodeScalar(each)),
    ),
    nonceProof,
  })

/** Round 2 of whoever holds the hostile node's keys, for these dealings of all parties in order. */
function certify(
  hostile: HostileNode,
  manifest: Manifest,
  dealings: readonly Dealing[],
): Uint8Array {
  const suite = dkgSuite(manifest.suite)
  const threshold = new Uint8Array(4)
  new DataView(threshold.buffer).setUint32(0, manifest.threshold)
  const coefficients = Math.max(...dealings.map(({ commitment }) => commitment.length))
  const joint = Array.from({ length: coefficients }, (_, k) =>
    group.sum(
      dealings.flatMap(({ commitment }) => (k < commitment.length ? [commitment[k]!] : [])),
    ),
  )
  const sums = dealings.map((_, i) =>
    dealings.reduce((sum, { shares }) => mod(sum + shares[i]!, group.order), 0n),
  )
  const transcript = concatBytes(
    threshold,
    ...joint.map((each) => group.encode(each)),
    ...partiesOf(manifest).map((party) => hostile.peers.epochOf(party).dkgKeys.ed25519),
    ...dealings.map(({ nonce }) => nonce),
    ...sums.map((each) => group.encodeScalar(each)),
  )
  using secret = hostile.hostSecret(manifest.suite)
  const message = suite.certificateMessage(hostile.index - 1, transcript)
  return encode(certificate, {
    transcriptHash: taggedHash(TAGS.dkgCertificate, transcript),
    signature: suite.sign(group.decodeScalar(secret.expose()), message, new Uint8Array(32)),
  })
}

/**
 * Deals as `change` says, and certifies what each receiver must hold then. `change` may deal to each
 * receiver something else.
 */
export function dealFalsely(
  hostile: HostileNode,
  change: (
    own: Dealing,
    others: readonly Dealing[],
    manifest: Manifest,
  ) => Dealing | ReadonlyMap<PartyId, Dealing>,
): readonly [Lie, Lie] {
  let dealt = new Map<PartyId, Dealing>()
  let heard: ReadonlyMap<PartyId, Dealing> = new Map()
  const toEach = (say: (receiver: PartyId) => Uint8Array): ReadonlyMap<PartyId, Uint8Array> =>
    new Map(hostile.others.map((receiver) => [receiver, say(receiver)]))
  return [
    {
      purpose: 'keygen',
      round: 1,
      say({ own, others, manifest }) {
        heard = new Map([...others].map(([party, body]) => [party, readDealing(body)]))
        const said = change(readDealing(own), [...heard.values()], manifest)
        dealt = new Map(
          hostile.others.map((each) => [each, 'commitment' in said ? said : said.get(each)!]),
        )
        const bodies = new Map(
          [...new Set(dealt.values())].map((each) => [each, writeDealing(each)]),
        )
        // One body for all is one envelope for all, or it would look like an equivocation.
        return bodies.size === 1
          ? [...bodies.values()][0]!
          : toEach((each) => bodies.get(dealt.get(each)!)!)
      },
    },
    {
      purpose: 'keygen',
      round: 2,
      say: ({ manifest }) =>
        toEach((receiver) =>
          certify(
            hostile,
            manifest,
            partiesOf(manifest).map((party) => heard.get(party) ?? dealt.get(receiver)!),
          ),
        ),
    },
  ]
}
