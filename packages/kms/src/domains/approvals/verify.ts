/**
 * Checks grants from the audit log alone, without the KMS: each one must be what was asked for, and where
 * it says that it was approved, enough different approvers must have signed that very request before.
 */
import type { AuditField, AuditRecord } from '@quorate/api'
import { fromHex, isFault, toHex } from '@quorate/base'
import { approvalMessage, type RequestTerms, requestHash } from './model.ts'
import { termsOf, type Values, valuesOf } from './record.ts'
import { isSigned } from './signature.ts'

export type GrantFinding = {
  /** Of the record of the grant. */
  readonly seq: number
  /** `arq_…` */
  readonly request: string
  /** Different approvers whose signatures verify and had not ended. */
  readonly approvals: number
  readonly required: number
  readonly kind: 'approved' | 'break-glass'
  readonly isSound: boolean
}

type Asked = {
  readonly terms: RequestTerms
  readonly hash: string
  /** By approver: until when his approval counts. */
  readonly approvals: Map<string, number>
}

/**
 * One finding for each grant in `records`, which are in the order of the chain and verified as such. A
 * break-glass grant is sound without approvals; whether it was justified is for people to say.
 */
export function verifyGrants(records: Iterable<AuditRecord>): readonly GrantFinding[] {
  const asked = new Map<string, Asked>()
  const findings: GrantFinding[] = []
  for (const record of records) {
    if (record.outcome !== 'done') continue
    if (record.action === 'access-request.create') {
      const found = askedIn(record)
      if (found !== undefined) asked.set(record.resource, found)
    } else if (record.action === 'access-request.decide') {
      const until = approvalUntil(record, asked.get(record.resource))
      const approvals = asked.get(record.resource)?.approvals
      if (until === undefined) approvals?.delete(record.actor)
      else approvals?.set(record.actor, until)
    } else if (record.action === 'access-request.grant') {
      findings.push(judge(record, asked.get(record.resource)))
    }
  }
  return findings
}

function askedIn(record: AuditRecord): Asked | undefined {
  try {
    const terms = termsOf(record)
    const hash = toHex(requestHash(terms))
    return hash === hexOf(valuesOf(record)['request'])
      ? { terms, hash, approvals: new Map() }
      : undefined
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}

function judge(record: AuditRecord, asked: Asked | undefined): GrantFinding {
  const values = valuesOf(record)
  const required = asked?.terms.required ?? 0
  const until = [...(asked?.approvals.values() ?? [])]
  const approvals = until.filter((end) => end > record.time).length
  const kind = record.reason === 'break-glass' ? 'break-glass' : 'approved'
  const isAsAsked =
    asked !== undefined &&
    hexOf(values['request']) === asked.hash &&
    values['requester'] === asked.terms.requester &&
    Number(values['endsAt']) <= record.time + asked.terms.durationSeconds * 1000
  return {
    seq: record.seq,
    request: record.resource,
    approvals,
    required,
    kind,
    isSound: isAsAsked && (kind === 'break-glass' || (required > 0 && approvals >= required)),
  }
}

/** When the approval of this record ends; `undefined` where it is none, is for something else or does not verify. */
function approvalUntil(record: AuditRecord, asked: Asked | undefined): number | undefined {
  const { decision, expiresAt, signature, publicKey, request }: Values = valuesOf(record)
  if (
    asked === undefined ||
    hexOf(request) !== asked.hash ||
    decision !== 'approve' ||
    typeof expiresAt !== 'number' ||
    typeof signature !== 'string' ||
    !/^[0-9a-f]{128}$/.test(signature) ||
    !(publicKey instanceof Uint8Array)
  )
    return undefined
  const approval = { decision, approver: record.actor, expiresAt } as const
  const key = { scheme: 'ed25519', publicKey: toHex(publicKey) } as const
  return isSigned(key, approvalMessage(fromHex(asked.hash), approval), fromHex(signature))
    ? expiresAt
    : undefined
}

const hexOf = (value: AuditField['value'] | undefined): string =>
  value instanceof Uint8Array ? toHex(value) : ''
