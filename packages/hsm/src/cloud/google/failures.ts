/** What errors of the Google client mean. Over REST they have the status of HTTP, and the code of gRPC by name. */
import type { FailureKind } from '../failure.ts'

/** In the order of the numbers of gRPC, from 0. */
const CODES: readonly (readonly [name: string, kind: FailureKind])[] = [
  ['OK', 'unavailable'],
  ['CANCELLED', 'unavailable'],
  ['UNKNOWN', 'unavailable'],
  ['INVALID_ARGUMENT', 'rejected'],
  ['DEADLINE_EXCEEDED', 'unavailable'],
  ['NOT_FOUND', 'absent'],
  ['ALREADY_EXISTS', 'exists'],
  ['PERMISSION_DENIED', 'denied'],
  ['RESOURCE_EXHAUSTED', 'busy'],
  // Of a version that is disabled; those that are being destroyed are known by their state.
  ['FAILED_PRECONDITION', 'disabled'],
  ['ABORTED', 'unavailable'],
  ['OUT_OF_RANGE', 'rejected'],
  ['UNIMPLEMENTED', 'unsupported'],
  ['INTERNAL', 'unavailable'],
  ['UNAVAILABLE', 'unavailable'],
  ['DATA_LOSS', 'unavailable'],
  ['UNAUTHENTICATED', 'denied'],
]
const NAMES: ReadonlyMap<unknown, FailureKind> = new Map(CODES)

/** For answers that are not the API's own, such as those of a gateway before it. */
const STATUSES: { readonly [status: number]: FailureKind } = {
  400: 'rejected',
  401: 'denied',
  403: 'denied',
  404: 'absent',
  409: 'exists',
  429: 'busy',
}

type GoogleError = { readonly code?: unknown; readonly message?: unknown }

/** The kind of `error`. */
export function googleFailure(error: unknown): FailureKind {
  const { code, message } = (error ?? {}) as GoogleError
  if (typeof code !== 'number') return 'unavailable'
  if (code < CODES.length) return CODES[code]?.[1] ?? 'unavailable'
  return NAMES.get(nameIn(message)) ?? STATUSES[code] ?? 'unavailable'
}

/** `error.status` of the body, which the client gives as the message. */
function nameIn(message: unknown): unknown {
  try {
    const body = JSON.parse(String(message)) as { error?: { status?: unknown } } | null
    return body?.error?.status
  } catch {
    return undefined
  }
}
