/** Enrolment: a node's card, its signature under a first cluster record, and joining with the signed one. */
import { acceptChain, decodeSignedRecord } from '@quorate/auth'
import { Fault } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import type { LocalNode } from './local.ts'
import { putClusterRecord } from './store.ts'

/** The node's self-signed card. */
export async function makeCard({ signer }: LocalNode, name: string): Promise<Uint8Array> {
  return (await signer.calls.card({ name })).card
}

/** This node's signature under a proposed record that lists it. @throws enclave/not-listed, enclave/weak-custody */
export const signProposal = (
  { signer }: LocalNode,
  record: Uint8Array,
): Promise<{ readonly index: number; readonly signature: Uint8Array }> =>
  signer.calls.signRecord({ record })

/**
 * Takes the first cluster record into force here, once all its nodes have signed it.
 * @throws node/already-enrolled, auth/not-enough-signatures and what else the record fails by
 */
export async function joinCluster(
  { signer, store, journal, nodeId }: LocalNode,
  signed: Uint8Array,
): Promise<{ readonly cluster: Uint8Array; readonly index: number }> {
  if ((await store.clusterChain()).length > 0) throw new Fault('node/already-enrolled')
  const joined = await signer.calls.join({ chain: [signed] })
  const { record } = acceptChain([decodeSignedRecord(signed)], { verify: verifyEd25519 })
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
  return joined
}
