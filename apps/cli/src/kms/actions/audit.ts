/** kms audit: the log of a KMS, asked, verified, exported, sealed and pruned. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { decodeAuditRecord } from '@quorate/api'
import { Fault, fromHex, toHex } from '@quorate/base'
import { verifySegments } from '@quorate/kms'
import type { KmsAnswer } from '@quorate/sdk/kms'
import type { Given, Run } from '../../command.ts'
import { type Output, table } from '../../output.ts'
import { connectKms, projectOf } from '../connect.ts'

type AuditRecord = {
  readonly seq: number
  readonly time: string
  readonly actor: string
  readonly action: string
  readonly resource: string
  readonly decision: string
  readonly outcome: string
}

export const auditList: Run = async (given, output) => {
  const connection = await connectKms(given)
  const query = new URLSearchParams({ limit: String(given.integer('limit', 1, 500) ?? 50) })
  for (const name of ['action', 'actor', 'resource']) {
    const value = given.text(name)
    if (value !== undefined) query.set(name, value)
  }
  if (given.text('project') !== undefined)
    query.set('project', (await projectOf(given, connection)).id)
  const { body } = await connection.client.call<{ readonly items: readonly AuditRecord[] }>({
    method: 'GET',
    target: `/api/v1/audit?${query.toString()}`,
  })
  output.result(body, () =>
    table([
      ['SEQ', 'TIME', 'ACTOR', 'ACTION', 'RESOURCE', 'DECISION', 'OUTCOME'],
      ...body.items.map((each) => [
        String(each.seq),
        each.time,
        each.actor,
        each.action,
        each.resource,
        each.decision,
        each.outcome,
      ]),
    ]),
  )
}

type Verdict = {
  readonly isOk: boolean
  readonly from: number
  readonly to: number
  readonly signedTo: number
  readonly problems: readonly { readonly code: string; readonly seq: number }[]
}

/** Of the server's log, or of segments in files. */
export const auditVerify: Run = async (given, output) => {
  if (given.arguments.length > 0) return verifyFiles(given, output)
  const { client } = await connectKms(given)
  const { body } = await client.call<Verdict>({
    method: 'POST',
    target: '/api/v1/audit/verify',
    body: {},
  })
  output.result(body, () => [
    `Records ${body.from} to ${body.to}, signed to ${body.signedTo}: ${body.isOk ? 'nothing was changed' : 'CHANGED'}.`,
    ...body.problems.map(({ code, seq }) => `  ${code} at ${seq}`),
  ])
  if (!body.isOk) throw new Fault('cli/does-not-verify', { detail: 'the audit log was changed' })
}

async function verifyFiles(given: Given, output: Output): Promise<void> {
  const named = given.text('key')
  const { isOk, from, to, signedTo, problems, key } = await verifySegments(
    given.arguments,
    named === undefined ? undefined : fromHex(named),
  )
  output.result({ isOk, from, to, signedTo, problems, key: toHex(key) }, () => [
    `Records ${from} to ${to}, signed to ${signedTo}: ${isOk ? 'nothing was changed' : 'CHANGED'}.`,
    ...problems.map(({ code, seq }) => `  ${code} at ${seq}`),
    ...(named === undefined ? [`Signed by ${toHex(key)}: compare it, or give it with --key.`] : []),
  ])
  if (!isOk) throw new Fault('cli/does-not-verify', { detail: 'the audit log was changed' })
}

type Segment = { readonly first: number; readonly last: number; readonly path: string }

export const auditSeal: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const { status, body } = await client.call<Segment>({
    method: 'POST',
    target: '/api/v1/audit/segments',
    body: {},
  })
  output.result(status === 204 ? {} : body, () => [
    status === 204
      ? 'Nothing came since the last segment.'
      : `Records ${body.first} to ${body.last}, on the machine of the server:\n  ${body.path}`,
  ])
}

export const auditSegments: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const { body } = await client.call<{
    readonly prunedTo: number
    readonly key: string
    readonly items: readonly Segment[]
  }>({ method: 'GET', target: '/api/v1/audit/segments' })
  output.result(body, () => [
    ...table([
      ['FIRST', 'LAST', 'IN THE DATABASE', 'FILE'],
      ...body.items.map(({ first, last, path }) => [
        String(first),
        String(last),
        last > body.prunedTo ? 'yes' : 'no',
        path,
      ]),
    ]),
    `Their checkpoints are signed by ${body.key}.`,
  ])
}

export const auditPrune: Run = async (given, output) => {
  const text = given.required('before')
  const ms = Date.parse(text)
  if (Number.isNaN(ms))
    throw new Fault('cli/bad-value', { detail: '--before takes a time such as 2026-01-31T14:05Z' })
  const { client } = await connectKms(given)
  const { body } = await client.call<{ readonly prunedTo: number }>({
    method: 'POST',
    target: '/api/v1/audit/prune',
    body: { before: new Date(ms).toISOString() },
  })
  output.result(body, () => [
    body.prunedTo === 0
      ? 'No segment is as old as that.'
      : `The log in the database begins after record ${body.prunedTo}.`,
  ])
}

export const auditExport: Run = async (given, output) => {
  const { client } = await connectKms(given)
  const out = given.required('output')
  let file: number
  try {
    file = openSync(out, 'wx', 0o600)
  } catch (cause) {
    throw new Fault('cli/file-exists', { detail: out, cause })
  }
  let [count, after] = [0, 0]
  try {
    for (;;) {
      const { body }: KmsAnswer<string> = await client.call<string>({
        method: 'GET',
        target: `/api/v1/audit/export?after=${after}`,
      })
      const lines = body.split('\n').filter(Boolean)
      if (lines.length > 0) writeSync(file, `${lines.join('\n')}\n`)
      count += lines.length
      // Where the log was pruned, its first record is not number 1.
      after = seqOf(lines.at(-1)) ?? after
      // Each question is a record itself, so that the end is where a page is short.
      if (lines.length < EXPORT_RECORDS) break
    }
  } finally {
    closeSync(file)
  }
  output.result({ path: out, count }, () => [`${count} records written to ${out}.`])
}

const EXPORT_RECORDS = 5000

function seqOf(line: string | undefined): number | undefined {
  if (line === undefined) return undefined
  const { bytes } = JSON.parse(line) as { readonly bytes: string }
  return decodeAuditRecord(fromHex(bytes)).seq
}
