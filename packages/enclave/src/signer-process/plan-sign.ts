/**
 * Signing sessions: of a transaction that a client asked for, and of the proof that a wallet can
 * sign with the key of its own address.
 */
import { encodeCbor, Fault, type Secret, TAGS, taggedHash } from '@quorate/base'
import { type AddressProof, proveAddress, type SignItem } from '@quorate/chains'
import { failpoint } from '@quorate/platform'
import { digestOf, type Manifest, partiesOf, sessionId, startSigning } from '@quorate/threshold'
import type { Outcome, SignedItem } from '../channel/outcomes.ts'
import { openAux } from './aux-store.ts'
import type { Participation, Plan } from './participation.ts'
import type { PlanContext } from './plan-context.ts'
import { pooledSigning } from './pool/pooled-signing.ts'
import { makeReceipt, ReceiptBook, type ReceiptFacts, ReceiptInbox } from './receipts.ts'
import { refOf } from './recovery.ts'
import type { ReadTransaction } from './requests.ts'
import type { SessionStart } from './session-runner.ts'
import { openEncodedShare, openShare } from './shares.ts'
import { messageOf, walletFacts } from './signed-items.ts'
import type { StoredWallet } from './wallets.ts'

/** FROST computes for milliseconds, CGGMP24 for seconds, and for each item of a transaction again. */
const SIGN_MS = 20_000
const ECDSA_SIGN_MS = 60_000
const ECDSA_ITEM_MS = 5_000
/** As many as fit into one envelope at 128 bits: the products of an item take up to 18 KiB. */
const MAX_ECDSA_ITEMS = 48

type Signatures = readonly Uint8Array[]

/** The protocol that signs. */
type Signing = SessionStart<Signatures> &
  Pick<Plan<Signatures>, 'budgetMs' | 'startsAlone' | 'atBurn' | 'facts' | 'release'>

/** `items` under the key at `path`. This node's share is unsealed when the session begins. */
function signingOf(
  context: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  items: readonly SignItem[],
  path: readonly number[],
): Signing {
  if (manifest.pooled !== undefined) return pooledSigning(context, manifest, stored, items, path)
  return stored.record.key.protocol === 'frost'
    ? frostSigning(context, manifest, stored, items)
    : ecdsaSigning(context, stored, items, path)
}

function frostSigning(
  { vault, peers, ports }: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  signed: readonly SignItem[],
): Signing {
  let share: Secret<Uint8Array> | undefined
  const items = signed.map(({ message, tweak }) => ({
    message,
    tweaks: tweak === undefined ? [] : [tweak],
  }))
  return {
    budgetMs: SIGN_MS,
    facts: {
      wallet: walletFacts(stored),
      items: items.map((item) => ({ ...item, path: [] })),
    },
    begin() {
      failpoint('enclave/sign/before-commitments')
      const opened = openShare(vault, peers.self, stored)
      share = opened.share
      const signers = partiesOf(manifest)
      const { key } = opened
      return startSigning({ self: peers.self, signers, key, share, random: ports.random, items })
    },
    release: () => share?.[Symbol.dispose](),
  }
}

function ecdsaSigning(
  { vault, peers, auxes }: PlanContext,
  stored: StoredWallet,
  signed: readonly SignItem[],
  path: readonly number[],
): Signing {
  if (signed.length > MAX_ECDSA_ITEMS)
    throw new Fault('threshold/bad-parameters', {
      detail: `an ECDSA wallet signs at most ${MAX_ECDSA_ITEMS} inputs at once`,
    })
  const aux = auxes.find(stored.record.key.aux)
  const items = signed.map((item) => ({ message: messageOf(item), path }))
  return {
    budgetMs: ECDSA_SIGN_MS + ECDSA_ITEM_MS * (items.length - 1),
    facts: {
      wallet: walletFacts(stored),
      aux: aux.public,
      items: items.map(({ message }) => ({ message: digestOf(message), tweaks: [], path })),
    },
    program: {
      name: 'cggmp24-sign',
      input() {
        failpoint('enclave/sign/before-presigning')
        const share = openEncodedShare(vault, peers.self, stored)
        return { share, aux: openAux(vault, aux), items }
      },
    },
  }
}

/** 32 bytes over every message with its signature: what receipts of a signing session confirm. */
const resultOf = (items: readonly SignedItem[]): Uint8Array =>
  taggedHash(
    TAGS.signatures,
    encodeCbor(items.map(({ publicKey, message, signature }) => [publicKey, message, signature])),
  )

export type CompletedSigning = {
  readonly items: readonly SignedItem[]
  /** What receipts of it confirm, 32 bytes. */
  readonly result: Uint8Array
  /** The signed transaction. */
  readonly bytes: Uint8Array
  readonly txid: string
}

/** The transaction with its signatures, each of which the adapter verifies by the rules of its network. @throws chains/… */
export function completeSigning(
  { tx, items }: Pick<ReadTransaction, 'tx' | 'items'>,
  signatures: readonly Uint8Array[],
): CompletedSigning {
  const signed = items.map(({ publicKey, message }, i) => ({
    publicKey,
    message,
    signature: signatures[i]!,
  }))
  const complete = tx.attach(new Map(items.map(({ id }, i) => [id, signatures[i]!])))
  const { bytes, txid } = complete.serialise()
  return { items: signed, result: resultOf(signed), bytes, txid: txid ?? '' }
}

/** Signs what a client asked for; the coordinator ends with the transaction and a receipt of each signer. */
export function signPlan(
  context: PlanContext,
  manifest: Manifest,
  requestHash: Uint8Array,
  stored: StoredWallet,
  read: ReadTransaction,
): Plan<Signatures> {
  const { peers, ports, book: requests } = context
  const { items, path } = read
  const sid = sessionId(manifest)
  const inbox = new ReceiptInbox()
  let book: ReceiptBook | undefined
  return {
    ...signingOf(context, manifest, stored, items, path),
    title: 'signing',
    onReceipt: (from, receipt) => inbox.receive(from, receipt),
    hasConfirmed: (party) => book?.has(party) ?? false,
    async finish(signatures, session: Participation) {
      failpoint('enclave/sign/before-receipt')
      const { items: signed, result, bytes, txid } = completeSigning(read, signatures)
      const facts: ReceiptFacts = {
        sid,
        requestHash,
        wallet: manifest.wallet,
        generation: manifest.generation,
        purpose: 'sign',
        result,
      }
      const own = await makeReceipt(facts, peers, ports.clock.now())
      const { attempt } = manifest
      const record = context.auditOf(session, { name: 'txid', value: txid })
      const answer = { sid, attempt, signers: partiesOf(manifest), signatures }
      const write = (how?: Parameters<Participation['write']>[2]): Promise<void> =>
        requests.settle(requestHash, answer, (change) => session.write([change], [record], how))
      const { coordinator } = manifest
      if (coordinator !== peers.self) {
        const tell = (): void =>
          context.tell({ kind: 'receipt', value: { receipt: own } }, sid, [coordinator])
        await write({ tell })
        return undefined
      }
      const outcomeOf = (receipts: readonly Uint8Array[]): Outcome => ({
        kind: 'transaction',
        value: {
          wallet: manifest.wallet,
          signed: bytes,
          txid,
          items: signed,
          receipts,
          signers: partiesOf(manifest),
          attempts: attempt + 1,
        },
      })
      book = new ReceiptBook(facts, peers.cluster)
      book.addOwn(peers.self, own)
      const collected = inbox.collect(book, partiesOf(manifest), ports.timers, SIGN_MS)
      if (book.hasAll(partiesOf(manifest))) {
        const outcome = outcomeOf(book.receipts)
        await write({ concluded: { request: requestHash, outcome } })
        return outcome
      }
      const [receipts] = await Promise.all([collected, write()])
      return outcomeOf(receipts)
    },
  }
}

/** Signs the address proof. Every signer keeps it and offers it to the nodes that did not sign. */
export function provePlan(
  context: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  { address, item }: AddressProof,
): Plan<Signatures> {
  return {
    ...signingOf(context, manifest, stored, [item], []),
    title: 'proving the address',
    async finish([proof], session) {
      const ref = refOf(stored.row)
      proveAddress(stored.record.network, address, item.message, proof!)
      await context.ports.persist(
        [{ kind: 'prove', value: { ref, proof: proof! } }],
        [context.auditOf(session)],
      )
      context.wallets.prove(ref, proof!)
      if (manifest.coordinator === context.peers.self)
        context.tell(
          { kind: 'proof', value: { ref, proof: proof! } },
          stored.row.sid,
          context.peers.present,
        )
      return undefined
    },
  }
}
