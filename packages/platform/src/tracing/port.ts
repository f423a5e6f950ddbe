/**
 * Traces: what a request was spent on, as spans for an OpenTelemetry collector. A span carries ids,
 * times, names from our own tables and error codes: no transaction, address, amount or key goes in.
 */
export type TraceContext = {
  /** 16 bytes, hex, not all zero. */
  readonly traceId: string
  /** 8 bytes, hex, not all zero. */
  readonly spanId: string
  /** Whether whoever began the trace keeps it. */
  readonly isSampled: boolean
}

export type Attributes = { readonly [name: string]: string | number | boolean }

export type Span = {
  readonly context: TraceContext
  /** Points at a span of another trace. */
  link(context: TraceContext): void
  set(attributes: Attributes): void
  /** Closes it; `code` is that of the error with which it failed. Only the first call counts. */
  end(code?: string): void
}

export type SpanOptions = {
  readonly name: string
  readonly kind?: 'internal' | 'server'
  readonly parent?: TraceContext | undefined
  /** Its own ids, where others must be able to work them out; random unless given. */
  readonly ids?: { readonly traceId: string; readonly spanId: string }
  readonly attributes?: Attributes
  /** When it began, in milliseconds since the epoch; now unless given. */
  readonly startedAt?: number
}

export type Tracer = {
  start(options: SpanOptions): Span
  readonly figures: Readonly<TraceFigures>
  /** Sends what it holds, for at most a few seconds. */
  close(): Promise<void>
}

export type TraceFigures = { exported: number; dropped: number }

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const LATER = /^(?!ff|00)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const ZERO = /^0+$/

/**
 * What a `traceparent` header says (W3C Trace Context, 3.2); `undefined` for anything else, which is then
 * as if there were none. A later version is read as far as version 00 goes.
 */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  if (text === undefined || text.length > 256) return undefined
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(text) ?? LATER.exec(text) ?? []
  if (traceId === '' || ZERO.test(traceId) || ZERO.test(spanId)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export const traceparent = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
