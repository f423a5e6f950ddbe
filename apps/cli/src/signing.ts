/**
 * Having a document signed, mostly a transaction. What it does is read here, from its own bytes; what comes back is
 * put together and verified here, too. Of the cluster only the signatures are believed, and those
 * because they verify.
 */
import type { ExplanationJson, TxView } from '@quorate/api'
import { Fault, fromHex, toHex } from '@quorate/base'
import type { SignItem, TxFormat, UnsignedTx } from '@quorate/chains'
import type { Account } from './account.ts'
import type { Connection } from './connection.ts'
import { progressText } from './progress.ts'
import { checkReceipts, signaturesHash } from './receipts.ts'

const NO_CONTEXT = new Uint8Array()

export type ReadTx = { readonly tx: UnsignedTx; readonly view: TxView }

/** The document as this account would sign it. @throws chains/… */
export function readTx(
  { adapter, key }: Account,
  unsigned: Uint8Array,
  context: Uint8Array = NO_CONTEXT,
): ReadTx {
  const tx = adapter.parse({ unsigned, context, key })
  return { tx, view: tx.view() }
}

/** What policy says to it, by the node that was asked. */
export const explain = (
  { client }: Connection,
  { wallet, network, path }: Account,
  unsigned: Uint8Array,
  context: Uint8Array = NO_CONTEXT,
): Promise<ExplanationJson> =>
  client.call('explainTransaction', {
    body: { wallet: wallet.id, network, unsigned: toHex(unsigned), context: toHex(context), path },
  })

export type SignedItem = {
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly publicKey: Uint8Array
}

export type SignedTx = {
  readonly signed: Uint8Array
  /** A document that is no transaction has none, nor has one that others still have to sign. */
  readonly txid: string | undefined
  /** In the order of the inputs. */
  readonly items: readonly SignedItem[]
  /** Numbers of the nodes that signed. */
  readonly signers: readonly number[]
  readonly attempts: number
  readonly signMs: number
}

/**
 * @throws policy/denied, sdk/bad-receipts, cli/does-not-verify, chains/unknown-format before anything
 *   is asked, and what the cluster refuses it with
 */
export async function signTx(
  connection: Connection,
  account: Account,
  unsigned: Uint8Array,
  options: {
    readonly context?: Uint8Array
    readonly format?: TxFormat | undefined
    /** For how long it waits for people, where policy asks for them; it does not unless told. */
    readonly waitMs?: number
    readonly onProgress: (text: string) => void
  },
): Promise<SignedTx> {
  const { context = NO_CONTEXT, format, waitMs } = options
  const { wallet, adapter, network, path } = account
  if (format !== undefined && !adapter.formats.includes(format))
    throw new Fault('chains/unknown-format', {
      detail: `there is ${adapter.formats.join(' and ')}`,
    })
  const { tx } = readTx(account, unsigned, context)
  const started = performance.now()
  const { result, body, client } = await connection.client.sign(
    wallet,
    { network, unsigned, context, path, ...(waitMs !== undefined && { lifetimeMs: waitMs }) },
    {
      onProgress: (operation) => options.onProgress(progressText(operation, 'signing')),
      ...(waitMs !== undefined && { onWaiting: () => options.onProgress('waiting for approval') }),
    },
  )
  const signMs = performance.now() - started
  const items = matched(tx.prepare(), result.signatures)
  // Verifies every one of them.
  const complete = tx.attach(new Map(items.map(({ id, signature }) => [id, signature])))
  const { bytes, txid } = complete.serialise(format)
  // What others still have to sign is not there to be verified.
  const reasons = txid === undefined ? [] : tx.verify(bytes)
  if (reasons.length > 0 || (txid ?? '') !== result.txid)
    throw new Fault('cli/does-not-verify', {
      detail: reasons[0] ?? 'the node names another transaction id',
    })
  const signers = checkReceipts(result.receipts, connection, {
    purpose: 'sign',
    body,
    client,
    wallet: wallet.id,
    result: signaturesHash(items),
    need: wallet.threshold,
  })
  return { signed: bytes, txid, items, signers, attempts: result.attempts, signMs }
}

type Returned = { readonly message: string; readonly signature: string }

/** Our own items, each with the signature that came for its message. @throws cli/does-not-verify */
function matched(
  items: readonly SignItem[],
  returned: readonly Returned[],
): readonly (SignItem & { readonly signature: Uint8Array })[] {
  return items.map((item, i) => {
    const found = returned[i]
    if (
      returned.length !== items.length ||
      found === undefined ||
      found.message !== toHex(item.message)
    )
      throw new Fault('cli/does-not-verify', {
        detail: 'the signatures are for another transaction',
      })
    return { ...item, signature: fromHex(found.signature) }
  })
}
