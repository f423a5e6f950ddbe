/** cluster card, sign and join: what a node's operator does to enrol it. */
import {
  clusterRecordHash,
  decodeClusterRecord,
  decodeSignedRecord,
  encodeSignedRecord,
  fingerprintWords,
  nodeCardHash,
  type RecordSignature,
  readNodeCard,
  signClusterRecord,
} from '@quorate/auth'
import { Fault, isName, toHex } from '@quorate/base'
import { joinCluster, makeCard, signProposal } from '@quorate/node'
import type { Given, Run } from '../command.ts'
import { readAdmin } from '../credentials.ts'
import { verifyEd25519 } from '../crypto.ts'
import { withLocalNode } from '../dev/open-node.ts'
import { writeNew } from '../files.ts'
import type { Output } from '../output.ts'
import { encodeChain, mergeSigned, readSigned, wordsOf } from '../records.ts'
import { describeRecord } from './cluster-show.ts'

/** Writes `bytes` where --out says; without it they are printed in hex. */
export function deliver(
  given: Given,
  bytes: Uint8Array,
): { readonly hex: string; readonly where: string } {
  const out = given.text('out')
  if (out !== undefined) writeNew(out, bytes)
  const hex = toHex(bytes)
  return { hex, where: out ?? hex }
}

export const card: Run = async (given, output) => {
  const name = given.required('name')
  if (!isName(name))
    throw new Fault('cli/bad-value', {
      detail: '--name takes letters, digits, - _ and ., up to 64',
    })
  output.progress('opening the node')
  const made = await withLocalNode(given, (node) => makeCard(node, name))
  const { id, identityKey, custody } = readNodeCard(made, verifyEd25519)
  const words = fingerprintWords(nodeCardHash(made)).join(' ')
  const { hex, where } = deliver(given, made)
  output.result({ id, name, identityKey: toHex(identityKey), custody, words, card: hex }, () => [
    where,
  ])
  output.note(
    `Node ${id}, custody ${custody}.`,
    'Words to compare with whoever makes the record:',
    `  ${words}`,
  )
}

export const sign: Run = async (given, output) => {
  const { record, signatures } = readSigned(given.argument(0))
  output.note(...describeRecord(decodeClusterRecord(record)))
  const adminFile = given.text('admin')
  const own =
    adminFile === undefined
      ? await signAsNode(given, output, record)
      : await signAsAdmin(adminFile, record)
  const signed = mergeSigned([
    { record, signatures },
    { record, signatures: [own] },
  ])
  const { hex, where } = deliver(given, encodeSignedRecord(signed))
  const words = wordsOf(record)
  output.result({ by: own.by, hash: toHex(clusterRecordHash(record)), words, signed: hex }, () => [
    where,
  ])
  output.note(
    `Signed as ${own.by.kind} ${own.by.value}. Every operator must see the same words:`,
    `  ${words}`,
  )
}

/** The first record of a cluster takes force by the signatures of its nodes. */
async function signAsNode(
  given: Given,
  output: Output,
  record: Uint8Array,
): Promise<RecordSignature> {
  output.progress('opening the node')
  const { index, signature } = await withLocalNode(given, (node) => signProposal(node, record))
  return { by: { kind: 'node', value: index }, signature }
}

/** Every later one by those of its admins. */
async function signAsAdmin(path: string, record: Uint8Array): Promise<RecordSignature> {
  const { admin, signer } = readAdmin(path)
  return signClusterRecord(record, { kind: 'admin', value: admin }, signer)
}

export const join: Run = async (given, output) => {
  const signed = mergeSigned(given.arguments.map(readSigned))
  output.progress('opening the node')
  const { index, cluster, chain } = await withLocalNode(given, (node) =>
    joinCluster(node, encodeSignedRecord(signed)),
  )
  const out = given.text('out')
  if (out !== undefined) writeNew(out, encodeChain(chain.map(decodeSignedRecord)))
  const words = wordsOf(signed.record)
  const number = chain.length
  output.result({ index, cluster: toHex(cluster), number, words, file: out ?? null }, () => [
    `Record ${number} of cluster ${toHex(cluster)} is in force at node ${index}`,
    `  ${words}`,
  ])
}
