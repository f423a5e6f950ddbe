/**
 * One alert: what it says, how it is kept in the state of the HSM layer, and how it is made of an event.
 */
import {
  array,
  bool,
  type Codec,
  field,
  int,
  oneOf,
  optional,
  record,
  text,
  union,
} from '@quorate/base'
import {
  EVENT_KINDS,
  EVENT_SEVERITIES,
  type EventKind,
  type EventSeverity,
  type HsmEvent,
} from '../events.ts'
import type { HsmState } from '../state/store.ts'

/** By whom and when, in milliseconds since the epoch. */
export type AlertMark = { readonly by: string; readonly at: number }

export type AlertDetail = string | number | boolean

export type Alert = {
  /** Counts from 1, and is never used again. */
  readonly id: number
  readonly kind: EventKind
  readonly severity: EventSeverity
  readonly component: string
  /** Role, limit, sink or channel, where a part can have several troubles of one kind. */
  readonly subject: string
  /** Of the latest event. */
  readonly details: { readonly [name: string]: AlertDetail }
  readonly raisedAt: number
  readonly lastAt: number
  /** Events that it stands for. */
  readonly count: number
  readonly acknowledged?: AlertMark | undefined
  readonly resolved?: AlertMark | undefined
  /** Whether people were told that it was raised. */
  readonly isTold: boolean
}

export type AlertState = 'open' | 'acknowledged' | 'resolved'

export const alertStateOf = ({ acknowledged, resolved }: Alert): AlertState =>
  resolved !== undefined ? 'resolved' : acknowledged !== undefined ? 'acknowledged' : 'open'

export type AlertFilter = {
  readonly state?: AlertState | undefined
  readonly severity?: EventSeverity | undefined
  readonly component?: string | undefined
}

export const MAX_ALERTS = 500
const MAX_TEXT = 200
const SUBJECTS = ['role', 'limit', 'sink', 'channel', 'what'] as const

const short = text(MAX_TEXT * 2)
const mark: Codec<AlertMark> = record({ by: field(0, short), at: field(1, int()) })
const detail = record({
  name: field(0, text(64)),
  value: field(
    1,
    union({
      text: [0, short],
      int: [1, int(Number.MIN_SAFE_INTEGER)],
      bool: [2, bool],
    }),
  ),
})
type StoredDetail = { readonly name: string; readonly value: StoredValue }
type StoredValue =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
export type StoredAlert = Omit<Alert, 'details'> & { readonly details: readonly StoredDetail[] }
export type Book = {
  readonly v: 1
  readonly lastId: number
  readonly alerts: readonly StoredAlert[]
}

export const bookCodec: Codec<Book> = record({
  v: field(0, oneOf(1)),
  lastId: field(1, int()),
  alerts: field(
    2,
    array(
      record({
        id: field(0, int(1)),
        kind: field(1, oneOf(...EVENT_KINDS)),
        severity: field(2, oneOf(...EVENT_SEVERITIES)),
        component: field(3, short),
        subject: field(4, short),
        details: field(5, array(detail, { max: 16 })),
        raisedAt: field(6, int()),
        lastAt: field(7, int()),
        count: field(8, int(1)),
        acknowledged: optional(9, mark),
        resolved: optional(10, mark),
        isTold: field(11, bool),
      }),
      { max: MAX_ALERTS },
    ),
  ),
})
/** Its name in the state. */
export const ALERTS = 'alerts'
export const EMPTY_BOOK: Book = { v: 1, lastId: 0, alerts: [] }

/** The alerts that `state` keeps, newest first. @throws hsm/state-damaged */
export function listAlerts(state: HsmState, filter: AlertFilter = {}): readonly Alert[] {
  const { state: wanted, severity, component } = filter
  return (state.read(ALERTS, bookCodec) ?? EMPTY_BOOK).alerts
    .map(shown)
    .filter(
      (alert) =>
        (wanted === undefined || alertStateOf(alert) === wanted) &&
        (severity === undefined || alert.severity === severity) &&
        (component === undefined || alert.component === component),
    )
    .reverse()
}

/** Text as it fits into an alert. */
export const clipped = (value: string): string =>
  Array.from(value.normalize('NFC')).slice(0, MAX_TEXT).join('')

/** The alert as it is shown. */
export function shown({ details, ...alert }: StoredAlert): Alert {
  return {
    ...alert,
    details: Object.fromEntries(details.map(({ name, value }) => [name, value.value])),
  }
}

function factsOf(event: HsmEvent): readonly (readonly [string, unknown])[] {
  const { kind: _kind, time: _time, component: _component, severity: _severity, ...facts } = event
  return Object.entries(facts)
}

/** What tells troubles of one kind and part apart; may be empty. */
export function subjectOf(event: HsmEvent): string {
  const facts = new Map(factsOf(event))
  return clipped(
    SUBJECTS.map((name) => facts.get(name))
      .filter((value) => typeof value === 'string')
      .join(' '),
  )
}

/** What the event tells, flat: of an object each value for itself, of a list its text. */
export function detailsOf(event: HsmEvent): readonly StoredDetail[] {
  return factsOf(event).flatMap(([name, value]): readonly StoredDetail[] => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    const pairs = isObject ? Object.entries(value) : [[name, value] as const]
    return pairs.map(([key, each]) => ({ name: key.slice(0, 64), value: storedValue(each) }))
  })
}

function storedValue(value: unknown): StoredValue {
  if (typeof value === 'boolean') return { kind: 'bool', value }
  if (typeof value === 'number' && Number.isSafeInteger(value)) return { kind: 'int', value }
  return { kind: 'text', value: clipped(Array.isArray(value) ? value.join(', ') : String(value)) }
}

/** At most `MAX_ALERTS`: the oldest that are resolved go first, then the oldest of the least grave. */
export function bounded(alerts: readonly StoredAlert[]): readonly StoredAlert[] {
  if (alerts.length <= MAX_ALERTS) return alerts
  const gravity = ({ resolved, severity }: StoredAlert): number =>
    resolved !== undefined ? -1 : EVENT_SEVERITIES.indexOf(severity)
  let given = alerts[0]!
  for (const alert of alerts) if (gravity(alert) < gravity(given)) given = alert
  return alerts.filter((alert) => alert !== given)
}
