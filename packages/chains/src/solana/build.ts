/**
 * Payments as unsigned transactions in the form that the adapter takes. What only the network knows,
 * a recent blockhash or the value of a durable nonce, is given by hand; nothing is fetched here.
 */
import { Fault } from '@quorate/base'
import { decodeAddress } from './account-address.ts'
import { TOKEN_PROGRAM, type TokenProgram } from './addresses.ts'
import {
  advanceNonce,
  compileMessage,
  createAssociated,
  type Instruction,
  memo,
  transfer,
  transferChecked,
  unitLimit,
  unitPrice,
} from './compile.ts'
import { associatedTokenAddress, isOnCurve } from './derive.ts'
import { joinEnvelope, placesFor, readTransaction } from './message.ts'

/** What keeps the network from taking a transaction twice, or for ever. */
export type SolanaLifetime =
  /** Of the last minute or so; the transaction expires with it. */
  | { readonly blockhash: string }
  /** The value that the nonce account holds now; the transaction stays good until it is advanced. */
  | {
      readonly nonce: string
      readonly nonceAccount: string
      /** Who must sign for the nonce; the payer of the transfer unless given. */
      readonly nonceAuthority?: string | undefined
    }

type Common = {
  readonly from: string
  readonly to: string
  readonly lifetime: SolanaLifetime
  /** Who pays the fee, and must sign, too; `from` unless given. */
  readonly feePayer?: string | undefined
  readonly priority?:
    | {
        /** Compute units that the transaction may use. */
        readonly units: number
        /** Millionths of a lamport for each of them. */
        readonly microLamports: bigint
      }
    | undefined
  readonly memo?: string | undefined
  /** 0 unless given. */
  readonly version?: 'legacy' | 0 | undefined
}

export type SolanaTransfer = Common & { readonly lamports: bigint }

export type SolanaTokenTransfer = Common & {
  readonly mint: string
  /** In the smallest unit of the token. */
  readonly amount: bigint
  /** Of the mint; the network refuses the transfer if they are others. */
  readonly decimals: number
  /** Which program keeps the token; the Token program unless given. */
  readonly tokenProgram?: TokenProgram | undefined
  /** Accepts an address that is no key, such as the vault of a multisignature program. */
  readonly isToProgram?: boolean | undefined
}

export type BuiltSolanaTransfer = {
  /** A wire transaction with empty places for its signatures. */
  readonly unsigned: Uint8Array
  /** Empty: the transaction says it all. */
  readonly context: Uint8Array
}

/** An unsigned transfer of SOL. @throws chains/bad-address, chains/bad-amount, chains/transaction-too-large */
export function buildSolanaTransfer(given: SolanaTransfer): BuiltSolanaTransfer {
  checkAddresses([given.from, given.to])
  checkAmount(given.lamports)
  return built(given, [transfer(given.from, given.to, given.lamports)])
}

/**
 * An unsigned transfer of tokens between the associated token accounts of two wallets; that of the
 * payee is made on the way if it is not there, at the cost of `from`.
 * @throws chains/bad-address, also for a payee whose address is no key unless `isToProgram` is set;
 *   chains/bad-amount, chains/transaction-too-large
 */
export function buildSolanaTokenTransfer(given: SolanaTokenTransfer): BuiltSolanaTransfer {
  const { from, to, mint, amount, decimals, tokenProgram = TOKEN_PROGRAM } = given
  const [, payee] = checkAddresses([from, to, mint])
  checkAmount(amount)
  if (given.isToProgram !== true && !isOnCurve(payee!))
    throw new Fault('chains/bad-address', {
      detail: 'the payee is no wallet but an account of a program',
    })
  const [source, target] = [from, to].map((each) =>
    associatedTokenAddress(each, mint, tokenProgram),
  ) as [string, string]
  return built(given, [
    createAssociated(from, target, to, mint, tokenProgram),
    transferChecked([source, mint, target, from], amount, decimals, tokenProgram),
  ])
}

function built(given: Common, effects: readonly Instruction[]): BuiltSolanaTransfer {
  const { from, lifetime, feePayer = from, priority, version = 0 } = given
  const nonce = 'nonce' in lifetime ? lifetime : undefined
  const value = 'nonce' in lifetime ? lifetime.nonce : lifetime.blockhash
  const { nonceAuthority = from } = nonce ?? {}
  checkAddresses([
    feePayer,
    value,
    nonceAuthority,
    ...(nonce === undefined ? [] : [nonce.nonceAccount]),
  ])
  const message = compileMessage(version, feePayer, value, [
    // The network looks for it in the first place only.
    ...(nonce === undefined ? [] : [advanceNonce(nonce.nonceAccount, nonceAuthority)]),
    ...(priority === undefined
      ? []
      : [unitLimit(priority.units), unitPrice(priority.microLamports)]),
    ...effects,
    ...(given.memo === undefined ? [] : [memo(given.memo, from)]),
  ])
  const signers = version === 0 ? message[1]! : message[0]!
  const unsigned = joinEnvelope(placesFor(signers, undefined), message)
  readTransaction(unsigned)
  return { unsigned, context: new Uint8Array(0) }
}

const checkAddresses = (texts: readonly string[]): readonly Uint8Array[] => texts.map(decodeAddress)

function checkAmount(amount: bigint): void {
  if (amount <= 0n) throw new Fault('chains/bad-amount', { detail: 'nothing would be paid' })
}
