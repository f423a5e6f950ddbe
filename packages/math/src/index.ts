export { fromBytesBe, fromBytesLe, inverse, mod, toBytesBe } from './field.ts'
export { type BackendChoice, installBackend, removeBackend } from './group/backend.ts'
export { ed25519 } from './group/ed25519.ts'
export type { Element, Group, PointBackend } from './group/group.ts'
export { decodeX, encodeX, hasEvenY, secp256k1 } from './group/secp256k1.ts'
export {
  addCommitments,
  type Commitment,
  commitTo,
  evaluateCommitment,
  isShareOf,
} from './sharing/feldman.ts'
export { interpolate, interpolateElement, lagrangeCoefficients } from './sharing/lagrange.ts'
export { evaluate, type Polynomial, randomPolynomial } from './sharing/polynomial.ts'
export { Transcript } from './transcript.ts'
