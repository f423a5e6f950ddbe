/** kms secrets: list, get, set, delete, history, diff, rollback, undo, destroy, search. */
import { Fault, isFault } from '@quorate/base'
import type { FullPlace, KmsClient, ReadOptions, SecretValue } from '@quorate/sdk/kms'
import { type Given, integerOf, type Run } from '../../command.ts'
import { table } from '../../output.ts'
import { connectKms, placeOf, placeText, projectOf } from '../connect.ts'
import { nameAndValue, takeValue } from '../value.ts'

const MAX_VERSION = 1_000_000_000

const readOptions = (given: Given): ReadOptions => ({
  ...(given.flag('no-imports') && { imports: false }),
  ...(given.flag('no-expand') && { expand: false }),
  ...(given.flag('no-personal') && { personal: false }),
})

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`

async function collected<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export const list: Run = async (given, output) => {
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const items = await collected(connection.client.listSecrets(place, readOptions(given)))
  output.result({ ...place, items }, () =>
    items.length === 0
      ? [`No secret at ${placeText(place)}.`]
      : table([
          ['NAME', 'VERSION', 'TYPE', 'FROM', 'TAGS', 'COMMENT'],
          ...items.map((each) => [
            each.secretName,
            String(each.version),
            each.type,
            each.importedBy.length === 0 ? '' : placeText(each),
            each.tags.join(','),
            cut(each.comment.replace(/\s+/g, ' '), 40),
          ]),
        ]),
  )
}

export const get: Run = async (given, output) => {
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const read = await connection.client.readSecretAt(place, given.argument(0), readOptions(given))
  if (output.isJson) return output.result(read, () => [])
  printValue(read)
}

/** The value alone, byte for byte; a line break after text only where a person looks at it. */
function printValue({
  secretValue,
  encoding,
}: Pick<SecretValue, 'secretValue' | 'encoding'>): void {
  const { stdout } = process
  if (encoding === 'base64') {
    if (stdout.isTTY)
      throw new Fault('cli/bad-value', {
        detail: 'the secret holds bytes; write them to a file with >',
      })
    stdout.write(Buffer.from(secretValue, 'base64'))
  } else stdout.write(stdout.isTTY ? `${secretValue}\n` : secretValue)
}

export const set: Run = async (given, output) => {
  const named = nameAndValue(given.argument(0))
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const value = await takeValue(given, output, named)
  const comment = given.text('comment')
  const tags = given.list('tag')
  const ifVersion = given.integer('if-version', 1, MAX_VERSION)
  const changed = await connection.client.putSecretAt(
    place,
    {
      secretName: named.name,
      ...value,
      ...(given.flag('personal') && { type: 'personal' as const }),
      ...(given.flag('literal') && { literal: true }),
      ...(comment !== undefined && { comment }),
      ...(tags.length > 0 && { tags }),
    },
    { ...(ifVersion !== undefined && { ifVersion }) },
  )
  output.result(changed, () => [
    `${changed.secretName} at ${placeText(changed)} is version ${changed.version}.`,
  ])
}

export const remove: Run = async (given, output) => {
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const type = given.flag('personal') ? 'personal' : 'shared'
  const changed = await connection.client.deleteSecretAt(place, given.argument(0), type)
  output.result(changed, () => [
    `${changed.secretName} is deleted. quorate kms secrets rollback ${changed.id} ${changed.version - 1} brings it back.`,
  ])
}

/** The id of the secret that is meant: an id as it is, or a name in the folder itself. @throws kms/no-secret */
async function idOf(client: KmsClient, place: FullPlace, named: string): Promise<string> {
  if (/^sec_[0-9a-z]{26}$/.test(named)) return named
  try {
    return (await client.readSecretAt(place, named, { expand: false })).id
  } catch (error) {
    if (isFault(error, 'kms/no-secret'))
      throw new Fault('kms/no-secret', {
        detail: 'a deleted one is found by its id; quorate audit and search show ids',
        cause: error,
      })
    throw error
  }
}

/** The client and the id of the secret that the first argument names. */
async function theSecret(
  given: Given,
): Promise<{ readonly client: KmsClient; readonly id: string }> {
  const connection = await connectKms(given)
  const { client } = connection
  const named = given.argument(0)
  const isId = /^sec_[0-9a-z]{26}$/.test(named)
  return { client, id: isId ? named : await idOf(client, await placeOf(given, connection), named) }
}

export const history: Run = async (given, output) => {
  const { client, id } = await theSecret(given)
  const items = await collected(client.versions(id))
  output.result({ id, items }, () =>
    table([
      ['VERSION', 'AT', 'CHANGE', 'BY', 'NAME'],
      ...items.map((each) => [
        String(each.version),
        each.at,
        `${each.change}${each.contentOf === each.version ? '' : ` (as ${each.contentOf})`}${each.destroyed ? ', destroyed' : ''}`,
        each.actor,
        each.secretName,
      ]),
    ]),
  )
}

export const diff: Run = async (given, output) => {
  const { client, id } = await theSecret(given)
  const from = given.integer('from', 1, MAX_VERSION)
  const to = given.integer('to', 1, MAX_VERSION)
  const found = await client.diff(id, {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  })
  output.result(found, () =>
    found.differences.length === 0
      ? [`Versions ${found.from} and ${found.to} are the same.`]
      : found.differences.flatMap(({ field, before, after }) => [
          `${field}, version ${found.from} → ${found.to}`,
          ...lines('- ', before),
          ...lines('+ ', after),
        ]),
  )
}

const lines = (mark: string, text: string | null): readonly string[] =>
  text === null ? [`${mark}(none, or bytes)`] : text.split('\n').map((line) => mark + line)

export const rollback: Run = async (given, output) => {
  const { client, id } = await theSecret(given)
  const version = integerOf('VERSION', given.argument(1), 1, MAX_VERSION)
  const changed = await client.rollback(id, version)
  output.result(changed, () => [
    `${changed.secretName} is as in version ${version} again, as version ${changed.version}.`,
  ])
}

export const undo: Run = async (given, output) => {
  const { client, id } = await theSecret(given)
  const changed = await client.undo(id)
  output.result(changed, () => [`Undone: ${changed.secretName} is version ${changed.version}.`])
}

export const destroy: Run = async (given, output) => {
  const { client, id } = await theSecret(given)
  const version = integerOf('VERSION', given.argument(1), 1, MAX_VERSION)
  if (given.text('confirm') !== 'destroy')
    throw new Fault('cli/not-confirmed', { detail: 'the word is destroy' })
  await client.destroyVersions(id, [version])
  output.result({ id, destroyed: [version] }, () => [
    `The value of version ${version} is gone for ever.`,
  ])
}

export const search: Run = async (given, output) => {
  const connection = await connectKms(given)
  const { id } = await projectOf(given, connection)
  const environment = given.text('env')
  const path = given.text('path')
  const items = await collected(
    connection.client.search(id, {
      text: given.argument(0),
      ...(given.flag('prefix') && { match: 'prefix' as const }),
      ...(environment !== undefined && { environment }),
      ...(path !== undefined && { path }),
    }),
  )
  output.result({ items }, () =>
    items.length === 0
      ? ['Nothing found.']
      : table([
          ['NAME', 'PLACE', 'FOUND IN', 'ID'],
          ...items.map((hit) => [hit.secretName, placeText(hit), hit.matched.join(','), hit.id]),
        ]),
  )
}
