/**
 * Rules as data. A rule allows or denies actions where all of its conditions hold. Roles and grants
 * are lists of rules; nothing else gives anybody anything.
 */

import { fromRfc3339 } from '@quorate/api'
import { Fault, type Id } from '@quorate/base'
import { type TSchema, Type } from '@sinclair/typebox'
import { ACTION_NAMES, ACTIONS, type Action, type Attribute, isAction } from './actions.ts'
import { parseNetwork } from './cidr.ts'
import { MAX_PATTERN, namePattern, pathPattern } from './glob.ts'

export const MAX_RULES = 64
const MAX_LIST = 16

export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
export type Day = (typeof DAYS)[number]

/** All that is given must hold. Lists hold where one entry does. */
export type Conditions = {
  /** Patterns of environment slugs. */
  readonly environments?: readonly string[] | undefined
  /** Patterns of folder paths. */
  readonly paths?: readonly string[] | undefined
  /** Patterns of names. */
  readonly names?: readonly string[] | undefined
  /** The resource carries one of these tags. */
  readonly tags?: readonly string[] | undefined
  /** RFC 3339, inclusive. */
  readonly notBefore?: string | undefined
  /** RFC 3339, exclusive. */
  readonly notAfter?: string | undefined
  /** On these days between these times of day, UTC. */
  readonly hours?: Hours | undefined
  /** Networks that the request comes from; `local` is the unix socket. */
  readonly addresses?: readonly string[] | undefined
}
export type Hours = {
  /** Every day unless told. */
  readonly days?: readonly Day[] | undefined
  /** `08:00`, inclusive. */
  readonly from: string
  /** `18:00`, exclusive; later than `from`. `24:00` is the end of the day. */
  readonly to: string
}

export type Rule = {
  readonly effect: 'allow' | 'deny'
  /** Actions, `domain.*`, or `*`. */
  readonly actions: readonly string[]
  readonly when?: Conditions | undefined
}

const list = <T extends TSchema>(item: T, maxItems: number = MAX_LIST) =>
  Type.Array(item, { minItems: 1, maxItems })
const pattern = Type.String({ minLength: 1, maxLength: MAX_PATTERN })
const time = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' })
const timeOfDay = Type.String({ pattern: '^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$' })

export const ruleSchema = Type.Object(
  {
    effect: Type.Union([Type.Literal('allow'), Type.Literal('deny')]),
    actions: list(Type.String({ pattern: '^(\\*|[a-z-]{1,32}\\.([a-z-]{1,32}|\\*))$' })),
    when: Type.Optional(
      Type.Object(
        {
          environments: Type.Optional(list(pattern)),
          paths: Type.Optional(list(pattern)),
          names: Type.Optional(list(pattern)),
          tags: Type.Optional(list(Type.String({ minLength: 1, maxLength: 64 }))),
          notBefore: Type.Optional(time),
          notAfter: Type.Optional(time),
          hours: Type.Optional(
            Type.Object(
              {
                days: Type.Optional(list(Type.Union(DAYS.map((day) => Type.Literal(day))), 7)),
                from: timeOfDay,
                to: timeOfDay,
              },
              { additionalProperties: false },
            ),
          ),
          addresses: Type.Optional(list(Type.String({ minLength: 1, maxLength: 64 }))),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, title: 'AccessRule' },
)
export const rulesSchema = Type.Array(ruleSchema, { maxItems: MAX_RULES })

const CONDITIONED: { readonly [A in Attribute]: keyof Conditions } = {
  environment: 'environments',
  path: 'paths',
  name: 'names',
  tags: 'tags',
}
const ATTRIBUTE_CONDITIONS = Object.entries(CONDITIONED) as readonly (readonly [
  Attribute,
  keyof Conditions,
])[]

/** The attributes that the conditions look at. */
export const attributesOf = (when: Conditions): readonly Attribute[] =>
  ATTRIBUTE_CONDITIONS.filter(([, name]) => when[name] !== undefined).map(([each]) => each)

/** The actions that the rule is about: named by it, and with every attribute that it looks at. */
export function actionsOf({ actions, when = {} }: Rule): readonly Action[] {
  const attributes = attributesOf(when)
  return ACTION_NAMES.filter(
    (action) =>
      actions.some((each) => names(each, action)) &&
      attributes.every((each) => ACTIONS[action].attributes.includes(each)),
  )
}

const names = (entry: string, action: Action): boolean =>
  entry === '*' ||
  entry === action ||
  (entry.endsWith('.*') && action.startsWith(entry.slice(0, -1)))

/** Minutes since midnight of `08:30`. */
export const minutesOf = (time: string): number =>
  Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

/**
 * The rules, if every part of them can mean something: known actions, patterns and networks in form,
 * and at least one action that has the attributes looked at. @throws kms/bad-rule naming the rule
 */
export function checkRules(rules: readonly Rule[]): readonly Rule[] {
  rules.forEach((rule, i) => {
    try {
      checkRule(rule)
    } catch (error) {
      const detail = error instanceof Fault ? (error.detail ?? error.message) : 'it has no form'
      throw new Fault('kms/bad-rule', { detail: `rule ${i + 1}: ${detail}`, cause: error })
    }
  })
  return rules
}

function checkRule(rule: Rule): void {
  const { actions, when = {} } = rule
  const refuse = (detail: string): never => {
    throw new Fault('kms/bad-rule', { detail })
  }
  for (const entry of actions)
    if (
      entry.endsWith('*') ? !ACTION_NAMES.some((action) => names(entry, action)) : !isAction(entry)
    )
      refuse('it names an action that does not exist')
  for (const each of when.environments ?? []) namePattern(each)
  for (const each of when.names ?? []) namePattern(each)
  for (const each of when.paths ?? []) pathPattern(each)
  for (const each of when.addresses ?? []) parseNetwork(each)
  if (when.hours !== undefined && minutesOf(when.hours.from) >= minutesOf(when.hours.to))
    refuse('its hours end before they begin; write two rules for a night')
  if (startOf(when) >= endOf(when)) refuse('it ends before it begins')
  if (actionsOf(rule).length === 0)
    refuse('none of its actions has what its conditions look at, so it could never apply')
}

/** Milliseconds since the epoch from which, and before which, the conditions can hold. */
export const startOf = ({ notBefore }: Conditions): number =>
  notBefore === undefined ? Number.NEGATIVE_INFINITY : fromRfc3339(notBefore)
export const endOf = ({ notAfter }: Conditions): number =>
  notAfter === undefined ? Number.POSITIVE_INFINITY : fromRfc3339(notAfter)

/** The instance and all projects; what a grant is for that is not for one project. */
export const EVERYWHERE = '*'
export type Scope = Id<'prj'> | typeof EVERYWHERE

/** A rule as somebody holds it. */
export type HeldRule = {
  readonly rule: Rule
  /** Where it stands: `role:viewer/1:grt_…`. For explanations and audit records. */
  readonly label: string
  readonly scope: Scope
  /** Milliseconds since the epoch; in force from `startsAt` up to but not including `endsAt`. */
  readonly startsAt: number
  readonly endsAt: number
}
