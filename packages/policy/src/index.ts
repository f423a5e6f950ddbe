export type { Facts } from './condition.ts'
export { checkAllowed, type Decision, decide, explain, type Reason } from './decide.ts'
export {
  type Amounts,
  type Conditions,
  decodePolicy,
  encodePolicy,
  MAX_POLICY_BYTES,
  type Policy,
  policyHash,
  type Rule,
} from './model.ts'
export { policyFromPlain, policyToPlain } from './plain.ts'
export { chooseTemplate, instantiate, listTemplates, type TemplateInfo } from './template.ts'
