/**
 * Sends spans to an OpenTelemetry collector: OTLP/HTTP with JSON bodies (opentelemetry-proto 1.x,
 * `trace/v1`). Spans wait in a bounded queue and go in batches; where the collector is slow or away
 * they are dropped and counted, and nobody waits for it.
 */
import { type Clock, type Logger, type Random, Secret, toHex } from '@quorate/base'
import type { Cancel, Timers } from '../time/timers.ts'
import type { Attributes, Span, SpanOptions, TraceContext, TraceFigures, Tracer } from './port.ts'

export type OtlpOptions = {
  /** The whole URL that batches are posted to. */
  readonly url: string
  /** Of each request; they may hold a token. */
  readonly headers?: Secret<{ readonly [name: string]: string }> | undefined
  /** Of the process, e.g. `service.name`. */
  readonly resource: Attributes
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly logger: Logger
  readonly limits?: Partial<OtlpLimits>
}

export type OtlpLimits = {
  /** Ended spans that wait to be sent. */
  readonly maxQueued: number
  readonly batch: number
  readonly everyMs: number
  /** For one request, and for the last ones at the end. */
  readonly timeoutMs: number
}
export const OTLP_LIMITS: OtlpLimits = {
  maxQueued: 2048,
  batch: 256,
  everyMs: 2_000,
  timeoutMs: 5_000,
}
const MAX_ATTRIBUTES = 32
const MAX_LINKS = 32
const MAX_TEXT = 256
const KINDS = { internal: 1, server: 2 } as const
const STATUS_ERROR = 2

type OtlpSpan = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly KeyValue[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status: { readonly code?: number; readonly message?: string }
}
type KeyValue = { readonly key: string; readonly value: { readonly [type: string]: unknown } }

export class OtlpTracer implements Tracer {
  readonly figures: TraceFigures = { exported: 0, dropped: 0 }
  readonly #o: OtlpOptions
  readonly #limits: OtlpLimits
  readonly #cancel: Cancel
  #queue: OtlpSpan[] = []
  #sending: Promise<void> | undefined
  #isFailing = false

  constructor(options: OtlpOptions) {
    this.#o = options
    this.#limits = { ...OTLP_LIMITS, ...options.limits }
    this.#cancel = options.timers.every(this.#limits.everyMs, () => void this.flush())
  }

  start(options: SpanOptions): Span {
    const { clock, random } = this.#o
    const { parent, ids, name, kind = 'internal' } = options
    const context: TraceContext = {
      traceId: ids?.traceId ?? parent?.traceId ?? toHex(random.bytes(16)),
      spanId: ids?.spanId ?? toHex(random.bytes(8)),
      isSampled: parent?.isSampled ?? true,
    }
    const startedAt = options.startedAt ?? clock.now()
    const begun = clock.monotonic() - Math.max(0, clock.now() - startedAt)
    const attributes: { [name: string]: Attributes[string] } = { ...options.attributes }
    const links: TraceContext[] = []
    let hasEnded = false
    return {
      context,
      link: (other) => {
        if (links.length < MAX_LINKS) links.push(other)
      },
      set: (more) => void Object.assign(attributes, more),
      end: (code) => {
        if (hasEnded) return
        hasEnded = true
        if (!context.isSampled) return
        const endedAt = startedAt + Math.max(0, clock.monotonic() - begun)
        this.#put({
          traceId: context.traceId,
          spanId: context.spanId,
          ...(parent !== undefined &&
            parent.traceId === context.traceId && { parentSpanId: parent.spanId }),
          name,
          kind: KINDS[kind],
          startTimeUnixNano: nanoseconds(startedAt),
          endTimeUnixNano: nanoseconds(endedAt),
          attributes: keyValues(attributes),
          links: links.map(({ traceId, spanId }) => ({ traceId, spanId })),
          status: code === undefined ? {} : { code: STATUS_ERROR, message: code },
        })
      },
    }
  }

  #put(span: OtlpSpan): void {
    if (this.#queue.length >= this.#limits.maxQueued) this.figures.dropped += 1
    else this.#queue.push(span)
    // A collector that is away is asked again when it is time, and not for every span.
    if (this.#queue.length >= this.#limits.batch && !this.#isFailing) void this.flush()
  }

  /** Sends what waits, one batch after the other. Never rejects. */
  flush(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
    })
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#limits.batch)
      const why = await this.#post(batch)
      if (why === undefined) this.figures.exported += batch.length
      else this.figures.dropped += batch.length
      this.#report(why)
      // The collector is away: what came meanwhile is for the next round.
      if (why !== undefined) return
    }
  }

  /** Why the batch was not taken; nothing where it was. */
  async #post(batch: readonly OtlpSpan[]): Promise<string | undefined> {
    const { url, headers, resource } = this.#o
    const body = JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: keyValues(resource) },
          scopeSpans: [{ scope: { name: 'quorate' }, spans: batch }],
        },
      ],
    })
    const stop = new AbortController()
    const cancel = this.#o.timers.after(this.#limits.timeoutMs, () => stop.abort())
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { ...headers?.expose(), 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: stop.signal,
      })
      await answer.body?.cancel()
      return answer.ok ? undefined : `HTTP ${answer.status}`
    } catch {
      return stop.signal.aborted ? 'no answer in time' : 'not reachable'
    } finally {
      cancel()
    }
  }

  /** Says once that the collector is away, and once that it is back. */
  #report(why: string | undefined): void {
    if ((why !== undefined) === this.#isFailing) return
    this.#isFailing = why !== undefined
    if (why === undefined) this.#o.logger.log('info', 'tracing.resumed')
    else this.#o.logger.log('warn', 'tracing.failed', { reason: why })
  }

  async close(): Promise<void> {
    this.#cancel()
    await this.flush()
    // What came while the last batch was under way.
    await this.flush()
    this.figures.dropped += this.#queue.splice(0).length
    this.#o.headers?.[Symbol.dispose]()
  }
}

/** Milliseconds as a decimal string of nanoseconds, exact: a number would not be. */
const nanoseconds = (ms: number): string => (BigInt(Math.round(ms * 1000)) * 1000n).toString()

const keyValues = (attributes: Attributes): readonly KeyValue[] =>
  Object.entries(attributes)
    .slice(0, MAX_ATTRIBUTES)
    .map(([key, value]) => ({ key, value: anyValue(value) }))

/** As protobuf's JSON mapping writes them: 64-bit integers are strings. */
function anyValue(value: Attributes[string]): KeyValue['value'] {
  if (typeof value === 'string') return { stringValue: value.slice(0, MAX_TEXT) }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

/** Where traces go under a base URL, as OTEL_EXPORTER_OTLP_ENDPOINT has it (OTLP exporter specification). */
export const tracesUrl = (endpoint: string): string => `${endpoint.replace(/\/+$/, '')}/v1/traces`

/**
 * Headers as OTEL_EXPORTER_OTLP_HEADERS writes them: `name=value,name=value`, values percent-encoded.
 * Wipes `text`. `undefined` where they are not of that form. Treats them as secret.
 */
export function otlpHeaders(
  text: Secret<Uint8Array>,
): Secret<{ readonly [name: string]: string }> | undefined {
  const headers: { [name: string]: string } = {}
  const pairs = Buffer.from(text.expose()).toString('utf8').split(',')
  text[Symbol.dispose]()
  for (const pair of pairs) {
    const [, name = '', value = ''] =
      /^\s*([A-Za-z0-9-]+)\s*=\s*([\x21-\x7e ]*?)\s*$/.exec(pair) ?? []
    if (name === '') return undefined
    try {
      headers[name.toLowerCase()] = decodeURIComponent(value)
    } catch {
      return undefined
    }
  }
  return new Secret(headers)
}
