/** Fixed values of every format, and keys from fixed seeds, so that every run makes the same bytes. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import {
  type AuditEntry,
  ChainBuilder,
  type Checkpoint,
  type Intent,
  keyedHash,
  publicHash,
  type RefreshRequest,
  signCheckpoint,
  stateRoot,
  type UnsignedReceipt,
  type VerifySignature,
  type WalletRequest,
} from '@quorate/api'
import { fromHex, type Id, type IdPrefix, idFrom, Secret, type Signer, utf8 } from '@quorate/base'

export const NOW = 1_767_225_600_000

export const fill = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

export const id = <P extends IdPrefix>(prefix: P, n: number): Id<P> =>
  idFrom(prefix, NOW, fill(10, n))

/** An Ed25519 key whose 32 secret bytes all equal `seed`. */
export function signer(seed: number): Signer {
  const key = createPrivateKey({
    key: Buffer.concat([fromHex('302e020100300506032b657004220420'), fill(32, seed)]),
    format: 'der',
    type: 'pkcs8',
  })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    scheme: 'ed25519',
    publicKey: new Uint8Array(spki.subarray(-32)),
    sign: async (message) => new Uint8Array(sign(null, message, key)),
  }
}

export const verifyEd25519: VerifySignature = (publicKey, message, signature) =>
  verify(
    null,
    message,
    createPublicKey({
      key: Buffer.concat([fromHex('302a300506032b6570032100'), publicKey]),
      format: 'der',
      type: 'spki',
    }),
    signature,
  )

export const CLUSTER: Uint8Array = fill(32, 0xc1)
const times = { createdAt: NOW, expiresAt: NOW + 300_000 }

export const intent: Intent = {
  v: 1,
  requestId: id('req', 1),
  project: id('prj', 2),
  wallet: id('wal', 3),
  generation: 1,
  network: 'bitcoin-testnet4',
  unsigned: fromHex('70736274ff01000a0200000000000000000000'),
  context: fromHex('a0'),
  path: [0, 7, 2 ** 31 - 1],
  policyHash: fill(32, 0x77),
  ...times,
}

export const walletRequest: WalletRequest = {
  v: 1,
  requestId: id('req', 4),
  project: id('prj', 2),
  label: 'treasury-1',
  protocol: 'frost',
  suite: 'FROST-secp256k1-SHA256-TR-v1',
  network: 'bitcoin-testnet4',
  threshold: 3,
  parties: 5,
  policy: { template: 'testnet-open', params: fromHex('a0') },
  unsafeThreshold: false,
  ...times,
}

export const ecdsaRequest: WalletRequest = {
  ...walletRequest,
  requestId: id('req', 6),
  label: 'treasury-2',
  protocol: 'cggmp24',
  suite: 'CGGMP24-secp256k1-SHA256-128-v1',
  network: 'ethereum-sepolia',
}

export const refreshRequest: RefreshRequest = {
  v: 1,
  requestId: id('req', 5),
  project: id('prj', 2),
  wallet: id('wal', 3),
  generation: 1,
  ...times,
}

/** The receipt of node `node`, before it is signed. */
export const receipt = (node: number): UnsignedReceipt => ({
  v: 1,
  cluster: CLUSTER,
  node,
  nodeId: id('nod', node),
  sid: fill(32, 0x51),
  requestHash: fill(32, 0x52),
  wallet: id('wal', 3),
  generation: 1,
  purpose: 'sign',
  result: fill(32, 0x53),
  at: NOW + 1000,
  epoch: fill(16, 0xe0),
})

const AUDIT_KEY = new Secret(fill(32, 0xaa))

/** What happened as number `n`: with every optional part for odd ones, with none for even ones. */
export const auditEntry = (n: number): AuditEntry => ({
  time: NOW + n,
  bootId: fill(16, 0xb0),
  actor: n % 2 === 1 ? id('cli', 9) : 'system',
  action: n % 2 === 1 ? 'tx.sign' : 'node.start',
  resource: n % 2 === 1 ? id('wal', 3) : id('nod', 1),
  decision: n % 2 === 1 ? 'allow' : 'none',
  outcome: 'done',
  ...(n % 2 === 1
    ? {
        project: id('prj', 2),
        reason: 'testnet',
        requestId: id('req', 1),
        sessionId: fill(32, 0x51),
        fields: [
          { name: 'signers', kind: 'int', value: 3 },
          { name: 'network', kind: 'text', value: 'bitcoin-testnet4' },
          { name: 'intentHash', kind: 'hash', value: publicHash(fill(32, 0x11)) },
          { name: 'label', kind: 'hash', value: keyedHash(AUDIT_KEY, 'label', utf8('payroll')) },
        ],
      }
    : { fields: [] }),
})

export const nodeSigner: Signer = signer(1)

/** A sound log of `length` records, with a signed checkpoint at each of the given numbers. */
export async function auditLog(
  length: number,
  checkpointsAt: readonly number[],
): Promise<{
  readonly items: readonly { readonly bytes: Uint8Array; readonly h: Uint8Array }[]
  readonly checkpoints: readonly Checkpoint[]
}> {
  const chain = new ChainBuilder()
  const items: { bytes: Uint8Array; h: Uint8Array }[] = []
  const checkpoints: Checkpoint[] = []
  for (let seq = 1; seq <= length; seq++) {
    const { bytes, head } = chain.append(auditEntry(seq))
    items.push({ bytes, h: head.h })
    if (checkpointsAt.includes(seq))
      checkpoints.push(
        await signCheckpoint(nodeSigner, {
          ...head,
          stateRoot: stateRoot([{ key: `wallet/${id('wal', 3)}`, hash: fill(32, seq) }]),
          counter: BigInt(seq),
          time: NOW + seq,
          node: id('nod', 1),
        }),
      )
  }
  return { items, checkpoints }
}
