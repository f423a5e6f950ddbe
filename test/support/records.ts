/** Cluster records that follow one in force, signed by the cluster's admin. */
import {
  acceptChain,
  type ClusterRecord,
  decodeSignedRecord,
  encodeClusterRecord,
  encodeSignedRecord,
  signClusterRecord,
} from '@quorate/auth'
import type { Signer } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'

/** The record after the last of `chain`, with these changes, signed by `admin` as the admin of the cluster. */
export async function nextRecord(
  chain: readonly Uint8Array[],
  change: Partial<ClusterRecord>,
  admin: Signer,
): Promise<Uint8Array> {
  const { cluster, hash, record } = acceptChain(chain.map(decodeSignedRecord), {
    verify: verifyEd25519,
  })
  const next = encodeClusterRecord({
    ...record,
    number: record.number + 1,
    cluster,
    previous: hash,
    ...change,
  })
  const by = { kind: 'admin', value: 'admin' } as const
  return encodeSignedRecord({
    record: next,
    signatures: [await signClusterRecord(next, by, admin)],
  })
}
