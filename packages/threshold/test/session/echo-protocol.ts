/** A protocol for testing the driver: every round all tell all something, and each keeps what it heard. */
import { type Codec, field, int, record, text } from '@quorate/base'
import type { PartyId } from '#src/session/party.js'
import { done, inlet, next, type Round, type Step, toAll, toEach } from '#src/session/round.js'

export type Word = { readonly word: string; readonly round: number }
export const wordCodec: Codec<Word> = record({ word: field(1, text(64)), round: field(2, int()) })
export type Heard = readonly string[]
export type Shape = readonly ('broadcast' | 'direct' | 'both')[]

/** The first step of `self`; each entry of `shape` is one round. `disposed` counts rounds that were left. */
export function beginTalk(
  self: PartyId,
  parties: readonly PartyId[],
  shape: Shape,
  disposed?: () => void,
): Step<Heard> {
  const others = parties.filter((each) => each !== self)
  const heard: string[] = []
  const enter = (number: number): Step<Heard> => {
    const form = shape[number - 1]
    if (form === undefined) return done([...heard].sort())
    const accept =
      (kind: string) =>
      (from: PartyId, { word, round }: Word): void => {
        heard.push(`${number}/${kind}/${from}/${round}/${word}`)
      }
    const round: Round<Heard> = {
      number,
      ...(form !== 'direct' && { broadcast: inlet(wordCodec, 100, accept('broadcast')) }),
      ...(form !== 'broadcast' && { direct: inlet(wordCodec, 100, accept('direct')) }),
      advance: () => enter(number + 1),
      [Symbol.dispose]: () => disposed?.(),
    }
    return next(
      round,
      ...(form !== 'direct' ? [toAll(wordCodec, { word: `from ${self}`, round: number })] : []),
      ...(form !== 'broadcast'
        ? toEach(others, wordCodec, (to) => ({ word: `${self} to ${to}`, round: number }))
        : []),
    )
  }
  return enter(1)
}
