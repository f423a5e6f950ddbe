/**
 * The checksum of SLIP-39: a Reed–Solomon code over GF(1024) that finds any three wrong words.
 * Variable-time, apart from its masks: it looks up nothing by a word.
 */
const GENERATOR = [
  0xe0e040, 0x1c1c080, 0x3838100, 0x7070200, 0xe0e0009, 0x1c0c2412, 0x38086c24, 0x3090fc48,
  0x21b1f890, 0x3f3f120,
] as const

export const CHECKSUM_WORDS = 3

function polymod(customization: string, words: readonly number[]): number {
  let checksum = 1
  const step = (value: number): void => {
    const top = checksum >>> 20
    checksum = ((checksum & 0xfffff) << 10) ^ value
    for (const [bit, term] of GENERATOR.entries()) checksum ^= term & -((top >>> bit) & 1)
  }
  for (let i = 0; i < customization.length; i++) step(customization.charCodeAt(i))
  for (const word of words) step(word)
  return checksum
}

/** Three words that make the whole pass. */
export function checksumOf(customization: string, words: readonly number[]): readonly number[] {
  const value = polymod(customization, [...words, 0, 0, 0]) ^ 1
  return [(value >>> 20) & 1023, (value >>> 10) & 1023, value & 1023]
}

export const isIntact = (customization: string, words: readonly number[]): boolean =>
  polymod(customization, words) === 1
