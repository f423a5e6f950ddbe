/** Sample transactions: the referee makes them, the cluster signs them, the referee checks them. */
import { Fault, fromHex, toHex } from '@quorate/base'
import { describeView } from '@quorate/chains'
import type { Account } from '../account.ts'
import type { Connection } from '../connection.ts'
import type { Referee } from '../referee.ts'
import { readTx, type SignedTx, signTx } from '../signing.ts'
import { kindOf, type SampleChoice } from './sample-kinds.ts'

/** An unsigned transaction of the account, in hex. Throws the referee's own error for a choice that gives none. */
export const makeSample = (referee: Referee, account: Account, choice: SampleChoice = {}): string =>
  kindOf(account).make(referee, account, choice)

export type Sample = {
  readonly account: Account
  /** Hex. */
  readonly unsigned: string
  /** What it does, in plain words. */
  readonly words: readonly string[]
  readonly made: SignedTx
  /** Of the libraries that judged it. */
  readonly judge: string
}

/** @throws cli/does-not-verify where the referee does not agree */
export async function signSample(
  referee: Referee,
  connection: Connection,
  account: Account,
  onProgress: (text: string) => void,
): Promise<Sample> {
  const unsigned = makeSample(referee, account)
  const bytes = fromHex(unsigned)
  const words = describeView(readTx(account, bytes).view)
  const made = await signTx(connection, account, bytes, { onProgress })
  onProgress('having it checked')
  const { check, judge } = kindOf(account)
  const reasons = await check(referee, { account, unsigned, signed: toHex(made.signed), made })
  if (reasons.length > 0)
    throw new Fault('cli/does-not-verify', { detail: `the referee says: ${reasons.join('; ')}` })
  return { account, unsigned, words, made, judge }
}
