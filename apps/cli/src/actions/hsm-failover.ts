/** hsm failover status and renew, lock and unlock: which device is used and why, what its stand-ins have left, who may sign. */
import { userInfo } from 'node:os'
import { Fault } from '@quorate/base'
import {
  type FailoverStatus,
  failoverNames,
  openRoleLocks,
  readFailoverStatus,
  unlockPhrase,
} from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import type { Given, Run } from '../command.ts'
import { confirmed } from '../confirming.ts'
import { actOnState } from '../hsm-acting.ts'
import { lockJson, timeOf } from '../hsm-shown.ts'
import { withStateRead } from '../hsm-state-copy.ts'
import { table } from '../output.ts'

const json = ({ slots, lastSwitch, emergency, fallback, ...status }: FailoverStatus): object => ({
  ...status,
  slots: slots.map(({ downBecause, since, ...slot }) => ({
    ...slot,
    state: downBecause === null ? 'up' : 'down',
    reason: downBecause,
    since: timeOf(since),
  })),
  lastSwitch: lastSwitch === null ? null : { ...lastSwitch, time: timeOf(lastSwitch.time) },
  emergency:
    emergency === null
      ? null
      : {
          isEntered: emergency.isEntered,
          used: emergency.used,
          maxTransactions: emergency.maxTransactions,
          elapsedSeconds: Math.floor(emergency.elapsedMs / 1000),
          maxTimeSeconds: emergency.maxTimeSeconds,
          allowedOperations: emergency.allowedOperations,
        },
  fallback,
})

export const status: Run = (given, output) => {
  const named = given.text('name')
  return withStateRead(given, async (state) => {
    const now = systemClock.now()
    const names = named === undefined ? failoverNames(state) : [named]
    const items = names.map((name) => readFailoverStatus(state, name, now))
    const locks = openRoleLocks({ state, clock: systemClock }).list()
    output.result({ items: items.map(json), locks: locks.map(lockJson) }, () => [
      ...(items.length === 0 ? ['No failover has been opened over this state yet.'] : []),
      ...items.flatMap(describe),
      ...locks.map(({ role, reason }) => `LOCKED: ${role ?? 'every role'}, ${reason}`),
    ])
    if (items.some(({ active }) => active === null))
      throw new Fault('hsm/unavailable', { detail: 'all devices of a failover are down' })
  })
}

function describe(status: FailoverStatus): readonly string[] {
  const { name, active, slots, switches, lastSwitch, emergency, fallback } = status
  return [
    `${name}: ${active ?? 'no device'} is used`,
    ...table([
      ['  DEVICE', 'PLACE', 'STATE', 'SINCE'],
      ...slots.map((slot) => [
        `  ${slot.name}`,
        slot.place,
        slot.downBecause === null ? 'up' : `down: ${slot.downBecause}`,
        timeOf(slot.since),
      ]),
    ]),
    `  ${switches} switches${lastSwitch === null ? '' : `, the last ${timeOf(lastSwitch.time)} from ${lastSwitch.from ?? 'none'} to ${lastSwitch.to ?? 'none'}${lastSwitch.reason === null ? '' : `: ${lastSwitch.reason}`}`}`,
    ...(emergency === null ? [] : [`  ${emergencyLine(emergency)}`]),
    ...(fallback === null
      ? []
      : [`  software fallback: ${fallback.used} of ${fallback.maxOperations} operations used`]),
  ]
}

function emergencyLine(emergency: NonNullable<FailoverStatus['emergency']>): string {
  const { used, maxTransactions, elapsedMs, maxTimeSeconds, allowedOperations } = emergency
  const seconds = Math.floor(elapsedMs / 1000)
  return emergency.isEntered
    ? `EMERGENCY: ${used} of ${maxTransactions} operations (${allowedOperations.join(', ')}) and ${seconds} of ${maxTimeSeconds} s used`
    : `emergency: not entered; ${maxTransactions} operations (${allowedOperations.join(', ')}) within ${maxTimeSeconds} s`
}

export const renew: Run = async (given, output) => {
  const name = given.required('name')
  const confirm = await confirmed(given, output, {
    word: name,
    about: 'Software keys may sign as often again as they may after a failure of all devices.',
  })
  await actOnState(given, output, 'failover/renew', { name, confirm })
}

/** Of one role, or of all. */
function roleOf(given: Given): { readonly role?: string } {
  const role = given.text('role')
  return role === undefined ? {} : { role }
}

export const lock: Run = (given, output) =>
  actOnState(given, output, 'lock', { ...roleOf(given), reason: given.required('reason') })

export const unlock: Run = async (given, output) => {
  const which = roleOf(given)
  const by = given.text('by') ?? userInfo().username
  const word = unlockPhrase(which.role)
  const confirm = await confirmed(given, output, { word, about: 'Keys will sign again.' })
  await actOnState(given, output, 'unlock', { ...which, by, confirm })
}
