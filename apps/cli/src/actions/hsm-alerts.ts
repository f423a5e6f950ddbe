/** hsm alerts list, acknowledge and resolve. */
import { userInfo } from 'node:os'
import { Fault } from '@quorate/base'
import { type Alert, alertStateOf, EVENT_SEVERITIES, listAlerts } from '@quorate/hsm'
import { type Given, integerOf, type Run } from '../command.ts'
import { actOnState } from '../hsm-acting.ts'
import { alertJson, timeOf } from '../hsm-shown.ts'
import { withStateRead } from '../hsm-state-copy.ts'
import { table } from '../output.ts'

const STATES = ['open', 'acknowledged', 'resolved'] as const

/** @throws cli/bad-value naming the known ones */
function choice<T extends string>(
  given: Given,
  option: string,
  among: readonly T[],
): T | undefined {
  const text = given.text(option)
  if (text === undefined) return undefined
  const found = among.find((each) => each === text)
  if (found !== undefined) return found
  throw new Fault('cli/bad-value', { detail: `--${option} takes ${among.join(', ')}` })
}

const detailsOf = ({ details }: Alert): string =>
  Object.entries(details)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

const rowOf = (alert: Alert): readonly string[] => [
  String(alert.id),
  alert.severity,
  alertStateOf(alert),
  alert.kind,
  alert.component,
  timeOf(alert.lastAt),
  String(alert.count),
  detailsOf(alert),
]

export const list: Run = (given, output) => {
  const filter = {
    state: choice(given, 'status', STATES),
    severity: choice(given, 'severity', EVENT_SEVERITIES),
    component: given.text('component'),
  }
  return withStateRead(given, async (state) => {
    const alerts = listAlerts(state, filter)
    output.result({ items: alerts.map(alertJson) }, () =>
      alerts.length === 0
        ? ['There is no such alert.']
        : table([
            ['ID', 'SEVERITY', 'STATE', 'KIND', 'COMPONENT', 'LAST', 'COUNT', 'DETAILS'],
            ...alerts.map(rowOf),
          ]),
    )
  })
}

const marking = (given: Given): { readonly id: number; readonly by: string } => ({
  id: integerOf('ID', given.argument(0), 1, Number.MAX_SAFE_INTEGER),
  by: given.text('by') ?? userInfo().username,
})

export const acknowledge: Run = (given, output) =>
  actOnState(given, output, 'alerts/acknowledge', marking(given))

export const resolve: Run = (given, output) =>
  actOnState(given, output, 'alerts/resolve', marking(given))
