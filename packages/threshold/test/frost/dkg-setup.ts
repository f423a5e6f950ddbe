/** Key generations and refreshes with host keys from a seed, for tests. */
import { Secret } from '@quorate/base'
import { interpolate } from '@quorate/math'
import type { DkgSession } from '#src/frost/keygen/accusation.js'
import { beginKeygen, dkgSuite, type SharedKey } from '#src/frost/keygen/keygen.js'
import { dkgParameters, hostPublicKey } from '#src/frost/keygen/parameters.js'
import type { DkgOptions } from '#src/frost/keygen/rounds.js'
import type { FrostSuiteId } from '#src/frost/suite.js'
import { type PartyId, partiesUpTo } from '#src/session/party.js'
import {
  outputsOf,
  type RunOptions,
  type RunResult,
  runSessions,
  seededRandom,
} from '#src/testing/index.js'

export const SUITES: readonly FrostSuiteId[] = [
  'FROST-ED25519-SHA512-v1',
  'FROST-secp256k1-SHA256-TR-v1',
]

export type Setup = {
  readonly session: DkgSession
  readonly parties: readonly PartyId[]
  optionsOf(self: PartyId): DkgOptions
}

export function dkgSetup(
  id: FrostSuiteId,
  threshold: number,
  n: number,
  extra: { seed?: string; sid?: Uint8Array; refreshes?: Uint8Array } = {},
): Setup {
  const { seed = 'dkg', sid = new Uint8Array(32), refreshes } = extra
  const suite = dkgSuite(id)
  const parties = partiesUpTo(n)
  const hostSecrets = parties.map((each) =>
    suite.group.encodeScalar(suite.group.randomScalar(seededRandom(`host/${each}`))),
  )
  const hostKeys = hostSecrets.map((each) => hostPublicKey(suite, each))
  const params = dkgParameters({ suite, threshold, hostKeys, ...(refreshes && { refreshes }) })
  return {
    session: { params, sid },
    parties,
    optionsOf: (self) => ({
      params,
      sid,
      hostSecret: new Secret(hostSecrets[self - 1]!),
      random: seededRandom(`${seed}/${self}`),
    }),
  }
}

export const runKeygen = (
  setup: Setup,
  more: Partial<RunOptions<SharedKey>> = {},
): RunResult<SharedKey> =>
  runSessions({
    parties: setup.parties,
    sid: setup.session.sid,
    protocol: 'frost',
    make: (self) => beginKeygen(setup.optionsOf(self)),
    ...more,
  })

export const keygen = (
  id: FrostSuiteId,
  threshold: number,
  n: number,
): ReadonlyMap<PartyId, SharedKey> => outputsOf(runKeygen(dkgSetup(id, threshold, n)))

/** The secret that the shares of these parties make. */
export const secretOf = (
  keys: ReadonlyMap<PartyId, SharedKey>,
  parties: readonly number[],
): bigint => {
  const { group } = [...keys.values()][0]!.key.suite
  const shares = parties.map((each) =>
    group.decodeScalar(keys.get(each as PartyId)!.share.expose()),
  )
  return interpolate(parties.map(BigInt), shares, group.order)
}
