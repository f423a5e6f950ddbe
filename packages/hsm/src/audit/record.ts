/**
 * What is written down of every operation of a device. In: the operation, who wanted it, what became of
 * it. Out: a record of the audit chain (`api`), and back.
 *
 * A record holds short texts and numbers of ours and nothing else: no bytes and no `Secret` fit into it,
 * so neither a PIN, a plaintext nor a signature can be written down by a slip.
 */
import type { AuditEntry, AuditField, AuditRecord } from '@quorate/api'
import { Fault } from '@quorate/base'
import { withoutAbsent } from '../absent.ts'
import type { KeyId } from '../provider.ts'

/** Who wanted the operation, as far as the layer that asked for it knows. */
export type AuditContext = {
  /** Of the policy, e.g. `transaction_signer`. */
  readonly role?: string | undefined
  /** Whoever was authenticated: an id, a name. */
  readonly user?: string | undefined
  /** Where from: an address, a process, a part of ours. */
  readonly source?: string | undefined
}

export const AUDIT_RESULTS = ['done', 'failed', 'refused'] as const
/** `refused`: by our own policy, before the device was asked. */
export type AuditResult = (typeof AUDIT_RESULTS)[number]

export type HsmAuditRecord = AuditContext & {
  /** Milliseconds since the epoch. */
  readonly time: number
  /** As the interface of providers calls it, e.g. `generateKey`; other acts as `failover.switched`. */
  readonly operation: string
  /** Name of the device, slot or part that it is about. */
  readonly device?: string | undefined
  /** The key that was used or made, where there is one. */
  readonly key?: KeyId | undefined
  readonly result: AuditResult
  /** Of the fault or the refusal. */
  readonly code?: string | undefined
}

export type HsmAuditSink = {
  /** Resolves once the record would survive a crash. */
  append(record: HsmAuditRecord): Promise<void>
}

/** Users who are actors of the chain by their own name. */
const ACTOR = /^(?!(?:system|user)$)[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/
const TEXT_FIELDS = ['device', 'role', 'user', 'source'] as const
/** Characters: a field holds 256 units, of which a character takes two at most. */
const MAX_TEXT = 100
/** What would break a line, a terminal or the direction of text. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** `text` as it may stand in a field: whole characters, nothing that drives a terminal. @throws hsm/bad-argument for what is no text */
function plain(text: string): string {
  // Types end where callers are not ours: anything else than text could be a key.
  if (typeof text !== 'string')
    throw new Fault('hsm/bad-argument', { detail: 'an audit record holds text only' })
  return Array.from(text.replace(UNSAFE, '?').normalize('NFC')).slice(0, MAX_TEXT).join('')
}

/** `generateKey` as `hsm.generate-key`, `failover.switched` as it is. @throws hsm/bad-argument */
function actionOf(operation: string): string {
  const action = /^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/.test(operation)
    ? operation
    : `hsm.${operation.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  if (!/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/.test(action) || action.length > 64)
    throw new Fault('hsm/bad-argument', { detail: 'the name of an operation' })
  return action
}

const operationOf = (action: string): string =>
  action.startsWith('hsm.')
    ? action.slice(4).replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase())
    : action

/** The entry of the chain for `record`, by the process of `bootId` (16 bytes). @throws hsm/bad-argument */
export function auditEntryOf(record: HsmAuditRecord, bootId: Uint8Array): AuditEntry {
  const { time, operation, key, result, code, user, role } = record
  const isWord = user !== undefined && ACTOR.test(user)
  const fields: AuditField[] = []
  for (const name of TEXT_FIELDS) {
    const value = record[name]
    // A user whose name is an actor's stands there; any other name would not fit.
    if (value !== undefined && !(name === 'user' && isWord))
      fields.push({ name, kind: 'text', value: plain(value) })
  }
  return {
    time,
    bootId,
    actor: isWord ? user : user === undefined ? 'system' : 'user',
    action: actionOf(operation),
    resource: key ?? 'device',
    decision: result === 'refused' ? 'deny' : role === undefined ? 'none' : 'allow',
    reason: code,
    outcome: result === 'done' ? 'done' : 'failed',
    fields,
  }
}

export type StoredAuditRecord = HsmAuditRecord & {
  /** Its number in the chain, from 1. */
  readonly seq: number
}

/** The record as it was written down; long or unprintable names as they were cut. */
export function storedRecordOf(record: AuditRecord): StoredAuditRecord {
  const { seq, time, actor, action, resource, decision, outcome, reason, fields } = record
  const texts = new Map(
    fields.flatMap((field) => (field.kind === 'text' ? [[field.name, field.value] as const] : [])),
  )
  return {
    seq,
    operation: operationOf(action),
    result: decision === 'deny' ? 'refused' : outcome === 'done' ? 'done' : 'failed',
    time,
    ...withoutAbsent({
      device: texts.get('device'),
      key: resource === 'device' ? undefined : (resource as KeyId),
      role: texts.get('role'),
      user: texts.get('user') ?? (actor === 'system' ? undefined : actor),
      source: texts.get('source'),
      code: reason,
    }),
  }
}
