/** What the messages of signing from presignatures must satisfy. */
import { array, bytes, type Codec, decode, equalBytes, Fault, field, record } from '@quorate/base'
import { deriveChild } from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import type { PartyId } from '../../session/party.ts'
import { ProofTranscript } from '../challenge.ts'
import { checkContext, contextOf } from '../context.ts'
import { levelOf } from '../level.ts'
import { entropyCommitment } from '../presign/entropy.ts'
import { sharesCodec } from '../presign/messages.ts'
import {
  isShareOf,
  nonceOf,
  type PublicPresignature,
  presignatureId,
  type SignatureNonce,
} from '../presign/presignature.ts'
import type { PublicChecks } from '../replay.ts'
import { digestOf, type Message, type Prehash } from './message.ts'

/** One signature from one presignature. */
export type OnlineItem =
  | {
      /** Signs for the path that the presignature was made for; only messages that are hashed here. */
      readonly kind: 'bound'
      readonly presignature: PublicPresignature
      readonly message: Message
    }
  | {
      /**
       * Signs for any path below the presignature's key, in one round. Signers take only messages that
       * they hash themselves; a judge is content with the digest.
       */
      readonly kind: 'derived'
      readonly presignature: PublicPresignature
      readonly message: Message | Prehash
      readonly chainCode: Uint8Array
      readonly path: readonly number[]
    }
  | {
      /** Signs anything, for any path below the presignature's key, after one more round. */
      readonly kind: 'rerandomised'
      readonly presignature: PublicPresignature
      readonly message: Message | Prehash
      readonly chainCode: Uint8Array
      readonly path: readonly number[]
    }

export type OnlineFacts = {
  /** Session id, 32 bytes. */
  readonly sid: Uint8Array
  /** Those of the presignatures, ascending. */
  readonly signers: readonly PartyId[]
  readonly items: readonly OnlineItem[]
}

/** The round in which shares are sent: the first, or after entropy the second. */
export const shareRoundOf = ({ items }: OnlineFacts): 1 | 2 =>
  items.some(({ kind }) => kind === 'rerandomised') ? 2 : 1

type Reveal = { readonly context: Uint8Array; readonly entropies: readonly Uint8Array[] }
export const revealCodec = (items: number): Codec<Reveal> =>
  record({
    context: field(1, bytes(32)),
    /** Empty for items of other kinds. */
    entropies: field(2, array(bytes({ max: 32 }), { min: items, max: items })),
  })
type Shares = { readonly context: Uint8Array; readonly shares: readonly bigint[] }
export const onlineSharesCodec = (items: number): Codec<Shares> =>
  record({ context: field(1, bytes(32)), shares: field(2, sharesCodec(items)) })

export class OnlineChecks implements PublicChecks {
  readonly facts: OnlineFacts
  readonly context: Uint8Array
  readonly digests: readonly Uint8Array[]
  readonly #reveals = new Map<PartyId, Reveal>()
  readonly #shares = new Map<PartyId, Shares>()
  #nonces: readonly SignatureNonce[]

  /** @throws threshold/bad-parameters for a digest to be signed from a presignature that is bound to its path */
  constructor(facts: OnlineFacts) {
    this.facts = facts
    const { items, signers, sid } = facts
    // What the compiler refuses, and data from outside can still say.
    if (items.some(({ kind, message }) => kind === 'bound' && message.kind !== 'message'))
      throw new Fault('threshold/bad-parameters', {
        detail: 'a presignature that is not re-randomised signs no digest of others',
      })
    this.digests = items.map(({ message }) => digestOf(message))
    const level = levelOf(items[0]!.presignature.level)
    this.context = contextOf(
      'sign',
      { level, sid, parties: signers, threshold: signers.length },
      (transcript) => {
        for (const [i, item] of items.entries()) {
          transcript.text('kind', item.kind).bytes('digest', this.digests[i]!)
          transcript.bytes('presignature', presignatureId(item.presignature))
          if (item.kind === 'bound') continue
          transcript.bytes('chain code', item.chainCode).number('steps', item.path.length)
          for (const step of item.path) transcript.number('step', step)
        }
      },
    )
    this.#nonces = items.map((item, i) =>
      item.kind === 'derived' ? this.#nonceOf(item, i) : nonceOf(item.presignature),
    )
  }

  /** What each presignature signs with, once all entropy is known. */
  get nonces(): readonly SignatureNonce[] {
    return this.#nonces
  }
  sharesOf(party: PartyId): readonly bigint[] {
    return this.#shares.get(party)!.shares
  }

  basisOf(round: number): number {
    return round - 1
  }

  maxBytes(): number {
    return 64 + 48 * this.facts.items.length
  }

  note(round: number, from: PartyId, body: Uint8Array): void {
    const limits = { maxBytes: body.length }
    const count = this.facts.items.length
    if (round === shareRoundOf(this.facts))
      this.#shares.set(from, decode(onlineSharesCodec(count), body, limits))
    else this.#reveals.set(from, decode(revealCodec(count), body, limits))
  }

  check(round: number, from: PartyId): void {
    if (round === shareRoundOf(this.facts)) this.#checkShares(from)
    else this.#checkReveal(from)
  }

  isPlausible(round: number, from: PartyId): boolean {
    const isShare = round === shareRoundOf(this.facts)
    return !isShare || equalBytes(this.context, this.#shares.get(from)!.context)
  }

  checkDirect(): void {
    throw new Abort('threshold/malformed-message')
  }

  close(round: number): void {
    if (round !== shareRoundOf(this.facts))
      this.#nonces = this.facts.items.map((item, i) => this.#nonceOf(item, i))
  }

  #checkReveal(from: PartyId): void {
    const { context, entropies } = this.#reveals.get(from)!
    checkContext(this.context, context)
    for (const [i, { kind, presignature }] of this.facts.items.entries()) {
      const isOpened =
        kind !== 'rerandomised'
          ? entropies[i]!.length === 0
          : equalBytes(
              presignature.entropies.get(from) ?? new Uint8Array(),
              entropyCommitment(presignature.context, presignature.item, from, entropies[i]!),
            )
      if (!isOpened) throw new Abort('threshold/wrong-opening', { culprits: [from] })
    }
  }

  /**
   * ρ, after everything else was fixed: from the context alone, which holds the session, presignature,
   * digest and path, or from the entropy of all signers besides.
   */
  #nonceOf(item: OnlineItem, i: number): SignatureNonce {
    if (item.kind === 'bound') return nonceOf(item.presignature)
    const isDerived = item.kind === 'derived'
    const transcript = new ProofTranscript(isDerived ? 'derive' : 'rerandomise', this.context)
    transcript.number('item', i)
    for (const party of isDerived ? [] : this.facts.signers)
      transcript.party('party', party).bytes('entropy', this.#reveals.get(party)!.entropies[i]!)
    const factor = transcript.scalar()
    if (factor === 0n) throw new Abort('threshold/degenerate')
    const { tweak, publicKey } =
      item.path.length === 0
        ? { tweak: 0n, publicKey: item.presignature.publicKey }
        : deriveChild(item.presignature.publicKey, item.chainCode, item.path)
    return nonceOf(item.presignature, { tweak, publicKey, factor })
  }

  #checkShares(from: PartyId): void {
    const { context, shares } = this.#shares.get(from)!
    checkContext(this.context, context)
    for (const [i, { presignature }] of this.facts.items.entries())
      if (!isShareOf(presignature, this.digests[i]!, from, shares[i]!, this.#nonces[i]))
        throw new Abort('threshold/invalid-share', { culprits: [from] })
  }
}
