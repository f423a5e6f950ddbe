/** cluster show: a cluster record in words. */

import { toRfc3339 } from '@quorate/api'
import {
  acceptChain,
  type ClusterRecord,
  decodeClusterRecord,
  encodeClusterRecord,
} from '@quorate/auth'
import { isFault, toHex } from '@quorate/base'
import type { Run } from '../command.ts'
import { verifyEd25519 } from '../crypto.ts'
import { homeOf, requireCluster } from '../dev/home.ts'
import { table } from '../output.ts'
import { readCluster, readSigned, wordsOf } from '../records.ts'

export const show: Run = async (given, output) => {
  const [path] = given.arguments
  const { record, isInForce, signatures } =
    path === undefined ? inHome(homeOf(given)) : inFile(path)
  const words = wordsOf(encodeClusterRecord(record))
  output.result({ ...recordJson(record), words, isInForce, signatures }, () => [
    ...describeRecord(record),
    isInForce
      ? 'Signed by all who must sign it.'
      : `Not in force: ${signatures} signatures are not all it needs.`,
    `  ${words}`,
  ])
}

type Found = {
  readonly record: ClusterRecord
  readonly isInForce: boolean
  readonly signatures: number
}

function inHome(home: ReturnType<typeof homeOf>): Found {
  requireCluster(home)
  const { record } = readCluster(home.clusterFile)
  return { record, isInForce: true, signatures: record.nodes.length }
}

/** A chain, a record with signatures, or a bare proposal. */
function inFile(path: string): Found {
  try {
    const { record } = readCluster(path)
    return { record, isInForce: true, signatures: record.nodes.length }
  } catch (error) {
    if (!isFault(error, 'cli/bad-file')) throw error
  }
  const signed = readSigned(path)
  const found = { record: decodeClusterRecord(signed.record), signatures: signed.signatures.length }
  try {
    acceptChain([signed], { verify: verifyEd25519 })
    return { ...found, isInForce: true }
  } catch (error) {
    if (isFault(error, 'auth/not-enough-signatures')) return { ...found, isInForce: false }
    throw error
  }
}

const recordJson = (record: ClusterRecord): object => ({
  name: record.name,
  number: record.number,
  environment: record.environment,
  nodes: record.nodes.map(({ index, id, identityKey, minCustody }) => ({
    index,
    id,
    identityKey: toHex(identityKey),
    minCustody,
  })),
  admins: record.admins.map(({ id, key }) => ({ id, key: toHex(key) })),
  adminThreshold: record.adminThreshold,
  clients: record.clients.map(({ id, key, name, role, project, expiresAt }) => ({
    id,
    key: toHex(key),
    name,
    role,
    project,
    expiresAt: toRfc3339(expiresAt),
  })),
  minProtocol: record.minProtocol,
  defaultPolicy: record.defaultPolicy,
  createdAt: toRfc3339(record.createdAt),
})

/** The record in words, for people who are about to sign it. */
export const describeRecord = (record: ClusterRecord): readonly string[] => [
  `Cluster ${record.name} (${record.environment}), record ${record.number} of ${toRfc3339(record.createdAt)}`,
  ...table([
    ...record.nodes.map(({ index, id, identityKey, minCustody }) => [
      `  node ${index}`,
      id,
      `custody ${minCustody} or better`,
      toHex(identityKey),
    ]),
    ...record.admins.map(({ id, key }) => ['  admin', id, '', toHex(key)]),
    ...record.clients.map(({ name, id, role, project, key }) => [
      `  client ${name}`,
      id,
      `${role} in ${project}`,
      toHex(key),
    ]),
  ]),
  `${record.adminThreshold} of ${record.admins.length} admins must sign the next record. Default policy: ${record.defaultPolicy}.`,
]
