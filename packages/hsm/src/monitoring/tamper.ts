/**
 * What the platform does when a device reports that somebody tries to open it: signing is locked, then
 * people are told. In: the device's perimeter events, those from before the start included. Out: a lock
 * that is in force at once and outlives restarts, an event (from which the alert is made), an audit record.
 *
 * An event that was dealt with is remembered, so that a restart does not lock anew what an operator has
 * unlocked, while the device still shows it.
 */
import {
  array,
  type Clock,
  type Codec,
  field,
  int,
  isFault,
  type Logger,
  record,
  TAGS,
  taggedHash,
  text,
  toHex,
  utf8,
} from '@quorate/base'
import type { HsmAuditSink } from '../audit/record.ts'
import type { HsmEvents } from '../events.ts'
import type { Tamper, TamperEvent } from '../provider.ts'
import type { HsmState } from '../state/store.ts'

export type TamperPorts = {
  readonly clock: Clock
  readonly logger: Logger
  readonly state: HsmState
  readonly events: HsmEvents
  /** Refuses all signing from the moment of the call; durable once resolved. */
  readonly locks: { lock(reason: string): Promise<void> }
  readonly audit?: HsmAuditSink | undefined
}

export type TamperWatch = {
  /** Once everything that was reported so far is on disk. */
  settled(): Promise<void>
  stop(): void
}

type Seen = { readonly time: number; readonly channel: number; readonly what: string }

/** More than a device remembers. */
const MAX_SEEN = 256
const NO_CHANNEL = 255
const seenCodec: Codec<readonly Seen[]> = array(
  record({ time: field(0, int()), channel: field(1, int(0, 255)), what: field(2, text(200)) }),
  { max: MAX_SEEN },
)

const seenOf = ({ time, channel = NO_CHANNEL, what }: TamperEvent): Seen => ({
  time: Math.max(0, Math.trunc(time)),
  channel,
  what: what.normalize('NFC').slice(0, 200),
})

/** A component may be called anything; a state may not. */
const stateName = (component: string): string =>
  `tamper/${toHex(taggedHash(TAGS.hsmState, utf8(component))).slice(0, 32)}`

/** Watches a device until it is stopped. @throws hsm/state-damaged */
export function watchTamper(device: Tamper, component: string, ports: TamperPorts): TamperWatch {
  const { clock, logger, state, events, locks, audit } = ports
  const name = stateName(component)
  const known = new Set((state.read(name, seenCodec) ?? []).map((each) => JSON.stringify(each)))
  const pending = new Set<Promise<unknown>>()

  const keep = (work: Promise<unknown>, what: string): void => {
    const kept = work
      .catch((error: unknown) => {
        logger.log('error', 'hsm/tamper-trouble', {
          component,
          what,
          code: isFault(error) ? error.code : 'unknown',
        })
      })
      .finally(() => pending.delete(kept))
    pending.add(kept)
  }

  const stop = device.onTamper((reported) => {
    const seen = seenOf(reported)
    const key = JSON.stringify(seen)
    if (known.has(key)) return
    known.add(key)
    const channel = seen.channel === NO_CHANNEL ? seen.what : `${seen.channel}: ${seen.what}`
    // Before anything else, and before this call returns: nothing is signed from here on.
    const locked = locks.lock(`tamper on ${component}, ${channel}`)
    const remembered = locked.then(() =>
      state.update(name, seenCodec, (old = []) => [...old, seen].slice(-MAX_SEEN)),
    )
    keep(remembered, 'lock')
    const time = clock.now()
    events.emit({ kind: 'tamper.detected', component, time, channel })
    if (audit !== undefined)
      keep(
        audit.append({ time, operation: 'tamper.detected', device: component, result: 'done' }),
        'audit',
      )
  })

  return {
    async settled() {
      while (pending.size > 0) await Promise.all(pending)
    },
    stop,
  }
}
