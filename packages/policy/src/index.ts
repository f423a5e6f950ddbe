export {
  chargeAgainst,
  checkBudget,
  HIGH_WATER_SLACK_MS,
  type Ledger,
  openEntry,
  type ReleaseOptions,
  raiseHighWater,
  recoverLedger,
  releaseEntry,
  retained,
  type Spending,
  type UnionOptions,
  uniteLedgers,
} from './budget.ts'
export {
  acceptChange,
  type ChangeCheck,
  changeQuorum,
  firstPolicy,
  type PolicyInForce,
} from './change.ts'
export { decodePolicy, encodePolicy, policyHash } from './codec.ts'
export {
  type CustodyDecision,
  type CustodyFacts,
  checkCustodyAllowed,
  decideCustody,
} from './custody/decide.ts'
export {
  type BridgeRules,
  CURVES,
  type CustodyLevel,
  type CustodyPolicy,
  DEFAULT_CUSTODY_POLICY,
  type EmergencyRules,
  KEY_OPERATIONS,
  type KeyOperation,
  type KeyRules,
  MAX_SIGNING_RATE,
  type Place,
  ROLES,
  type RoleRules,
} from './custody/model.ts'
export {
  custodyPolicyFromPlain,
  custodyPolicyToPlain,
  readCustodyPolicy,
} from './custody/plain.ts'
export { checkAllowed, decide, explain } from './decide.ts'
export type { ApprovalNeed, Decision, Reason } from './decision.ts'
export type { Facts } from './facts.ts'
export {
  bury,
  type Charge,
  decodeEntry,
  decodeLedger,
  encodeEntry,
  encodeLedger,
  type LedgerCharge,
  type LedgerEntry,
  MAX_LEDGER_ENTRIES,
  type Tombstone,
  tombstoneMessage,
  withTombstones,
} from './ledger.ts'
export {
  ADMINS,
  type AllowRule,
  type Amounts,
  type ApproveRule,
  addressesOf,
  type Conditions,
  type DelayRule,
  type DenyRule,
  type Functions,
  type Hours,
  type Limit,
  type LimitRule,
  longestWindow,
  MAX_POLICY_BYTES,
  MAX_WINDOW_MS,
  type Policy,
  type Quorum,
  type Rule,
  WEEKDAYS,
  type Weekday,
} from './model.ts'
export { policyFromPlain, policyToPlain, readPolicy } from './plain.ts'
export { type PlainProblem, problemText } from './plain-reader.ts'
export { compare, type Difference, type PastRequest, simulate, type Verdict } from './simulate.ts'
export {
  checkStanding,
  type MissingApprovals,
  missingApprovals,
  type Standing,
  type StandingFacts,
  standingOf,
} from './standing.ts'
export { chooseTemplate, instantiate, listTemplates, type TemplateInfo } from './template.ts'
