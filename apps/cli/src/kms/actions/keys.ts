/** kms recipients, rotate and backup: who can open the store, under which keys, and copies of it. */
import { existsSync } from 'node:fs'
import { Fault } from '@quorate/base'
import { integerOf, type Run } from '../../command.ts'
import { writeNew } from '../../files.ts'
import { table } from '../../output.ts'
import { connectKms, projectOf } from '../connect.ts'
import { ask } from '../documents.ts'

type Recipient = { readonly term: number; readonly recipient: string; readonly kind: string }

export const listRecipients: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const { items } = await ask<{ readonly items: readonly Recipient[] }>(
    client,
    'GET',
    '/api/v1/sys/recipients',
  )
  output.result({ items }, () =>
    table([
      ['RECIPIENT', 'KIND', 'TERM'],
      ...items.map(({ recipient, kind, term }) => [recipient, kind, String(term)]),
    ]),
  )
}

/** `2/3` is two of three. @throws cli/bad-value */
function groupOf(text: string): { readonly threshold: number; readonly members: number } {
  const [threshold = '', members = '', ...rest] = text.split('/')
  if (rest.length > 0) throw new Fault('cli/bad-value', { detail: 'a group is such as 2/3' })
  return {
    threshold: integerOf('--group', threshold, 1, 16),
    members: integerOf('--group', members, 1, 16),
  }
}

export const addRecipients: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const begin = given.required('output')
  const groups = given.list('group').map(groupOf)
  if (groups.length === 0) throw new Fault('cli/missing-argument', { detail: '--group' })
  const fileOf = (group: number, member: number): string =>
    `${begin}-${group + 1}-${member + 1}.txt`
  // The shares are shown once: a file in the way must not cost one.
  groups.forEach(({ members }, group) => {
    for (let member = 0; member < members; member++)
      if (existsSync(fileOf(group, member)))
        throw new Fault('cli/file-exists', { detail: fileOf(group, member) })
  })
  const made = await ask<{
    readonly recipient: string
    readonly shares: readonly (readonly string[])[]
  }>(client, 'POST', '/api/v1/sys/recipients', {
    groupThreshold: given.integer('groups-needed', 1, groups.length) ?? 1,
    groups,
  })
  const files = made.shares.flatMap((shares, group) =>
    shares.map((share, member) => {
      const file = fileOf(group, member)
      writeNew(file, `${share}\n`)
      return file
    }),
  )
  output.result({ recipient: made.recipient, files }, () => [
    `${made.recipient} opens the store from now on. Give each of these to another person:`,
    ...files.map((file) => `  ${file}`),
  ])
}

export const removeRecipient: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const recipient = given.argument(0)
  await ask(client, 'DELETE', `/api/v1/sys/recipients/${encodeURIComponent(recipient)}`)
  output.result({ removed: recipient }, () => [
    `${recipient} is taken away. It still knows the keys of before: quorate kms rotate`,
  ])
}

export const rotate: Run = async (given, output) => {
  const connection = await connectKms(given)
  const { client } = connection
  if (given.text('project') === undefined) {
    const done = await ask<{ readonly term: number; readonly dropped: readonly string[] }>(
      client,
      'POST',
      '/api/v1/sys/rotate',
      {},
    )
    output.result(done, () => [
      `The instance key is of term ${done.term}.`,
      ...done.dropped.map((each) => `  ${each} was not in reach, and opens it no more.`),
    ])
    return
  }
  const { id, name } = await projectOf(given, connection)
  const target = `/api/v1/projects/${id}/rotate-key`
  const { version } = await ask<{ readonly version: number }>(client, 'POST', target, {})
  output.result({ project: id, version }, () => [
    `The key of ${name} is version ${version}; quorate kms rotate status shows what is left.`,
  ])
}

export const rotationStatus: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const state = await ask<{
    readonly running: boolean
    readonly moved: number
    readonly left: number
  }>(client, 'GET', '/api/v1/sys/rotate')
  output.result(state, () => [
    `${state.moved} values are brought over, ${state.left} are left${state.running ? '' : '; nothing runs'}.`,
  ])
}

export const backUp: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const name = given.arguments[0] ?? new Date().toISOString().replace(/[^0-9TZ]/g, '')
  const made = await ask<{
    readonly path: string
    readonly rows: number
    readonly checkpoint: number
  }>(client, 'POST', '/api/v1/sys/backup', { name })
  output.result(made, () => [
    `${made.rows} rows at checkpoint ${made.checkpoint}, on the machine of the server:`,
    `  ${made.path}`,
  ])
}
