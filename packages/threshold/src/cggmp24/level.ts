/**
 * Security levels of CGGMP24: every length that the proofs depend on, and the inequalities between
 * them without which a proof would prove less than it says. Checked when this module is loaded.
 *
 * Canetti–Gennaro–Goldfeder–Makriyannis–Peled, eprint 2021/060, revision of 2024-10, appendix C.1,
 * with the ranges of Π^dec as `docs/spec/cggmp24.md` explains.
 */
import { bug, Fault } from '@quorate/base'
import { MAX_PARTIES } from '../session/party.ts'

export type LevelId = 'CGGMP24-secp256k1-SHA256-128-v1' | 'CGGMP24-secp256k1-SHA256-112-v1'

export type Level = {
  readonly id: LevelId
  /** Bits of each prime; the two top bits of a prime are set. */
  readonly primeBits: number
  /** Bits that a modulus N or N̂ of another party may have. */
  readonly minModulusBits: number
  readonly maxModulusBits: number
  /** ℓ: bits of the secrets k, γ, x. */
  readonly ell: number
  /** ℓ′: bits of the masks β. */
  readonly ellPrime: number
  /** ε: bits by which a mask exceeds what it hides. */
  readonly epsilon: number
  /** ε*: the same where challenges are single bits, in Π^dec. */
  readonly epsilonStar: number
  /** m: repetitions of proofs whose challenges are single bits. */
  readonly repetitions: number
}

const SHARED = { ell: 256, ellPrime: 1280, epsilon: 512, epsilonStar: 160 } as const

export const LEVELS: { readonly [Id in LevelId]: Level } = {
  'CGGMP24-secp256k1-SHA256-128-v1': {
    id: 'CGGMP24-secp256k1-SHA256-128-v1',
    primeBits: 1536,
    minModulusBits: 3071,
    maxModulusBits: 3072,
    repetitions: 128,
    ...SHARED,
  },
  'CGGMP24-secp256k1-SHA256-112-v1': {
    id: 'CGGMP24-secp256k1-SHA256-112-v1',
    primeBits: 1024,
    minModulusBits: 2047,
    maxModulusBits: 2048,
    repetitions: 112,
    ...SHARED,
  },
}

/** The level of that suite. @throws threshold/unknown-suite */
export function levelOf(id: string): Level {
  const level = Object.hasOwn(LEVELS, id) ? LEVELS[id as LevelId] : undefined
  if (level === undefined) throw new Fault('threshold/unknown-suite')
  return level
}

/** W: bits of the second response of Π^dec among `signers` parties: ℓ′ + ε + 1 + ⌈log₂ n⌉ + ε*. */
export const decryptionBits = (
  { ellPrime, epsilon, epsilonStar }: Level,
  signers: number,
): number => ellPrime + epsilon + 1 + Math.ceil(Math.log2(signers)) + epsilonStar

/** Refuses a level at which a proof would not prove what it says. */
export function checkLevel(level: Level): void {
  const { ell, ellPrime, epsilon, primeBits, minModulusBits } = level
  const partyBits = Math.ceil(Math.log2(MAX_PARTIES))
  const holds =
    epsilon >= 2 * ell &&
    ellPrime >= 3 * ell + epsilon &&
    2 * ell + epsilon <= primeBits &&
    4 * ell <= minModulusBits &&
    ellPrime + epsilon + 2 + partyBits <= minModulusBits &&
    // Were this wider than N, a plaintext and the same plus N would both fit, and differ modulo q.
    decryptionBits(level, MAX_PARTIES) + 3 <= minModulusBits &&
    minModulusBits === 2 * primeBits - 1 &&
    level.repetitions >= 112
  if (!holds) bug(`the parameters of ${level.id} do not fit together`)
}

for (const level of Object.values(LEVELS)) checkLevel(level)
