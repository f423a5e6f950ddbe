/** kms identities and groups: who there is, what they hold, and what they sign in with. */
import { Fault, toHex } from '@quorate/base'
import type { Given, Run } from '../../command.ts'
import { readJson, writeNew } from '../../files.ts'
import { createApproverKey, readApproverKey } from '../approver-key.ts'
import { connectKms } from '../connect.ts'
import {
  ask,
  type Collection,
  idOf,
  inScope,
  listOf,
  removeFrom,
  scopeOf,
  secondsOf,
  theOne,
} from '../documents.ts'

type Grant = {
  readonly id: string
  readonly project: string | null
  readonly role?: string
  readonly endsAt?: string
}
type Group = { readonly id: string; readonly name: string; readonly grants: readonly Grant[] }
type Identity = Group & {
  readonly kind: string
  readonly project: string | null
  readonly isActive: boolean
  readonly groups: readonly string[]
  readonly authMethods: readonly string[]
  readonly approverKeys: readonly { readonly id: string; readonly name: string }[]
}

export const listIdentities: Run = listOf('identities', ['name', 'kind', 'isActive', 'id'])
export const listGroups: Run = listOf('groups', ['name', 'id'])
export const removeIdentity: Run = removeFrom('identities')
export const removeGroup: Run = removeFrom('groups')

export const createIdentity: Run = async (given, output) => {
  const connection = await connectKms(given)
  const isPerson = given.flag('person')
  // People belong to the instance, and hold grants in projects.
  const project = isPerson ? undefined : await scopeOf(given, connection)
  const made = await ask<Identity>(connection.client, 'POST', '/api/v1/identities', {
    kind: isPerson ? 'user' : 'machine',
    name: given.argument(0),
    ...inScope(project),
  })
  output.result(made, () => [
    `${made.name} is there: ${made.id}`,
    `It may nothing yet: quorate kms identities grant ${made.id} ROLE`,
  ])
}

export const renameIdentity: Run = async (given, output) => {
  const { client, id } = await theOne(given, 'identities')
  const name = given.argument(1)
  const changed = await ask<Identity>(client, 'PATCH', `/api/v1/identities/${id}`, { name })
  output.result(changed, () => [`${given.argument(0)} is called ${changed.name} from now on.`])
}

/** Puts identities into action, or out of it; each by itself, in the order given. */
const activity =
  (isActive: boolean): Run =>
  async (given, output) => {
    const connection = await connectKms(given)
    const items: Identity[] = []
    for (const named of given.arguments) {
      const id = await idOf(given, connection, 'identities', named)
      const target = `/api/v1/identities/${id}`
      items.push(await ask<Identity>(connection.client, 'PATCH', target, { isActive }))
    }
    output.result({ items }, () =>
      items.map(({ name }) =>
        isActive
          ? `${name} may sign in again, by whatever it has.`
          : `${name} is out of action, at once; its tokens and secrets wait.`,
      ),
    )
  }
export const activateIdentities: Run = activity(true)
export const deactivateIdentities: Run = activity(false)

export const createGroup: Run = async (given, output) => {
  const connection = await connectKms(given)
  const made = await ask<Group>(connection.client, 'POST', '/api/v1/groups', {
    name: given.argument(0),
    ...inScope(await scopeOf(given, connection)),
  })
  output.result(made, () => [`Group ${made.name} is there: ${made.id}`])
}

const grantLines = (grants: readonly Grant[]): readonly string[] =>
  grants.map(
    ({ id, role, project, endsAt }) =>
      `  ${id}  ${role ?? 'rules of its own'}  ${project ?? 'the whole instance'}${endsAt === undefined ? '' : `  until ${endsAt}`}`,
  )

export const showIdentity: Run = async (given, output) => {
  const { client, id } = await theOne(given, 'identities')
  const found = await ask<Identity>(client, 'GET', `/api/v1/identities/${id}`)
  output.result(found, () => [
    `${found.name} (${found.kind}, ${id})${found.isActive ? '' : ', out of action'}`,
    `project      ${found.project ?? 'none: of the instance'}`,
    `groups       ${found.groups.join(', ') || 'none'}`,
    `signs in by  ${found.authMethods.join(', ') || 'nothing yet'}`,
    `approves by  ${found.approverKeys.map(({ id: key, name }) => `${name} (${key})`).join(', ') || 'no key'}`,
    `grants${found.grants.length === 0 ? '       none' : ''}`,
    ...grantLines(found.grants),
  ])
}

export const showGroup: Run = async (given, output) => {
  const { client, id } = await theOne(given, 'groups')
  const found = await ask<Group>(client, 'GET', `/api/v1/groups/${id}`)
  output.result(found, () => [`${found.name} (${id})`, ...grantLines(found.grants)])
}

const grantTo =
  (collection: 'identities' | 'groups'): Run =>
  async (given, output) => {
    const { connection, client, id } = await theOne(given, collection)
    const [, named] = given.arguments
    const rules = given.text('rules')
    if ((named === undefined) === (rules === undefined))
      throw new Fault('cli/missing-argument', { detail: 'ROLE, or --rules' })
    const [life, until, reason] = [given.text('for'), given.text('until'), given.text('reason')]
    const grant = await ask<Grant>(client, 'POST', `/api/v1/${collection}/${id}/grants`, {
      ...inScope(await scopeOf(given, connection)),
      ...(named !== undefined && { role: await idOf(given, connection, 'roles', named) }),
      ...(rules !== undefined && { rules: readJson(rules) }),
      ...(life !== undefined && { durationSeconds: secondsOf('--for', life) }),
      ...(until !== undefined && { endsAt: timeOf(until) }),
      ...(reason !== undefined && { reason }),
    })
    output.result(grant, () => [`Granted${endOf(grant)}: ${grant.id}`])
  }

const endOf = ({ endsAt }: Grant): string => (endsAt === undefined ? '' : ` until ${endsAt}`)

/** @throws cli/bad-value */
function timeOf(text: string): string {
  const ms = Date.parse(text)
  if (Number.isNaN(ms))
    throw new Fault('cli/bad-value', { detail: '--until takes a time such as 2026-01-31T14:05Z' })
  return new Date(ms).toISOString()
}

const revokeFrom =
  (collection: Collection): Run =>
  async (given, output) => {
    const { client, id } = await theOne(given, collection)
    const grant = given.argument(1)
    await ask(client, 'DELETE', `/api/v1/${collection}/${id}/grants/${encodeURIComponent(grant)}`)
    output.result({ id, revoked: grant }, () => [`${grant} is taken away, at once.`])
  }

export const grantToIdentity: Run = grantTo('identities')
export const grantToGroup: Run = grantTo('groups')
export const revokeFromIdentity: Run = revokeFrom('identities')
export const revokeFromGroup: Run = revokeFrom('groups')

/** Puts an identity into a group, or takes it out. */
const membership =
  (isMember: boolean): Run =>
  async (given, output) => {
    const { connection, client, id: group } = await theOne(given, 'groups')
    const id = await idOf(given, connection, 'identities', given.argument(1))
    const target = `/api/v1/identities/${id}`
    const { body, etag } = await client.call<Identity>({ method: 'GET', target })
    const others = body.groups.filter((each) => each !== group)
    const groups = isMember ? [...others, group] : others
    await client.call({
      method: 'PATCH',
      target,
      body: { groups },
      // Another change meanwhile must not be lost.
      headers: { ...(etag !== undefined && { 'if-match': etag }) },
    })
    output.result({ identity: id, group, isMember }, () => [
      `${body.name} is ${isMember ? 'in' : 'no longer in'} ${given.argument(0)}.`,
    ])
  }
export const addMember: Run = membership(true)
export const removeMember: Run = membership(false)

export const createSecret: Run = async (given, output) => {
  const { client, id } = await theOne(given, 'identities')
  const [life, description] = [given.text('for'), given.text('description')]
  const maxUses = given.integer('uses', 1, 1_000_000)
  const { clientSecret, secret } = await ask<{
    readonly clientSecret: string
    readonly secret: { readonly id: string; readonly expiresAt: string }
  }>(client, 'POST', `/api/v1/identities/${id}/client-secrets`, {
    ...(description !== undefined && { description }),
    ...(life !== undefined && { ttlSeconds: secondsOf('--for', life) }),
    ...(maxUses !== undefined && { maxUses }),
  })
  const file = given.text('output')
  if (file !== undefined) writeNew(file, `${clientSecret}\n`)
  const shown = file === undefined ? { clientSecret } : { file }
  output.result({ clientId: id, ...shown, secret }, () => [
    `client id      ${id}`,
    file === undefined
      ? `client secret  ${clientSecret}`
      : `client secret  in ${file}, which only you can read`,
    `until          ${secret.expiresAt}`,
    'It is shown this once; the KMS does not keep it.',
  ])
}

export const removeSecret: Run = async (given, output) => {
  const { client, id } = await theOne(given, 'identities')
  const secret = given.argument(1)
  const target = `/api/v1/identities/${id}/client-secrets/${encodeURIComponent(secret)}`
  await ask(client, 'DELETE', target)
  output.result({ id, removed: secret }, () => [`${secret} no longer signs anybody in.`])
}

/** An approver makes and keeps the key; whoever enrols it sees the public half only. */
export const createKey: Run = async (given, output) => {
  const path = given.argument(0)
  const publicKey = createApproverKey(path)
  output.result({ path, publicKey }, () => [
    `The key is in ${path}, which only you can read. Its public half:`,
    `  ${publicKey}`,
    'Have it enrolled: quorate kms identities approver-key YOUR-NAME --public KEY',
  ])
}

export const approverKey: Run = async (given, output) => {
  const { client, id } = await theOne(given, 'identities')
  const keys = `/api/v1/identities/${id}/approver-keys`
  const gone = given.text('remove')
  if (gone !== undefined) {
    await ask(client, 'DELETE', `${keys}/${encodeURIComponent(gone)}`)
    output.result({ id, removed: gone }, () => [`${gone} approves nothing any more.`])
    return
  }
  const added = await ask<{ readonly id: string; readonly publicKey: string }>(
    client,
    'POST',
    keys,
    { name: given.text('name') ?? 'approver', publicKey: publicKeyOf(given) },
  )
  output.result(added, () => [`${added.publicKey} is enrolled as ${added.id}.`])
}

/** @throws cli/missing-argument, cli/bad-file */
function publicKeyOf(given: Given): string {
  const [named, file] = [given.text('public'), given.text('key')]
  if (named !== undefined) return named
  if (file !== undefined) return toHex(readApproverKey(file).publicKey)
  throw new Fault('cli/missing-argument', { detail: '--public, --key or --remove' })
}

/** What client id and secret give unless a file says otherwise. */
const UNIVERSAL = {
  limits: { ttlSeconds: 3600, maxTtlSeconds: 86_400, maxUses: 0, addresses: [] },
}

export const loginMethod: Run = async (given, output) => {
  const { client, id } = await theOne(given, 'identities')
  const method = given.argument(1)
  const target = `/api/v1/identities/${id}/auth-methods/${encodeURIComponent(method)}`
  if (given.flag('remove')) {
    await ask(client, 'DELETE', target)
    output.result({ id, removed: method }, () => [`No longer by ${method}.`])
    return
  }
  const file = given.text('settings')
  const settings = file === undefined ? undefined : readJson(file)
  if (settings === undefined && method !== 'universal')
    throw new Fault('cli/missing-argument', { detail: '--settings' })
  const changed = await ask<Identity>(client, 'PUT', target, settings ?? UNIVERSAL)
  output.result(changed, () => [`${changed.name} signs in by ${changed.authMethods.join(', ')}.`])
}
