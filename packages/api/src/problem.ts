/**
 * Errors across HTTP: a Fault as a problem document (RFC 9457) and back. The code is what programs
 * match on; the sentences are for people.
 */
import { ERRORS, Fault, isFault, isFaultCode } from '@quorate/base'

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'

export type Problem = {
  /** `urn:quorate:problem:` and the code. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail?: string
  /** Of this HTTP request; the server's log has it too. */
  readonly requestId: string
  readonly retryable: boolean
  readonly remedy: string
}

/**
 * The problem document of any error. What is not a Fault, and what is our own mistake, becomes
 * `api/internal` without a detail: only the log says more.
 */
export function toProblem(error: unknown, requestId: string): Problem {
  const isOurs = !isFault(error) || ERRORS[error.code].class === 'Bug'
  const code = isOurs ? 'api/internal' : error.code
  const { sentence, http, retryable, remedy } = ERRORS[code]
  return {
    type: `urn:quorate:problem:${code}`,
    title: sentence,
    status: http,
    code,
    ...(isOurs || error.detail === undefined ? {} : { detail: error.detail }),
    requestId,
    retryable,
    remedy,
  }
}

/**
 * The Fault that a server answered with, for any body whatsoever. An unknown code becomes
 * `api/refused` (status 4xx) or `api/failed`. Text of the server comes through as one short line of
 * printable characters, so that it cannot drive a terminal.
 */
export function fromProblem(body: unknown, status: number): Fault {
  const { code, title, detail } = (typeof body === 'object' && body !== null ? body : {}) as {
    readonly [name: string]: unknown
  }
  if (typeof code === 'string' && isFaultCode(code)) return new Fault(code, printable(detail))
  const unknown = status >= 400 && status < 500 ? 'api/refused' : 'api/failed'
  return new Fault(unknown, printable(detail ?? title))
}

function printable(text: unknown): { readonly detail?: string } {
  if (typeof text !== 'string') return {}
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return line === '' ? {} : { detail: line.slice(0, 500) }
}
