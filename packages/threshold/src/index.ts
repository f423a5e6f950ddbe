export {
  type AuxInfo,
  type AuxKeys,
  type AuxPrimes,
  auxDigest,
  decodeAuxInfo,
  decodeAuxKeys,
  encodeAuxInfo,
  encodeAuxKeys,
  keysOfPrimes,
  type OwnKeys,
  type PartyKeys,
} from './cggmp24/aux/aux-info.ts'
export { AuxChecks, type AuxFacts } from './cggmp24/aux/checks.ts'
export { type AuxOptions, beginAux } from './cggmp24/aux/rounds.ts'
export { type EcdsaKey, keyDigest, keyOfCommitment, type SharedEcdsaKey } from './cggmp24/key.ts'
export { KeygenChecks, type KeygenFacts } from './cggmp24/keygen/checks.ts'
export { beginEcdsaKeygen, type KeygenOptions } from './cggmp24/keygen/rounds.ts'
export { LEVELS, type Level, type LevelId, levelOf } from './cggmp24/level.ts'
export { PresignChecks, type PresignFacts, type PresignItem } from './cggmp24/presign/checks.ts'
export {
  decodePresignature,
  encodePresignature,
  receivePresignature,
} from './cggmp24/presign/codec.ts'
export { MAX_BATCH } from './cggmp24/presign/messages.ts'
export {
  Presignature,
  type PublicPresignature,
  presignatureId,
} from './cggmp24/presign/presignature.ts'
export { beginPresign, type PresignOptions } from './cggmp24/presign/rounds.ts'
export { type PublicChecks, type ReplayFacts, replayJudge } from './cggmp24/replay.ts'
export { OnlineChecks, type OnlineFacts, type OnlineItem } from './cggmp24/sign/checks.ts'
export { type SignedUse, verifyDoubleUse } from './cggmp24/sign/double-use.ts'
export {
  beginSigning,
  factsOfItems,
  type InteractiveOptions,
} from './cggmp24/sign/interactive.ts'
export { digestOf, type Message, type MessageHash, type Prehash } from './cggmp24/sign/message.ts'
export {
  beginOnlineSigning,
  type OnlineOptions,
  type OwnOnlineItem,
  publicItems,
} from './cggmp24/sign/online.ts'
export { type EcdsaSignature, verifyEcdsa } from './cggmp24/sign/signature.ts'
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
export {
  describeEcdsaKey,
  describeKey,
  parseEcdsaKey,
  parseWalletKey,
  validateEcdsaShare,
  validateShare,
} from './keyshare/validate.ts'
export {
  NoncePool,
  OneUsePool,
  type PoolKey,
  PresignaturePool,
} from './one-use-pool.ts'
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
  MAX_POOLED_ITEMS,
  type Manifest,
  type PooledItem,
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
