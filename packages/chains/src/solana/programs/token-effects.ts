/** What the instructions of the token programs do, each by its accounts and amounts. */
import type { TokenProgram } from '../addresses.ts'
import { type DataReader, type Effect, effect, movement } from '../effect.ts'
import type { Scene } from '../scene.ts'
import { tokenAsset } from '../tokens.ts'
import { decimalsWarnings, describeAmount, describeMint } from './token-text.ts'

const UNLIMITED = 2n ** 64n - 1n

/** Which of the two programs is called, and what is known around it. */
export type Token = { readonly scene: Scene; readonly program: TokenProgram }

type Transfer = {
  readonly source: string
  readonly mint: string | undefined
  readonly target: string
  readonly authority: string
  readonly amount: bigint
  readonly decimals?: number
}

/** A transfer between two token accounts of one mint, which a plain transfer does not name. */
export function transfers(
  { source, target, authority, amount, decimals, ...named }: Transfer,
  { scene, program }: Token,
): Effect {
  const { network, own } = scene
  const paying = scene.tokenAccount(source, program, named.mint)
  const paid = scene.tokenAccount(target, program, named.mint)
  // Both accounts are of one mint, or the network refuses: knowing it of one is enough.
  const provenMint = [paying, paid].find((each) => each?.isProven === true)?.mint
  const mint = named.mint ?? provenMint ?? paying?.mint ?? paid?.mint
  if (mint === undefined)
    return effect({
      warnings: [
        `moves ${amount} of the smallest unit of some token out of ${source} to ${target}`,
      ],
      isWhole: false,
    })
  const from = paying?.isProven === true ? paying.owner : authority
  const isToWallet = paid?.isProven === true
  return effect({
    movements: [
      movement({
        from,
        to: isToWallet ? paid.owner : target,
        asset: tokenAsset(network, mint),
        amount,
        isClaimed: named.mint === undefined && provenMint === undefined,
      }),
    ],
    notes: [
      `transfers ${describeAmount(network, mint, amount, decimals)} to the token account ${target}${isToWallet ? `, which is derived from ${paid.owner}` : ''}`,
      ...(paying?.isProven === true ? [] : [`out of the token account ${source}`]),
      ...(paid === undefined ? [`the message does not say whose token account ${target} is`] : []),
    ],
    warnings: [
      ...decimalsWarnings(network, mint, decimals),
      ...(paid?.isProven === false
        ? [`it is only said that ${target} belongs to ${paid.owner}; its address does not show it`]
        : []),
      ...(from === own && authority !== own ? [`${authority} moves tokens of this wallet`] : []),
      ...(target === mint ? ['sends the tokens to their own mint'] : []),
    ],
  })
}

/** A right to take tokens later; `what` is the amount in words. */
export const approves = (
  [source, delegate]: readonly [string, string],
  amount: bigint,
  what: string,
): Effect =>
  effect({
    warnings: [
      `lets ${delegate} take ${amount === UNLIMITED ? 'any amount' : what} out of the token account ${source} at any later time`,
    ],
    isWhole: false,
  })

type Supply = {
  readonly mint: string
  readonly account: string
  readonly authority: string
  readonly amount: bigint
  readonly decimals?: number
}

/** New tokens, shown as paid by whoever may make them. */
export function mints(
  { mint, account, authority, amount, decimals }: Supply,
  token: Token,
): Effect {
  const { network } = token.scene
  const paid = token.scene.tokenAccount(account, token.program, mint)
  const to = paid?.isProven === true ? paid.owner : account
  return effect({
    movements: [movement({ from: authority, to, asset: tokenAsset(network, mint), amount })],
    notes: [
      `makes new ${describeAmount(network, mint, amount, decimals)} in the token account ${account}`,
    ],
    warnings: decimalsWarnings(network, mint, decimals),
  })
}

/** What is destroyed leaves its owner like a payment does; the mint takes it back. */
export const burns = (
  { mint, account, authority, amount, decimals }: Supply,
  { scene: { network } }: Token,
): Effect =>
  effect({
    movements: [movement({ from: authority, to: mint, asset: tokenAsset(network, mint), amount })],
    warnings: [
      `destroys ${describeAmount(network, mint, amount, decimals)} of the token account ${account}`,
      ...decimalsWarnings(network, mint, decimals),
    ],
  })

/** A new token account and whose it is. */
export const owned = ({ scene }: Token, account: string, mint: string, owner: string): Effect =>
  effect({
    notes: [
      `makes ${account} a token account of ${owner} for ${describeMint(scene.network, mint)}`,
    ],
  })

const AUTHORITIES = ['minting', 'freezing', 'owning', 'closing'] as const

/** A right that passes on, or ends where `to` is `undefined`; `null` stands for an address that cannot be read. */
export function setsAuthority(
  account: string,
  kind: number,
  to: string | undefined | null,
): Effect | undefined {
  if (to === null) return undefined
  const name = AUTHORITIES[kind] ?? `authority number ${kind}`
  const what =
    to === undefined
      ? `takes the right of ${name} from ${account} for ever`
      : `gives the right of ${name} for ${account} to ${to}`
  return effect({ warnings: [what], isWhole: false })
}

/** The end of an account: whole only where its SOL comes back to the wallet. */
export function closes(account: string, to: string, { scene }: Token): Effect {
  const isOwn = to === scene.own
  return effect({
    warnings: [
      `closes the account ${account}: all SOL in it goes to ${isOwn ? 'this wallet' : to}`,
    ],
    isWhole: isOwn,
  })
}

/** A new mint, with who may make and who may freeze its tokens. */
export function makesMint(mint: string, data: DataReader): Effect | undefined {
  const decimals = data.u8()
  const authority = data.address()
  const freezer = data.optionalAddress()
  if (freezer === null) return undefined
  const freezing = freezer === undefined ? 'nobody may freeze them' : `${freezer} may freeze them`
  return effect({
    notes: [
      `makes ${mint} a mint with ${decimals} decimals; ${authority} may make tokens, ${freezing}`,
    ],
  })
}

/** An account for which several sign together. */
export const multisignature = (
  account: string,
  signers: readonly string[],
  needed: number,
): Effect =>
  effect({ notes: [`makes ${account} a signature of ${needed} of ${signers.join(', ')}`] })
