/**
 * One line of the audit log, as the bytes that the chain hashes.
 *
 * A field is an integer, short text, or a hash. Byte strings and `Secret`s fit into no field, so a
 * key cannot be logged by a slip; a value that must stay private but comparable goes in as a hash
 * under a key of the log.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  array,
  type Branded,
  bytes,
  type Codec,
  decode,
  encode,
  encodeCbor,
  Fault,
  field,
  type Id,
  int,
  mapped,
  oneOf,
  optional,
  record,
  type Secret,
  TAGS,
  tagged,
  text,
  union,
} from '@quorate/base'
import { hash32, id, timeMs, VERSION_KEY, versioned } from '../format.ts'

export const MAX_AUDIT_FIELDS = 32
export const MAX_AUDIT_RECORD_BYTES: number = 1 << 14

/** 32 bytes that reveal nothing: made by `keyedHash` or `publicHash` only. */
export type AuditHash = Branded<Uint8Array, 'AuditHash'>

export type AuditValue =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'hash'; readonly value: AuditHash }
export type AuditField = { readonly name: string } & AuditValue

/** What happened, before the log gives it a number. */
export type AuditEntry = {
  /** Milliseconds since the Unix epoch. */
  readonly time: number
  /** Random per start of the process, 16 bytes. */
  readonly bootId: Uint8Array
  /** Who: an id, or `system`. */
  readonly actor: string
  /** `domain.verb`, e.g. `tx.sign`. */
  readonly action: string
  /** What it was done to: an id, or a name of ours. */
  readonly resource: string
  /** Absent only for acts of the node itself. */
  readonly project?: Id<'prj'> | undefined
  /** What policy or permission said; `none` where nothing had to be asked. */
  readonly decision: 'allow' | 'deny' | 'none'
  /** An error code, or the policy rule that decided. */
  readonly reason?: string | undefined
  readonly requestId?: Id<'req'> | undefined
  /** Of the protocol run, 32 bytes. */
  readonly sessionId?: Uint8Array | undefined
  readonly outcome: 'begun' | 'done' | 'failed'
  readonly fields: readonly AuditField[]
}

export type AuditRecord = AuditEntry & {
  readonly v: 1
  /** 1 for the first record, then one more each. */
  readonly seq: number
}

/** `publicValue`, 32 bytes that are a hash or a public key already, for a field. @throws base/malformed */
export function publicHash(publicValue: Uint8Array): AuditHash {
  if (publicValue.length !== 32)
    throw new Fault('base/malformed', { detail: 'an audit hash has 32 bytes' })
  return publicValue as AuditHash
}

/**
 * HMAC-SHA-256 of a private value under the log's own key: equal values of one field name can be
 * told to be equal, and nothing else. Treats `key` and `value` as secret.
 */
export const keyedHash = (key: Secret<Uint8Array>, name: string, value: Uint8Array): AuditHash =>
  hmac(sha256, key.expose(), tagged(TAGS.auditField, encodeCbor([name, value]))) as AuditHash

const word = (max: number): Codec<string> => text(max, /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/)
const fieldName: Codec<string> = text(32, /^[a-z][A-Za-z0-9]*$/)

const value: Codec<AuditValue> = union({
  int: [1, int(Number.MIN_SAFE_INTEGER)],
  text: [2, text(256)],
  hash: [3, mapped(bytes(32), publicHash, (hash) => hash)],
})

const auditField: Codec<AuditField> = mapped(
  record({ name: field(1, fieldName), value: field(2, value) }),
  ({ name, value }) => ({ name, ...value }),
  ({ name, ...value }) => ({ name, value }),
)

export const auditRecordCodec: Codec<AuditRecord> = versioned(
  1,
  record({
    v: field(VERSION_KEY, oneOf(1)),
    seq: field(1, int(1)),
    time: field(2, timeMs),
    bootId: field(3, bytes(16)),
    actor: field(4, word(64)),
    action: field(5, text(64, /^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/)),
    resource: field(6, word(128)),
    project: optional(7, id('prj')),
    decision: field(8, oneOf('allow', 'deny', 'none')),
    reason: optional(9, word(128)),
    requestId: optional(10, id('req')),
    sessionId: optional(11, hash32),
    outcome: field(12, oneOf('begun', 'done', 'failed')),
    fields: field(13, array(auditField, { max: MAX_AUDIT_FIELDS })),
  }),
)

/** The canonical bytes. @throws base/malformed */
export const encodeAuditRecord = (entry: AuditRecord): Uint8Array => encode(auditRecordCodec, entry)

/** @throws base/too-large, base/malformed, base/not-canonical, base/bad-id, base/unknown-version */
export const decodeAuditRecord = (encoded: Uint8Array): AuditRecord =>
  decode(auditRecordCodec, encoded, { maxBytes: MAX_AUDIT_RECORD_BYTES })
