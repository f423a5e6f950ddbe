/**
 * Signing from presignatures. Presignatures bound to their path, and those re-randomised by a hash of all
 * that is signed, take one round:
 *
 *   1  out, in   broadcast  σ
 *
 * and those to be re-randomised by entropy two, the first of which opens everybody's:
 *
 *   1  out, in   broadcast  entropy committed to when the presignature was made
 *   2  out, in   broadcast  σ
 *
 * A presignature is used up before anything leaves, and wiped whatever becomes of the session.
 */
import { Fault } from '@quorate/base'
import type { PartyId } from '../../session/party.ts'
import { done, type Step, toAll } from '../../session/round.ts'
import type { Presignature, TakenPresignature } from '../presign/presignature.ts'
import { attestedRound, Replay } from '../replay.ts'
import {
  OnlineChecks,
  type OnlineFacts,
  type OnlineItem,
  onlineSharesCodec,
  revealCodec,
  shareRoundOf,
} from './checks.ts'
import type { Message } from './message.ts'
import { combineAll, type EcdsaSignature } from './signature.ts'

type Own<Item> = Item extends OnlineItem
  ? Omit<Item, 'presignature' | 'message'> & {
      readonly presignature: Presignature
      readonly message: Item['kind'] extends 'derived' ? Message : Item['message']
    }
  : never
/** As `OnlineItem`, with this signer's part of the presignature. */
export type OwnOnlineItem = Own<OnlineItem>

export type OnlineOptions = Omit<OnlineFacts, 'items'> & {
  readonly self: PartyId
  readonly items: readonly OwnOnlineItem[]
}

/** What everybody knows of the items. */
export const publicItems = (items: readonly OwnOnlineItem[]): readonly OnlineItem[] =>
  items.map((item) => ({ ...item, presignature: item.presignature.public }))

/**
 * The first step of signing every item. Uses up the presignatures.
 * @throws threshold/presignature-used, threshold/bad-parameters before anything is sent
 */
export function beginOnlineSigning(options: OnlineOptions): Step<readonly EcdsaSignature[]> {
  const { self, signers, items } = options
  for (const { presignature, kind, message } of items) {
    refuseOthers(presignature, kind, self, signers)
    // What the compiler refuses, and data from outside can still say.
    if (kind === 'derived' && message.kind !== 'message')
      throw new Fault('threshold/bad-parameters', {
        detail: 'without entropy of all signers a presignature signs no digest of others',
      })
  }
  const checks = new OnlineChecks({ ...options, items: publicItems(items) })
  const replay = new Replay(checks)
  const taken = takeAll(items)
  if (shareRoundOf(checks.facts) === 1) return shareRound(options, checks, replay, taken)
  const dispose = (): void => {
    for (const each of taken) each[Symbol.dispose]()
  }
  return attestedRound(
    replay,
    self,
    {
      number: 1,
      broadcast: replay.broadcast(1),
      advance: () => shareRound(options, checks, replay, taken),
      // Whatever ends the session here, what was opened is never used again; `shareRound` has it otherwise.
      [Symbol.dispose]: dispose,
    },
    [
      toAll(revealCodec(items.length), {
        context: checks.context,
        entropies: items.map(({ kind }, i) =>
          kind === 'rerandomised' ? taken[i]!.entropy! : new Uint8Array(),
        ),
      }),
    ],
  )
}

/** All presignatures. Where one of them was used before, or stands twice, what was taken so far is wiped. @throws threshold/presignature-used */
function takeAll(items: readonly OwnOnlineItem[]): readonly TakenPresignature[] {
  const taken: TakenPresignature[] = []
  try {
    for (const { presignature } of items) taken.push(presignature.take())
    return taken
  } catch (error) {
    for (const each of taken) each[Symbol.dispose]()
    throw error
  }
}

function refuseOthers(
  { public: of, self: owner }: Presignature,
  kind: OnlineItem['kind'],
  self: PartyId,
  signers: readonly PartyId[],
): void {
  const made = [...of.deltas.keys()]
  const isSameSet = made.length === signers.length && made.every((each, i) => each === signers[i])
  const isForKind = of.entropies.size > 0 === (kind === 'rerandomised')
  if (owner !== self || !isSameSet || !isForKind)
    throw new Fault('threshold/bad-parameters', {
      detail: 'the presignature was made for another use or by other signers',
    })
}

function shareRound(
  { self, signers, items }: OnlineOptions,
  checks: OnlineChecks,
  replay: Replay,
  taken: readonly TakenPresignature[],
): Step<readonly EcdsaSignature[]> {
  const number = shareRoundOf(checks.facts)
  const shares = taken.map((each, i) => each.sign(checks.digests[i]!, checks.nonces[i]))
  return attestedRound(
    replay,
    self,
    {
      number,
      // Nothing comes after it, and alone it rests on no earlier round.
      needsNoEcho: number === 1,
      broadcast: replay.unjudged(number),
      advance: () =>
        done(
          combineAll(
            { replay, round: number, self, signers },
            items.map(({ presignature }, i) => ({
              of: presignature.public,
              digest: checks.digests[i]!,
              nonce: checks.nonces[i],
            })),
            (party) => checks.sharesOf(party),
          ),
        ),
    },
    [toAll(onlineSharesCodec(items.length), { context: checks.context, shares })],
  )
}
