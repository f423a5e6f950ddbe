/** Identities, groups and grants as JSON, and the schemas of what comes in. No secret is ever among them. */
import { fromRfc3339 } from '@quorate/api'
import { Fault } from '@quorate/base'
import { type Static, Type } from '@sinclair/typebox'
import type { Grant } from '../access/grant.ts'
import { rulesSchema } from '../access/model.ts'
import {
  idOf,
  nameText,
  projectOf,
  rfc,
  scopeOf,
  seconds,
  shortText,
  strict,
  time,
} from '../access/schema.ts'
import type { NewGrant } from './grant-service.ts'
import type { ApproverKey, Group, Identity } from './model.ts'

const MAX_DURATION_SECONDS = 10 * 366 * 86_400

export const newIdentitySchema = Type.Object(
  {
    kind: Type.Union([Type.Literal('user'), Type.Literal('machine')]),
    name: nameText,
    project: Type.Optional(idOf('prj')),
  },
  strict,
)
export const identityChangeSchema = Type.Object(
  {
    name: Type.Optional(nameText),
    isActive: Type.Optional(Type.Boolean()),
    groups: Type.Optional(Type.Array(idOf('grp'), { maxItems: 64 })),
  },
  strict,
)
export const newGroupSchema = Type.Object(
  { name: nameText, project: Type.Optional(idOf('prj')) },
  strict,
)

/** A role or rules; for good, between two times, or for a time from now. */
export const newGrantSchema = Type.Object(
  {
    project: Type.Optional(idOf('prj')),
    role: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9_-]{0,63}$' })),
    rules: Type.Optional(rulesSchema),
    startsAt: Type.Optional(time),
    endsAt: Type.Optional(time),
    durationSeconds: Type.Optional(seconds(MAX_DURATION_SECONDS)),
    reason: Type.Optional(shortText(512)),
  },
  strict,
)
export type NewGrantJson = Static<typeof newGrantSchema>

export const approverKeySchema = Type.Object(
  { name: nameText, publicKey: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
  strict,
)

/** @throws kms/bad-grant where both an end and a duration are given, base/malformed for a date that is none */
export function grantOf(json: NewGrantJson, now: number): NewGrant {
  const { project, role, rules, startsAt, endsAt, durationSeconds, reason } = json
  if (endsAt !== undefined && durationSeconds !== undefined)
    throw new Fault('kms/bad-grant', { detail: 'give endsAt or durationSeconds' })
  const start = startsAt === undefined ? undefined : fromRfc3339(startsAt)
  const end =
    durationSeconds === undefined
      ? endsAt === undefined
        ? undefined
        : fromRfc3339(endsAt)
      : (start ?? now) + durationSeconds * 1000
  return { scope: scopeOf(project), role, rules, startsAt: start, endsAt: end, reason }
}

export const grantAnswer = Type.Object(
  {
    id: Type.String(),
    project: Type.Union([Type.String(), Type.Null()]),
    role: Type.Optional(Type.String()),
    rules: Type.Optional(rulesSchema),
    startsAt: Type.Optional(Type.String()),
    endsAt: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
    by: Type.String(),
    at: Type.String(),
    request: Type.Optional(Type.String()),
  },
  { title: 'Grant' },
)
export const grantJson = ({
  id,
  scope,
  role,
  rules,
  startsAt,
  endsAt,
  reason,
  by,
  at,
  request,
}: Grant) => ({
  id,
  project: projectOf(scope) ?? null,
  role,
  rules,
  startsAt: rfc(startsAt),
  endsAt: rfc(endsAt),
  reason,
  by,
  at: rfc(at),
  request,
})

export const keyAnswer = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    scheme: Type.String(),
    publicKey: Type.String(),
    createdAt: Type.String(),
  },
  { title: 'ApproverKey' },
)
export const keyJson = ({ id, name, scheme, publicKey, createdAt }: ApproverKey) => ({
  id,
  name,
  scheme,
  publicKey,
  createdAt: rfc(createdAt),
})

export const identityAnswer = Type.Object(
  {
    id: Type.String(),
    kind: Type.String(),
    name: Type.String(),
    project: Type.Union([Type.String(), Type.Null()]),
    isActive: Type.Boolean(),
    groups: Type.Array(Type.String()),
    grants: Type.Array(grantAnswer),
    approverKeys: Type.Array(keyAnswer),
    authMethods: Type.Array(Type.String()),
    createdAt: Type.String(),
    createdBy: Type.String(),
    version: Type.Integer(),
  },
  { title: 'Identity' },
)
export const identityJson = ({ id, name, project, version, body }: Identity) => ({
  id,
  kind: body.kind,
  name,
  project: projectOf(project) ?? null,
  isActive: body.isActive,
  groups: body.groups,
  grants: body.grants.map(grantJson),
  approverKeys: body.approverKeys.map(keyJson),
  authMethods: Object.entries(body.methods).flatMap(([method, settings]) =>
    settings === undefined ? [] : [method],
  ),
  createdAt: rfc(body.createdAt),
  createdBy: body.createdBy,
  version,
})

export const groupAnswer = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    project: Type.Union([Type.String(), Type.Null()]),
    grants: Type.Array(grantAnswer),
    createdAt: Type.String(),
    version: Type.Integer(),
  },
  { title: 'Group' },
)
export const groupJson = ({ id, name, project, version, body }: Group) => ({
  id,
  name,
  project: projectOf(project) ?? null,
  grants: body.grants.map(grantJson),
  createdAt: rfc(body.createdAt),
  version,
})
