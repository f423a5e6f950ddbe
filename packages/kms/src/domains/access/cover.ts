/**
 * Nobody gives what he does not hold. `coverGap` proves that one list of rules permits nothing that
 * another does not, for every resource, address and time to come. The proof is sound and not complete:
 * where it is not sure, it says no.
 */
import type { Action } from './actions.ts'
import { areDisjoint, isSubnet, parseNetwork } from './cidr.ts'
import { areDisjointPatterns, coversName, coversPath } from './glob.ts'
import {
  actionsOf,
  type Conditions,
  DAYS,
  EVERYWHERE,
  endOf,
  type HeldRule,
  minutesOf,
  startOf,
} from './model.ts'

/**
 * The first action of `given` that is not wholly within `held`, or `undefined` where all are. Effects
 * of `given` do not matter: who gives or lifts a refusal needs the permission that it refuses.
 */
export function coverGap(
  held: readonly HeldRule[],
  given: readonly HeldRule[],
  now: number,
): Action | undefined {
  const index = held.map((each) => ({ each, actions: new Set(actionsOf(each.rule)) }))
  for (const want of given) {
    if (periodOf(want, now).end <= now) continue
    for (const action of actionsOf(want.rule)) {
      const relevant = index.filter(({ actions }) => actions.has(action)).map(({ each }) => each)
      const isRefused = relevant.some(
        (each) => each.rule.effect === 'deny' && !areApart(each, want, now),
      )
      const isHeld = relevant.some(
        (each) => each.rule.effect === 'allow' && contains(each, want, now),
      )
      if (isRefused || !isHeld) return action
    }
  }
  return undefined
}

type Period = { readonly start: number; readonly end: number }

/** From now on, when the rule can match. */
function periodOf({ rule, startsAt, endsAt }: HeldRule, now: number): Period {
  const { when = {} } = rule
  return {
    start: Math.max(now, startsAt, startOf(when)),
    end: Math.min(endsAt, endOf(when)),
  }
}

function contains(outer: HeldRule, inner: HeldRule, now: number): boolean {
  if (outer.scope !== EVERYWHERE && outer.scope !== inner.scope) return false
  const [a, b] = [periodOf(outer, now), periodOf(inner, now)]
  if (a.start > b.start || a.end < b.end) return false
  const [wide, narrow] = [outer.rule.when ?? {}, inner.rule.when ?? {}]
  return (
    isWithin(wide.environments, narrow.environments, coversName) &&
    isWithin(wide.paths, narrow.paths, coversPath) &&
    isWithin(wide.names, narrow.names, coversName) &&
    isWithin(wide.tags, narrow.tags, (a, b) => a === b) &&
    isWithin(wide.addresses, narrow.addresses, (a, b) =>
      isSubnet(parseNetwork(b), parseNetwork(a)),
    ) &&
    areHoursWithin(wide.hours, narrow.hours)
  )
}

/** Each entry of `narrow` lies in one of `wide`; a list that is absent is everything. */
function isWithin(
  wide: readonly string[] | undefined,
  narrow: readonly string[] | undefined,
  covers: (outer: string, inner: string) => boolean,
): boolean {
  if (wide === undefined) return true
  return narrow?.every((inner) => wide.some((outer) => covers(outer, inner))) ?? false
}

function areHoursWithin(wide: Conditions['hours'], narrow: Conditions['hours']): boolean {
  if (wide === undefined) return true
  if (narrow === undefined) return false
  return (
    minutesOf(wide.from) <= minutesOf(narrow.from) &&
    minutesOf(wide.to) >= minutesOf(narrow.to) &&
    (narrow.days ?? DAYS).every((day) => (wide.days ?? DAYS).includes(day))
  )
}

/** Whether the two surely never match the same request. */
function areApart(a: HeldRule, b: HeldRule, now: number): boolean {
  if (a.scope !== EVERYWHERE && b.scope !== EVERYWHERE && a.scope !== b.scope) return true
  const [pa, pb] = [periodOf(a, now), periodOf(b, now)]
  if (pa.end <= pb.start || pb.end <= pa.start || pa.end <= now) return true
  const [x, y] = [a.rule.when ?? {}, b.rule.when ?? {}]
  return (
    areListsApart(x.environments, y.environments, areDisjointPatterns) ||
    areListsApart(x.paths, y.paths, areDisjointPatterns) ||
    areListsApart(x.names, y.names, areDisjointPatterns) ||
    areListsApart(x.addresses, y.addresses, (s, t) => areDisjoint(parseNetwork(s), parseNetwork(t)))
  )
}

const areListsApart = (
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
  isApart: (x: string, y: string) => boolean,
): boolean => a !== undefined && b !== undefined && a.every((x) => b.every((y) => isApart(x, y)))
