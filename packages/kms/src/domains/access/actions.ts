/**
 * Everything that can be permitted, one table. An action is `domain.verb`; `attributes` are what a
 * condition may look at, because the resource of this action has it. A condition on anything else
 * keeps a rule from applying to the action at all, whether the rule allows or denies.
 */

/** What rules can tell resources apart by, besides the project. */
export const ATTRIBUTES = ['environment', 'path', 'name', 'tags'] as const
export type Attribute = (typeof ATTRIBUTES)[number]

type ActionRow = {
  /** Where it happens: in a project, or on the instance as a whole. */
  readonly scope: 'project' | 'instance'
  readonly access: 'read' | 'write'
  readonly attributes: readonly Attribute[]
}

const PLAIN: readonly Attribute[] = []
const ENVIRONMENT: readonly Attribute[] = ['environment']
const FOLDER: readonly Attribute[] = ['environment', 'path']
const SECRET: readonly Attribute[] = ['environment', 'path', 'name', 'tags']

const row =
  (scope: ActionRow['scope'], access: ActionRow['access']) =>
  (attributes: readonly Attribute[] = PLAIN): ActionRow => ({ scope, access, attributes })
const reads = row('project', 'read')
const writes = row('project', 'write')
const readsInstance = row('instance', 'read')
const writesInstance = row('instance', 'write')

const TABLE = {
  'project.create': writesInstance(),
  'project.list': reads(),
  'project.read': reads(),
  'project.update': writes(),
  'project.delete': writes(),
  'environment.read': reads(ENVIRONMENT),
  'environment.create': writes(ENVIRONMENT),
  'environment.update': writes(ENVIRONMENT),
  'environment.delete': writes(ENVIRONMENT),
  'folder.read': reads(FOLDER),
  'folder.create': writes(FOLDER),
  'folder.update': writes(FOLDER),
  'folder.delete': writes(FOLDER),
  'folder.restore': writes(FOLDER),
  'import.read': reads(FOLDER),
  'import.create': writes(FOLDER),
  'import.delete': writes(FOLDER),
  /** Names, tags and comments, not values. */
  'secret.list': reads(SECRET),
  /** The value. */
  'secret.read': reads(SECRET),
  'secret.create': writes(SECRET),
  'secret.update': writes(SECRET),
  'secret.delete': writes(SECRET),
  /** Values of earlier versions. */
  'secret.history': reads(SECRET),
  'secret.rollback': writes(SECRET),
  'tag.read': reads(),
  'tag.write': writes(),
  'identity.read': reads(),
  'identity.create': writes(),
  'identity.update': writes(),
  'identity.delete': writes(),
  'auth-method.read': reads(),
  'auth-method.write': writes(),
  'token.read': reads(),
  'token.create': writes(),
  'token.revoke': writes(),
  'group.read': reads(),
  'group.write': writes(),
  'role.read': reads(),
  'role.write': writes(),
  'grant.read': reads(),
  'grant.write': writes(),
  /** Asks what somebody else may do. */
  'access.explain': reads(),
  'approval-policy.read': reads(),
  'approval-policy.write': writes(),
  'access-request.read': reads(),
  'access-request.create': writes(),
  'access-request.decide': writes(),
  'access-request.revoke': writes(),
  /** Takes an access request without the approvals it needs. */
  'access-request.bypass': writes(),
  'audit.read': reads(),
  'operation.read': reads(),
  'audit.verify': readsInstance(),
  'audit.prune': writesInstance(),
  'sys.status': readsInstance(),
  'sys.seal': writesInstance(),
  'sys.rotate': writesInstance(),
  'sys.backup': writesInstance(),
  'sys.restore': writesInstance(),
} as const satisfies { readonly [action: string]: ActionRow }

export type Action = keyof typeof TABLE

export const ACTIONS: { readonly [A in Action]: ActionRow } = TABLE
export const ACTION_NAMES: readonly Action[] = Object.keys(TABLE) as Action[]

export const isAction = (text: string): text is Action => Object.hasOwn(TABLE, text)
