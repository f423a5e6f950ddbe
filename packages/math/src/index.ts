export { hasLowS, recoveryId, scalarOfDigest, verifyEcdsa } from './ecdsa.ts'
export { fromBytesBe, fromBytesLe, inverse, mod, toBytesBe } from './field.ts'
export { type BackendChoice, installBackend, removeBackend } from './group/backend.ts'
export { ed25519, isVouchedFor } from './group/ed25519.ts'
export type { Element, Group, PointBackend } from './group/group.ts'
export { decodeX, encodeUncompressed, encodeX, hasEvenY, secp256k1 } from './group/secp256k1.ts'
export { type ChildKey, deriveChild } from './hd/derive.ts'
export { formatPath, parsePath } from './hd/path.ts'
export {
  bitLength,
  gcd,
  integerSquareRoot,
  inverseModulo,
  jacobi,
} from './integer/arithmetic.ts'
export { bigintEngine } from './integer/bigint.ts'
export { fromSignedBytes, toSignedBytes, toUnsignedBytes } from './integer/encode.ts'
export {
  type IntegerEngine,
  integerEngine,
  type PowerContext,
  useIntegerEngine,
} from './integer/engine.ts'
export { CompositeModulus, FactoredModulus, Modulus } from './integer/modulus.ts'
export { type PrimeTests, searchSafePrime } from './integer/prime.ts'
export { sieve, smallFactor } from './integer/prime-test.ts'
export { isWithin, randomBelow, randomUnit, randomWithin } from './integer/sample.ts'
export { EncryptionBatch, type EncryptionEquation } from './paillier/batch.ts'
export { PaillierKey, PaillierSecretKey } from './paillier/paillier.ts'
export { RingPedersen, RingPedersenSecret } from './paillier/ring-pedersen.ts'
export {
  addCommitments,
  type Commitment,
  commitTo,
  evaluateCommitment,
  isShareOf,
} from './sharing/feldman.ts'
export { interpolate, interpolateElement, lagrangeCoefficients } from './sharing/lagrange.ts'
export { evaluate, type Polynomial, randomPolynomial } from './sharing/polynomial.ts'
export { parseShare, type Share } from './sharing/slip39/share.ts'
export {
  combineMnemonics,
  type GroupShape,
  type SplitOptions,
  splitMnemonics,
} from './sharing/slip39/slip39.ts'
export { Transcript } from './transcript.ts'
