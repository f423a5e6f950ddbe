/** The instance key at rest: one row for each recipient and term. The only place with SQL on it. */
import { Fault, isFault, type Random, wipe } from '@quorate/base'
import type { SqlStatement } from '@quorate/platform'
import type { Reads } from '../storage/port.ts'
import { type Recipient, type RecipientKind, recoveryRecipient } from './recipients.ts'

export type StoredRecipient = {
  readonly term: number
  readonly recipient: string
  readonly kind: RecipientKind
  readonly params: Uint8Array
  readonly wrapped: Uint8Array
}

const SELECT = 'SELECT term, recipient, kind, params, wrapped FROM instance_key ORDER BY term'
const INSERT = `INSERT INTO instance_key (term, recipient, kind, params, wrapped, created_at)
  VALUES (?, ?, ?, ?, ?, ?)`

/** Every recipient of every term. */
export async function storedRecipients(
  reads: Pick<Reads, 'read'>,
): Promise<readonly StoredRecipient[]> {
  return (await reads.read(SELECT)).map((row) => ({
    term: row['term'] as number,
    recipient: row['recipient'] as string,
    kind: row['kind'] as RecipientKind,
    params: row['params'] as Uint8Array,
    wrapped: row['wrapped'] as Uint8Array,
  }))
}

/** Statement that lets `recipient` open the key of a term. Treats `key` as secret. */
export async function admit(
  recipient: Recipient,
  storeId: string,
  term: number,
  key: Uint8Array,
  now: number,
): Promise<SqlStatement> {
  const wrapped = await recipient.wrap(key, { storeId, term, recipient: recipient.id })
  const { id, kind, params } = recipient
  return { sql: INSERT, params: [term, id, kind, params, wrapped, now] }
}

export const dismiss = (recipient: string): SqlStatement => ({
  sql: 'DELETE FROM instance_key WHERE recipient = ?',
  params: [recipient],
})

export const dropTermsBefore = (term: number): SqlStatement => ({
  sql: 'DELETE FROM instance_key WHERE term < ?',
  params: [term],
})

/**
 * Every instance key that the recipient can open, by term; wipe them. Undefined where it is none of the
 * store's recipients. @throws kms/no-recipient where it should open and does not
 */
export async function openTerms(
  stored: readonly StoredRecipient[],
  recipient: Recipient,
  storeId: string,
): Promise<ReadonlyMap<number, Uint8Array> | undefined> {
  const mine = stored.filter((each) => each.recipient === recipient.id)
  if (mine.length === 0 || recipient.unwrap === undefined) return undefined
  const keys = new Map<number, Uint8Array>()
  try {
    for (const { term, wrapped } of mine)
      keys.set(term, await recipient.unwrap(wrapped, { storeId, term, recipient: recipient.id }))
    return keys
  } catch (error) {
    wipe(...keys.values())
    throw isFault(error, 'kms/no-recipient') || !isFault(error, 'hsm/cannot-open')
      ? error
      : new Fault('kms/no-recipient', { cause: error })
  }
}

/** The quorums among the recipients, as what can be wrapped for: they need no share for that. */
export function quorums(stored: readonly StoredRecipient[], random: Random): readonly Recipient[] {
  const byId = new Map<string, Recipient>()
  for (const { kind, params } of stored) {
    if (kind !== 'recovery') continue
    const recipient = recoveryRecipient(params, random)
    byId.set(recipient.id, recipient)
  }
  return [...byId.values()]
}
