/** An in-memory network for tests of protocols, with tampering, and keys that everybody knows. Not for production. */
export { type TestKeys, testKeys, testPrimes } from './cggmp24-keys.ts'
export { presignOptions, type TestWallet, testWallet } from './cggmp24-wallet.ts'
export {
  alterBody,
  type Cheat,
  conspire,
  type Delivery,
  delay,
  drop,
  duplicate,
  type Match,
  misbehave,
  outputsOf,
  type RunOptions,
  type RunResult,
  recoded,
  runSessions,
  type Tamper,
  type WireDelivery,
} from './network.ts'
export { keysOf, type Participant, participants } from './participants.ts'
export { seededRandom } from './random.ts'
