/** kms export and import, folders, restore of a folder: whole places at once. */
import { existsSync } from 'node:fs'
import { Fault, fromUtf8 } from '@quorate/base'
import type { FileFormat, Folder, FullPlace, KmsClient, RestorePlan } from '@quorate/sdk/kms'
import type { Given, Run } from '../../command.ts'
import { readBytes, writeNew } from '../../files.ts'
import { type Output, table } from '../../output.ts'
import { connectKms, placeOf, placeText } from '../connect.ts'

const FORMATS: readonly FileFormat[] = ['env', 'json', 'yaml']

/** @throws cli/bad-value */
function formatOf(given: Given, path?: string): FileFormat {
  const named =
    given.text('format') ?? /\.(json|ya?ml)$/.exec(path ?? '')?.[1]?.replace('yml', 'yaml')
  if (named === undefined) return 'env'
  const found = FORMATS.find((format) => format === named)
  if (found === undefined)
    throw new Fault('cli/bad-value', { detail: `--format is one of ${FORMATS.join(', ')}` })
  return found
}

export const exportFile: Run = async (given, output) => {
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const out = given.text('output')
  const file = await connection.client.exportSecrets(place, formatOf(given, out), {
    ...(given.flag('no-expand') && { expand: false }),
    ...(given.flag('no-imports') && { imports: false }),
  })
  if (file.binary > 0)
    output.note(`${file.binary} secrets hold bytes and are left out; kms secrets get gives them.`)
  if (out !== undefined) writeNew(out, file.content)
  if (output.isJson || out !== undefined) {
    output.result(out === undefined ? file : { path: out, count: file.count }, () => [
      `${file.count} secrets written to ${out}, which only you can read.`,
    ])
  } else process.stdout.write(file.content)
}

export const importFile: Run = async (given, output) => {
  const path = given.argument(0)
  if (path !== '-' && !existsSync(path)) throw new Fault('cli/file-not-found', { detail: path })
  const content = fromUtf8(readBytes(path))
  if (content === undefined) throw new Fault('cli/bad-file', { detail: `${path} is not UTF-8` })
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const onConflict = given.flag('overwrite') ? 'overwrite' : given.flag('keep') ? 'keep' : 'fail'
  const done = await connection.client.importSecrets(place, {
    format: formatOf(given, path),
    content,
    onConflict,
    ...(given.flag('literal') && { literal: true }),
    ...(given.flag('dry-run') && { dryRun: true }),
  })
  const row = (what: string, names: readonly string[]): readonly string[] =>
    names.length === 0 ? [] : [`${what}: ${names.join(', ')}`]
  output.result(done, () => [
    `${done.dryRun ? 'Would be stored' : 'Stored'} at ${placeText(place)}:`,
    ...row('  new', done.created),
    ...row('  changed', done.updated),
    ...row('  as they were', done.unchanged),
  ])
}

export const folders: Run = async (given, output) => {
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const items = await connection.client.folders(place)
  output.result({ items }, () =>
    table([
      ['PATH', 'IMPORTS', 'ID'],
      ...items.map((each) => [each.path, each.imports.map((one) => one.place).join(' '), each.id]),
    ]),
  )
}

/** The folder at a place. @throws kms/no-folder */
async function folderAt(client: KmsClient, place: FullPlace): Promise<Folder> {
  const [found] = await client.folders(place)
  if (found === undefined) throw new Fault('kms/no-folder', { detail: placeText(place) })
  return found
}

export const createFolder: Run = async (given, output) => {
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const made = await connection.client.createFolder({ ...place, path: given.argument(0) })
  output.result(made, () => [`Folder ${placeText(made)} is there.`])
}

export const deleteFolder: Run = async (given, output) => {
  const connection = await connectKms(given)
  const place = { ...(await placeOf(given, connection)), path: given.argument(0) }
  const { id } = await folderAt(connection.client, place)
  await connection.client.deleteFolder(id, given.flag('recursive'))
  output.result({ id, deleted: placeText(place) }, () => [
    `${placeText(place)} is deleted; kms restore of the folder above brings it back.`,
  ])
}

export const renameFolder: Run = async (given, output) => {
  const connection = await connectKms(given)
  const place = { ...(await placeOf(given, connection)), path: given.argument(0) }
  const { id } = await folderAt(connection.client, place)
  const renamed = await connection.client.renameFolder(id, given.argument(1))
  output.result(renamed, () => [`${placeText(place)} is ${placeText(renamed)} now.`])
}

export const setImports: Run = async (given, output) => {
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const { id } = await folderAt(connection.client, place)
  const imports = given.arguments.map((text) => {
    const [environment = '', path = ''] = text.split(/:(.*)/s)
    if (!path.startsWith('/'))
      throw new Fault('cli/bad-value', { detail: 'an import is written ENVIRONMENT:/PATH' })
    return { environment, path }
  })
  const next = await connection.client.setImports(id, imports)
  output.result(next, () => [
    next.imports.length === 0
      ? `${placeText(place)} imports nothing.`
      : `${placeText(place)} imports ${next.imports.map((each) => each.place).join(', then ')}.`,
  ])
}

export const restore: Run = async (given, output) => {
  const at = timeOf(given.required('at'))
  const connection = await connectKms(given)
  const place = await placeOf(given, connection)
  const { id } = await folderAt(connection.client, place)
  const isDry = given.flag('dry-run')
  const plan = await connection.client.restoreFolder(id, at, isDry)
  showPlan(plan, output)
}

const WORDS = {
  revive: 'comes back',
  revert: 'gets its old content',
  delete: 'did not exist, and goes',
  lost: 'was destroyed, and stays as it is',
} as const

function showPlan(plan: RestorePlan, output: Output): void {
  output.result(plan, () => [
    plan.changes.length === 0
      ? `Nothing has changed since ${plan.at}.`
      : `${plan.dryRun ? 'To restore' : 'Restored'} what was there at ${plan.at}:`,
    ...table(
      plan.changes.map((each) => [
        `  ${each.type}`,
        each.type === 'folder' ? placeText(each) : `${placeText(each)} ${each.name}`,
        WORDS[each.change],
      ]),
    ),
  ])
}

/** RFC 3339 of what people write: a time, or how long ago, as `10m`. @throws cli/bad-value */
function timeOf(text: string): string {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const UNITS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 }
  const ms =
    count === undefined ? Date.parse(text) : Date.now() - Number(count) * 1000 * (UNITS[unit] ?? 0)
  if (Number.isNaN(ms))
    throw new Fault('cli/bad-value', {
      detail: '--at takes a time such as 2026-01-31T14:05Z, or 10m',
    })
  return new Date(ms).toISOString()
}
