/**
 * Addresses that follow from other addresses. Whoever re-derives one knows what it belongs to
 * without asking anybody.
 * Spec: https://solana.com/docs/core/pda, `solana_pubkey::Pubkey::find_program_address`.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, Fault, utf8 } from '@quorate/base'
import { base58 } from '@scure/base'
import { ASSOCIATED_TOKEN_PROGRAM } from './addresses.ts'

const MARKER = utf8('ProgramDerivedAddress')
const MAX_SEEDS = 16
const MAX_SEED_BYTES = 32

export type ProgramAddress = {
  readonly address: string
  /** The number appended to the seeds, the highest that gives no point of the curve. */
  readonly bump: number
}

/** Whether somebody may have the key of these 32 bytes: any encoding that decompresses, canonical or not (ZIP-215), as the network sees it. */
export function isOnCurve(bytes: Uint8Array): boolean {
  try {
    ed25519.Point.fromBytes(bytes, true)
    return true
  } catch {
    return false
  }
}

/**
 * The address that `program` owns for `seeds` and nobody has the key of.
 * @throws chains/bad-address for more than 16 seeds with the bump, one of more than 32 bytes, or no address
 */
export function findProgramAddress(seeds: readonly Uint8Array[], program: string): ProgramAddress {
  if (seeds.length >= MAX_SEEDS || seeds.some(({ length }) => length > MAX_SEED_BYTES))
    throw new Fault('chains/bad-address', { detail: 'seeds too many or too long' })
  const tail = [base58.decode(program), MARKER]
  for (let bump = 255; bump >= 0; bump--) {
    const hash = sha256(concatBytes(...seeds, Uint8Array.of(bump), ...tail))
    if (!isOnCurve(hash)) return { address: base58.encode(hash), bump }
  }
  throw new Fault('chains/bad-address', { detail: 'no bump gives an address' })
}

/** Addresses that were derived lately: a wallet's transactions ask for the same ones. */
const derived = new Map<string, string>()
const MAX_DERIVED = 1024

/** Where `wallet` keeps the tokens of `mint` unless it says otherwise. */
export function associatedTokenAddress(wallet: string, mint: string, tokenProgram: string): string {
  const seeds = [wallet, tokenProgram, mint]
  const name = seeds.join()
  const known = derived.get(name)
  if (known !== undefined) return known
  const { address } = findProgramAddress(
    seeds.map((each) => base58.decode(each)),
    ASSOCIATED_TOKEN_PROGRAM,
  )
  if (derived.size === MAX_DERIVED) derived.clear()
  derived.set(name, address)
  return address
}

/** The address that `base` controls by its own signature, made with a text and owned by `program`. */
export const addressWithSeed = (base: string, seed: Uint8Array, program: string): string =>
  base58.encode(sha256(concatBytes(base58.decode(base), seed, base58.decode(program))))
