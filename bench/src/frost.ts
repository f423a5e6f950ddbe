/**
 * FROST in one process, beside noble's own FROST in the same run.
 *
 *   keygen      all parties, without a dealer, to agreed and certified key shares
 *   commit      all signers: nonces and encoded commitments
 *   share       all signers: decoding the others' commitments, signature share
 *   aggregate   one party: every share checked, signature made and verified
 *   sign        the three together: bytes in, verified signature bytes out
 *
 * Every run has a new message and new nonces. The key of the Taproot rows carries
 * the BIP-341 tweak, computed once as for a wallet in use. noble checks single shares only after
 * the signature failed, does not tweak, and does not certify the result of key generation: the
 * baseline does less. Both are measured in turns, so that a busy machine slows both.
 */
import { webcrypto } from 'node:crypto'
import { ed25519_FROST } from '@noble/curves/ed25519.js'
import { schnorr_FROST } from '@noble/curves/secp256k1.js'
import { type Random, Secret } from '@quorate/base'
import { chooseBackends } from '@quorate/math/native'
import {
  beginKeygen,
  commit,
  type Deal,
  deal,
  decodeNonceCommitment,
  dkgParameters,
  dkgSuite,
  type FrostSuite,
  frostSuites,
  hostPublicKey,
  type PartyId,
  partiesUpTo,
  SignerSet,
  SigningSession,
  safeTweaks,
  signingKey,
} from '@quorate/threshold'
import { outputsOf, runSessions } from '@quorate/threshold/testing'
import { type Budget, inTurns, medians, timed } from './measure.ts'
import { acrossProcesses } from './processes.ts'
import { type Bench, type Row, row } from './report.ts'

type NobleFrost = typeof ed25519_FROST

const SUITES: readonly [name: string, suite: FrostSuite, noble: NobleFrost][] = [
  ['ed25519', frostSuites['FROST-ED25519-SHA512-v1'], ed25519_FROST],
  ['taproot', frostSuites['FROST-secp256k1-SHA256-TR-v1'], schnorr_FROST],
]
const SHAPES: readonly [threshold: number, parties: number][] = [
  [2, 3],
  [3, 5],
  [5, 9],
  [7, 11],
  [10, 15],
]

const SIGNING: Budget = { ms: 3000, atLeast: 7, atMost: 300 }
const NOBLE_BACKEND: Budget = { ms: 1000, atLeast: 3, atMost: 50 }
const KEYGEN: Budget = { ms: 1500, atLeast: 3, atMost: 20 }
/** noble's takes seconds for the larger shapes. */
const NOBLE_KEYGEN: Budget = { ms: 0, atLeast: 1, atMost: 1 }

const random: Random = { bytes: (length) => webcrypto.getRandomValues(new Uint8Array(length)) }

export const frost: Bench = {
  about:
    'FROST: in one process with the work of all signers summed, then across processes; baseline: noble FROST',
  async *run() {
    for (const [name, suite, noble] of SUITES) {
      for (const [threshold, parties] of SHAPES) {
        const prefix = `frost/${name}/${threshold}-of-${parties}`
        yield* measureShape(prefix, suite, noble, threshold, parties)
      }
    }
    for (const [threshold, parties] of SHAPES) yield* acrossProcesses(threshold, parties)
  },
}

async function* measureShape(
  prefix: string,
  suite: FrostSuite,
  noble: NobleFrost,
  threshold: number,
  parties: number,
): AsyncIterable<Row> {
  const dealt = deal({ suite, threshold, parties, random })
  const baselineOnce = nobleSigning(noble, threshold, parties)
  await chooseBackends({ only: 'noble' })
  const withNoble = medians(NOBLE_BACKEND, () => signOnce(dealt))
  await chooseBackends()
  const { own, baseline } = inTurns(SIGNING, () => signOnce(dealt), baselineOnce)
  const keygen = medians(KEYGEN, () => ({
    keygen: timed(() => generateKey(suite, threshold, parties)),
  }))
  const nobleKeygen = medians(NOBLE_KEYGEN, () => ({
    keygen: timed(() => keygenByNoble(noble, threshold, parties)),
  }))

  yield row(`${prefix}/sign`, own.sign, baseline.sign)
  for (const part of ['commit', 'share', 'aggregate'] as const)
    yield row(`${prefix}/${part}`, own[part], baseline[part])
  yield row(`${prefix}/sign-noble-backend`, withNoble.sign, baseline.sign)
  yield row(`${prefix}/keygen`, keygen.keygen, nobleKeygen.keygen)
}

type SigningTimes = { readonly [Part in 'commit' | 'share' | 'aggregate' | 'sign']: number }

const summed = (commit: number, share: number, aggregate: number): SigningTimes => ({
  commit,
  share,
  aggregate,
  sign: commit + share + aggregate,
})

function signOnce({ key, shares }: Deal): SigningTimes {
  const { suite, threshold } = key
  const signers = [...shares.keys()].slice(0, threshold)
  const tweaks = safeTweaks(suite.id)
  const message = random.bytes(32)
  const start = performance.now()
  const nonces = signers.map((party) => commit(suite, shares.get(party)!, random))
  const encoded = nonces.map(({ commitment }) => commitment.encoded)
  const committed = performance.now()
  const sessions = signers.map(
    (self, mine) =>
      new SigningSession({
        key: signingKey(key, tweaks),
        signers: new SignerSet(key, signers),
        message,
        commitments: new Map(
          signers.map((party, i) => [
            party,
            party === self ? nonces[mine]!.commitment : decodeNonceCommitment(suite, encoded[i]!),
          ]),
        ),
      }),
  )
  const made = new Map<PartyId, Uint8Array>(
    signers.map((party, i) => [party, sessions[i]!.sign(party, shares.get(party)!, nonces[i]!)]),
  )
  const shared = performance.now()
  sessions[0]!.aggregate(made)
  return summed(committed - start, shared - committed, performance.now() - shared)
}

function nobleSigning(noble: NobleFrost, min: number, max: number): () => SigningTimes {
  const dealt = noble.trustedDealer({ min, max })
  const signers = Object.keys(dealt.secretShares).slice(0, min)
  const secretOf = (id: string) => dealt.secretShares[id]!
  return () => {
    const message = random.bytes(32)
    const start = performance.now()
    const made = signers.map((id) => noble.commit(secretOf(id)))
    const list = made.map(({ commitments }) => commitments)
    const committed = performance.now()
    const shares = Object.fromEntries(
      signers.map((id, i) => [
        id,
        noble.signShare(secretOf(id), dealt.public, made[i]!.nonces, list, message),
      ]),
    )
    const shared = performance.now()
    noble.aggregate(dealt.public, list, message, shares)
    return summed(committed - start, shared - committed, performance.now() - shared)
  }
}

function generateKey({ id }: FrostSuite, threshold: number, parties: number): void {
  const suite = dkgSuite(id)
  const { group } = suite
  const hostSecrets = partiesUpTo(parties).map(() => group.encodeScalar(group.randomScalar(random)))
  const params = dkgParameters({
    suite,
    threshold,
    hostKeys: hostSecrets.map((each) => hostPublicKey(suite, each)),
  })
  const sid = random.bytes(32)
  const result = runSessions({
    parties: partiesUpTo(parties),
    sid,
    protocol: 'frost',
    make: (self) =>
      beginKeygen({ params, sid, hostSecret: new Secret(hostSecrets[self - 1]!), random }),
  })
  outputsOf(result)
}

function keygenByNoble({ DKG, Identifier }: NobleFrost, min: number, max: number): void {
  const ids = Array.from({ length: max }, (_, i) => Identifier.fromNumber(i + 1))
  const first = ids.map((id) => DKG.round1(id, { min, max }))
  const othersOf = (i: number) => first.filter((_, j) => j !== i).map((each) => each.public)
  const second = first.map(({ secret }, i) => DKG.round2(secret, othersOf(i)))
  for (const [i, { secret }] of first.entries()) {
    const received = second.filter((_, j) => j !== i).map((sent) => sent[ids[i]!]!)
    DKG.round3(secret, othersOf(i), received)
  }
}
