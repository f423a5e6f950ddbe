/**
 * What a Solana message does not say, as whoever asks for a signature claims it: what its address
 * tables hold, and whose the token accounts are. Canonical CBOR:
 *
 *   {1: {1: [writable…], 2: [readonly…]}, 2: [{1: account, 2: owner, 3: mint}…]}
 *
 * Table accounts come in the order of the lookups, all writable ones first, as nodes of the network
 * give them in `loadedAddresses`. All addresses are 32 bytes.
 */
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  Fault,
  field,
  mapped,
  optional,
  record,
} from '@quorate/base'
import { base58 } from '@scure/base'
import { lookedUp, type Message } from './message.ts'

const MAX_LOADED = 256
const MAX_TOKEN_ACCOUNTS = 64
const MAX_CONTEXT_BYTES = 1 << 15

export type LoadedAddresses = {
  readonly writable: readonly string[]
  readonly readonly: readonly string[]
}

/** Whom a token account belongs to, and of which token it is. */
export type TokenAccountClaim = {
  readonly account: string
  readonly owner: string
  readonly mint: string
}

export type SolanaContext = {
  readonly loaded?: LoadedAddresses | undefined
  readonly tokenAccounts?: readonly TokenAccountClaim[] | undefined
}

function refuse(detail: string): never {
  throw new Fault('chains/bad-context', { detail })
}

const address: Codec<string> = mapped(
  bytes(32),
  (value) => base58.encode(value),
  (value) => base58.decode(value),
)
const addresses = array(address, { max: MAX_LOADED })

const contextCodec: Codec<SolanaContext> = record({
  loaded: optional(1, record({ writable: field(1, addresses), readonly: field(2, addresses) })),
  tokenAccounts: optional(
    2,
    array(
      record({ account: field(1, address), owner: field(2, address), mint: field(3, address) }),
      {
        min: 1,
        max: MAX_TOKEN_ACCOUNTS,
      },
    ),
  ),
})

/** The bytes of a context; none where nothing is claimed. @throws base/malformed */
export const encodeContext = (context: SolanaContext): Uint8Array =>
  context.loaded === undefined && context.tokenAccounts === undefined
    ? new Uint8Array(0)
    : encode(contextCodec, context)

/** @throws chains/bad-context */
export function decodeContext(encoded: Uint8Array): SolanaContext {
  if (encoded.length === 0) return {}
  const context = read(encoded)
  if (encodeContext(context).length === 0) refuse('it claims nothing')
  return context
}

function read(encoded: Uint8Array): SolanaContext {
  try {
    return decode(contextCodec, encoded, { maxBytes: MAX_CONTEXT_BYTES })
  } catch {
    return refuse('not the canonical form')
  }
}

/**
 * Refuses a context that claims anything else than what the message leaves open: other counts of
 * table accounts, an account twice, or the owner of an account that is not there.
 * @throws chains/bad-context
 */
export function checkContext(
  message: Message,
  { loaded, tokenAccounts = [] }: SolanaContext,
): void {
  const own = message.accounts.map((key) => base58.encode(key))
  const claimed = loaded === undefined ? [] : [...loaded.writable, ...loaded.readonly]
  if (loaded !== undefined) {
    const [writable, readable] = lookedUp(message)
    if (loaded.writable.length !== writable || loaded.readonly.length !== readable)
      refuse('the tables load another number of accounts')
    if (claimed.length === 0) refuse('the message looks nothing up')
  }
  const all = new Set([...own, ...claimed])
  if (all.size !== own.length + claimed.length) refuse('a table account is there already')
  const described = tokenAccounts.map(({ account }) => account)
  if (described.some((account) => !all.has(account))) refuse('a token account that is not there')
  if (new Set(described).size !== described.length) refuse('a token account is described twice')
}
