/** What errors of the Azure clients mean. */
import type { FailureKind } from '../failure.ts'

type AzureError = {
  readonly name?: unknown
  readonly code?: unknown
  readonly statusCode?: unknown
  readonly details?: unknown
}

/** By the inner code of the service, where the status alone would mislead. */
const CODES: { readonly [code: string]: FailureKind } = {
  KeyDisabled: 'disabled',
  KeyExpired: 'disabled',
  KeyNotYetValid: 'disabled',
  KeyNotFound: 'absent',
  ObjectIsDeletedButRecoverable: 'exists',
  ObjectIsBeingDeleted: 'exists',
  Throttled: 'busy',
}

const STATUSES: { readonly [status: number]: FailureKind } = {
  400: 'rejected',
  401: 'denied',
  403: 'denied',
  404: 'absent',
  408: 'unavailable',
  409: 'exists',
  429: 'busy',
}

/** The kind of `error`. */
export function azureFailure(error: unknown): FailureKind {
  const { name, code, statusCode, details } = (error ?? {}) as AzureError
  if (
    typeof name === 'string' &&
    /^(CredentialUnavailable|Authentication|AggregateAuthentication)/.test(name)
  )
    return 'no-credentials'
  for (const each of [innerCode(details), code])
    if (typeof each === 'string' && Object.hasOwn(CODES, each)) return CODES[each] as FailureKind
  if (typeof statusCode === 'number') return STATUSES[statusCode] ?? 'unavailable'
  return 'unavailable'
}

/** `error.innererror.code`, else `error.code`, of the body of the answer. */
function innerCode(details: unknown): unknown {
  const { error } = (details ?? {}) as {
    error?: { code?: unknown; innererror?: { code?: unknown } }
  }
  return error?.innererror?.code ?? error?.code
}
