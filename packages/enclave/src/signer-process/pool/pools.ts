/**
 * What this node holds for signatures to come: nonces of FROST and presignatures of CGGMP24, made
 * together with the other signers of one set, in this process's memory alone. What is in a pool belongs
 * to the coordinator of the session that made it, and only that node may name it in a manifest, so two
 * coordinators never reach for the same one. Whoever names one twice gets one share: every signer looks
 * at its own pool, and what was reserved once is never free again.
 */
import { Fault, toHex } from '@quorate/base'
import {
  type Manifest,
  NoncePool,
  type OneUsePool,
  type PartyId,
  type PooledItem,
  type PoolKey,
  type PreprocessedNonces,
  type Presignature,
  PresignaturePool,
  sessionId,
} from '@quorate/threshold'
import type { PoolReport } from '../../channel/outcomes.ts'

const KINDS = ['nonces', 'presignatures'] as const
export type PoolKind = (typeof KINDS)[number]

/** Whose a pooled item is: what a manifest says of it. */
export type PoolOwner = Pick<Manifest, 'wallet' | 'generation' | 'signers' | 'coordinator'>

/** Most of each that this process holds, over all wallets, sets and coordinators. */
export const POOL_CAPACITY: { readonly [Kind in PoolKind]: number } = {
  nonces: 32_768,
  presignatures: 8_192,
}
/** How old one may be when it is used; the coordinator stops a little earlier. */
export const MAX_AGE_MS: { readonly [Kind in PoolKind]: number } = {
  nonces: 60 * 60_000,
  presignatures: 24 * 60 * 60_000,
}
const AGE_MARGIN_MS = 2 * 60_000

type Counts = { made: number; used: number; dropped: number }

export const kindOf = ({ protocol }: Pick<Manifest, 'protocol'>): PoolKind =>
  protocol === 'frost' ? 'nonces' : 'presignatures'

/** One start of a node under one epoch's keys: what is made under another is not used. */
const lifeOf = (life: { readonly bootId: Uint8Array; readonly epoch: Uint8Array }): string =>
  `${toHex(life.bootId)}/${toHex(life.epoch)}`

const keyOf = ({ wallet, generation, signers, coordinator }: PoolOwner): PoolKey => ({
  wallet,
  generation,
  bootIds: new Map(signers.map((signer) => [signer.party, lifeOf(signer)])),
  use: `of ${coordinator}`,
})

const nameOf = ({ session, index }: PooledItem): string => `${toHex(session)}/${index}`

function itemOf(name: string): PooledItem {
  const [session = '', index] = name.split('/')
  return { session: new Uint8Array(Buffer.from(session, 'hex')), index: Number(index) }
}

export class Pools {
  readonly #clock: { monotonic(): number }
  readonly #nonces = new NoncePool(POOL_CAPACITY.nonces)
  readonly #presignatures = new PresignaturePool(POOL_CAPACITY.presignatures)
  readonly #counts: { readonly [Kind in PoolKind]: Counts } = {
    nonces: { made: 0, used: 0, dropped: 0 },
    presignatures: { made: 0, used: 0, dropped: 0 },
  }

  readonly #claimed = new Set<string>()

  constructor(clock: { monotonic(): number }) {
    this.#clock = clock
  }

  #pool(kind: PoolKind): OneUsePool<PreprocessedNonces> | OneUsePool<Presignature> {
    return kind === 'nonces' ? this.#nonces : this.#presignatures
  }

  /** Whether `count` more of a kind may come in. */
  hasRoom(kind: PoolKind, count: number): boolean {
    return this.#pool(kind).size + count <= POOL_CAPACITY[kind]
  }

  /** How many are free, of these very signers and this coordinator. */
  free(kind: PoolKind, owner: PoolOwner): number {
    return this.#pool(kind).free(keyOf(owner)).length
  }

  /**
   * Claims the oldest free ones for a manifest of this node, so that its next manifest names others;
   * `undefined` where there are not so many.
   */
  claim(kind: PoolKind, owner: PoolOwner, count: number): readonly PooledItem[] | undefined {
    const names = this.#pool(kind).pick(keyOf(owner), count, (name) => !this.#claimed.has(name))
    for (const name of names ?? []) this.#claimed.add(name)
    return names?.map(itemOf)
  }

  /** Ends a claim: what was not set aside by now is free for another manifest. */
  release(pooled: readonly PooledItem[]): void {
    for (const item of pooled) this.#claimed.delete(nameOf(item))
  }

  /** Takes over the nonces that a session made. @throws threshold/pool-full, threshold/nonce-unavailable; they are wiped then */
  addNonces(manifest: Manifest, made: readonly PreprocessedNonces[]): void {
    this.#nonces.add(keyOf(manifest), toHex(sessionId(manifest)), made, this.#clock.monotonic())
    this.#counts.nonces.made += made.length
  }

  /** The same for presignatures. */
  addPresignatures(manifest: Manifest, made: readonly Presignature[]): void {
    const session = toHex(sessionId(manifest))
    this.#presignatures.add(keyOf(manifest), session, made, this.#clock.monotonic())
    this.#counts.presignatures.made += made.length
  }

  /**
   * Sets aside what a manifest names for its session, all or none. @throws threshold/nonce-unavailable for
   * what is not here, was named before, or was made by another coordinator or other signers
   */
  reserve(manifest: Manifest): void {
    this.#pool(kindOf(manifest)).reserve(...wanted(manifest))
  }

  /** The nonces that were set aside. Gone from here: whoever gets them wipes them. @throws threshold/nonce-unavailable */
  spendNonces(manifest: Manifest): readonly PreprocessedNonces[] {
    return this.#spent('nonces', this.#nonces.spend(...wanted(manifest)))
  }

  /** The same for presignatures. */
  spendPresignatures(manifest: Manifest): readonly Presignature[] {
    return this.#spent('presignatures', this.#presignatures.spend(...wanted(manifest)))
  }

  #spent<Content>(kind: PoolKind, spent: readonly Content[]): readonly Content[] {
    this.#counts[kind].used += spent.length
    return spent
  }

  /** Wipes what was set aside for a session and not spent. */
  abandon(manifest: Manifest): void {
    const session = toHex(sessionId(manifest))
    this.#dropping((pool) => pool.abandon(session))
  }

  /** Wipes what is free of these signers: one of them does not have its part of it. */
  distrust(manifest: Manifest): void {
    this.#dropping((pool) => pool.dropFree(keyOf(manifest)))
  }

  /** Wipes what was made with that party before it started anew, or under other keys of it. */
  partyLives(
    party: PartyId,
    life: { readonly bootId: Uint8Array; readonly epoch: Uint8Array },
  ): void {
    this.#dropping((pool) => pool.partyStarted(party, lifeOf(life)))
  }

  /** Wipes what belongs to another generation of a wallet than the one in force. */
  keepGeneration(wallet: string, generation: number | undefined): void {
    this.#dropping((pool) => pool.dropWallet(wallet, generation))
  }

  /** The wallets that anything here is of. */
  get wallets(): ReadonlySet<string> {
    const all = [...this.#nonces.report(), ...this.#presignatures.report()]
    return new Set(all.map(({ key }) => key.wallet))
  }

  /** Wipes what is too old. What other coordinators may name is kept a little longer. */
  expire(self: PartyId): void {
    const now = this.#clock.monotonic()
    for (const kind of KINDS) {
      const before = now - MAX_AGE_MS[kind]
      this.#dropping((pool) => pool.expire(before, ({ use }) => use === `of ${self}`), [kind])
      this.#dropping((pool) => pool.expire(before - AGE_MARGIN_MS), [kind])
    }
  }

  /** Wipes everything: the answer to any suspicion that this process, or its machine, has been put back. */
  dropAll(): void {
    this.#dropping((pool) => pool.dropAll())
  }

  #dropping(work: (pool: OneUsePool<unknown>) => void, kinds: readonly PoolKind[] = KINDS): void {
    for (const kind of kinds) {
      const pool = this.#pool(kind) as OneUsePool<unknown>
      const before = pool.size
      work(pool)
      this.#counts[kind].dropped += before - pool.size
    }
  }

  /** Depth and age of every wallet and signer set, and what became of all there ever was. */
  report(): PoolReport {
    const now = this.#clock.monotonic()
    const shelves = KINDS.flatMap((kind) =>
      this.#pool(kind)
        .report()
        .map(({ key, free, reserved, oldest }) => ({
          kind,
          wallet: key.wallet,
          generation: key.generation,
          signers: [...key.bootIds.keys()].sort((a, b) => a - b),
          coordinator: Number(key.use?.slice(3)),
          free,
          reserved,
          oldestMs: oldest === undefined ? 0 : Math.round(now - oldest),
        })),
    )
    return { shelves, totals: KINDS.map((kind) => ({ kind, ...this.#counts[kind] })) }
  }
}

/** Key, names and session of what a manifest names. @throws threshold/nonce-unavailable where it names nothing */
function wanted(manifest: Manifest): [PoolKey, readonly string[], string] {
  const { pooled } = manifest
  if (pooled === undefined) throw new Fault('threshold/nonce-unavailable')
  return [keyOf(manifest), pooled.map(nameOf), toHex(sessionId(manifest))]
}

/** The signers of a set, as a manifest of now would name them. */
export const signersOf = (
  parties: readonly PartyId[],
  epochOf: (party: PartyId) => { readonly bootId: Uint8Array; readonly epoch: Uint8Array },
): Manifest['signers'] =>
  parties.map((party) => {
    const { bootId, epoch } = epochOf(party)
    return { party, bootId, epoch }
  })
