/** An in-memory network for tests of protocols, with tampering. Not for production. */
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
