/**
 * Budgets: the union of several signers' ledgers, and what a new session finds in it. Pure; the
 * exchange, and when it happens, is the session's affair (see `ledger.ts`).
 *
 * With n nodes and threshold t, two signer sets share at least 2t − n nodes, so the cap is exact
 * while at most f = 2t − n − 1 nodes lie about their ledgers.
 */
import { equalBytes, Fault, toHex } from '@quorate/base'
import {
  accountKey,
  type Charge,
  type LedgerCharge,
  type LedgerEntry,
  type Tombstone,
} from './ledger.ts'
import { MAX_WINDOW_MS } from './model.ts'

/** One signer's ledger: what it sent, or what stands on our own disk. */
export type Ledger = {
  /** Party index. */
  readonly signer: number
  readonly entries: readonly LedgerEntry[]
  /** The signer's high-water time, where it is asked for by a node that was restored. */
  readonly highWater?: number
}

export type UnionOptions = {
  /** Our own party index. */
  readonly self: number
  /** How many nodes may lie: 2t − n − 1, and 0 where that is negative. */
  readonly liars: number
  /** Whether the tombstone of an entry is good. Variable-time: public inputs only. */
  readonly verify: (entry: LedgerEntry, tombstone: Tombstone) => boolean
}

/**
 * The sessions that count, of all that somebody names: one entry for each, for a request that took
 * several sessions is charged once for each that may have ended. A session is free if we burnt it
 * ourselves, or if more of its signers than may lie say, by tombstones that verify, that they did.
 * Where ledgers disagree on a charge, each account takes the most that anybody says.
 *
 * Entries of other nodes are for this one look: kept, they would let a liar fill a budget for good.
 */
export function uniteLedgers(
  ledgers: readonly Ledger[],
  { self, liars, verify }: UnionOptions,
): readonly LedgerEntry[] {
  const bySession = new Map<string, LedgerEntry>()
  const tombs = new Map<string, Map<number, boolean>>()
  for (const { signer, entries } of ledgers)
    for (const entry of entries) {
      // Only a signer of a session has an entry of it to show.
      if (!entry.signers.includes(signer)) continue
      const key = toHex(entry.session)
      const known = bySession.get(key)
      bySession.set(key, known === undefined ? entry : merge(known, entry))
      const seen = tombs.get(key) ?? new Map<number, boolean>()
      tombs.set(key, seen)
      for (const tombstone of entry.tombstones)
        if (seen.get(tombstone.signer) !== true)
          seen.set(tombstone.signer, verify(entry, tombstone))
    }
  return [...bySession].flatMap(([key, entry]) => {
    const good = [...tombs.get(key)!].filter(([, isGood]) => isGood).map(([signer]) => signer)
    return good.includes(self) || good.length > liars ? [] : [entry]
  })
}

function merge(a: LedgerEntry, b: LedgerEntry): LedgerEntry {
  const charges = new Map<string, LedgerCharge>()
  for (const charge of [...a.charges, ...b.charges]) {
    const key = accountKey(charge)
    const known = charges.get(key)
    if (known === undefined || known.amount < charge.amount) charges.set(key, charge)
  }
  return { ...a, time: Math.max(a.time, b.time), charges: [...charges.values()] }
}

export type Spending = {
  readonly charge: Charge
  /** What counts already. */
  readonly spent: bigint
  /** Whether this charge would go beyond the cap. */
  readonly isOver: boolean
}

/**
 * What a charge of the session `own` at `time` (of its manifest) finds in a union of ledgers. Every
 * other session that may have ended counts, unless it ended a whole window earlier. Sessions of a
 * later time count too: clocks differ, and no window of that length may hold more than the cap.
 */
export function chargeAgainst(
  entries: readonly LedgerEntry[],
  charge: Charge,
  time: number,
  own?: Uint8Array,
): Spending {
  const key = accountKey(charge)
  const self = own === undefined ? undefined : toHex(own)
  let spent = 0n
  for (const entry of entries) {
    if (entry.time <= time - charge.windowMs || toHex(entry.session) === self) continue
    for (const each of entry.charges) if (accountKey(each) === key) spent += each.amount
  }
  return { charge, spent, isOver: spent + charge.amount > charge.cap }
}

/** @throws policy/over-limit naming the limits that a session would go beyond */
export function checkBudget(
  entries: readonly LedgerEntry[],
  charges: readonly Charge[],
  time: number,
  own: Uint8Array,
): void {
  const over = charges.filter((charge) => chargeAgainst(entries, charge, time, own).isOver)
  if (over.length > 0)
    throw new Fault('policy/over-limit', {
      detail: [...new Set(over.map(({ limit }) => limit))].join(', '),
    })
}

/**
 * Our ledger with a new open entry: to be on disk before we countersign the session.
 * @throws policy/clock-set-back, policy/bad-ledger for a session that stands there already, as one
 *   does that we signed before we were put back to an older state
 */
export function openEntry(own: Required<Ledger>, entry: LedgerEntry): Required<Ledger> {
  if (own.entries.some(({ session }) => equalBytes(session, entry.session)))
    throw new Fault('policy/bad-ledger', { detail: 'the session is known already' })
  return {
    signer: own.signer,
    entries: [...own.entries, entry],
    highWater: raiseHighWater(own.highWater, entry.time),
  }
}

export type ReleaseOptions = Omit<UnionOptions, 'self'> & {
  /** What policy charges the session, with the caps. */
  readonly charges: readonly Charge[]
}

/**
 * The entry of `session` as released: to be on disk, in one step with this check, before our share
 * leaves. `own` is our ledger as it is now, `others` are those that the other signers sent after all
 * had countersigned.
 * @throws policy/bad-ledger where our entry is not open or a signer's ledger is missing,
 *   policy/clock-set-back, policy/over-limit: the session is then to be burnt
 */
export function releaseEntry(
  own: Required<Ledger>,
  others: readonly Ledger[],
  session: Uint8Array,
  { charges, ...options }: ReleaseOptions,
): LedgerEntry {
  const entry = own.entries.find((each) => equalBytes(each.session, session))
  // Also where it was deleted meanwhile: its window was over then.
  if (entry?.state !== 'open')
    throw new Fault('policy/bad-ledger', { detail: 'the session is not open here' })
  const signers = [own, ...others].map(({ signer }) => signer).sort((a, b) => a - b)
  if (signers.join() !== entry.signers.join())
    throw new Fault('policy/bad-ledger', { detail: 'it takes one ledger of each signer' })
  raiseHighWater(own.highWater, entry.time)
  const united = uniteLedgers([own, ...others], { ...options, self: own.signer })
  checkBudget(united, charges, entry.time, session)
  return { ...entry, state: 'released' }
}

/** How far a manifest's time may lie behind the highest one seen: twice the skew of two clocks. */
export const HIGH_WATER_SLACK_MS = 120_000

/**
 * The new high-water time: the highest time of any manifest that this wallet was asked to charge. It
 * is kept on disk, and a manifest from before it is refused: entries of windows that were over then
 * may be gone, so a clock that is set back must not open them again.
 * @throws policy/clock-set-back
 */
export function raiseHighWater(highWater: number, time: number): number {
  if (time < highWater - HIGH_WATER_SLACK_MS)
    throw new Fault('policy/clock-set-back', { detail: `${highWater - time} ms` })
  return Math.max(highWater, time)
}

/**
 * The entries that may still count at or after `highWater`, less the slack, for windows of up to
 * `windowMs`: the rest may be deleted.
 */
export const retained = (
  entries: readonly LedgerEntry[],
  highWater: number,
  windowMs: number = MAX_WINDOW_MS,
): readonly LedgerEntry[] =>
  entries.filter(({ time }) => time > highWater - HIGH_WATER_SLACK_MS - windowMs)

/**
 * The ledger of a node that was put back to an older state, from its own and those of at least t
 * other nodes (of all, if there are fewer). Sessions that it signed count as released, because it
 * cannot know that its share did not leave. No peer's word sets the high-water time beyond `now`, the
 * node's own time with the skew that is allowed. One of the other signers of each of its sessions must
 * be honest: where all n sign, n − 2 may lie.
 */
export function recoverLedger(
  own: Ledger,
  others: readonly Ledger[],
  now: number,
): Required<Ledger> {
  const entries = new Map(own.entries.map((entry) => [toHex(entry.session), entry]))
  for (const other of others)
    for (const entry of other.entries) {
      if (!entry.signers.includes(own.signer)) continue
      const key = toHex(entry.session)
      const known = entries.get(key)
      // A tombstone of ours is our own word, from before we forgot; all others can be asked for again.
      if (known?.state === 'burnt') continue
      const lost: LedgerEntry = { ...entry, state: 'released', tombstones: [] }
      entries.set(key, known === undefined ? lost : { ...merge(known, entry), state: 'released' })
    }
  const seen = others.map(({ highWater }) => Math.min(highWater ?? 0, now))
  return {
    signer: own.signer,
    entries: [...entries.values()],
    highWater: Math.max(own.highWater ?? 0, ...seen),
  }
}
