/** Keys from small numbers, and a cluster of three nodes with two of three admins. */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify as verifyNode,
} from 'node:crypto'
import type { VerifySignature } from '@quorate/api'
import {
  type AcceptedRecord,
  acceptRecord,
  type ClusterRecord,
  clusterRecordHash,
  type EpochRecord,
  encodeClusterRecord,
  type RecordSigner,
  type SignedClusterRecord,
  signClusterRecord,
} from '@quorate/auth'
import { type Id, type IdPrefix, idFrom, type Signer } from '@quorate/base'

export const NOW = 1_767_225_600_000
export const DAY = 86_400_000

const privateKey = (seed: number): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      Buffer.alloc(32, seed),
    ]),
    format: 'der',
    type: 'pkcs8',
  })

export function signerOf(seed: number): Signer {
  const key = privateKey(seed)
  const publicKey = new Uint8Array(
    createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32),
  )
  return {
    scheme: 'ed25519',
    publicKey,
    sign: (message) => Promise.resolve(new Uint8Array(sign(null, message, key))),
  }
}

export const verify: VerifySignature = (publicKey, message, signature) => {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey])
  return verifyNode(
    null,
    message,
    createPublicKey({ key: der, format: 'der', type: 'spki' }),
    signature,
  )
}

export const idOf = <P extends IdPrefix>(prefix: P, n: number): Id<P> =>
  idFrom(prefix, NOW, new Uint8Array(10).fill(n))

/** Seeds: nodes 1 to 3, admins 11 to 13, the client 21. */
export const node = (n: number): Signer => signerOf(n)
export const ADMINS = ['alice', 'bob', 'carol'] as const
export const admin = (name: (typeof ADMINS)[number]): Signer => signerOf(11 + ADMINS.indexOf(name))
export const client: Signer = signerOf(21)

export const FIRST: ClusterRecord = {
  v: 1,
  number: 1,
  name: 'example',
  environment: 'staging',
  nodes: [1, 2, 3].map((index) => ({
    index,
    id: idOf('nod', index),
    identityKey: node(index).publicKey,
    minCustody: 'sealed' as const,
  })),
  admins: ADMINS.map((id) => ({ id, key: admin(id).publicKey })),
  adminThreshold: 2,
  clients: [
    {
      id: idOf('cli', 1),
      key: client.publicKey,
      name: 'payments',
      role: 'signer',
      project: idOf('prj', 1),
      expiresAt: NOW + 90 * DAY,
    },
  ],
  rpId: 'quorate.example',
  origins: ['https://console.quorate.example'],
  minProtocol: 2,
  hybrid: false,
  defaultPolicy: 'allow-list',
  createdAt: NOW,
}

export async function signedBy(
  record: ClusterRecord,
  ...signers: readonly (readonly [RecordSigner, Signer])[]
): Promise<SignedClusterRecord> {
  const encoded = encodeClusterRecord(record)
  const signatures = await Promise.all(
    signers.map(([by, key]) => signClusterRecord(encoded, by, key)),
  )
  return { record: encoded, signatures }
}

export const byNode = (n: number): readonly [RecordSigner, Signer] => [
  { kind: 'node', value: n },
  node(n),
]
export const byAdmin = (id: (typeof ADMINS)[number]): readonly [RecordSigner, Signer] => [
  { kind: 'admin', value: id },
  admin(id),
]

export const signedFirst = (record: ClusterRecord = FIRST): Promise<SignedClusterRecord> =>
  signedBy(record, byNode(1), byNode(2), byNode(3))

export const accepted = async (record: ClusterRecord = FIRST): Promise<AcceptedRecord> =>
  acceptRecord(undefined, await signedFirst(record), { verify })

/** The record after `before`, with `changes`. */
export const after = (
  before: AcceptedRecord,
  changes: Partial<ClusterRecord> = {},
): ClusterRecord => ({
  ...before.record,
  number: before.record.number + 1,
  cluster: before.cluster,
  previous: clusterRecordHash(encodeClusterRecord(before.record)),
  ...changes,
})

/** An epoch record of node 2; its envelope key has the seed 32. */
export const envelope: Signer = signerOf(32)
export const epochOf = (
  cluster: AcceptedRecord,
  changes: Partial<EpochRecord> = {},
): EpochRecord => ({
  v: 1,
  cluster: cluster.cluster,
  nodeIndex: 2,
  nodeId: idOf('nod', 2),
  epoch: new Uint8Array(16).fill(0xe0),
  bootId: new Uint8Array(16).fill(0xb0),
  envelopeKey: envelope.publicKey,
  sealingKey: new Uint8Array(32).fill(9),
  dkgKeys: {
    secp256k1: Uint8Array.of(2, ...new Uint8Array(32).fill(0x11)),
    ed25519: signerOf(33).publicKey,
  },
  tlsFingerprint: new Uint8Array(32).fill(0xf2),
  environment: 'staging',
  versions: { min: 1, max: 2 },
  notBefore: NOW,
  notAfter: NOW + DAY,
  ...changes,
})
