export { type Deal, type DealOptions, deal, groupKeyOf, isDealtShare } from './frost/dealer.ts'
export { recover } from './frost/keygen/certificate.ts'
export { type ChillDkgOutput, chillDkgOutput } from './frost/keygen/chilldkg.ts'
export { judgeDkg } from './frost/keygen/judge.ts'
export {
  beginKeygen,
  dkgSuite,
  type SharedKey,
  safeTweaks,
  sharedKey,
} from './frost/keygen/keygen.ts'
export {
  type DkgParameters,
  type DkgParametersInput,
  dkgParameters,
  hostPublicKey,
  parametersHash,
} from './frost/keygen/parameters.ts'
export type { DkgOptions } from './frost/keygen/rounds.ts'
export { NoncePool, type PoolKey } from './frost/nonce-pool.ts'
export {
  commit,
  decodeNonceCommitment,
  type NonceCommitment,
  SigningNonces,
} from './frost/nonces.ts'
export { beginRefresh, type Generation, generationDigest, recoverRefresh } from './frost/refresh.ts'
export { beginHelping, beginRepair, type RepairSession } from './frost/repair.ts'
export type { PreprocessedNonces } from './frost/sign/commit-round.ts'
export { MAX_ITEMS, type SigningItem } from './frost/sign/item.ts'
export { type SigningContext, signingJudge } from './frost/sign/judge.ts'
export { type GroupKey, SigningKey, signingKey } from './frost/sign/key.ts'
export {
  MAX_PREPROCESSED,
  PREPROCESSING_PROTOCOL,
  SIGNING_PROTOCOL,
  type SigningOptions,
  startPreprocessing,
  startSigning,
} from './frost/sign/protocol.ts'
export { SigningSession, type SigningSessionOptions } from './frost/sign/session.ts'
export { SignerSet } from './frost/sign/signer-set.ts'
export { type FrostSuite, type FrostSuiteId, verifySignature } from './frost/suite.ts'
export { frostSuite, frostSuites } from './frost/suites/table.ts'
export { type Tweak, tweakCodec } from './frost/tweak.ts'
export {
  decodeKeyShare,
  encodeKeyShare,
  type KeyShare,
  type WalletKey,
  walletKeyCodec,
} from './keyshare/key-share.ts'
export { describeKey, parseWalletKey, validateShare } from './keyshare/validate.ts'
export { Abort, type AbortCode, type AbortOptions } from './session/abort.ts'
export {
  type Addressee,
  type EnvelopeHeader,
  type KeyLookup,
  MAX_ENVELOPE_BYTES,
  type OpenedEnvelope,
  type Opening,
  type Outbound,
  openEnvelope,
  type ReadEnvelope,
  type Receiver,
  readEnvelope,
  sealEnvelope,
  stripEnvelope,
} from './session/envelope.ts'
export {
  type EnvelopeCrypto,
  type EpochSecrets,
  nobleEnvelopeCrypto,
  nobleVerifier,
  type SignatureVerifier,
} from './session/envelope-crypto.ts'
export {
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  type Judge,
  type Testimony,
  type Verifier,
  verifyEvidence,
} from './session/evidence.ts'
export {
  type Countersignature,
  countersign,
  countersignatureCodec,
  decodeManifest,
  encodeManifest,
  type Manifest,
  partiesOf,
  sessionId,
  verifyCountersignature,
} from './session/manifest.ts'
export type { MessageKind, OriginalClaim, Outgoing, Received } from './session/message.ts'
export { MAX_PARTIES, type PartyId, partiesUpTo, partyId } from './session/party.ts'
export {
  done,
  type Inlet,
  inlet,
  next,
  type Round,
  type Send,
  type Step,
  toAll,
  toEach,
} from './session/round.ts'
export { Session, type SessionOptions, type SessionState } from './session/session.ts'
