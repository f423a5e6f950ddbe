/**
 * Signing sessions: of a transaction that a client asked for, and of the proof that a wallet can
 * sign with the key of its own address.
 */
import { encodeCbor, TAGS, taggedHash } from '@quorate/base'
import { type AddressProof, proveAddress, type SignItem } from '@quorate/chains'
import { failpoint } from '@quorate/platform'
import { type Manifest, partiesOf, type Step, sessionId, startSigning } from '@quorate/threshold'
import type { SignedItem } from '../channel/calls.ts'
import type { Participation, Plan } from './participation.ts'
import type { PlanContext } from './plan-context.ts'
import { makeReceipt, ReceiptBook, type ReceiptFacts, ReceiptInbox } from './receipts.ts'
import { refOf } from './recovery.ts'
import type { ReadTransaction } from './requests.ts'
import { openShare } from './shares.ts'
import type { StoredWallet } from './wallets.ts'

const SIGN_MS = 20_000

type Signatures = readonly Uint8Array[]

/** The protocol's first step: this node's share is unsealed here, and wiped by `release`. */
function signingOf(
  context: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  items: readonly SignItem[],
) {
  const opened = openShare(context.vault, context.peers.self, stored)
  const begin = (): Step<Signatures> =>
    startSigning({
      self: context.peers.self,
      signers: partiesOf(manifest),
      key: opened.key,
      share: opened.share,
      random: context.ports.random,
      items: items.map(({ message, tweak }) => ({
        message,
        tweaks: tweak === undefined ? [] : [tweak],
      })),
    })
  return { begin, release: () => opened.share[Symbol.dispose]() }
}

/** 32 bytes over every message with its signature: what receipts of a signing session confirm. */
const resultOf = (items: readonly SignedItem[]): Uint8Array =>
  taggedHash(
    TAGS.signatures,
    encodeCbor(items.map(({ publicKey, message, signature }) => [publicKey, message, signature])),
  )

/** Signs what a client asked for; the coordinator ends with the transaction and a receipt of each signer. */
export function signPlan(
  context: PlanContext,
  manifest: Manifest,
  requestHash: Uint8Array,
  stored: StoredWallet,
  { tx, items }: ReadTransaction,
): Plan<Signatures> {
  const { peers, ports } = context
  const sid = sessionId(manifest)
  const inbox = new ReceiptInbox()
  const signing = lazily(() => signingOf(context, manifest, stored, items))
  return {
    budgetMs: SIGN_MS,
    title: 'signing',
    begin: () => {
      failpoint('enclave/sign/before-commitments')
      return signing.get().begin()
    },
    release: () => signing.made?.release(),
    onReceipt: (from, receipt) => inbox.receive(from, receipt),
    async finish(signatures, session: Participation) {
      failpoint('enclave/sign/before-receipt')
      const signed: readonly SignedItem[] = items.map(({ publicKey, message }, i) => ({
        publicKey,
        message,
        signature: signatures[i]!,
      }))
      const facts: ReceiptFacts = {
        sid,
        requestHash,
        wallet: manifest.wallet,
        generation: manifest.generation,
        purpose: 'sign',
        result: resultOf(signed),
      }
      const own = await makeReceipt(facts, peers, ports.clock.now())
      // `attach` verifies every signature by the rules of the network before anything is returned.
      const complete = tx.attach(new Map(items.map(({ id }, i) => [id, signatures[i]!])))
      const { bytes, txid } = complete.serialise()
      await ports.persist([], [context.auditOf(session, { name: 'txid', value: txid ?? '' })])
      if (manifest.coordinator !== peers.self) {
        context.tell({ kind: 'receipt', value: { receipt: own } }, sid, [manifest.coordinator])
        return undefined
      }
      const book = new ReceiptBook(facts, peers.cluster)
      const receipts = await inbox.collect(book, own, partiesOf(manifest), ports.timers, SIGN_MS)
      return {
        kind: 'transaction',
        value: {
          wallet: manifest.wallet,
          signed: bytes,
          txid: txid ?? '',
          items: signed,
          receipts,
          signers: partiesOf(manifest),
          attempts: manifest.attempt + 1,
        },
      }
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
  const signing = lazily(() => signingOf(context, manifest, stored, [item]))
  return {
    budgetMs: SIGN_MS,
    title: 'proving the address',
    begin: () => signing.get().begin(),
    release: () => signing.made?.release(),
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

/** A value made at first use; `made` is undefined where that never came. */
function lazily<T>(make: () => T): { get(): T; readonly made: T | undefined } {
  let made: T | undefined
  return {
    get: () => {
      made ??= make()
      return made
    },
    get made() {
      return made
    },
  }
}
