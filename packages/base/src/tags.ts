/**
 * Domain separation. Every hash, signature, key derivation and associated data of ours begins with
 * one of these tags, all of which stand here. No tag is a prefix of another (a test proves it),
 * so `tag ‖ body` of one kind can never equal that of another.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from './bytes.ts'
import { utf8 } from './text.ts'

export const TAGS = {
  clusterRecord: 'quorate/cluster-record/v1',
  clusterRecordHash: 'quorate/cluster-id/v1',
  nodeCard: 'quorate/node-card/v1',
  nodeId: 'quorate/node-id/v1',
  epochRecord: 'quorate/epoch-record/v1',
  hello: 'quorate/hello/v1',
  envelopeHeader: 'quorate/envelope/v1',
  envelopeBody: 'quorate/envelope-body/v1',
  envelopeSeal: 'quorate/envelope-seal/v1',
  manifest: 'quorate/manifest/v1',
  manifestHash: 'quorate/session-id/v1',
  countersignature: 'quorate/countersignature/v1',
  echo: 'quorate/echo/v1',
  evidence: 'quorate/evidence/v1',
  request: 'quorate/request/v1',
  requestHash: 'quorate/request-hash/v1',
  intentHash: 'quorate/intent/v1',
  approval: 'quorate/approval/v1',
  policyHash: 'quorate/policy/v1',
  receipt: 'quorate/receipt/v1',
  receiptHash: 'quorate/receipt-hash/v1',
  httpRequest: 'quorate/http-request/v1',
  auditRecord: 'quorate/audit-record/v1',
  auditCheckpoint: 'quorate/audit-checkpoint/v1',
  auditField: 'quorate/audit-field/v1',
  auditLeaf: 'quorate/audit-leaf/v1',
  auditNode: 'quorate/audit-node/v1',
  keyShare: 'quorate/key-share/v1',
  walletGeneration: 'quorate/wallet-generation/v1',
  storeRow: 'quorate/store-row/v1',
  storeKey: 'quorate/store-key/v1',
  identitySeed: 'quorate/identity-seed/v1',
  hsmSeal: 'quorate/hsm-seal/v1',
  hsmObject: 'quorate/hsm-object/v1',
  hsmDeviceKey: 'quorate/hsm-device-key/v1',
  hsmSoftwareUnlock: 'quorate/hsm-software-unlock/v1',
  hsmSoftwareRoot: 'quorate/hsm-software-root/v1',
  hsmAttestation: 'quorate/hsm-attestation/v1',
  hsmCbcMac: 'quorate/hsm-cbc-mac/v1',
  walletId: 'quorate/wallet-id/v1',
  dkgContext: 'quorate/dkg-context/v1',
  dkgHostKey: 'quorate/dkg-host-key/v1',
  dkgPop: 'quorate/dkg-pop/v1',
  dkgPad: 'quorate/dkg-pad/v1',
  dkgCertificate: 'quorate/dkg-certificate/v1',
  refresh: 'quorate/refresh/v1',
  repair: 'quorate/repair/v1',
  frostContext: 'quorate/frost-context/v1',
  nonceHedge: 'quorate/nonce-hedge/v1',
  transcript: 'quorate/transcript/v1',
  nodeMessage: 'quorate/node-message/v1',
  signatures: 'quorate/signatures/v1',
  signerOrder: 'quorate/signer-order/v1',
  addressProof: 'quorate/address-proof/v1',
  primeBase: 'quorate/prime-base/v1',
  batchSeed: 'quorate/batch-seed/v1',
  batchWeight: 'quorate/batch-weight/v1',
  challenge: 'quorate/challenge/v1',
} as const

export type Tag = (typeof TAGS)[keyof typeof TAGS]

/** `tag ‖ body`: the bytes to sign or to authenticate. */
export const tagged = (tag: Tag, ...body: readonly Uint8Array[]): Uint8Array =>
  concatBytes(utf8(tag), ...body)

/** SHA-256(tag ‖ body), 32 bytes. */
export const taggedHash = (tag: Tag, ...body: readonly Uint8Array[]): Uint8Array =>
  sha256(tagged(tag, ...body))
