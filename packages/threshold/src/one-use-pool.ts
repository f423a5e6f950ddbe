/**
 * Secrets that sign once, preprocessed nonces of FROST and presignatures of ECDSA, in memory only. After a restart there is nothing that could be used twice,
 * and the keys hold the boot ids of all signers, so that a peer's restart (or restore) makes this
 * side forget what it made together with it.
 *
 *   free → reserved by one session → spent
 *
 * They are spent, and gone from the pool, before the caller can make a share from them; a
 * reserved slot never becomes free again, because the commitment may have been used elsewhere.
 */
import { Fault } from '@quorate/base'
import type { Presignature } from './cggmp24/presign/presignature.ts'
import type { PreprocessedNonces } from './frost/sign/commit-round.ts'
import type { PartyId } from './session/party.ts'

/** Whose they are: all that must be the same for all signers when they are used. */
export type PoolKey = {
  readonly wallet: string
  readonly generation: number
  /** The signer set, each with its boot id: random per start of its process. */
  readonly bootIds: ReadonlyMap<PartyId, string>
  /** What they were made for besides, e.g. a derivation path. */
  readonly use?: string
}

type Slot<Content> = {
  readonly name: string
  readonly content: Content
  session: string | undefined
}
type Shelf<Content> = { readonly key: PoolKey; readonly slots: Map<string, Slot<Content>> }

export class OneUsePool<Content> {
  readonly #capacity: number
  readonly #wipe: (content: Content) => void
  readonly #shelves = new Map<string, Shelf<Content>>()
  readonly #bootIds = new Map<PartyId, string>()

  /** @param capacity most slots held at one time, over all keys */
  constructor(capacity: number, wipe: (content: Content) => void) {
    this.#capacity = capacity
    this.#wipe = wipe
  }

  /** Slots held, free or reserved. */
  get size(): number {
    let size = 0
    for (const { slots } of this.#shelves.values()) size += slots.size
    return size
  }

  /**
   * Adds what one preprocessing session made, in slots named `<session>/0` and so on, and takes over
   * them: they are wiped where this fails. @throws threshold/pool-full;
   * threshold/nonce-unavailable where a signer has started anew meanwhile; threshold/bad-parameters
   * for a session added before
   */
  add(key: PoolKey, session: string, made: readonly Content[]): void {
    try {
      this.#add(key, session, made)
    } catch (error) {
      for (const each of made) this.#wipe(each)
      throw error
    }
  }

  #add(key: PoolKey, session: string, made: readonly Content[]): void {
    const shelf = this.#shelf(key)
    const slots = made.map(
      (content, i): Slot<Content> => ({ name: `${session}/${i}`, content, session: undefined }),
    )
    if (slots.some(({ name }) => shelf.slots.has(name)))
      throw new Fault('threshold/bad-parameters', {
        detail: 'what the session made is in the pool already',
      })
    if (this.size + slots.length > this.#capacity) throw new Fault('threshold/pool-full')
    for (const slot of slots) shelf.slots.set(slot.name, slot)
    this.#shelves.set(nameOf(key), shelf)
  }

  /** Names of the free slots of exactly this key, the oldest first. */
  free(key: PoolKey): readonly string[] {
    if (this.#isStale(key)) return []
    const { slots } = this.#shelf(key)
    return [...slots.values()]
      .filter(({ session }) => session === undefined)
      .map(({ name }) => name)
  }

  /** Reserves all of `names` for `session`, or none. @throws threshold/nonce-unavailable where one is not free */
  reserve(key: PoolKey, names: readonly string[], session: string): void {
    const { slots } = this.#shelf(key)
    const wanted = names.map((name) => slots.get(name))
    if (
      new Set(names).size !== names.length ||
      wanted.some((slot) => slot === undefined || slot.session !== undefined)
    )
      throw new Fault('threshold/nonce-unavailable')
    for (const slot of wanted) slot!.session = session
  }

  /**
   * What `session` reserved under exactly this key, in the order of `names`, which is not in the
   * pool any more. Whoever gets it wipes it. @throws threshold/nonce-unavailable
   */
  spend(key: PoolKey, names: readonly string[], session: string): readonly Content[] {
    const { slots } = this.#shelf(key)
    const wanted = names.map((name) => slots.get(name))
    if (new Set(names).size !== names.length || wanted.some((slot) => slot?.session !== session))
      throw new Fault('threshold/nonce-unavailable')
    for (const name of names) slots.delete(name)
    return wanted.map((slot) => slot!.content)
  }

  /** Wipes what `session` reserved and did not spend. */
  abandon(session: string): void {
    this.#drop((_, slot) => slot.session === session)
  }

  /** Wipes everything made together with `party` before it started under `bootId`. */
  partyStarted(party: PartyId, bootId: string): void {
    this.#bootIds.set(party, bootId)
    this.#drop(({ bootIds }) => bootIds.has(party) && bootIds.get(party) !== bootId)
  }

  /** Wipes everything of a wallet, e.g. after a refresh. */
  dropWallet(wallet: string): void {
    this.#drop((key) => key.wallet === wallet)
  }

  /** Wipes everything: the answer to any suspicion, such as a clock that stood still. */
  dropAll(): void {
    this.#drop(() => true)
  }

  #isStale({ bootIds }: PoolKey): boolean {
    return [...bootIds].some(([party, bootId]) => (this.#bootIds.get(party) ?? bootId) !== bootId)
  }

  /** @throws threshold/nonce-unavailable for boot ids that are no longer in force */
  #shelf(key: PoolKey): Shelf<Content> {
    if (this.#isStale(key)) throw new Fault('threshold/nonce-unavailable')
    return this.#shelves.get(nameOf(key)) ?? { key, slots: new Map() }
  }

  #drop(isDropped: (key: PoolKey, slot: Slot<Content>) => boolean): void {
    for (const [name, { key, slots }] of this.#shelves) {
      for (const slot of slots.values()) {
        if (!isDropped(key, slot)) continue
        this.#wipe(slot.content)
        slots.delete(slot.name)
      }
      if (slots.size === 0) this.#shelves.delete(name)
    }
  }
}

const nameOf = ({ wallet, generation, bootIds, use = '' }: PoolKey): string =>
  JSON.stringify([wallet, generation, [...bootIds].sort(([a], [b]) => a - b), use])

/** Preprocessed nonces of FROST. */
export class NoncePool extends OneUsePool<PreprocessedNonces> {
  constructor(capacity: number) {
    super(capacity, ({ nonces }) => nonces[Symbol.dispose]())
  }
}

/** Presignatures of ECDSA. */
export class PresignaturePool extends OneUsePool<Presignature> {
  constructor(capacity: number) {
    super(capacity, (presignature) => presignature[Symbol.dispose]())
  }
}
