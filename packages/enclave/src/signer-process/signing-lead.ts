/**
 * A client's signing request, led to its end: it waits for whom policy asks, is signed in one session or
 * another, or turns out to be led by another node, whose result it then is.
 */
import { Fault, isFault } from '@quorate/base'
import { Abort, type PartyId } from '@quorate/threshold'
import type { Outcome } from '../channel/outcomes.ts'
import type { Answers } from './answers.ts'
import { CLAIM_MS, isElsewhere } from './claims.ts'
import type { Policies } from './policies.ts'
import type { ReadIntent } from './reading.ts'
import type { RequestBook } from './request-book.ts'
import type { CheckedRequest } from './requests.ts'
import type { WaitingRequests } from './waiting.ts'
import type { Wallets } from './wallets.ts'

export type SigningLeadOptions = {
  readonly wallets: Wallets
  readonly policies: Policies
  readonly book: RequestBook
  readonly waiting: WaitingRequests
  readonly answers: Answers
  read(checked: CheckedRequest): ReadIntent
}

/** Runs sessions for the request until one succeeds; asks those in `avoid` last, and puts more in. */
export type RunSigning = (avoid: Set<PartyId>) => Promise<Outcome>

/** How often this node asks who else leads, before it gives up. */
const MAX_ROUNDS = 8

export class SigningLead {
  readonly #o: SigningLeadOptions

  constructor(options: SigningLeadOptions) {
    this.#o = options
  }

  async run(checked: CheckedRequest, request: Uint8Array, run: RunSigning): Promise<Outcome> {
    const { book, waiting, answers } = this.#o
    if (book.answerTo(checked.hash) !== undefined) {
      const outcome = await answers.fetch(checked, request, CLAIM_MS)
      if (outcome === undefined) throw new Fault('enclave/receipts-missing')
      await waiting.forget(checked.hash)
      return outcome
    }
    const waits = await this.#waits(checked, request)
    if (waits !== undefined) return waits
    try {
      const outcome = await this.#signHereOrElsewhere(checked, request, run)
      // The others keep it as well, and those that did not sign do not know.
      if (waiting.kept(checked.hash) !== undefined) await answers.tellAll(checked)
      await waiting.forget(checked.hash)
      return outcome
    } catch (error) {
      // A node that was away counts the delay from when it came back, and it may take that node to sign.
      if (!isFault(error, 'policy/delayed')) throw error
      waiting.putOff(checked.hash)
      const { decision, policyHash } = this.#o.read(checked)
      return { kind: 'waiting', value: waiting.describe(checked, decision, policyHash) }
    }
  }

  /** What the request waits for, kept until then; nothing where it may be signed now. @throws policy/… */
  async #waits(checked: CheckedRequest, request: Uint8Array): Promise<Outcome | undefined> {
    const { wallets, policies, waiting } = this.#o
    const { body } = checked.request
    if (body.kind !== 'sign') throw new Fault('enclave/internal')
    const { record } = wallets.active(body.value.wallet, body.value.project)
    const { rules } = policies.of(record).policy
    // Most policies ask nobody, and the transaction need not be read once more.
    if (!rules.some(({ action }) => action === 'approve' || action === 'delay')) return undefined
    const { decision, policyHash } = this.#o.read(checked)
    if (decision.decision === 'allow') return undefined
    const standing = waiting.standing(checked, decision, policyHash)
    switch (standing.state) {
      case 'ready':
        return undefined
      case 'denied':
        throw new Fault('policy/denied', {
          detail: decision.reasons.map(({ because }) => because).join('; '),
        })
      case 'rejected':
        await waiting.forget(checked.hash)
        throw new Fault('policy/rejected', { detail: `by ${standing.by.value}` })
      case 'waiting':
        await waiting.keep(checked, request, true)
        return { kind: 'waiting', value: waiting.describe(checked, decision, policyHash) }
    }
  }

  async #signHereOrElsewhere(
    checked: CheckedRequest,
    request: Uint8Array,
    run: RunSigning,
  ): Promise<Outcome> {
    const avoid = new Set<PartyId>()
    for (let round = 1; ; round++) {
      try {
        return await run(avoid)
      } catch (error) {
        if (!isElsewhere(error)) throw reasonOf(error)
        const outcome = await this.#o.answers.fetch(checked, request, CLAIM_MS)
        if (outcome !== undefined) return outcome
        if (round >= MAX_ROUNDS) throw reasonOf(error)
        // Whoever said so had nothing to show for it.
        if (error instanceof Abort) for (const party of error.laggards) avoid.add(party)
      }
    }
  }
}

/** What a refusal is about, where that is what its client has to hear. */
const reasonOf = (error: unknown): unknown =>
  isFault(error, 'threshold/refused') &&
  isFault(error.cause) &&
  error.cause.code.startsWith('policy/')
    ? error.cause
    : error
