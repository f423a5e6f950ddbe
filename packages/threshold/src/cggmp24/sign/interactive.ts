/**
 * Signing from key share to signature in one session of four rounds: presigning for messages that are
 * in the context from the start, and then the shares. Digests of others may be signed here.
 */
import { done, type Step, toAll } from '../../session/round.ts'
import { sharesCodec } from '../presign/messages.ts'
import type { Presignature } from '../presign/presignature.ts'
import { type PresignOptions, type PresignSession, presigning } from '../presign/rounds.ts'
import { attestedRound } from '../replay.ts'
import { digestOf, type Message, type Prehash } from './message.ts'
import { combineAll, type EcdsaSignature } from './signature.ts'

export type SigningItem = {
  readonly message: Message | Prehash
  /** Non-hardened steps below the group key (BIP-32). */
  readonly path: readonly number[]
}

export type InteractiveOptions = Omit<PresignOptions, 'items' | 'isRerandomised'> & {
  readonly items: readonly SigningItem[]
}

/** What presigning is told about the items of an interactive session. */
export const factsOfItems = (items: readonly SigningItem[]): PresignOptions['items'] =>
  items.map(({ message, path }) => ({ path, digest: digestOf(message) }))

/** The first step of signing every item; the signatures come in the order of the items. */
export const beginSigning = (options: InteractiveOptions): Step<readonly EcdsaSignature[]> =>
  presigning({ ...options, items: factsOfItems(options.items) }, shareRound)

function shareRound(
  { options, checks, replay }: PresignSession,
  presignatures: readonly Presignature[],
): Step<readonly EcdsaSignature[]> {
  const { self, signers, items } = options
  const own = presignatures.map((each, i) => each.take().sign(items[i]!.digest!))
  return attestedRound(
    replay,
    self,
    {
      number: 4,
      broadcast: replay.unjudged(4),
      advance: () =>
        done(
          combineAll(
            { replay, round: 4, self, signers },
            checks.presignatures.map((of, i) => ({ of, digest: items[i]!.digest! })),
            (party) => checks.sharesOf(party),
          ),
        ),
    },
    [toAll(sharesCodec(items.length), own)],
  )
}
