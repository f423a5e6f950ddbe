/**
 * Tells people what happened: by the log, and by a webhook. In: notices, made of events and alerts. Out:
 * one HTTPS POST for each, signed as Standard Webhooks 1.0.0 says: HMAC-SHA-256 over
 * `id.timestamp.body` in `webhook-signature`, so the receiver can tell that it is ours, fresh, and new.
 *
 * A notice holds what an event tells, and so no secret. The URL may hold a token of the receiver: only its
 * host is ever logged.
 */
import { createHmac } from 'node:crypto'
import { toRfc3339 } from '@quorate/api'
import { type Clock, Fault, type Logger, type LogLevel, type Secret } from '@quorate/base'
import type { Cancel, Timers } from '@quorate/platform'
import { EVENT_SEVERITIES, type EventSeverity } from '../events.ts'

export type Notice = {
  /** The receiver tells by it what it has had already; a notice that is sent again keeps it. 1 to 64 of `A-Za-z0-9_-`. */
  readonly id: string
  /** Kind of the event, or `alert.raised`, `alert.resolved`. */
  readonly kind: string
  readonly severity: EventSeverity
  readonly component: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly details: { readonly [name: string]: string | number | boolean }
}

export type Notifier = {
  /** Resolves once the other side has taken it. @throws hsm/notification-lost where it was given up */
  notify(notice: Notice): Promise<void>
  /** Gives up what still waits. */
  close(): void
}

const LEVELS: { readonly [S in EventSeverity]: LogLevel } = {
  info: 'info',
  warning: 'warn',
  critical: 'error',
}

/** Writes each notice to the log. */
export const logNotifier = (logger: Logger): Notifier => ({
  notify({ kind, severity, component, details, id }) {
    logger.log(LEVELS[severity], 'hsm/notice', { kind, component, id, ...details })
    return Promise.resolve()
  },
  close: () => undefined,
})

export type WebhookLimits = {
  /** Notices that wait; over it the least grave and oldest is given up. */
  readonly maxWaiting: number
  /** How often one notice is tried. */
  readonly maxTries: number
  /** Before the second try; it doubles with each further one. */
  readonly firstPauseMs: number
  readonly maxPauseMs: number
  /** Of one request. */
  readonly timeoutMs: number
}
export const WEBHOOK_LIMITS: WebhookLimits = {
  maxWaiting: 1000,
  maxTries: 10,
  firstPauseMs: 1000,
  maxPauseMs: 60_000,
  timeoutMs: 10_000,
}

export type WebhookOptions = {
  /** `https:`; plain `http:` to this machine alone. */
  readonly url: string
  /** Shared with the receiver, 16 bytes at least. Disposed of by `close`. */
  readonly secret: Secret<Uint8Array>
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  readonly limits?: Partial<WebhookLimits>
  /** That of the platform unless told. */
  readonly fetch?: typeof fetch
}

const MIN_SECRET_BYTES = 16
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** @throws hsm/bad-config */
export function webhookUrl(text: string): URL {
  const refuse = (detail: string): never => {
    throw new Fault('hsm/bad-config', { detail: `the webhook: ${detail}` })
  }
  const url = URL.canParse(text) ? new URL(text) : refuse('no URL')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.has(url.hostname)))
    refuse('an https: URL is needed')
  if (url.username !== '' || url.password !== '') refuse('a URL without user and password')
  return url
}

/** `v1,` and the HMAC in base64, as the header holds it. Treats `secret` as secret. */
export const webhookSignature = (
  secret: Uint8Array,
  id: string,
  seconds: number,
  body: string,
): string =>
  `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`

/** The body of a notice. */
export const webhookBody = ({ kind, severity, component, time, details }: Notice): string =>
  JSON.stringify({
    type: `hsm.${kind}`,
    timestamp: toRfc3339(time),
    data: { severity, component, ...details },
  })

type Waiting = {
  readonly notice: Notice
  readonly resolve: () => void
  readonly reject: (error: Fault) => void
  tries: number
}

const lost = (detail: string): Fault => new Fault('hsm/notification-lost', { detail })

/** What makes no sense to be tried again: the receiver says that the request itself is wrong. */
const isFinal = (status: number): boolean =>
  status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429

/**
 * Sends each notice to one URL, in order and one at a time, again with growing pauses while the receiver
 * does not take it. @throws hsm/bad-config
 */
export function webhookNotifier(options: WebhookOptions): Notifier {
  return new Webhook(options)
}

class Webhook implements Notifier {
  readonly #o: WebhookOptions
  readonly #url: URL
  readonly #limits: WebhookLimits
  readonly #waiting: Waiting[] = []
  #isSending = false
  #isClosed = false
  #pause: { readonly cancel: Cancel; readonly end: () => void } | undefined

  constructor(options: WebhookOptions) {
    this.#o = options
    this.#url = webhookUrl(options.url)
    this.#limits = { ...WEBHOOK_LIMITS, ...options.limits }
    if (options.secret.expose().length < MIN_SECRET_BYTES)
      throw new Fault('hsm/bad-config', {
        detail: `the webhook: a secret of ${MIN_SECRET_BYTES} bytes at least is needed`,
      })
  }

  notify(notice: Notice): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(lost('the notifier was closed'))
        return
      }
      this.#waiting.push({ notice, resolve, reject, tries: 0 })
      if (this.#waiting.length > this.#limits.maxWaiting) this.#giveUpOne()
      if (!this.#isSending) void this.#run()
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { reject } of this.#waiting.splice(0)) reject(lost('the notifier was closed'))
    this.#pause?.cancel()
    this.#pause?.end()
    this.#o.secret[Symbol.dispose]()
  }

  /** The least grave, and of those the oldest; but not the first, which may be on its way. */
  #giveUpOne(): void {
    const gravity = ({ notice }: Waiting): number => EVENT_SEVERITIES.indexOf(notice.severity)
    let at = Math.min(1, this.#waiting.length - 1)
    this.#waiting.forEach((each, i) => {
      if (i > 0 && gravity(each) < gravity(this.#waiting[at]!)) at = i
    })
    this.#drop(at, 'too many were waiting')
  }

  #drop(at: number, why: string): void {
    const [given] = this.#waiting.splice(at, 1)
    if (given === undefined) return
    this.#o.logger.log('error', 'hsm/notification-lost', {
      kind: given.notice.kind,
      component: given.notice.component,
      receiver: this.#url.host,
      why,
    })
    given.reject(lost(why))
  }

  async #run(): Promise<void> {
    this.#isSending = true
    const { maxTries, firstPauseMs, maxPauseMs } = this.#limits
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      first.tries++
      const trouble = await this.#send(first.notice)
      // Closed meanwhile: it was answered then.
      if (this.#waiting[0] !== first) continue
      if (trouble === undefined) {
        this.#waiting.shift()
        first.resolve()
      } else if (trouble.isFinal || first.tries >= maxTries) this.#drop(0, trouble.what)
      else await this.#wait(Math.min(maxPauseMs, firstPauseMs * 2 ** (first.tries - 1)))
    }
    this.#isSending = false
  }

  async #send(
    notice: Notice,
  ): Promise<{ readonly what: string; readonly isFinal: boolean } | undefined> {
    const { secret, clock, fetch: send = fetch } = this.#o
    const body = webhookBody(notice)
    const seconds = Math.floor(clock.now() / 1000)
    try {
      const answer = await send(this.#url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': notice.id,
          'webhook-timestamp': String(seconds),
          'webhook-signature': webhookSignature(secret.expose(), notice.id, seconds, body),
        },
        body,
        // Elsewhere nobody knows the secret.
        redirect: 'error',
        signal: AbortSignal.timeout(this.#limits.timeoutMs),
      })
      await answer.body?.cancel()
      if (answer.ok) return undefined
      return { what: `status ${answer.status}`, isFinal: isFinal(answer.status) }
    } catch {
      return { what: 'no answer', isFinal: false }
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pause = undefined
        resolve()
      }
      this.#pause = { cancel: this.#o.timers.after(ms, end), end }
    })
  }
}

/** Tells all of them; resolves once every one has taken it. @throws hsm/notification-lost where one has not */
export const notifyAll = (notifiers: readonly Notifier[]): Notifier => ({
  async notify(notice) {
    const outcomes = await Promise.allSettled(notifiers.map((each) => each.notify(notice)))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  },
  close() {
    for (const each of notifiers) each.close()
  },
})
