/**
 * Where nodes leave a record about themselves and find those of the others. A board knows nothing of
 * what is on it: records are signed by their makers, and whoever reads one verifies it. What a board
 * hides or invents costs time, never trust.
 */
import type { Logger } from '@quorate/base'
import type { Cancel, Timers } from '../time/timers.ts'

export type Board = {
  /** Puts the own record in place of the one before it. @throws platform/discovery-unavailable */
  put(record: Uint8Array): Promise<void>
  /**
   * The others' records that stand there, by the index they are filed under, which proves nothing. May wait
   * a while for a change. @throws platform/discovery-unavailable
   */
  read(): Promise<ReadonlyMap<number, Uint8Array>>
  /** How long to wait before the next `read`. */
  readonly pauseMs: number
  close(): Promise<void>
}

/** Longer ones are not read. */
export const MAX_RECORD_BYTES = 4096
/** After which a board drops a record that was not put again, where it can. */
export const RECORD_LIFE_MS = 15_000
/** Of putting the own record. */
export const ANNOUNCE_MS = 5_000
/** While the board is away. */
const RETRY_MS = 500

export type DiscoveryOptions = {
  readonly board: Board
  /** The own record, made anew each time. */
  makeRecord(): Promise<Uint8Array>
  /** A record that was not there before; must not throw. */
  onRecord(record: Uint8Array): void
  readonly timers: Timers
  readonly logger: Logger
}

export type Discovery = { close(): Promise<void> }

/** Keeps the own record on the board and reads the others'; goes on for ever, whatever the board does. */
export function startDiscovery(options: DiscoveryOptions): Discovery {
  const { board, timers, logger } = options
  let isClosed = false
  let isWell = true
  const seen = new Map<number, string>()
  let wake: () => void = () => {}

  /** Whether it went well. An outage is logged once: the board's own words are not to be repeated. */
  const attempt = async (
    what: 'announce' | 'read',
    work: () => Promise<void>,
  ): Promise<boolean> => {
    const wasWell = isWell
    isWell = await work().then(
      () => true,
      () => false,
    )
    if (isClosed) return false
    if (wasWell && !isWell) logger.log('warn', 'discovery.failed', { what })
    if (!wasWell && isWell) logger.log('info', 'discovery.back')
    return isWell
  }
  const announce = (): Promise<boolean> =>
    attempt('announce', async () => board.put(await options.makeRecord()))
  const read = async (): Promise<void> => {
    for (const [index, record] of await board.read()) {
      const text = Buffer.from(record).toString('base64')
      if (isClosed || seen.get(index) === text) continue
      seen.set(index, text)
      options.onRecord(record)
    }
  }
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel: Cancel = timers.after(ms, resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })
  const reading = (async () => {
    for (let isDue = true; !isClosed; ) {
      // After an outage the own record is put at once, not at its next turn.
      if (isDue) isDue = !(await announce())
      if (!(await attempt('read', read))) isDue = true
      if (!isClosed) await pause(isDue ? RETRY_MS : board.pauseMs)
    }
  })()

  const stop = timers.every(ANNOUNCE_MS, () => void announce())
  return {
    close: async () => {
      isClosed = true
      stop()
      wake()
      await board.close()
      await reading
    },
  }
}
