/** An in-memory network for tests of protocols, with tampering. Not for production. */
export {
  alterBody,
  both,
  type Delivery,
  delay,
  drop,
  duplicate,
  type Match,
  outputsOf,
  type RunOptions,
  type RunResult,
  recode,
  runSessions,
  type Tamper,
  type WireDelivery,
} from './network.ts'
export { keysOf, type Participant, participants } from './participants.ts'
export { seededRandom } from './random.ts'
