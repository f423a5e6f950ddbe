/**
 * Access requests and the approvals that grant them. An approval is a signature over
 * H(request), the decision, the approver and an expiry, so that anybody can check later, from the audit
 * log alone, who let whom have what.
 */
import {
  bytes,
  type Codec,
  encode,
  field,
  fromHex,
  int,
  oneOf,
  record,
  TAGS,
  tagged,
  taggedHash,
  text,
  toHex,
  utf8,
} from '@quorate/base'
import type { Document } from '../access/documents.ts'
import type { Rule } from '../access/model.ts'

export const MAX_APPROVERS = 32
export const MAX_REQUEST_SECONDS: number = 7 * 86_400
export const MAX_GRANT_SECONDS: number = 30 * 86_400

export type PolicyBody = {
  /** What may be asked for: built-in roles or `rol_…`, in the policy's project. */
  readonly roles: readonly string[]
  /** `idn_…` and `grp_…` whose word counts. */
  readonly approvers: readonly string[]
  /** How many of them it takes. */
  readonly required: number
  /** `idn_…` and `grp_…` who may take it without approvals, with permission `access-request.bypass`. */
  readonly bypassers: readonly string[]
  readonly maxDurationSeconds: number
  /** How long a request waits. */
  readonly requestSeconds: number
  readonly allowsSelfApproval: boolean
}
export type ApprovalPolicy = Document<PolicyBody>

export type ApprovalDecision = 'approve' | 'deny'

export type Approval = {
  readonly approver: string
  /** Hex. */
  readonly publicKey: string
  readonly decision: ApprovalDecision
  /** Milliseconds since the epoch; an approval counts before it only. */
  readonly expiresAt: number
  /** Hex. */
  readonly signature: string
  readonly at: number
}

/** What is asked for: all that approvers sign. */
export type RequestTerms = {
  readonly id: string
  /** `prj_…` or `*`. */
  readonly project: string
  readonly policy: string
  readonly policyVersion: number
  readonly requester: string
  readonly role: string
  /** Of the rules that the role has, hex. */
  readonly rulesHash: string
  readonly durationSeconds: number
  readonly reason: string
  readonly required: number
  readonly createdAt: number
  readonly expiresAt: number
}

export type RequestState = 'open' | 'granted' | 'denied' | 'revoked'

export type RequestBody = {
  readonly terms: RequestTerms
  readonly rules: readonly Rule[]
  readonly state: RequestState
  readonly approvals: readonly Approval[]
  readonly grant?: { readonly id: string; readonly endsAt: number } | undefined
}
export type RequestDocument = Document<RequestBody>

const id: Codec<string> = text(64, /^[a-z0-9_*]+$/)

const termsCodec: Codec<RequestTerms> = record({
  id: field(1, id),
  project: field(2, id),
  policy: field(3, id),
  policyVersion: field(4, int(1)),
  requester: field(5, id),
  role: field(6, text(64)),
  rulesHash: field(7, {
    toCbor: (value: string) => bytes(32).toCbor(fromHex(value)),
    fromCbor: (cbor, path) => toHex(bytes(32).fromCbor(cbor, path)),
  }),
  durationSeconds: field(8, int(1)),
  reason: field(9, text(1024)),
  required: field(10, int(1)),
  createdAt: field(11, int()),
  expiresAt: field(12, int()),
})

const approvalCodec = record({
  request: field(1, bytes(32)),
  decision: field(2, oneOf('approve', 'deny')),
  approver: field(3, id),
  expiresAt: field(4, int()),
})

/** 32 bytes that stand for the rules, in hex. Their JSON is written by us, with keys in one order. */
export const rulesHash = (rules: readonly Rule[]): string =>
  toHex(taggedHash(TAGS.kmsAccessRules, utf8(JSON.stringify(rules))))

/** 32 bytes that stand for the whole request. */
export const requestHash = (terms: RequestTerms): Uint8Array =>
  taggedHash(TAGS.kmsAccessRequest, encode(termsCodec, terms))

/** The bytes that an approver signs. `request` is the hash of the request. */
export const approvalMessage = (
  request: Uint8Array,
  approval: Pick<Approval, 'decision' | 'approver' | 'expiresAt'>,
): Uint8Array =>
  tagged(
    TAGS.kmsAccessApproval,
    encode(approvalCodec, {
      request,
      decision: approval.decision,
      approver: approval.approver,
      expiresAt: approval.expiresAt,
    }),
  )
