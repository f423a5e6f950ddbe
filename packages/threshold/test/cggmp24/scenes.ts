/** Sessions of every protocol, and the checks that a stranger makes of them from public facts. */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8 } from '@quorate/base'
import { AuxChecks, type AuxFacts } from '#src/cggmp24/aux/checks.js'
import { beginAux } from '#src/cggmp24/aux/rounds.js'
import type { EcdsaKey, SharedEcdsaKey } from '#src/cggmp24/key.js'
import { KeygenChecks, type KeygenFacts } from '#src/cggmp24/keygen/checks.js'
import { beginEcdsaKeygen } from '#src/cggmp24/keygen/rounds.js'
import { LEVELS, type Level } from '#src/cggmp24/level.js'
import { PresignChecks, type PresignFacts, type PresignItem } from '#src/cggmp24/presign/checks.js'
import type { Presignature } from '#src/cggmp24/presign/presignature.js'
import { beginPresign } from '#src/cggmp24/presign/rounds.js'
import type { PublicChecks } from '#src/cggmp24/replay.js'
import { OnlineChecks, type OnlineFacts } from '#src/cggmp24/sign/checks.js'
import { beginSigning, factsOfItems, type SigningItem } from '#src/cggmp24/sign/interactive.js'
import { beginOnlineSigning, type OwnOnlineItem, publicItems } from '#src/cggmp24/sign/online.js'
import type { EcdsaSignature } from '#src/cggmp24/sign/signature.js'
import { type PartyId, partiesUpTo, partyId } from '#src/session/party.js'
import type { Step } from '#src/session/round.js'
import {
  presignOptions,
  seededRandom,
  type TestWallet,
  testPrimes,
  testWallet,
} from '#src/testing/index.js'

export const L128: Level = LEVELS['CGGMP24-secp256k1-SHA256-128-v1']
export const L112: Level = LEVELS['CGGMP24-secp256k1-SHA256-112-v1']
/** The quick level, or, where the environment has QUORATE_TEST_LEVEL=128, the default level of wallets. */
export const TESTED: Level = process.env['QUORATE_TEST_LEVEL'] === '128' ? L128 : L112

export const idsOf = (...indices: readonly number[]): readonly PartyId[] => indices.map(partyId)
/** A session id for each name. */
export const sidOf = (name: string): Uint8Array => sha256(utf8(name))

/** A session that can be played, and judged by who was not there. */
export type Scene<Out> = {
  readonly sid: Uint8Array
  readonly parties: readonly PartyId[]
  make(self: PartyId): Step<Out>
  checks(): PublicChecks
}

export const auxScene = (level: Level, count: number, name: string) => {
  const facts: AuxFacts = { level, sid: sidOf(name), parties: partiesUpTo(count) }
  return {
    ...facts,
    facts,
    checks: () => new AuxChecks(facts),
    make: (self: PartyId) => {
      const [p, q, pHat, qHat] = testPrimes(level).slice(4 * self - 4, 4 * self)
      const random = seededRandom(`${name}/${self}`)
      return beginAux({ ...facts, self, primes: [p!, q!, pHat!, qHat!], random })
    },
  }
}

export type KeygenExtra = Partial<Pick<KeygenFacts, 'sid' | 'aux'>>
export const keygenScene = (
  level: Level,
  threshold: number,
  count: number,
  name: string,
  old?: ReadonlyMap<PartyId, SharedEcdsaKey>,
  more: KeygenExtra = {},
) => {
  const refreshes: EcdsaKey | undefined = old?.get(partyId(1))?.key
  const facts: KeygenFacts = {
    level,
    threshold,
    sid: sidOf(name),
    parties: partiesUpTo(count),
    aux: new Uint8Array(32),
    ...(refreshes && { refreshes }),
    ...more,
  }
  return {
    ...facts,
    facts,
    checks: () => new KeygenChecks(facts),
    make: (self: PartyId) => {
      const oldShare = old?.get(self)?.share
      const random = seededRandom(`${name}/${self}`)
      return beginEcdsaKeygen({ ...facts, self, random, ...(oldShare && { oldShare }) })
    },
  }
}

/** A 2-of-3 wallet of a dealer, unless told; one for each level and seed. */
export const walletOf = (level: Level, seed = 'stage', threshold = 2, count = 3): TestWallet => {
  const name = `${level.id}/${seed}/${threshold}/${count}`
  const known = WALLETS.get(name) ?? testWallet(level, threshold, count, seed)
  WALLETS.set(name, known)
  return known
}
const WALLETS = new Map<string, TestWallet>()

export type PresignExtra = Partial<Pick<PresignFacts, 'items' | 'isRerandomised' | 'key'>>

export const presignFacts = (
  wallet: TestWallet,
  signers: readonly PartyId[],
  name: string,
  more: PresignExtra = {},
): PresignFacts => ({
  level: wallet.level,
  key: wallet.key,
  aux: wallet.auxKeys,
  sid: sidOf(name),
  signers,
  items: [{ path: [] }],
  ...more,
})

export const presignScene = (
  wallet: TestWallet,
  signers: readonly PartyId[],
  name: string,
  more: PresignExtra = {},
): Scene<readonly Presignature[]> => {
  const { aux: _, ...facts } = presignFacts(wallet, signers, name, more)
  return {
    sid: facts.sid,
    parties: signers,
    checks: () => new PresignChecks(presignFacts(wallet, signers, name, more)),
    make: (self) => beginPresign(presignOptions(wallet, self, facts)),
  }
}

/** Interactive signing. */
export const signScene = (
  wallet: TestWallet,
  signers: readonly PartyId[],
  name: string,
  items: readonly SigningItem[],
): Scene<readonly EcdsaSignature[]> => {
  const facts = (): readonly PresignItem[] => factsOfItems(items)
  return {
    sid: sidOf(name),
    parties: signers,
    checks: () => new PresignChecks(presignFacts(wallet, signers, name, { items: facts() })),
    make: (self) =>
      beginSigning({
        ...presignOptions(wallet, self, { sid: sidOf(name), signers, items: [] }),
        items,
      }),
  }
}

type Use = (presignature: Presignature, item: number) => OwnOnlineItem

/** Signing from presignatures that `play` of a `presignScene` made. */
export const onlineScene = (
  made: ReadonlyMap<PartyId, readonly Presignature[]>,
  name: string,
  use: Use,
) => {
  const signers = [...made.keys()]
  const itemsOf = (self: PartyId): readonly OwnOnlineItem[] => made.get(self)!.map(use)
  const session = { sid: sidOf(name), signers }
  const facts = (): OnlineFacts => ({ ...session, items: publicItems(itemsOf(signers[0]!)) })
  return {
    ...session,
    parties: signers,
    facts,
    checks: () => new OnlineChecks(facts()),
    make: (self: PartyId) => beginOnlineSigning({ ...session, self, items: itemsOf(self) }),
  }
}

/** Checks of a presigning session with no messages yet. */
export const presignChecks = (...args: Parameters<typeof presignFacts>): PresignChecks =>
  new PresignChecks(presignFacts(...args))
