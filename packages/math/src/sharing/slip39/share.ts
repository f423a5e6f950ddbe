/**
 * One share of SLIP-39 and its words.
 *
 *   identifier 15 ‖ extendable 1 ‖ iteration exponent 4 ‖ group index 4 ‖ group threshold−1 4 ‖ groups−1 4 ‖
 *   member index 4 ‖ member threshold−1 4 ‖ padding ‖ value ‖ checksum 30 bits, ten bits to a word
 *
 * A word's number is secret and is found by comparing it with all 1024: no address depends on it. Writing the
 * words down again, and JavaScript's strings in general, keep no such promise.
 */
import { Fault } from '@quorate/base'
import { CHECKSUM_WORDS, checksumOf, isIntact } from './rs1024.ts'
import { WORDS } from './wordlist.ts'

export type Share = {
  /** 0 to 32767: shares of one set have the same. */
  readonly identifier: number
  readonly isExtendable: boolean
  readonly iterationExponent: number
  readonly groupIndex: number
  readonly groupThreshold: number
  readonly groupCount: number
  readonly memberIndex: number
  readonly memberThreshold: number
  /** 16 bytes at least, an even number. */
  readonly value: Uint8Array
}

const BITS = 10
const HEAD_WORDS = 4
const MIN_WORDS = 20
const MAX_WORDS = 64
const MAX_WORD_LENGTH = 8

const refuse = (detail: string): never => {
  throw new Fault('math/bad-share', { detail })
}

const customizationOf = (isExtendable: boolean): string =>
  isExtendable ? 'shamir_extendable' : 'shamir'

const CODES: readonly Uint8Array[] = WORDS.map((word) => codesOf(word))

function codesOf(word: string): Uint8Array {
  const codes = new Uint8Array(MAX_WORD_LENGTH)
  for (let i = 0; i < word.length; i++) codes[i] = word.charCodeAt(i)
  return codes
}

/** The number of a word; all of the list is looked at. @throws math/bad-share */
function indexOf(word: string): number {
  if (word.length > MAX_WORD_LENGTH) refuse('a word is not in the list')
  const sought = codesOf(word)
  let found = 0
  let hits = 0
  for (let index = 0; index < CODES.length; index++) {
    const codes = CODES[index]!
    let difference = 0
    for (let i = 0; i < MAX_WORD_LENGTH; i++) difference |= codes[i]! ^ sought[i]!
    const isEqual = (difference - 1) >>> 31
    found |= index & -isEqual
    hits += isEqual
  }
  return hits === 1 ? found : refuse('a word is not in the list')
}

/** The words of a share, with a space between them. Treats the value as secret. */
export function formatShare(share: Share): string {
  const bits: number[] = []
  const put = (value: number, width: number): void => {
    for (let bit = width - 1; bit >= 0; bit--) bits.push((value >> bit) & 1)
  }
  put(share.identifier, 15)
  put(share.isExtendable ? 1 : 0, 1)
  put(share.iterationExponent, 4)
  put(share.groupIndex, 4)
  put(share.groupThreshold - 1, 4)
  put(share.groupCount - 1, 4)
  put(share.memberIndex, 4)
  put(share.memberThreshold - 1, 4)
  put(0, (BITS - ((share.value.length * 8) % BITS)) % BITS)
  for (const byte of share.value) put(byte, 8)
  const words: number[] = []
  for (let at = 0; at < bits.length; at += BITS)
    words.push(bits.slice(at, at + BITS).reduce((value, bit) => (value << 1) | bit, 0))
  const checksum = checksumOf(customizationOf(share.isExtendable), words)
  return [...words, ...checksum].map((index) => WORDS[index]!).join(' ')
}

/** The share that the words stand for. @throws math/bad-share naming what is wrong, never a word */
export function parseShare(mnemonic: string): Share {
  const texts = mnemonic.trim().toLowerCase().split(/\s+/)
  if (texts.length < MIN_WORDS || texts.length > MAX_WORDS) refuse('20 words at least')
  const valueBits = (texts.length - HEAD_WORDS - CHECKSUM_WORDS) * BITS
  const padding = valueBits % 16
  if (padding > 8) refuse('the number of words')
  const words = texts.map(indexOf)
  const bits = words
    .slice(0, -CHECKSUM_WORDS)
    .flatMap((word) => Array.from({ length: BITS }, (_, i) => (word >> (BITS - 1 - i)) & 1))
  let at = 0
  const take = (width: number): number => {
    let value = 0
    for (const end = at + width; at < end; at++) value = (value << 1) | bits[at]!
    return value
  }
  const [identifier, isExtendable, iterationExponent] = [take(15), take(1) === 1, take(4)]
  if (!isIntact(customizationOf(isExtendable), words)) refuse('the checksum: a word is wrong')
  const [groupIndex, groupThreshold, groupCount] = [take(4), take(4) + 1, take(4) + 1]
  const [memberIndex, memberThreshold] = [take(4), take(4) + 1]
  if (groupThreshold > groupCount) refuse('more groups are needed than there are')
  if (take(padding) !== 0) refuse('the padding')
  const value = Uint8Array.from({ length: (valueBits - padding) / 8 }, () => take(8))
  return {
    identifier,
    isExtendable,
    iterationExponent,
    groupIndex,
    groupThreshold,
    groupCount,
    memberIndex,
    memberThreshold,
    value,
  }
}
