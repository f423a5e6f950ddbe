/**
 * The published vectors of the signed formats: for each structure its values as JSON, the canonical
 * bytes, and the hashes and signatures over them. Made again by every test run and compared with
 * the files; `UPDATE_VECTORS=1` writes them.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  checkpointMessage,
  encodeAuditRecord,
  encodeCheckpoint,
  encodeIntent,
  encodeReceipt,
  encodeRequest,
  inclusionProof,
  intentHash,
  merkleRoot,
  type RequestBody,
  receiptHash,
  receiptMessage,
  requestHash,
  requestMessage,
  signReceipt,
  signRequest,
} from '@quorate/api'
import { toHex, utf8 } from '@quorate/base'
import {
  auditEntry,
  auditLog,
  CLUSTER,
  ecdsaRequest,
  id,
  intent,
  nodeSigner,
  receipt,
  refreshRequest,
  signer,
  walletRequest,
} from './sample.ts'

/** Bytes become hex, big integers decimal text. */
const toJson = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each: unknown) => {
      if (each instanceof Uint8Array) return toHex(each)
      return typeof each === 'bigint' ? String(each) : each
    }),
  )

async function requestCase(body: RequestBody): Promise<unknown> {
  const client = signer(2)
  const request = await signRequest(client, CLUSTER, id('cli', 9), body)
  return toJson({
    publicKey: client.publicKey,
    value: request,
    bytes: encodeRequest(request),
    message: requestMessage(request),
    hash: requestHash(request),
  })
}

async function receiptCase(node: number): Promise<unknown> {
  const value = await signReceipt(nodeSigner, receipt(node))
  return toJson({
    publicKey: nodeSigner.publicKey,
    value,
    bytes: encodeReceipt(value),
    message: receiptMessage(value),
    hash: receiptHash(value),
  })
}

/** File name (without `.json`) → its content. */
export async function makeVectors(): Promise<{ readonly [file: string]: unknown }> {
  const { items, checkpoints } = await auditLog(4, [2, 4])
  const leaves = Array.from({ length: 5 }, (_, i) => utf8(`row ${i}`))
  return {
    intent: [toJson({ value: intent, bytes: encodeIntent(intent), hash: intentHash(intent) })],
    request: [
      await requestCase({ kind: 'createWallet', value: walletRequest }),
      await requestCase({ kind: 'sign', value: intent }),
      await requestCase({ kind: 'refresh', value: refreshRequest }),
      await requestCase({ kind: 'createWallet', value: ecdsaRequest }),
    ],
    receipt: [await receiptCase(1), await receiptCase(2)],
    'audit-record': items.map(({ h }, i) => {
      const value = { v: 1 as const, seq: i + 1, ...auditEntry(i + 1) }
      const bytes = encodeAuditRecord(value)
      const previous = items[i - 1]?.h ?? new Uint8Array(32)
      return toJson({ value, bytes, previous, h })
    }),
    'audit-checkpoint': checkpoints.map((value) =>
      toJson({ value, bytes: encodeCheckpoint(value), message: checkpointMessage(value) }),
    ),
    merkle: leaves.map((leaf, index) =>
      toJson({
        leaf,
        index,
        size: leaves.length,
        proof: inclusionProof(leaves, index),
        root: merkleRoot(leaves),
      }),
    ),
  }
}

/** The directory of the published vectors: `test/vectors/formats` of the workspace. */
export function vectorDirectory(): string {
  let at = dirname(fileURLToPath(import.meta.url))
  while (!isWorkspace(at)) at = dirname(at)
  return join(at, 'test', 'vectors', 'formats')
}

const isWorkspace = (directory: string): boolean => {
  const file = join(directory, 'package.json')
  return existsSync(file) && readFileSync(file, 'utf8').includes('"quorate-workspace"')
}

/** What the file holds; written first where `UPDATE_VECTORS=1` asks for it. */
export function publishedVectors(file: string, made: unknown): unknown {
  const path = join(vectorDirectory(), `${file}.json`)
  if (process.env['UPDATE_VECTORS'] === '1') {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${JSON.stringify(made, null, 1)}\n`)
  }
  return JSON.parse(readFileSync(path, 'utf8'))
}
