/**
 * What nodes of networks refuse, in our own words. Theirs are text of strangers: they are kept as the
 * cause, which only debugging shows.
 */
import { Fault, fromUtf8 } from '@quorate/base'

const KNOWN: readonly (readonly [said: RegExp, meaning: string])[] = [
  [/insufficient (funds|lamports|balance)|debit an account/i, 'the account does not hold enough'],
  [/nonce too low/i, 'a transaction with that nonce was sent already'],
  [/already (known|in|been processed|exists)|alreadyprocessed/i, 'it has that transaction already'],
  [/underpriced|min.{0,7} fee|fee.{0,30}(low|less than)/i, 'the fee is too low'],
  [/blockhash not found|blockhashnotfound/i, 'the blockhash is too old, or of another network'],
  [/missing.?or.?spent|missing ?inputs|mempool-conflict/i, 'a coin is spent, or not known there'],
  [/revert/i, 'the contract would refuse it'],
  [/too many requests|rate limit/i, 'there were too many requests'],
  [/unauthorized|forbidden|api.?key/i, 'it wants another access key'],
  [/signature/i, 'a signature does not verify there'],
]
const MAX_SHOWN = 1000

/** The fault for a refusal of `what`, with the number that came with it. */
export function refusal(what: string, code: number, said: string): Fault {
  const meaning = KNOWN.find(([pattern]) => pattern.test(said))?.[1]
  return new Fault('cli/rpc-refused', {
    detail: `${what}: ${meaning === undefined ? '' : `${meaning} `}(${code})`,
    cause: new Error(`the node says: ${said.slice(0, MAX_SHOWN)}`),
  })
}

/** The same for an answer over HTTP that is not one. */
export const httpRefusal = (what: string, status: number, body: Uint8Array): Fault =>
  refusal(what, status, STATUS[status] ?? fromUtf8(body) ?? '')

const STATUS: { readonly [status: number]: string } = {
  401: 'unauthorized',
  403: 'forbidden',
  429: 'too many requests',
}

export const badAnswer = (what: string): Fault => new Fault('cli/rpc-bad-answer', { detail: what })
