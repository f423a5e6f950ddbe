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
  /** Milliseconds of the caller's clock. */
  readonly madeAt: number
  session: string | undefined
}
/** How much is there of one key. */
export type ShelfReport = {
  readonly key: PoolKey
  readonly free: number
  readonly reserved: number
  /** When the oldest free one was made. */
  readonly oldest: number | undefined
}
type Shelf<Content> = { readonly key: PoolKey; readonly slots: Map<string, Slot<Content>> }

export class OneUsePool<Content> {
  readonly #capacity: number
  readonly #wipe: (content: Content) => void
  readonly #shelves = new Map<string, Shelf<Content>>()
  readonly #bootIds = new Map<PartyId, string>()
  /** How many slots each session has reserved and not spent. */
  readonly #reserved = new Map<string, number>()

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
  add(key: PoolKey, session: string, made: readonly Content[], madeAt = 0): void {
    try {
      this.#add(key, session, made, madeAt)
    } catch (error) {
      for (const each of made) this.#wipe(each)
      throw error
    }
  }

  #add(key: PoolKey, session: string, made: readonly Content[], madeAt: number): void {
    const shelf = this.#shelf(key)
    const slots = made.map((content, i): Slot<Content> => {
      const name = `${session}/${i}`
      return { name, content, madeAt, session: undefined }
    })
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

  /** Names of the `count` oldest free slots of exactly this key, of those that are wanted; `undefined` where there are not so many. */
  pick(
    key: PoolKey,
    count: number,
    isWanted: (name: string) => boolean = () => true,
  ): readonly string[] | undefined {
    if (this.#isStale(key)) return undefined
    const names: string[] = []
    for (const { name, session } of this.#shelf(key).slots.values()) {
      if (names.length === count) break
      if (session === undefined && isWanted(name)) names.push(name)
    }
    return names.length === count ? names : undefined
  }

  /** What is there of each key. */
  report(): readonly ShelfReport[] {
    return [...this.#shelves.values()].map(({ key, slots }) => {
      let [free, oldest] = [0, undefined as number | undefined]
      for (const { session, madeAt } of slots.values()) {
        if (session !== undefined) continue
        free++
        oldest ??= madeAt
      }
      return { key, free, reserved: slots.size - free, oldest }
    })
  }

  /** Wipes what was made before that time and is not reserved, of the keys that `isMeant` says. */
  expire(before: number, isMeant: (key: PoolKey) => boolean = () => true): void {
    this.#drop(
      (key, { madeAt, session }) => session === undefined && madeAt < before && isMeant(key),
    )
  }

  /** Wipes what is not reserved of exactly this key. */
  dropFree(key: PoolKey): void {
    const name = nameOf(key)
    this.#drop((each, { session }) => session === undefined && nameOf(each) === name)
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
    this.#count(session, names.length)
  }

  #count(session: string, change: number): void {
    const count = (this.#reserved.get(session) ?? 0) + change
    if (count === 0) this.#reserved.delete(session)
    else this.#reserved.set(session, count)
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
    this.#count(session, -names.length)
    return wanted.map((slot) => slot!.content)
  }

  /** Wipes what `session` reserved and did not spend. */
  abandon(session: string): void {
    // Nearly always everything was spent, and nobody need look through the pool.
    if (this.#reserved.has(session)) this.#drop((_, slot) => slot.session === session)
  }

  /** Wipes everything made together with `party` before it started under `bootId`. */
  partyStarted(party: PartyId, bootId: string): void {
    this.#bootIds.set(party, bootId)
    this.#drop(({ bootIds }) => bootIds.has(party) && bootIds.get(party) !== bootId)
  }

  /** Wipes everything of a wallet but what is of `generation`, where one is given: e.g. after a refresh. */
  dropWallet(wallet: string, generation?: number): void {
    this.#drop((key) => key.wallet === wallet && key.generation !== generation)
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
        if (slot.session !== undefined) this.#count(slot.session, -1)
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
