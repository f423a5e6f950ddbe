/** Manifests as an honest coordinator would make them, for a lying one to change. */
import { encodeRequest, type RequestBody, requestHash, type SignedRequest } from '@quorate/api'
import { Fault, type Id, idFrom, TAGS, taggedHash } from '@quorate/base'
import type { HostileNode } from '@quorate/enclave/testing'
import { instantiate, policyHash } from '@quorate/policy'
import { type Manifest, type PartyId, partyId } from '@quorate/threshold'

export type Proposal = { readonly manifest: Manifest; readonly request: Uint8Array }

/** A key generation of all nodes for this request, coordinated by the hostile node. */
export function keygenProposal(hostile: HostileNode, request: SignedRequest): Proposal {
  if (request.body.kind !== 'createWallet') throw new Fault('base/bug')
  const { createdAt, threshold, policy } = request.body.value
  const wallet: Id<'wal'> = idFrom(
    'wal',
    createdAt,
    taggedHash(TAGS.walletId, requestHash(request)).slice(0, 10),
  )
  const what = { purpose: 'keygen', wallet, generation: 1, threshold } as const
  return propose(hostile, request, {
    ...what,
    policyHash: policyHash(instantiate(policy, 'development')),
  })
}

/** A signing by all nodes with a 3-of-3 wallet. */
export function signProposal(hostile: HostileNode, request: SignedRequest): Proposal {
  if (request.body.kind !== 'sign') throw new Fault('base/bug')
  const { wallet, generation, policyHash } = request.body.value
  return propose(hostile, request, {
    purpose: 'sign',
    wallet,
    generation,
    threshold: 3,
    policyHash,
  })
}

function propose(
  hostile: HostileNode,
  request: SignedRequest,
  what: Pick<Manifest, 'purpose' | 'wallet' | 'generation' | 'threshold' | 'policyHash'>,
): Proposal {
  const { createdAt } = request.body.value
  return {
    request: encodeRequest(request),
    manifest: {
      v: 1,
      cluster: hostile.peers.cluster.cluster,
      request: requestHash(request),
      ...what,
      protocol: 'frost',
      suite: 'FROST-ED25519-SHA512-v1',
      signers: signersOf(hostile, [1, 2, 3]),
      attempt: 0,
      coordinator: hostile.index,
      createdAt,
      expiresAt: createdAt + 60_000,
      minVersion: 1,
    },
  }
}

export const signersOf = (hostile: HostileNode, indices: readonly number[]): Manifest['signers'] =>
  indices.map((index) => {
    const party: PartyId = partyId(index)
    const { bootId, epoch } = hostile.peers.epochOf(party)
    return { party, bootId, epoch }
  })

/** A wallet request with another field. The signature is then nobody's. */
export function altered(request: SignedRequest, change: { readonly label: string }): SignedRequest {
  const body: RequestBody = request.body
  if (body.kind !== 'createWallet') throw new Fault('base/bug')
  return { ...request, body: { ...body, value: { ...body.value, ...change } } }
}
