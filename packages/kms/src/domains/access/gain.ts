/**
 * Name, path, tags and environment are what rules go by, so whoever may change them could take a thing
 * out of a rule that denies, or into one that allows. A change of them is permitted where the permission
 * holds before and after, and where nobody gains anything on the thing by a change of his own.
 */
import { ACTION_NAMES, ACTIONS, type Action, type Attribute } from './actions.ts'
import type { Access, Principal, Resource } from './port.ts'

const about = (attribute: Attribute): readonly Action[] =>
  ACTION_NAMES.filter((action) => ACTIONS[action].attributes.includes(attribute))
const SECRET: readonly Action[] = about('name')
const FOLDER: readonly Action[] = about('path').filter((action) => !SECRET.includes(action))
const ENVIRONMENT: readonly Action[] = about('environment').filter(
  (action) => !SECRET.includes(action) && !FOLDER.includes(action),
)

/** What can be done with a secret, a folder or an environment that rules tell apart by their attributes. */
export const ACTIONS_ON = { secret: SECRET, folder: FOLDER, environment: ENVIRONMENT } as const

/** Whether rules could tell the two apart. */
export const isRelabelled = (before: Resource, after: Resource): boolean =>
  before.environment !== after.environment ||
  before.path !== after.path ||
  before.name !== after.name ||
  before.tags?.length !== after.tags?.length ||
  before.tags?.some((tag, i) => tag !== after.tags?.[i]) === true

/**
 * Refuses a change after which the principal may do one of the actions that he may not do before.
 * @throws kms/not-permitted naming that action, recorded as a refusal
 */
export async function refuseGain(
  access: Access,
  principal: Principal,
  actions: readonly Action[],
  before: Resource,
  after: Resource,
): Promise<void> {
  if (!isRelabelled(before, after)) return
  const may = (action: Action, resource: Resource): boolean =>
    access.authorize(principal, action, resource).allowed
  const gained = actions.find((action) => may(action, after) && !may(action, before))
  if (gained !== undefined) await access.check(principal, gained, before)
}

/**
 * Permits a change of the attributes of a thing itself.
 * @throws kms/not-permitted where `action` is, on either side of it, or something is gained
 */
export async function checkRelabelling(
  access: Access,
  principal: Principal,
  action: Action,
  actions: readonly Action[],
  before: Resource,
  after: Resource,
): Promise<void> {
  await access.check(principal, action, before)
  if (!isRelabelled(before, after)) return
  await access.check(principal, action, after)
  await refuseGain(access, principal, actions, before, after)
}
