/** Enrolment: a node's card, its signature under a first cluster record, and taking signed records into force. */
import { acceptChain, decodeSignedRecord } from '@quorate/auth'
import { verifyEd25519 } from '@quorate/enclave'
import { restoredFrom } from './backup/restore.ts'
import type { LocalNode } from './local.ts'
import { putClusterRecord } from './statements.ts'

/** The node's self-signed card; of a restored machine it says which node's place it is to take. */
export async function makeCard({ signer, sql }: LocalNode, name: string): Promise<Uint8Array> {
  const restores = (await restoredFrom(sql)) ?? null
  return (await signer.calls.card({ name, restores })).card
}

/** This node's signature under a proposed first record that lists it. @throws enclave/not-listed, enclave/weak-custody */
export const signProposal = (
  { signer }: LocalNode,
  record: Uint8Array,
): Promise<{ readonly index: number; readonly signature: Uint8Array }> =>
  signer.calls.signRecord({ record })

export type Joined = {
  readonly cluster: Uint8Array
  readonly index: number
  /** All signed records from number 1 to the one now in force. */
  readonly chain: readonly Uint8Array[]
}

/**
 * Takes the next cluster record into force here: number 1 once all its nodes have signed it, every
 * later one once enough admins of the record before have.
 * @throws auth/not-enough-signatures, auth/record-not-newer, auth/record-gap, auth/record-forked,
 *   auth/other-cluster, enclave/nodes-changed and what else a record fails by
 */
export async function joinCluster(
  { signer, store, journal, nodeId }: LocalNode,
  signed: Uint8Array,
): Promise<Joined> {
  const chain = [...(await store.clusterChain()), signed]
  const { cluster, index } = await signer.calls.join({ chain })
  const { record } = acceptChain(chain.map(decodeSignedRecord), { verify: verifyEd25519 })
  await journal.commit(
    [putClusterRecord(record.number, signed)],
    [
      {
        actor: nodeId,
        action: 'cluster.join',
        resource: record.name,
        decision: 'none',
        outcome: 'done',
        fields: [{ name: 'number', kind: 'int', value: record.number }],
      },
    ],
  )
  return { cluster, index, chain }
}
