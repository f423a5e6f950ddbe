/** The terms of a request as fields of an audit record, and back: what a verifier needs is all there. */
import { type AuditField, type AuditRecord, publicHash } from '@quorate/api'
import { fromHex, toHex } from '@quorate/base'
import { EVERYWHERE } from '../access/model.ts'
import { type RequestTerms, requestHash } from './model.ts'

/** The hash of the request. */
export const hashField = (terms: RequestTerms): AuditField => ({
  name: 'request',
  kind: 'hash',
  value: publicHash(requestHash(terms)),
})

/** All terms that the rest of the record of `access-request.create` does not say. */
export const termsFields = (terms: RequestTerms): readonly AuditField[] => [
  hashField(terms),
  { name: 'policy', kind: 'text', value: terms.policy },
  { name: 'policyVersion', kind: 'int', value: terms.policyVersion },
  { name: 'role', kind: 'text', value: terms.role },
  { name: 'rulesHash', kind: 'hash', value: publicHash(fromHex(terms.rulesHash)) },
  { name: 'durationSeconds', kind: 'int', value: terms.durationSeconds },
  { name: 'reason', kind: 'text', value: terms.reason },
  { name: 'required', kind: 'int', value: terms.required },
  { name: 'createdAt', kind: 'int', value: terms.createdAt },
  { name: 'expiresAt', kind: 'int', value: terms.expiresAt },
]

export type Values = { readonly [name: string]: AuditField['value'] }

export const valuesOf = ({ fields }: Pick<AuditRecord, 'fields'>): Values =>
  Object.fromEntries(fields.map(({ name, value }) => [name, value]))

/** The terms that a record of `access-request.create` holds. */
export function termsOf(record: AuditRecord): RequestTerms {
  const values = valuesOf(record)
  const text = (name: string): string => String(values[name] ?? '')
  const number = (name: string): number => Number(values[name] ?? 0)
  const { rulesHash } = values
  return {
    id: record.resource,
    project: record.project ?? EVERYWHERE,
    policy: text('policy'),
    policyVersion: number('policyVersion'),
    requester: record.actor,
    role: text('role'),
    rulesHash: rulesHash instanceof Uint8Array ? toHex(rulesHash) : '',
    durationSeconds: number('durationSeconds'),
    reason: text('reason'),
    required: number('required'),
    createdAt: number('createdAt'),
    expiresAt: number('expiresAt'),
  }
}
