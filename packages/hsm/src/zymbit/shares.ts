/**
 * Judging shares of SLIP-39 before the device sees them: it says nothing of a wrong one, and one wrong share
 * spoils the session.
 */
import { Fault, fromUtf8, wipe } from '@quorate/base'
import { parseShare, type Share } from '@quorate/math'

/** What shares have in common and what tells them apart; never their value. */
export type ShareHead = Omit<Share, 'value'> & { readonly valueBytes: number }

/** @throws math/bad-share */
export function headOf(words: Uint8Array): ShareHead {
  const text = fromUtf8(words)
  if (text === undefined) throw new Fault('math/bad-share', { detail: 'not UTF-8' })
  const { value, ...head } = parseShare(text)
  wipe(value)
  return { ...head, valueBytes: value.length }
}

const SET = [
  'identifier',
  'isExtendable',
  'iterationExponent',
  'groupThreshold',
  'groupCount',
  'valueBytes',
] as const

/** @throws math/bad-shares where the new share is of another set, or there already */
export function checkTogether(heads: readonly ShareHead[], next: ShareHead): void {
  const [first] = heads
  if (first !== undefined && SET.some((each) => first[each] !== next[each]))
    throw new Fault('math/bad-shares', { detail: 'they are not of one set' })
  const group = heads.filter(({ groupIndex }) => groupIndex === next.groupIndex)
  if (group.some(({ memberThreshold }) => memberThreshold !== next.memberThreshold))
    throw new Fault('math/bad-shares', { detail: 'they are not of one group' })
  if (group.some(({ memberIndex }) => memberIndex === next.memberIndex))
    throw new Fault('math/bad-shares', { detail: 'a share is there twice' })
}

/** How many more shares are needed at least: those that the started groups lack, and one for each other group. */
export function missingIn(heads: readonly ShareHead[]): number {
  const [first] = heads
  if (first === undefined) return 1
  const groups = new Map<number, { have: number; needed: number }>()
  for (const { groupIndex, memberThreshold } of heads) {
    const group = groups.get(groupIndex) ?? { have: 0, needed: memberThreshold }
    groups.set(groupIndex, { ...group, have: group.have + 1 })
  }
  const lacking = [...groups.values()]
    .map(({ have, needed }) => Math.max(0, needed - have))
    .sort((a, b) => a - b)
    .slice(0, first.groupThreshold)
  const started = lacking.reduce((sum, each) => sum + each, 0)
  return started + (first.groupThreshold - lacking.length)
}
