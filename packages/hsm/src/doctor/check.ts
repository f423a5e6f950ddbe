/** The form of a check, and of what it finds. */
import type { DoctorFacts, Fact } from './facts.ts'

/** Least first. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** One thing that is wrong or weak. What is not given is as the check has it. */
export type Weakness = {
  /** What was seen, e.g. which key has which attribute. Never a secret. */
  readonly evidence: string
  readonly severity?: Severity
  readonly fix?: string
}

/** `weaknesses` first; `blind` says what could not be looked at, and counts where nothing was found. */
export type Look = { readonly weaknesses: readonly Weakness[]; readonly blind?: string }

export type Check = {
  readonly id: `D${string}`
  readonly title: string
  /** Of its weaknesses, unless they say otherwise. */
  readonly severity: Severity
  readonly fix: string
  look(facts: DoctorFacts): Look
}

export const found = (weaknesses: readonly Weakness[]): Look => ({ weaknesses })
export const foundIf = (isWeak: boolean, weakness: Weakness): Look =>
  found(isWeak ? [weakness] : [])
export const blind = (reason: string): Look => ({ weaknesses: [], blind: reason })

/** What `use` says of a known fact; blind, with the reason, for an unknown one. */
export const withFact = <T>(fact: Fact<T>, use: (value: T) => Look): Look =>
  'value' in fact ? use(fact.value) : blind(fact.unknown)

/** All that several looks found. It is blind to what any of them is blind to. */
export function together(...looks: readonly Look[]): Look {
  const reasons = looks.flatMap(({ blind: reason }) => (reason === undefined ? [] : [reason]))
  return {
    weaknesses: looks.flatMap(({ weaknesses }) => weaknesses),
    ...(reasons.length > 0 ? { blind: [...new Set(reasons)].join('; ') } : {}),
  }
}
