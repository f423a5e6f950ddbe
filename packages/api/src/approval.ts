/**
 * An approval: one person's signed yes or no to one request, or to one change of a policy. It is
 * bound to the cluster, to the exact intent, to the policy that asked for it and to its own expiry,
 * so it is worth nothing for any other request or under any other policy.
 *
 * Every node checks approvals for itself, in the signer process, when they come and again at signing
 * time, against the cluster record that is then in force.
 */
import {
  type Branded,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  type Id,
  oneOf,
  record,
  type Signer,
  TAGS,
  taggedHash,
  union,
} from '@quorate/base'
import { hash32, id, name, signature64, timeMs, VERSION_KEY, versioned } from './format.ts'
import type { VerifySignature } from './request.ts'

const MAX_ASSERTION_PART = 2048
/** Of an encoded approval. */
export const MAX_APPROVAL_BYTES: number = 4 * MAX_ASSERTION_PART

/** An entry of the cluster record: a client, or an administrator by its label. */
export type Approver =
  | { readonly kind: 'client'; readonly value: Id<'cli'> }
  | { readonly kind: 'admin'; readonly value: string }

export type UnsignedApproval = {
  readonly v: 1
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  /** Hash of the intent or of the policy change that it is about, 32 bytes. */
  readonly subject: Uint8Array
  /** Of the policy that asks for it, 32 bytes. */
  readonly policyHash: Uint8Array
  readonly decision: 'approve' | 'reject'
  readonly approver: Approver
  /** Milliseconds since the Unix epoch; from then on it does not count. */
  readonly expiresAt: number
}

/** What an authenticator answers to the approval's hash as its challenge (WebAuthn §6.3.3). */
export type Assertion = {
  readonly credentialId: Uint8Array
  readonly authenticatorData: Uint8Array
  readonly clientData: Uint8Array
  readonly signature: Uint8Array
}

export type ApprovalProof =
  /** 64 bytes over the approval's hash. */
  | { readonly kind: 'ed25519'; readonly value: Uint8Array }
  | { readonly kind: 'webauthn'; readonly value: Assertion }

export type Approval = UnsignedApproval & { readonly proof: ApprovalProof }

const approverCodec: Codec<Approver> = union({ client: [1, id('cli')], admin: [2, name] })

const part = bytes({ min: 1, max: MAX_ASSERTION_PART })
const proofCodec: Codec<ApprovalProof> = union({
  ed25519: [1, signature64],
  webauthn: [
    2,
    record({
      credentialId: field(1, part),
      authenticatorData: field(2, part),
      clientData: field(3, part),
      signature: field(4, part),
    }),
  ],
})

const fields = {
  v: field(VERSION_KEY, oneOf(1)),
  cluster: field(1, hash32),
  subject: field(2, hash32),
  policyHash: field(3, hash32),
  decision: field(4, oneOf('approve', 'reject')),
  approver: field(5, approverCodec),
  expiresAt: field(6, timeMs),
}
const unsignedApproval: Codec<UnsignedApproval> = record(fields)

export const approvalCodec: Codec<Approval> = versioned(
  1,
  record({ ...fields, proof: field(7, proofCodec) }),
)

/**
 * What the approver signs, and the challenge that its authenticator answers: 32 bytes over all
 * fields. The keys of a proof do not go into it.
 */
export const approvalHash = (approval: UnsignedApproval): Uint8Array => {
  const { v, cluster, subject, policyHash, decision, approver, expiresAt } = approval
  const unsigned = { v, cluster, subject, policyHash, decision, approver, expiresAt }
  return taggedHash(TAGS.approval, encode(unsignedApproval, unsigned))
}

/** The approval with the Ed25519 signature of `signer`. @throws base/malformed */
export const signApproval = async (
  signer: Signer,
  approval: UnsignedApproval,
): Promise<Approval> => ({
  ...approval,
  proof: { kind: 'ed25519', value: await signer.sign(approvalHash(approval)) },
})

/** The canonical bytes. @throws base/malformed */
export const encodeApproval = (approval: Approval): Uint8Array => encode(approvalCodec, approval)

/** @throws base/too-large, base/malformed, base/not-canonical, base/bad-id, base/unknown-version */
export const decodeApproval = (encoded: Uint8Array): Approval =>
  decode(approvalCodec, encoded, { maxBytes: MAX_APPROVAL_BYTES })

/** Who an approver is, by the cluster record in force. */
export type ApproverEntry = {
  /** Ed25519, 32 bytes. */
  readonly key: Uint8Array
  /** The groups that it is a member of. */
  readonly groups: readonly string[]
}

/** Whether `assertion` answers `challenge` (32 bytes) with a verified user. Never throws. */
export type VerifyAssertion = (
  approver: Approver,
  assertion: Assertion,
  challenge: Uint8Array,
) => boolean

export type ApprovalCheck = {
  readonly cluster: Uint8Array
  readonly subject: Uint8Array
  readonly policyHash: Uint8Array
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** The entry of the cluster record in force that may approve now, or `undefined`. */
  readonly resolve: (approver: Approver) => ApproverEntry | undefined
  readonly verify: VerifySignature
  /** Without it assertions are refused. */
  readonly verifyAssertion?: VerifyAssertion
}

/** An approval that counts. Only `checkApproval` makes one. */
export type CheckedApproval = Branded<
  {
    readonly approver: Approver
    readonly decision: 'approve' | 'reject'
    readonly groups: readonly string[]
    readonly expiresAt: number
  },
  'CheckedApproval'
>

/**
 * What the approval says, if it counts for this very request now.
 * @throws api/other-subject, api/approval-expired, api/unknown-approver, api/bad-signature
 */
export function checkApproval(approval: Approval, check: ApprovalCheck): CheckedApproval {
  const { approver, decision, expiresAt, proof } = approval
  const isAbout =
    equalBytes(approval.cluster, check.cluster) &&
    equalBytes(approval.subject, check.subject) &&
    equalBytes(approval.policyHash, check.policyHash)
  if (!isAbout) throw new Fault('api/other-subject')
  if (check.now >= expiresAt) throw new Fault('api/approval-expired')
  const entry = check.resolve(approver)
  if (entry === undefined) throw new Fault('api/unknown-approver')
  const hash = approvalHash(approval)
  const isSigned =
    proof.kind === 'ed25519'
      ? check.verify(entry.key, hash, proof.value)
      : (check.verifyAssertion?.(approver, proof.value, hash) ?? false)
  if (!isSigned) throw new Fault('api/bad-signature')
  return { approver, decision, groups: entry.groups, expiresAt } as CheckedApproval
}
