/**
 * A change of a wallet's policy, and the signed request that carries it. Policies of a wallet form a
 * chain: version 1 is the one it was made with, and a change leads from version n, named by its
 * hash, to n + 1. It takes force with the approvals of a quorum that version n names.
 */
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  field,
  type Id,
  int,
  oneOf,
  record,
  TAGS,
  taggedHash,
} from '@quorate/base'
import { type Approval, approvalCodec, MAX_APPROVAL_BYTES } from './approval.ts'
import { hash32, id, timeMs, VERSION_KEY, versioned } from './format.ts'
import type { Lifetime } from './intent.ts'

/** Of an encoded policy. */
const MAX_POLICY_BYTES: number = 1 << 18
export const MAX_APPROVALS = 100
/** Of an encoded change, and of one with its approvals. */
export const MAX_CHANGE_BYTES: number = MAX_POLICY_BYTES + 1024
export const MAX_SIGNED_CHANGE_BYTES: number = MAX_CHANGE_BYTES + MAX_APPROVALS * MAX_APPROVAL_BYTES

export type PolicyChange = {
  readonly v: 1
  readonly wallet: Id<'wal'>
  /** Of the policy that it replaces, 32 bytes. */
  readonly from: Uint8Array
  /** Of the policy that it makes: 2, 3, … */
  readonly version: number
  /** The new policy, canonical. */
  readonly policy: Uint8Array
  readonly createdAt: number
  /** From then on it can no longer take force. */
  readonly expiresAt: number
}

/** A change with what makes it take force: what nodes keep, and show to a node that missed it. */
export type SignedPolicyChange = {
  readonly change: PolicyChange
  readonly approvals: readonly Approval[]
}

/** The wish that a change takes force. */
export type PolicyChangeRequest = Lifetime & {
  readonly v: 1
  readonly requestId: Id<'req'>
  readonly project: Id<'prj'>
  readonly wallet: Id<'wal'>
  readonly signed: SignedPolicyChange
}

const policyChangeCodec: Codec<PolicyChange> = versioned(
  1,
  record({
    v: field(VERSION_KEY, oneOf(1)),
    wallet: field(1, id('wal')),
    from: field(2, hash32),
    version: field(3, int(2, 0xffffffff)),
    policy: field(4, bytes({ min: 1, max: MAX_POLICY_BYTES })),
    createdAt: field(5, timeMs),
    expiresAt: field(6, timeMs),
  }),
)

const signedPolicyChangeCodec: Codec<SignedPolicyChange> = record({
  change: field(1, policyChangeCodec),
  approvals: field(2, array(approvalCodec, { max: MAX_APPROVALS })),
})

export const policyChangeRequestCodec: Codec<PolicyChangeRequest> = versioned(
  1,
  record({
    v: field(VERSION_KEY, oneOf(1)),
    requestId: field(1, id('req')),
    project: field(2, id('prj')),
    wallet: field(3, id('wal')),
    signed: field(4, signedPolicyChangeCodec),
    createdAt: field(5, timeMs),
    expiresAt: field(6, timeMs),
  }),
)

/** The canonical bytes. @throws base/malformed */
export const encodePolicyChange = (change: PolicyChange): Uint8Array =>
  encode(policyChangeCodec, change)

/** @throws base/too-large, base/malformed, base/not-canonical, base/bad-id, base/unknown-version */
export const decodePolicyChange = (encoded: Uint8Array): PolicyChange =>
  decode(policyChangeCodec, encoded, { maxBytes: MAX_CHANGE_BYTES })

/** The subject of the approvals of a change: 32 bytes over its canonical encoding. */
export const policyChangeHash = (change: PolicyChange): Uint8Array =>
  taggedHash(TAGS.policyChange, encodePolicyChange(change))

/** The canonical bytes. @throws base/malformed */
export const encodeSignedChange = (signed: SignedPolicyChange): Uint8Array =>
  encode(signedPolicyChangeCodec, signed)

/** Nothing is verified yet. @throws base/too-large, base/malformed, base/not-canonical, base/bad-id, base/unknown-version */
export const decodeSignedChange = (encoded: Uint8Array): SignedPolicyChange =>
  decode(signedPolicyChangeCodec, encoded, { maxBytes: MAX_SIGNED_CHANGE_BYTES })
