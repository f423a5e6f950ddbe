/** Cluster records as files: a proposal, a record with some signatures, or the whole chain in force. */
import {
  type AcceptedRecord,
  acceptChain,
  clusterRecordHash,
  decodeClusterRecord,
  decodeSignedRecord,
  encodeSignedRecord,
  fingerprintWords,
  type RecordSignature,
  type SignedClusterRecord,
} from '@quorate/auth'
import { array, bytes, type Codec, decode, encode, equalBytes, Fault, isFault } from '@quorate/base'
import { verifyEd25519 } from './crypto.ts'
import { readBytes } from './files.ts'

const MAX_RECORD_BYTES = 1 << 20
const chainCodec: Codec<readonly Uint8Array[]> = array(bytes({ max: MAX_RECORD_BYTES }), {
  min: 1,
  max: 1000,
})

/** The records of a cluster from number 1 on, as one file. */
export const encodeChain = (chain: readonly SignedClusterRecord[]): Uint8Array =>
  encode(chainCodec, chain.map(encodeSignedRecord))

/**
 * The record in force by the chain in a file, every signature checked.
 * @throws cli/file-not-found, cli/bad-file, auth/…
 */
export function readCluster(path: string): AcceptedRecord {
  return acceptChain(readChain(path).map(decodeSignedRecord), { verify: verifyEd25519 })
}

/** The signed records in a cluster file; nothing is verified. @throws cli/file-not-found, cli/bad-file */
export const readChain = (path: string): readonly Uint8Array[] =>
  readAs(path, (encoded) => decode(chainCodec, encoded, { maxBytes: 1000 * MAX_RECORD_BYTES }))

/** A record with whatever signatures the file holds; a bare proposal has none. @throws cli/file-not-found, cli/bad-file */
export function readSigned(path: string): SignedClusterRecord {
  return readAs(path, (encoded) => {
    try {
      return decodeSignedRecord(encoded)
    } catch {
      decodeClusterRecord(encoded)
      return { record: encoded, signatures: [] }
    }
  })
}

function readAs<T>(path: string, read: (encoded: Uint8Array) => T): T {
  try {
    return read(readBytes(path))
  } catch (error) {
    if (isFault(error) && error.code.startsWith('base/'))
      throw new Fault('cli/bad-file', { detail: `${path} is no cluster record`, cause: error })
    throw error
  }
}

/** One record with the signatures of all files. @throws cli/bad-file where they are of different records */
export function mergeSigned(parts: readonly SignedClusterRecord[]): SignedClusterRecord {
  const [first] = parts
  if (first === undefined) throw new Fault('cli/missing-argument', { detail: 'a signed record' })
  if (parts.some(({ record }) => !equalBytes(record, first.record)))
    throw new Fault('cli/bad-file', { detail: 'the signatures are of different records' })
  const bySigner = new Map<string, RecordSignature>()
  for (const { signatures } of parts)
    for (const each of signatures) bySigner.set(`${each.by.kind} ${each.by.value}`, each)
  const signatures = [...bySigner]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, signature]) => signature)
  return { record: first.record, signatures }
}

/** What operators compare by voice. */
export const wordsOf = (record: Uint8Array): string =>
  fingerprintWords(clusterRecordHash(record)).join(' ')
