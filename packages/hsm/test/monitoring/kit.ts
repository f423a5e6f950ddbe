import type { LogFields, Logger } from '@quorate/base'
import {
  type HsmEvent,
  type HsmEventFact,
  type HsmEvents,
  hsmEvents,
  type Notice,
  type Notifier,
} from '@quorate/hsm'
import { NOW } from '../kit.ts'

export class Lines implements Logger {
  readonly lines: string[] = []
  log(level: string, event: string, fields: LogFields = {}): void {
    this.lines.push([level, event, ...Object.values(fields)].join(' '))
  }
  with(): Logger {
    return this
  }
}

/** A notifier that takes or refuses, as the test says. */
export class Told implements Notifier {
  readonly notices: Notice[] = []
  fails = false
  isClosed = false
  notify(notice: Notice): Promise<void> {
    if (this.fails) return Promise.reject(new Error('unreachable'))
    this.notices.push(notice)
    return Promise.resolve()
  }
  close(): void {
    this.isClosed = true
  }
}

export function heard(logger?: Logger): { readonly events: HsmEvents; readonly all: HsmEvent[] } {
  const events = hsmEvents(logger)
  const all: HsmEvent[] = []
  events.on((event) => all.push(event))
  return { events, all }
}

type Unplaced<Fact> = Fact extends unknown ? Omit<Fact, 'time' | 'component'> : never

export const fact = (
  given: Unplaced<HsmEventFact>,
  component = 'luna-1',
  time = NOW,
): HsmEventFact => ({ ...given, component, time }) as HsmEventFact
