/** Identities, groups, roles and what else a KMS lists by project: paging, and finding one by name. */
import { Fault } from '@quorate/base'
import { type KmsCall, type KmsClient, targetOf } from '@quorate/sdk/kms'
import type { Given, Run } from '../command.ts'
import { table } from '../output.ts'
import { connectKms, type KmsConnection, projectOf } from './connect.ts'

export type Collection = 'identities' | 'groups' | 'roles' | 'approval-policies' | 'access-requests'

/** What all of them have. */
export type Named = { readonly id: string; readonly name: string }
/** As far as it is shown. */
type Row = { readonly [column: string]: string | boolean | null }

const IDS: { readonly [C in Collection]: RegExp } = {
  identities: /^idn_[0-9a-z]{26}$/,
  groups: /^grp_[0-9a-z]{26}$/,
  roles: /^rol_[0-9a-z]{26}$/,
  'approval-policies': /^apl_[0-9a-z]{26}$/,
  'access-requests': /^arq_[0-9a-z]{26}$/,
}
const PAGE = 500

export async function ask<T>(
  client: KmsClient,
  method: KmsCall['method'],
  target: string,
  body?: unknown,
): Promise<T> {
  return (await client.call<T>({ method, target, ...(body !== undefined && { body }) })).body
}

/** Id of the project that is meant; `undefined` for the instance as a whole. @throws cli/no-project, kms/no-project */
export async function scopeOf(
  given: Given,
  connection: KmsConnection,
): Promise<string | undefined> {
  return given.flag('instance') ? undefined : (await projectOf(given, connection)).id
}

/** What a body says of the scope. */
export const inScope = (project: string | undefined): { readonly project?: string } =>
  project === undefined ? {} : { project }

/** All of a project, or with `undefined` those of the instance itself. */
export async function listed<T>(
  client: KmsClient,
  collection: Collection,
  project: string | undefined,
): Promise<readonly T[]> {
  const all: T[] = []
  for (let cursor: string | undefined | null; cursor !== null; ) {
    const query = { project, limit: PAGE, cursor }
    const page: { readonly items: readonly T[]; readonly nextCursor: string | null } = await ask(
      client,
      'GET',
      targetOf(`/api/v1/${collection}`, {}, query),
    )
    all.push(...page.items)
    cursor = page.nextCursor
  }
  return all
}

/**
 * The id of what is named: by its id, or by its name in the project, or else in the instance.
 * @throws kms/not-found
 */
export async function idOf(
  given: Given,
  connection: KmsConnection,
  collection: Collection,
  named: string,
): Promise<string> {
  if (IDS[collection].test(named)) return named
  const project = await scopeOf(given, connection)
  for (const scope of new Set([project, undefined])) {
    const found = (await listed<Named>(connection.client, collection, scope)).find(
      ({ name }) => name === named,
    )
    if (found !== undefined) return found.id
  }
  throw new Fault('kms/not-found', { detail: named })
}

/** The connection, and the id that the first argument names. */
export async function theOne(
  given: Given,
  collection: Collection,
): Promise<{
  readonly connection: KmsConnection
  readonly client: KmsClient
  readonly id: string
}> {
  const connection = await connectKms(given)
  const id = await idOf(given, connection, collection, given.argument(0))
  return { connection, client: connection.client, id }
}

/** A command that lists them as a table of some of their columns. */
export const listOf =
  (collection: Collection, columns: readonly string[]): Run =>
  async (given, output) => {
    const connection = await connectKms(given)
    const project = await scopeOf(given, connection)
    const items = await listed<Row>(connection.client, collection, project)
    output.result({ items }, () =>
      table([
        columns.map((column) => column.toUpperCase()),
        ...items.map((row) => columns.map((column) => wordOf(row[column]))),
      ]),
    )
  }

/** A command that removes the one that is named. */
export const removeFrom =
  (collection: Collection): Run =>
  async (given, output) => {
    const { client, id } = await theOne(given, collection)
    await ask(client, 'DELETE', `/api/v1/${collection}/${id}`)
    output.result({ deleted: id }, () => [`${given.argument(0)} is gone, at once.`])
  }

/** As a table shows it. */
const wordOf = (value: Row[string] | undefined): string =>
  typeof value === 'boolean' ? (value ? 'yes' : 'no') : (value ?? '')

const UNITS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds of `30s`, `10m`, `2h`, `1d`. @throws cli/bad-value naming `option` */
export function secondsOf(option: string, text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,6})([smhd])$/.exec(text) ?? []
  if (count === undefined)
    throw new Fault('cli/bad-value', { detail: `${option} takes a time such as 30m, 8h or 90d` })
  return Number(count) * (UNITS[unit] ?? 0)
}
