/** cluster propose: the first record of a cluster, made of cards and keys, or the one after another. */
import {
  type ClusterAdmin,
  type ClusterClient,
  type ClusterRecord,
  encodeClusterRecord,
  readNodeCard,
} from '@quorate/auth'
import { equalBytes, Fault, fromHex } from '@quorate/base'
import { systemClock } from '@quorate/platform'
import type { Given, Run } from '../command.ts'
import { readClientEntry } from '../credentials.ts'
import { verifyEd25519 } from '../crypto.ts'
import { isEnvironment } from '../environment.ts'
import { readBytes, readJson } from '../files.ts'
import { readCluster, wordsOf } from '../records.ts'
import { readRecipient } from '../recovery.ts'
import { deliver } from './cluster.ts'
import { describeRecord } from './cluster-show.ts'

const DAY_MS = 24 * 3_600_000

export const propose: Run = async (given, output) => {
  const now = systemClock.now()
  const after = given.text('after')
  const record = after === undefined ? firstRecord(given, now) : nextRecord(given, after, now)
  const encoded = encodeClusterRecord(record)
  const { hex, where } = deliver(given, encoded)
  const words = wordsOf(encoded)
  output.result({ number: record.number, words, record: hex }, () => [where])
  output.note(
    ...describeRecord(record),
    'Words that every operator compares before signing:',
    `  ${words}`,
  )
}

function firstRecord(given: Given, now: number): ClusterRecord {
  const environment = given.required('environment')
  if (!isEnvironment(environment))
    throw new Fault('cli/bad-value', {
      detail: '--environment takes development, staging or production',
    })
  const cards = given.list('card').map((path) => readNodeCard(readBytes(path), verifyEd25519))
  if (cards.length === 0) throw new Fault('cli/missing-argument', { detail: '--card' })
  const admins = given.list('admin').map(adminOf)
  if (admins.length === 0) throw new Fault('cli/missing-argument', { detail: '--admin' })
  return {
    v: 1,
    number: 1,
    name: given.required('name'),
    environment,
    nodes: cards.map(({ id, identityKey, custody }, i) => ({
      index: i + 1,
      id,
      identityKey,
      minCustody: custody,
    })),
    admins,
    adminThreshold:
      given.integer('admin-threshold', 1, admins.length) ?? Math.floor(admins.length / 2) + 1,
    clients: clientsOf(given, now),
    ...recipientsOf(given, undefined),
    minProtocol: 1,
    hybrid: false,
    defaultPolicy: given.text('policy') ?? 'allow-list',
    createdAt: now,
  }
}

/** The record in force by the chain in a file, with clients and admins changed. @throws cli/bad-value */
function nextRecord(given: Given, path: string, now: number): ClusterRecord {
  for (const fixed of ['name', 'environment', 'card'])
    if (given.has(fixed))
      throw new Fault('cli/bad-value', {
        detail: `--${fixed} cannot change after the first record`,
      })
  const { cluster, hash, record } = readCluster(path)
  const removed = new Set(given.list('remove-client'))
  for (const id of removed)
    if (!record.clients.some((client) => client.id === id))
      throw new Fault('cli/bad-value', { detail: '--remove-client names none of the record' })
  const admins = given.has('admin') ? given.list('admin').map(adminOf) : record.admins
  const threshold = given.integer('admin-threshold', 1, admins.length) ?? record.adminThreshold
  const isRestored = given.has('restore')
  const nodes = isRestored ? withRestored(given, record, cluster) : record.nodes
  return {
    ...record,
    ...recipientsOf(given, record.recipients),
    nodes,
    number: record.number + 1,
    cluster,
    previous: hash,
    admins,
    adminThreshold: Math.min(threshold, admins.length),
    clients: [...record.clients.filter(({ id }) => !removed.has(id)), ...clientsOf(given, now)],
    defaultPolicy: given.text('policy') ?? record.defaultPolicy,
    // Clocks differ; the record is of after the restore.
    createdAt: Math.max(now, ...nodes.map(({ restored }) => restored?.at ?? 0)),
  }
}

const recipientsOf = (given: Given, before: ClusterRecord['recipients']) => {
  const recipients = given.has('recipient') ? given.list('recipient').map(readRecipient) : before
  return recipients === undefined ? {} : { recipients }
}

/** The nodes, with the machine of a card in place of the one whose backup it opened. @throws cli/bad-value */
function withRestored(
  given: Given,
  { nodes }: ClusterRecord,
  cluster: Uint8Array,
): ClusterRecord['nodes'] {
  const card = readNodeCard(readBytes(given.required('restore')), verifyEd25519)
  const { restores } = card
  if (restores === undefined || !equalBytes(restores.cluster, cluster))
    throw new Fault('cli/bad-value', { detail: '--restore takes a card of quorate node restore' })
  const { index, number, backup, at } = restores
  const isOlderAccepted = given.flag('accept-older-backup')
  return nodes.map((node) =>
    node.index === index
      ? {
          index,
          id: card.id,
          identityKey: card.identityKey,
          minCustody: node.minCustody,
          restored: { number, backup, at, isOlderAccepted },
        }
      : node,
  )
}

/** `name=key`. @throws cli/bad-value */
function adminOf(text: string): ClusterAdmin {
  const [, id, key] = /^([^=]+)=([0-9a-f]{64})$/.exec(text) ?? []
  if (id === undefined || key === undefined)
    throw new Fault('cli/bad-value', {
      detail: '--admin takes NAME=KEY, the key being 64 hex digits',
    })
  return { id, key: fromHex(key) }
}

function clientsOf(given: Given, now: number): readonly ClusterClient[] {
  const days = given.integer('client-days', 1, 3650) ?? 365
  return given.list('client').map((path) => {
    const { client, key, name, role, project } = readClientEntry(readJson(path), path)
    return { id: client, key: fromHex(key), name, role, project, expiresAt: now + days * DAY_MS }
  })
}
