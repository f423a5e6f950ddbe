/**
 * The decision. A rule that denies and matches wins over everything; else one rule that allows must
 * match; else the answer is no. Pure: the same rules and question always give the same decision.
 *
 * Rules are sorted by action and project on first use, so that a decision looks only at those that
 * could matter, about a microsecond in all; the explanation is made only when it is read.
 */
import { ACTIONS, type Action } from './actions.ts'
import { addressBytes } from './cidr.ts'
import { NO, type Question, type Test, testsOf, UNKNOWN } from './match.ts'
import { actionsOf, EVERYWHERE, type HeldRule, type Scope } from './model.ts'
import type { Decision, Reason, Resource } from './port.ts'

export type Asked = {
  readonly action: Action
  readonly resource: Resource
  /** Milliseconds since the epoch. */
  readonly now: number
  /** An address in text, or `local`. */
  readonly address: string
}

type CompiledRule = {
  readonly held: HeldRule
  readonly isDeny: boolean
  readonly actions: ReadonlySet<Action>
  readonly tests: readonly Test[]
}

const NONE: readonly CompiledRule[] = []

/** All rules that one identity holds, ready to decide. */
export class CompiledPolicy {
  readonly rules: readonly HeldRule[]
  readonly #compiled: readonly CompiledRule[]
  readonly #scopes: ReadonlySet<Scope>
  /** By project (`*`: the instance itself), then action. */
  readonly #found = new Map<string, Map<Action, readonly CompiledRule[]>>()

  constructor(rules: readonly HeldRule[]) {
    this.rules = rules
    this.#compiled = rules.map((held) => ({
      held,
      isDeny: held.rule.effect === 'deny',
      actions: new Set(actionsOf(held.rule)),
      tests: testsOf(held),
    }))
    this.#scopes = new Set(rules.map(({ scope }) => scope))
  }

  decide(asked: Asked): Decision {
    const { resource, address, now } = asked
    const rules = this.#rulesFor(asked.action, resource.project ?? EVERYWHERE)
    const question: Question = { resource, now, address, addressBytes: bytesOf(address) }
    let allowing: CompiledRule | undefined
    for (const rule of rules) {
      // Rules that deny come first, so the first that matches decides.
      if (!rule.isDeny && allowing !== undefined) break
      if (matches(rule, question)) {
        if (rule.isDeny) return new Verdict(false, rule, rules, question)
        allowing = rule
      }
    }
    return new Verdict(allowing !== undefined, allowing, rules, question)
  }

  /** Whether any rule that allows, now or later, reaches into the project. */
  reaches(project: Scope): boolean {
    return this.#scopes.has(EVERYWHERE) || this.#scopes.has(project)
  }

  #rulesFor(action: Action, project: Scope): readonly CompiledRule[] {
    // A stranger may ask about any number of projects; only those with rules are remembered.
    if (!this.#scopes.has(project)) return this.#listed(action, EVERYWHERE)
    return this.#listed(action, project)
  }

  #listed(action: Action, scope: Scope): readonly CompiledRule[] {
    let byAction = this.#found.get(scope)
    if (byAction === undefined) {
      byAction = new Map()
      this.#found.set(scope, byAction)
    }
    let rules = byAction.get(action)
    if (rules === undefined) {
      rules = this.#select(action, scope)
      byAction.set(action, rules)
    }
    return rules
  }

  #select(action: Action, scope: Scope): readonly CompiledRule[] {
    const rules = this.#compiled.filter(
      ({ held, actions }) =>
        actions.has(action) && (held.scope === EVERYWHERE || held.scope === scope),
    )
    if (rules.length === 0) return NONE
    return [...rules.filter(({ isDeny }) => isDeny), ...rules.filter(({ isDeny }) => !isDeny)]
  }
}

/** The parse of the last address: requests of one client come in rows. */
let last: { readonly text: string; readonly bytes: Uint8Array | undefined } = {
  text: '',
  bytes: undefined,
}
function bytesOf(address: string): Uint8Array | undefined {
  if (last.text !== address) last = { text: address, bytes: addressBytes(address) }
  return last.bytes
}

function matches({ isDeny, tests }: CompiledRule, question: Question): boolean {
  for (const test of tests) {
    const verdict = test.verdict(question)
    if (verdict === NO || (verdict === UNKNOWN && !isDeny)) return false
  }
  return true
}

class Verdict implements Decision {
  readonly allowed: boolean
  readonly #by: CompiledRule | undefined
  readonly #rules: readonly CompiledRule[]
  readonly #question: Question

  constructor(
    allowed: boolean,
    by: CompiledRule | undefined,
    rules: readonly CompiledRule[],
    question: Question,
  ) {
    this.allowed = allowed
    this.#by = by
    this.#rules = rules
    this.#question = question
  }

  get rule(): string | undefined {
    return this.#by?.held.label
  }

  get why(): readonly Reason[] {
    return this.#rules.map((rule) => reasonOf(rule, this.#question))
  }
}

function reasonOf(rule: CompiledRule, question: Question): Reason {
  const { held, tests } = rule
  const { effect } = held.rule
  const verb = effect === 'allow' ? 'allows' : 'denies'
  const missing = tests.filter((test) => test.verdict(question) === NO)
  const open = tests.filter((test) => test.verdict(question) === UNKNOWN)
  const matched = matches(rule, question)
  const wants = (list: readonly Test[]): string => list.map(({ wanted }) => wanted).join(', and ')
  const because = matched
    ? open.length > 0
      ? `It ${verb} this, for the request leaves open: ${wants(open)}.`
      : tests.length === 0
        ? `It ${verb} this without conditions.`
        : `It ${verb} this: ${wants(tests)}.`
    : `It does not apply: it needs ${wants([...missing, ...open])}${
        missing.length === 0 ? ', which the request leaves open' : ''
      }.`
  return { rule: held.label, effect, matched, because }
}

/** One line of what was missing, for the refusal. */
export function refusalOf(action: Action, { rule, why }: Decision): string {
  if (rule !== undefined) return `${action}: denied by ${rule}`
  if (why.length === 0)
    return `${action}: no role or grant of yours names it${
      ACTIONS[action].scope === 'instance' ? ' for the whole instance' : ' in this project'
    }`
  const reasons = why.filter(({ effect }) => effect === 'allow').slice(0, 3)
  if (reasons.length === 0) return `${action}: no role or grant of yours allows it`
  return `${action}: ${reasons.map(({ rule, because }) => `${rule}: ${because}`).join(' ')}`
}
