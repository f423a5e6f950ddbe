/** What an instruction is read against: the wallet, and what is known of the accounts around it. */
import { base58 } from '@scure/base'
import type { SolanaNetwork } from '../networks.ts'
import { TOKEN_PROGRAM, type TokenProgram } from './addresses.ts'
import type { SolanaContext } from './context.ts'
import { associatedTokenAddress } from './derive.ts'
import { knownTokens, WRAPPED_SOL } from './tokens.ts'

export type TokenAccount = {
  readonly owner: string
  readonly mint: string
  /** Whether the account's address was made from owner, mint and program; else it is only said. */
  readonly isProven: boolean
}

export type Scene = {
  readonly network: SolanaNetwork
  /** The wallet's address. */
  readonly own: string
  /** What is known of a token account; `mint` where the instruction names it. */
  tokenAccount(account: string, program: TokenProgram, mint?: string): TokenAccount | undefined
  /** The wallet's own account for wrapped SOL. */
  isOwnWrappedSol(account: string): boolean
  associated(wallet: string, mint: string, program: TokenProgram): string
}

/** An account that an instruction of the transaction has the Associated Token program make or check. */
export type Associated = {
  readonly account: string
  readonly wallet: string
  readonly mint: string
  readonly program: string
}

/**
 * `associated` and the claims of the context are hints: what they say is proven by deriving the
 * address again, and shown as proven only then.
 */
export function sceneOf(
  network: SolanaNetwork,
  own: Uint8Array,
  context: SolanaContext,
  associated: readonly Associated[],
): Scene {
  const wallet = base58.encode(own)
  const derived = new Map<string, string>()
  const derive = (owner: string, mint: string, program: TokenProgram): string => {
    const name = `${owner} ${mint} ${program}`
    const known = derived.get(name) ?? associatedTokenAddress(owner, mint, program)
    derived.set(name, known)
    return known
  }
  const hints = new Map<string, readonly { readonly owner: string; readonly mint: string }[]>()
  const hint = (account: string, owner: string, mint: string): void => {
    hints.set(account, [...(hints.get(account) ?? []), { owner, mint }])
  }
  for (const each of associated) hint(each.account, each.wallet, each.mint)
  for (const claim of context.tokenAccounts ?? []) hint(claim.account, claim.owner, claim.mint)

  return {
    network,
    own: wallet,
    associated: derive,
    isOwnWrappedSol: (account) => account === derive(wallet, WRAPPED_SOL, TOKEN_PROGRAM),
    tokenAccount(account, program, mint) {
      const mints = mint === undefined ? knownTokens(network).map((token) => token.mint) : [mint]
      const candidates = [
        ...(hints.get(account) ?? []),
        ...mints.map((each) => ({ owner: wallet, mint: each })),
      ]
      const proven = candidates.find(
        (each) =>
          (mint === undefined || each.mint === mint) &&
          derive(each.owner, each.mint, program) === account,
      )
      if (proven !== undefined) return { ...proven, isProven: true }
      const said = (context.tokenAccounts ?? []).find((claim) => claim.account === account)
      return said === undefined
        ? undefined
        : { owner: said.owner, mint: said.mint, isProven: false }
    },
  }
}
