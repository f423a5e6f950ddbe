/** Who does something, with the permission that let him in, and its record in the audit log. */
import type { AuditDraft } from '../../storage/port.ts'
import type { DecisionRecord, Principal } from './port.ts'

export type By = { readonly principal: Principal; readonly record: DecisionRecord }

/** The record of what was done to `resource`. */
export const doneBy = (
  { record }: Pick<By, 'record'>,
  resource: string,
  fields: AuditDraft['fields'] = [],
): AuditDraft => ({
  // Each by its name: of an object with a spread one the engine makes a new shape each time, which only a
  // full collection frees, and every read comes through here.
  actor: record.actor,
  action: record.action,
  resource,
  project: record.project,
  decision: record.decision,
  reason: record.reason,
  requestId: record.requestId,
  outcome: 'done',
  fields,
})
