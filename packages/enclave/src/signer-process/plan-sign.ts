/**
 * Signing sessions: of a transaction that a client asked for, and of the proof that a wallet can
 * sign with the key of its own address.
 */
import { bug, encodeCbor, Fault, type Secret, TAGS, taggedHash } from '@quorate/base'
import { type AddressProof, proveAddress, type SignItem } from '@quorate/chains'
import { failpoint } from '@quorate/platform'
import {
  digestOf,
  type Manifest,
  type Message,
  partiesOf,
  sessionId,
  startSigning,
} from '@quorate/threshold'
import type { SignedItem } from '../channel/calls.ts'
import type { EvidenceFacts } from '../evidence-file.ts'
import { openAux } from './aux-store.ts'
import type { Participation, Plan } from './participation.ts'
import type { PlanContext } from './plan-context.ts'
import { makeReceipt, ReceiptBook, type ReceiptFacts, ReceiptInbox } from './receipts.ts'
import { refOf } from './recovery.ts'
import type { ReadTransaction } from './requests.ts'
import type { SessionStart } from './session-runner.ts'
import { openEncodedShare, openShare } from './shares.ts'
import type { StoredWallet } from './wallets.ts'

/** FROST computes for milliseconds, CGGMP24 for seconds, and for each item of a transaction again. */
const SIGN_MS = 20_000
const ECDSA_SIGN_MS = 60_000
const ECDSA_ITEM_MS = 5_000
/** As many as fit into one envelope at 128 bits: the products of an item take up to 18 KiB. */
const MAX_ECDSA_ITEMS = 48

type Signatures = readonly Uint8Array[]

/** The protocol that signs. */
type Signing = {
  readonly start: SessionStart<Signatures>
  readonly budgetMs: number
  readonly facts: EvidenceFacts
  release(): void
}

/** `items` under the key at `path`. This node's share is unsealed when the session begins. */
const signingOf = (
  context: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
  items: readonly SignItem[],
  path: readonly number[],
): Signing =>
  stored.record.key.protocol === 'frost'
    ? frostSigning(context, manifest, stored, items)
    : ecdsaSigning(context, stored, items, path)

const walletFacts = ({ row }: StoredWallet): NonNullable<EvidenceFacts['wallet']> => ({
  record: row.public,
  receipts: row.receipts,
})

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
    start: {
      begin() {
        failpoint('enclave/sign/before-commitments')
        const opened = openShare(vault, peers.self, stored)
        share = opened.share
        const signers = partiesOf(manifest)
        const { key } = opened
        return startSigning({ self: peers.self, signers, key, share, random: ports.random, items })
      },
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
    start: {
      program: {
        name: 'cggmp24-sign',
        input() {
          failpoint('enclave/sign/before-presigning')
          const share = openEncodedShare(vault, peers.self, stored)
          return { share, aux: openAux(vault, aux), items }
        },
      },
    },
    release: () => undefined,
  }
}

/** Whole messages go in, and are hashed by whoever signs. */
function messageOf(item: SignItem): Message {
  if (item.scheme !== 'ecdsa-secp256k1') return bug('an ECDSA wallet signs nothing else')
  return { kind: 'message', bytes: item.message, hash: item.hash }
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
  { tx, items, path }: ReadTransaction,
): Plan<Signatures> {
  const { peers, ports } = context
  const sid = sessionId(manifest)
  const inbox = new ReceiptInbox()
  const {
    start,
    budgetMs,
    facts: evidence,
    release,
  } = signingOf(context, manifest, stored, items, path)
  return {
    ...start,
    budgetMs,
    title: 'signing',
    facts: evidence,
    release,
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
  const { start, budgetMs, facts, release } = signingOf(context, manifest, stored, [item], [])
  return {
    ...start,
    budgetMs,
    title: 'proving the address',
    facts,
    release,
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
