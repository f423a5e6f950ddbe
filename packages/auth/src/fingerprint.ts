/**
 * Hashes that people compare by voice: eight pronounceable words, one for each 16 bits of the first
 * 128 bits (proquints, arXiv:0901.4016: consonant, vowel, consonant, vowel, consonant).
 *
 * 128 bits: finding a second record for given words costs 2^128 hashes. Whoever writes the record
 * could find two records with one fingerprint at 2^64, so the parties who compare also read the
 * record that their own node shows.
 */
import { bug } from '@quorate/base'

const CONSONANTS = 'bdfghjklmnprstvz'
const VOWELS = 'aiou'

function word(bits: number): string {
  return (
    CONSONANTS[bits >> 12]! +
    VOWELS[(bits >> 10) & 3]! +
    CONSONANTS[(bits >> 6) & 15]! +
    VOWELS[(bits >> 4) & 3]! +
    CONSONANTS[bits & 15]!
  )
}

/** Eight five-letter words for the first 16 bytes of `hash` (32 bytes). */
export function fingerprintWords(hash: Uint8Array): readonly string[] {
  if (hash.length !== 32) bug('a fingerprint is made of 32 bytes')
  return Array.from({ length: 8 }, (_, i) => word((hash[2 * i]! << 8) | hash[2 * i + 1]!))
}
