/** Server-sent events (HTML Living Standard, section 9.2) from an asynchronous source. */
import { Readable } from 'node:stream'
import { toProblem } from '@quorate/api'
import type { Timers } from '../time/timers.ts'
import type { ServerEvent } from './route.ts'

/** Proxies close connections that are silent for about a minute. */
const KEEP_ALIVE_MS = 15_000

// JSON text has no line breaks, so each event is one data line.
const encode = ({ event, data, id }: ServerEvent): string =>
  `${id === undefined ? '' : `id: ${oneLine(id)}\n`}event: ${oneLine(event)}\ndata: ${JSON.stringify(data)}\n\n`
const oneLine = (text: string): string => text.replace(/[\r\n\0]/g, ' ')

export type EventStreamOptions = {
  readonly requestId: string
  readonly signal: AbortSignal
  readonly timers: Timers
  /** Told of an error in the source, which is sent as event `problem` and ends the stream. */
  onError(error: unknown): void
}

/** The stream to answer with; it ends when the source does or the signal is aborted. */
export function eventStream(
  source: AsyncIterable<ServerEvent>,
  options: EventStreamOptions,
): Readable {
  const stop = new Promise<'stop'>((resolve) => {
    if (options.signal.aborted) resolve('stop')
    options.signal.addEventListener('abort', () => resolve('stop'), { once: true })
  })
  async function* lines(): AsyncGenerator<string> {
    const iterator = source[Symbol.asyncIterator]()
    try {
      // The first bytes take the headers with them, so that the client knows it is connected.
      yield ': open\n\n'
      let next = iterator.next()
      for (;;) {
        let cancel = (): void => {}
        const silence = new Promise<'silence'>((resolve) => {
          cancel = options.timers.after(KEEP_ALIVE_MS, () => resolve('silence'))
        })
        const first = await Promise.race([next, stop, silence])
        cancel()
        if (first === 'stop') return
        if (first === 'silence') yield ': still here\n\n'
        else if (first.done === true) return
        else {
          yield encode(first.value)
          next = iterator.next()
        }
      }
    } catch (error) {
      options.onError(error)
      yield encode({ event: 'problem', data: toProblem(error, options.requestId) })
    } finally {
      // Not awaited: a source in the middle of waiting would answer only after its next event.
      iterator.return?.().catch(() => {})
    }
  }
  return Readable.from(lines(), { objectMode: false, encoding: 'utf8' })
}
