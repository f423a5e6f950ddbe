/**
 * The ledger of a wallet at one signer: which sessions it countersigned, and what each of them would
 * be charged. A cumulative limit is kept over the union of the ledgers of all t signers of a session,
 * asked for only after all t countersignatures are in. Of two sessions that both end, the one that
 * asks last then sees the other, because their signer sets meet in an honest node.
 *
 *   open      countersigned; its share may still leave
 *   released  its own share has left, or is about to
 *   burnt     its own share never left and never will: the signed tombstone says so
 *
 * A signer writes `open` to disk before it countersigns. It moves from `open` to `released` only after
 * the check of all charges, in the same step, on disk before its share leaves; so an `open` entry has
 * the check still ahead of it.
 */
import {
  array,
  bytes,
  type Codec,
  compareBytes,
  concatBytes,
  decode,
  encode,
  Fault,
  field,
  int,
  mapped,
  oneOf,
  optional,
  record,
  type Signer,
  TAGS,
  tagged,
  text,
} from '@quorate/base'
import { amountCodec, ruleIdCodec, wordCodec } from './codec.ts'

/** What a session adds to one account of one limit. */
export type LedgerCharge = {
  /** Id of the rule. */
  readonly limit: string
  /** Absent where requests are counted. */
  readonly asset?: string | undefined
  /** Only where the limit keeps one account for each recipient. */
  readonly recipient?: string | undefined
  /** In the smallest unit; 1 where requests are counted. */
  readonly amount: bigint
}

/** A charge with the cap that it is held against. */
export type Charge = LedgerCharge & {
  readonly windowMs: number
  readonly cap: bigint
}

/** A signer's word that it burnt a session before its own share left. */
export type Tombstone = {
  /** Party index. */
  readonly signer: number
  /** Ed25519, 64 bytes over `tombstoneMessage`. */
  readonly signature: Uint8Array
}

export type LedgerEntry = {
  /** Session id, 32 bytes. */
  readonly session: Uint8Array
  /** Hash of the request, 32 bytes. */
  readonly request: Uint8Array
  readonly wallet: string
  /** Time of the manifest, in milliseconds since the Unix epoch. */
  readonly time: number
  /** Party indices of the session's signers, ascending. */
  readonly signers: readonly number[]
  readonly charges: readonly LedgerCharge[]
  readonly state: 'open' | 'released' | 'burnt'
  /** By party index, ascending: those that this signer knows, its own where the state is `burnt`. */
  readonly tombstones: readonly Tombstone[]
}

export const MAX_CHARGES = 512
/** Of a ledger in one message. */
export const MAX_LEDGER_ENTRIES = 10_000
const MAX_LEDGER_BYTES = 1 << 24

const party: Codec<number> = int(1, 0xffff)

const chargeCodec: Codec<LedgerCharge> = record({
  limit: field(1, ruleIdCodec),
  asset: optional(2, wordCodec(128)),
  recipient: optional(3, wordCodec(256)),
  amount: field(4, amountCodec),
})

const isAscending = (list: readonly number[]): boolean =>
  list.every((each, i) => i === 0 || list[i - 1]! < each)

function checkEntry(entry: LedgerEntry): LedgerEntry {
  const refuse = (detail: string): never => {
    throw new Fault('policy/bad-ledger', { detail })
  }
  const buried = entry.tombstones.map(({ signer }) => signer)
  if (!isAscending(entry.signers) || !isAscending(buried))
    refuse('signers are in strictly ascending order')
  if (buried.some((signer) => !entry.signers.includes(signer)))
    refuse('a tombstone is of a signer of the session')
  if (entry.state === 'burnt' && buried.length === 0) refuse('a burnt entry has a tombstone')
  return entry
}

const tombstoneCodec: Codec<Tombstone> = record({
  signer: field(1, party),
  signature: field(2, bytes(64)),
})

const entryCodec: Codec<LedgerEntry> = mapped(
  record({
    session: field(1, bytes(32)),
    request: field(2, bytes(32)),
    wallet: field(3, text(64)),
    time: field(4, int()),
    signers: field(5, array(party, { min: 1, max: 100 })),
    charges: field(6, array(chargeCodec, { min: 1, max: MAX_CHARGES })),
    state: field(7, oneOf('open', 'released', 'burnt')),
    tombstones: field(8, array(tombstoneCodec, { max: 100 })),
  }),
  checkEntry,
  checkEntry,
)

/** In ascending order of the session ids, so that equal ledgers have equal bytes. */
const ledgerCodec: Codec<readonly LedgerEntry[]> = mapped(
  array(entryCodec, { max: MAX_LEDGER_ENTRIES }),
  (entries) => {
    entries.forEach((entry, i) => {
      if (i > 0 && compareBytes(entries[i - 1]!.session, entry.session) >= 0)
        throw new Fault('policy/bad-ledger', { detail: 'sessions are in strictly ascending order' })
    })
    return entries
  },
  (entries) => entries.toSorted((a, b) => compareBytes(a.session, b.session)),
)

/** The canonical bytes. @throws base/malformed, policy/bad-ledger */
export const encodeEntry = (entry: LedgerEntry): Uint8Array => encode(entryCodec, entry)

/** @throws base/too-large, base/malformed, base/not-canonical, policy/bad-ledger */
export const decodeEntry = (encoded: Uint8Array): LedgerEntry =>
  decode(entryCodec, encoded, { maxBytes: MAX_LEDGER_BYTES })

/** The canonical bytes of what a signer shows the others. @throws base/malformed, policy/bad-ledger */
export const encodeLedger = (entries: readonly LedgerEntry[]): Uint8Array =>
  encode(ledgerCodec, entries)

/** @throws base/too-large, base/malformed, base/not-canonical, policy/bad-ledger */
export const decodeLedger = (encoded: Uint8Array): readonly LedgerEntry[] =>
  decode(ledgerCodec, encoded, { maxBytes: MAX_LEDGER_BYTES })

/** The bytes that a tombstone signs: `cluster` (32 bytes) and the session. */
export const tombstoneMessage = (cluster: Uint8Array, session: Uint8Array): Uint8Array =>
  tagged(TAGS.tombstone, concatBytes(cluster, session))

/**
 * The entry once its session is burnt, with the tombstone of party `index`.
 * @throws policy/bad-ledger for a released one: what has left can never be taken back
 */
export async function bury(
  entry: LedgerEntry,
  cluster: Uint8Array,
  index: number,
  signer: Signer,
): Promise<LedgerEntry> {
  if (entry.state === 'released')
    throw new Fault('policy/bad-ledger', { detail: 'a released session cannot be burnt' })
  const signature = await signer.sign(tombstoneMessage(cluster, entry.session))
  return { ...withTombstones(entry, [{ signer: index, signature }]), state: 'burnt' }
}

/** The entry with tombstones that have been verified. @throws policy/bad-ledger by those who are no signers of it */
export function withTombstones(entry: LedgerEntry, more: readonly Tombstone[]): LedgerEntry {
  const bySigner = new Map([...entry.tombstones, ...more].map((each) => [each.signer, each]))
  const tombstones = [...bySigner.values()].sort((a, b) => a.signer - b.signer)
  return checkEntry({ ...entry, tombstones })
}

/** Names the account that a charge goes to. */
export const accountKey = ({ limit, asset, recipient }: LedgerCharge): string =>
  [limit, asset ?? '', recipient ?? ''].join(' ')
