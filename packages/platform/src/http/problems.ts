/** Errors on their way out: whatever was thrown becomes a Fault, and a Fault a problem document. */
import { type Problem, toProblem } from '@quorate/api'
import { Fault, type FaultCode, isFault } from '@quorate/base'

/** Errors of the HTTP library and of Node's parser, by their codes. */
const LIBRARY: { readonly [code: string]: FaultCode } = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'platform/not-json',
  FST_ERR_CTP_INVALID_TYPE: 'platform/not-json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'platform/malformed-json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'platform/malformed-json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'platform/body-too-large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'platform/malformed-request',
  FST_ERR_BAD_URL: 'platform/malformed-request',
  FST_ERR_MAX_PARAM_LENGTH: 'platform/malformed-request',
  ERR_HTTP_REQUEST_TIMEOUT: 'platform/request-timeout',
  HPE_HEADER_OVERFLOW: 'platform/malformed-request',
}

type LibraryError = {
  readonly code?: string
  readonly validation?: readonly {
    readonly instancePath?: string
    readonly message?: string
    readonly params?: { readonly additionalProperty?: unknown }
  }[]
  readonly validationContext?: string
}

const CONTEXTS: { readonly [context: string]: string } = {
  query: 'query',
  params: 'path',
  body: 'body',
}

/** The Fault to answer with; an error that is nobody's fault but ours comes back as it was. */
export function toFault(error: unknown): unknown {
  if (isFault(error)) return error
  const { code, validation, validationContext } = (error ?? {}) as LibraryError
  const [first] = validation ?? []
  if (first !== undefined) {
    const where = `${CONTEXTS[validationContext ?? ''] ?? 'request'}${(first.instancePath ?? '').replaceAll('/', '.')}`
    // A name is repeated only where it can be nothing else than one.
    const name = first.params?.additionalProperty
    const extra = typeof name === 'string' && /^\w{1,40}$/.test(name) ? ` (${name})` : ''
    return new Fault('platform/invalid-request', {
      detail: `${where} ${first.message ?? 'is invalid'}${extra}`,
    })
  }
  return code !== undefined && Object.hasOwn(LIBRARY, code)
    ? new Fault(LIBRARY[code] as FaultCode, { cause: error })
    : error
}

/** Headers that go with a problem, beside its content type. */
export function problemHeaders(
  { status }: Problem,
  {
    challenge = 'Signature',
    retryAfter = 1,
  }: { readonly challenge?: string | undefined; readonly retryAfter?: number | undefined } = {},
): { readonly [name: string]: string } {
  if (status === 429 || status === 503 || status === 507)
    return { 'retry-after': String(retryAfter) }
  return status === 401 ? { 'www-authenticate': challenge } : {}
}

/** A whole HTTP answer for a connection on which no request could be read. */
export function rawProblem(error: NodeJS.ErrnoException, requestId: string): string {
  const code = LIBRARY[error.code ?? ''] ?? 'platform/malformed-request'
  const problem = toProblem(new Fault(code), requestId)
  const body = JSON.stringify(problem)
  return `HTTP/1.1 ${problem.status} ${problem.status === 408 ? 'Request Timeout' : 'Bad Request'}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
}
