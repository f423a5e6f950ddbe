/** What the API was asked and how it answered, as figures: routes and outcomes, no client and no wallet. */
import type { Logger } from '@quorate/base'
import type { Counter, Histogram, Registry } from '@quorate/platform'

/** Of the log line that the HTTP server writes for each answer. */
const ANSWERED = 'http.request'
/** Upper bounds in seconds: clients wait at most two for an answer. */
const BOUNDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10]

export class Traffic {
  readonly rateLimited: Counter
  readonly overloaded: Counter
  /** Streams that are open. */
  streams: () => number = () => 0
  readonly #answers: Counter<'route' | 'method' | 'status'>
  readonly #seconds: Histogram<'route'>

  constructor(registry: Registry) {
    this.#answers = registry.counter('http_requests_total', 'Answers of the API.', [
      'route',
      'method',
      'status',
    ])
    this.#seconds = registry.histogram(
      'http_request_seconds',
      'From the head of a request to the end of its answer.',
      BOUNDS,
      ['route'],
    )
    this.rateLimited = registry.counter(
      'http_rate_limited_total',
      'Calls refused because their client made too many.',
    )
    this.overloaded = registry.counter(
      'http_overloaded_total',
      'Calls refused because too many were worked on.',
    )
    registry.read('gauge', 'http_streams', 'Event streams that are open.', () => this.streams())
  }

  /** `logger`, whose lines about answers are counted on their way. */
  counting(logger: Logger): Logger {
    return {
      log: (level, event, fields) => {
        if (event === ANSWERED) this.#answered(fields ?? {})
        logger.log(level, event, fields)
      },
      with: (fields) => this.counting(logger.with(fields)),
    }
  }

  #answered({ method, route: pattern, status, ms }: Parameters<Logger['log']>[2] & object): void {
    // As the API's own table writes it, and not its HTTP library.
    const route = String(pattern).replace(/:(\w+)/g, '{$1}')
    this.#answers.add({ route, method: String(method), status: String(status) })
    this.#seconds.observe({ route }, Number(ms) / 1000)
  }
}
