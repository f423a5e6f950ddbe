/** The roles that every project has. They cannot be changed; custom roles stand beside them. */
import type { Rule } from './model.ts'

const allow = (...actions: readonly string[]): Rule => ({ effect: 'allow', actions })

const LOOK_AROUND = ['project.read', 'environment.read', 'folder.read', 'import.read', 'tag.read']
/** To decide counts only for who is an approver of the policy. */
const ASK = [
  'access-request.create',
  'access-request.read',
  'access-request.decide',
  'operation.read',
]

const TABLE = {
  /** Everything within the scope of the grant. */
  admin: [allow('*')],
  /** Secrets and folders in full; no people, roles or keys to them. */
  developer: [allow(...LOOK_AROUND, ...ASK, 'folder.*', 'import.*', 'secret.*', 'tag.*')],
  /** Reads secrets. */
  viewer: [allow(...LOOK_AROUND, ...ASK, 'secret.list', 'secret.read')],
  /** For nodes of a signing cluster: keeps sealed backups of their shares in `/mpc-backup`, and nothing else. */
  'mpc-backup': [
    {
      effect: 'allow',
      actions: [
        'secret.create',
        'secret.read',
        'secret.list',
        'secret.update',
        'secret.delete',
        'folder.create',
      ],
      when: { paths: ['/mpc-backup'] },
    },
  ],
  /** A member who may see that the project exists, and ask for more. */
  'no-access': [allow('project.read', ...ASK)],
  /** Reads what happened and who may what, and no secret. */
  auditor: [
    allow(
      'project.read',
      'audit.read',
      'audit.verify',
      'identity.read',
      'auth-method.read',
      'token.read',
      'group.read',
      'role.read',
      'grant.read',
      'access.explain',
      'approval-policy.read',
      'access-request.read',
      'sys.status',
    ),
  ],
} as const satisfies { readonly [name: string]: readonly Rule[] }

export type BuiltInRole = keyof typeof TABLE

export const BUILT_IN_ROLES: { readonly [R in BuiltInRole]: readonly Rule[] } = TABLE

export const isBuiltInRole = (name: string): name is BuiltInRole => Object.hasOwn(TABLE, name)
