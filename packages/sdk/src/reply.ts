/** What an answer of a node says: JSON, or a problem, which becomes the node's own fault. */
import { fromProblem, PROBLEM_CONTENT_TYPE } from '@quorate/api'
import { Fault, fromUtf8 } from '@quorate/base'

export type HttpReply = {
  readonly status: number
  readonly contentType: string
  /** The header, as it stands. */
  readonly retryAfter: string | undefined
  readonly body: Uint8Array
}

/** The JSON. @throws the node's own fault, by its code; sdk/bad-answer */
export function readReply({ status, contentType, body }: HttpReply): unknown {
  const json = parseJson(fromUtf8(body))
  if (contentType.startsWith(PROBLEM_CONTENT_TYPE)) throw fromProblem(json, status)
  if (status < 200 || status > 299) throw new Fault('sdk/bad-answer', { detail: `HTTP ${status}` })
  return json
}

/** @throws sdk/bad-answer */
export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch (cause) {
    throw new Fault('sdk/bad-answer', { cause, detail: 'not JSON' })
  }
}

/** Milliseconds to wait by a `Retry-After` in seconds, 0 without one. Dates are not sent by nodes. */
export const retryAfterMs = (header: string | undefined): number =>
  header !== undefined && /^\d{1,5}$/.test(header) ? Number(header) * 1000 : 0
