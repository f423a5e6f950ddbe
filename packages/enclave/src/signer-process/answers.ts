/**
 * What came of requests that other nodes led. A client may ask any node, or several at once: those that
 * do not lead learn the signatures from the signers, verify them, and answer with the receipts of so many
 * nodes as it takes to sign: of the signers, or of others who verify and keep the result as well.
 */
import { decode, encode, Fault, fromHex, isFault, toHex } from '@quorate/base'
import { failpoint } from '@quorate/platform'
import type { PartyId } from '@quorate/threshold'
import type { Outcome } from '../channel/outcomes.ts'
import type { ControlOf } from './control.ts'
import type { Outbox } from './outbox.ts'
import type { Peers } from './peers.ts'
import { completeSigning } from './plan-sign.ts'
import type { SignerPorts } from './ports.ts'
import { makeReceipt, ReceiptBook, type ReceiptFacts } from './receipts.ts'
import { type Answer, answerCodec, type RequestBook } from './request-book.ts'
import { type CheckedRequest, checkRequest, type ReadTransaction } from './requests.ts'
import type { WaitingRequests } from './waiting.ts'
import type { Wallets } from './wallets.ts'

/** Askers of one request that are remembered. */
const MAX_ASKERS = 50
const MAX_ASKED = 10_000
/** How long the signers have to confirm before others are asked to. */
const CONFIRM_MS = 1_000
const MAX_ANSWER_BYTES = 1 << 17

export type AnswersOptions = {
  readonly book: RequestBook
  readonly waiting: WaitingRequests
  readonly wallets: Wallets
  readonly peers: Peers
  readonly ports: SignerPorts
  readonly outbox: Outbox
  /** The transaction of a request, as this node reads it. @throws chains/…, enclave/… */
  read(checked: CheckedRequest): ReadTransaction
}

/** What answers say of one session, as they come in. */
type Collected = {
  readonly facts: ReceiptFacts
  readonly receipts: ReceiptBook
  /** How many nodes must confirm. */
  readonly need: number
  outcome(receipts: readonly Uint8Array[]): Outcome
}

type Found = { readonly answer: Answer; readonly outcome: Outcome }

type Wait = {
  readonly checked: CheckedRequest
  readonly sessions: Map<string, Collected>
  resolve(found: Found): void
}

export class Answers {
  readonly #o: AnswersOptions
  readonly #waits = new Map<string, Wait>()
  /** Who asked for what is not known yet. */
  readonly #askers = new Map<string, Set<PartyId>>()

  constructor(options: AnswersOptions) {
    this.#o = options
  }

  /**
   * The outcome of a request that another node leads or led, which this node knows from then on; `undefined`
   * where nobody tells within `waitMs`.
   */
  async fetch(
    checked: CheckedRequest,
    request: Uint8Array,
    waitMs: number,
  ): Promise<Outcome | undefined> {
    const { peers, ports, outbox, book } = this.#o
    const name = toHex(checked.hash)
    const finding = new Promise<Found | undefined>((resolve) => {
      const sessions = new Map<string, Collected>()
      const cancels = [
        ports.timers.after(waitMs, () => resolve(undefined)),
        ports.timers.after(CONFIRM_MS, () => {
          this.#confirmAll(checked, request, [...sessions.keys()]).catch((error: unknown) =>
            this.#refused(error),
          )
        }),
      ]
      this.#waits.set(name, {
        checked,
        sessions,
        resolve: (value) => {
          for (const cancel of cancels) cancel()
          resolve(value)
        },
      })
    }).finally(() => this.#waits.delete(name))
    outbox.tellAll(peers.present, { kind: 'askAnswer', value: { request } })
    const own = book.answerTo(checked.hash)
    if (own !== undefined) await this.#takeOwn(checked, own)
    const found = await finding
    if (found !== undefined)
      await this.#keep(checked, found.answer).catch((error: unknown) => this.#refused(error))
    return found?.outcome
  }

  /** Confirms what is known so far, and has all others confirm it. */
  async #confirmAll(
    checked: CheckedRequest,
    request: Uint8Array,
    answers: readonly string[],
  ): Promise<void> {
    const { outbox, peers } = this.#o
    for (const answer of answers.map(fromHex)) {
      outbox.tellAll(peers.present, { kind: 'confirm', value: { request, answer } })
      const { given, receipt } = await this.#confirm(checked, answer)
      this.#take(checked.hash, given, receipt)
    }
  }

  async #takeOwn(checked: CheckedRequest, answer: Answer): Promise<void> {
    const { peers } = this.#o
    const { facts } = this.#collect(checked, answer)
    const receipt = await makeReceipt(facts, peers, this.#o.ports.clock.now())
    this.#take(checked.hash, answer, receipt)
  }

  /** What an answer amounts to, its signatures verified. @throws chains/… */
  #collect(checked: CheckedRequest, answer: Answer): Collected {
    const { body } = checked.request
    if (body.kind !== 'sign') throw new Fault('enclave/bad-prepare')
    const { wallet, generation, project } = body.value
    const { threshold } = this.#o.wallets.active(wallet, project).record.key
    const read = this.#o.read(checked)
    if (answer.signatures.length !== read.items.length) throw new Fault('enclave/bad-receipt')
    const { items, result, bytes, txid } = completeSigning(read, answer.signatures)
    const { sid, signers } = answer
    const facts: ReceiptFacts = {
      sid,
      requestHash: checked.hash,
      wallet,
      generation,
      purpose: 'sign',
      result,
    }
    return {
      facts,
      receipts: new ReceiptBook(facts, this.#o.peers.cluster),
      need: threshold,
      outcome: (receipts) => ({
        kind: 'transaction',
        value: {
          wallet,
          signed: bytes,
          txid,
          items,
          receipts,
          signers,
          attempts: answer.attempt + 1,
        },
      }),
    }
  }

  #take(hash: Uint8Array, answer: Answer, receipt: Uint8Array): void {
    const wait = this.#waits.get(toHex(hash))
    if (wait === undefined) return
    const name = toHex(encode(answerCodec, answer))
    const known = wait.sessions.get(name) ?? this.#collect(wait.checked, answer)
    wait.sessions.set(name, known)
    known.receipts.add(receipt)
    const { receipts } = known.receipts
    if (receipts.length >= known.need) wait.resolve({ answer, outcome: known.outcome(receipts) })
  }

  /** A node wants to know what came of a request. */
  async asked(from: PartyId, { request }: ControlOf<'askAnswer'>): Promise<void> {
    const { peers, ports, book } = this.#o
    const checked = checkRequest(request, peers.cluster, ports.clock.now())
    const answer = book.answerTo(checked.hash)
    if (answer !== undefined) {
      await this.#tell([from], checked, answer)
      return
    }
    const name = toHex(checked.hash)
    const askers = this.#askers.get(name) ?? new Set()
    if (askers.size >= MAX_ASKERS) return
    // The oldest make room: whoever asked for them has long given up.
    if (this.#askers.size >= MAX_ASKED) this.#askers.delete([...this.#askers.keys()][0]!)
    this.#askers.set(name, askers.add(from))
  }

  /** Confirms signatures that another node shows, or shows it those that this node has of the same request. */
  async confirm(from: PartyId, { request, answer }: ControlOf<'confirm'>): Promise<void> {
    const { peers, ports } = this.#o
    const checked = checkRequest(request, peers.cluster, ports.clock.now())
    const { given, receipt } = await this.#confirm(checked, answer)
    const value = { request: checked.hash, answer: encode(answerCodec, given), receipt }
    this.#o.outbox.tellAll([from], { kind: 'answer', value })
  }

  /** This node's receipt for the answer that it has, or else for this one, verified here and on disk before. */
  async #confirm(
    checked: CheckedRequest,
    answer: Uint8Array,
  ): Promise<{ readonly given: Answer; readonly receipt: Uint8Array }> {
    const { peers, ports, book } = this.#o
    const known = book.answerTo(checked.hash)
    const given = known ?? decode(answerCodec, answer, { maxBytes: MAX_ANSWER_BYTES })
    const { facts } = this.#collect(checked, given)
    await this.#keep(checked, given)
    return { given, receipt: await makeReceipt(facts, peers, ports.clock.now()) }
  }

  /** Has an answer that is verified on disk, unless this node has one: it is asked for no approvals from then on. */
  async #keep(checked: CheckedRequest, answer: Answer): Promise<void> {
    const { ports, book, waiting } = this.#o
    if (book.answerTo(checked.hash) === undefined) {
      const changes = book.admit(checked)
      await book.settle(checked.hash, answer, async (change) => {
        failpoint('enclave/answer/before-put')
        await ports.persist([...changes, change], [])
        failpoint('enclave/answer/after-put')
      })
    }
    await waiting.ended(checked.hash)
  }

  /** This node's session of a request has ended well: whoever asked is told. */
  async known(checked: CheckedRequest): Promise<void> {
    await this.#o.waiting.ended(checked.hash)
    const name = toHex(checked.hash)
    const askers = this.#askers.get(name)
    if (askers === undefined && !this.#waits.has(name)) return
    this.#askers.delete(name)
    const answer = this.#o.book.answerTo(checked.hash)
    if (answer === undefined) return
    if (askers !== undefined) await this.#tell([...askers], checked, answer)
    if (this.#waits.has(name)) await this.#takeOwn(checked, answer)
  }

  /** Tells everyone what came of a request for which they may still wait. */
  async tellAll(checked: CheckedRequest): Promise<void> {
    const { book, peers } = this.#o
    const answer = book.answerTo(checked.hash)
    if (answer === undefined) return
    await this.#tell(peers.present, checked, answer).catch((error: unknown) => this.#refused(error))
  }

  /** A node waits for a request that is done, as this node knows: it is told. Says whether that is so. */
  async tellDone(to: PartyId, request: Uint8Array): Promise<boolean> {
    const { peers, ports, book } = this.#o
    const checked = checkRequest(request, peers.cluster, ports.clock.now())
    const answer = book.answerTo(checked.hash)
    if (answer === undefined) return false
    await this.#tell([to], checked, answer)
    return true
  }

  async #tell(to: readonly PartyId[], checked: CheckedRequest, answer: Answer): Promise<void> {
    const { peers, ports, outbox } = this.#o
    const { facts } = this.#collect(checked, answer)
    const receipt = await makeReceipt(facts, peers, ports.clock.now())
    const value = { request: checked.hash, answer: encode(answerCodec, answer), receipt }
    outbox.tellAll(to, { kind: 'answer', value })
  }

  /** A node tells what came of a request that this one asked about or waits for; a false answer is no answer. */
  async told({ request, answer, receipt }: ControlOf<'answer'>): Promise<void> {
    try {
      const given = decode(answerCodec, answer, { maxBytes: MAX_ANSWER_BYTES })
      if (this.#waits.has(toHex(request))) {
        this.#take(request, given, receipt)
        return
      }
      const kept = this.#o.waiting.kept(request)
      if (kept === undefined) return
      this.#collect(kept, given)
      await this.#keep(kept, given)
    } catch (error) {
      this.#refused(error)
    }
  }

  #refused(error: unknown): void {
    if (!isFault(error)) throw error
    this.#o.ports.logger.log('warn', 'answer.refused', { code: error.code })
  }
}
