/**
 * Key generation, in which all nodes make a key that none of them ever holds, and refresh, in which
 * they give that key new shares. A node writes its share as pending, then gives its receipt; with
 * the receipts of all nodes the new generation is active and the old one forgotten (`recovery.ts`
 * says why nothing half-made can remain).
 */
import type { WalletRequest } from '@quorate/api'
import type { Secret } from '@quorate/base'
import { failpoint } from '@quorate/platform'
import {
  Abort,
  beginKeygen,
  beginRefresh,
  type DkgOptions,
  describeKey,
  dkgParameters,
  dkgSuite,
  type Generation,
  generationDigest,
  type KeyShare,
  type Manifest,
  partiesOf,
  partyId,
  type SharedKey,
  type Step,
  sessionId,
  type WalletKey,
} from '@quorate/threshold'
import type { AuxRow, WalletRow } from '../channel/rows.ts'
import type { EvidenceFacts } from '../evidence-file.ts'
import { confirmedBy, encodeWallet, type WalletRecord } from '../wallet-record.ts'
import { hostSecretFor } from './host-keys.ts'
import type { Plan } from './participation.ts'
import type { PlanContext } from './plan-context.ts'
import type { MadeEcdsaKey } from './programs-cggmp24.ts'
import { makeReceipt, ReceiptBook, type ReceiptFacts, ReceiptInbox } from './receipts.ts'
import { refOf } from './recovery.ts'
import type { WalletPlan } from './requests.ts'
import type { SessionStart } from './session-runner.ts'
import { openEncodedShare, openShare, sealShare } from './shares.ts'
import type { StoredWallet } from './wallets.ts'

const KEYGEN_MS = 60_000
/** How long the coordinator's client waits for the last receipt; the wallet may still appear later. */
const RECEIPTS_MS = 15_000

/** What a protocol of key generation or refresh yields. */
type MadeKey = {
  /** What a `WalletKey` says of the key itself. */
  readonly fields: Omit<WalletKey, 'wallet' | 'protocol' | 'generation' | 'parties' | 'createdBy'>
  readonly certificate?: Uint8Array
  readonly share: Secret<Uint8Array>
}

/** The protocol that makes the shares. */
type Making<Out> = {
  readonly start: SessionStart<Out>
  made(output: Out): MadeKey
  release(): void
  readonly facts?: EvidenceFacts
}

/** What differs between a new wallet and new shares of one. */
type Result = {
  readonly title: string
  readonly purpose: 'keygen' | 'refresh'
  readonly project: string
  readonly label: string
  /** Carried over with the key it proves. */
  readonly proof: Uint8Array | null
  record(key: WalletKey): WalletRecord
}

/** Makes the wallet that a client asked for. `aux` is for a key of CGGMP24. */
export function keygenPlan(
  context: PlanContext,
  manifest: Manifest,
  requestHash: Uint8Array,
  request: WalletRequest,
  wallet: WalletPlan,
  aux: AuxRow | undefined,
): Plan {
  const result: Result = {
    title: 'making the key',
    purpose: 'keygen',
    project: request.project,
    label: request.label,
    proof: null,
    record: (key) => ({
      v: 1,
      key,
      sid: sessionId(manifest),
      project: request.project,
      label: request.label,
      environment: context.peers.cluster.record.environment,
      network: wallet.adapter.network.slug,
      policyTemplate: request.policy.template,
      policy: wallet.policyBytes,
      policyHash: wallet.policyHash,
      blind: wallet.blind,
      unsafeThreshold: request.unsafeThreshold,
      createdAt: manifest.createdAt,
    }),
  }
  return aux === undefined
    ? makingPlan(context, manifest, requestHash, frostKeygen(context, manifest), result)
    : makingPlan(context, manifest, requestHash, ecdsaKeygen(context, manifest, aux), result)
}

/** Gives all nodes new shares of the same key; the old ones become worthless. `aux` is for a key of CGGMP24. */
export function refreshPlan(
  context: PlanContext,
  manifest: Manifest,
  requestHash: Uint8Array,
  stored: StoredWallet,
  aux: AuxRow | undefined,
): Plan {
  const result: Result = {
    title: 'refreshing the shares',
    purpose: 'refresh',
    project: stored.row.project,
    label: stored.row.label,
    proof: stored.row.proof,
    record: (key) => ({
      ...stored.record,
      key,
      sid: sessionId(manifest),
      createdAt: manifest.createdAt,
    }),
  }
  return aux === undefined
    ? makingPlan(context, manifest, requestHash, frostRefresh(context, manifest, stored), result)
    : makingPlan(context, manifest, requestHash, ecdsaRefresh(context, stored, aux), result)
}

function frostKeygen(context: PlanContext, manifest: Manifest): Making<SharedKey> {
  return frostMaking(context, manifest, undefined, beginKeygen, () => undefined)
}

function frostRefresh(
  context: PlanContext,
  manifest: Manifest,
  stored: StoredWallet,
): Making<SharedKey> {
  const { key, commitment, share } = openShare(context.vault, context.peers.self, stored)
  const { generation: number, tweaks } = stored.record.key
  const old: Generation = { key, commitment, share, tweaks, number }
  return frostMaking(
    context,
    manifest,
    generationDigest(key.suite.group, number, commitment),
    (options) => beginRefresh(options, old),
    () => share[Symbol.dispose](),
  )
}

function frostMaking(
  { peers, vault, ports }: PlanContext,
  manifest: Manifest,
  refreshes: Uint8Array | undefined,
  begin: (options: DkgOptions) => Step<SharedKey>,
  release: () => void,
): Making<SharedKey> {
  const suite = dkgSuite(manifest.suite)
  const hostSecret = hostSecretFor(vault, manifest.suite)
  const hostKeys = partiesOf(manifest).map(
    (party) => peers.epochOf(party).dkgKeys[suite.group.name],
  )
  const { threshold } = manifest
  return {
    start: {
      begin: (sid) =>
        begin({
          sid,
          params: dkgParameters({
            suite,
            threshold,
            hostKeys,
            ...(refreshes !== undefined && { refreshes }),
          }),
          hostSecret,
          random: ports.random,
        }),
    },
    made: (shared) => ({
      fields: describeKey(shared),
      certificate: shared.recoveryData,
      share: shared.share,
    }),
    release() {
      hostSecret[Symbol.dispose]()
      release()
    },
  }
}

const madeEcdsaKey = (made: MadeEcdsaKey): MadeKey => made

function ecdsaKeygen(
  { auxes }: PlanContext,
  { suite: level, threshold }: Manifest,
  { digest }: AuxRow,
): Making<MadeEcdsaKey> {
  const input = () => ({ level, threshold, aux: digest })
  return {
    start: { program: { name: 'cggmp24-keygen', input } },
    made: madeEcdsaKey,
    release: auxes.hold(digest),
  }
}

function ecdsaRefresh(
  { vault, peers, auxes }: PlanContext,
  stored: StoredWallet,
  { digest }: AuxRow,
): Making<MadeEcdsaKey> {
  const input = () => ({ share: openEncodedShare(vault, peers.self, stored), aux: digest })
  return {
    start: { program: { name: 'cggmp24-refresh', input } },
    made: madeEcdsaKey,
    release: auxes.hold(digest),
    facts: { wallet: { record: stored.row.public, receipts: stored.row.receipts } },
  }
}

function makingPlan<Out>(
  context: PlanContext,
  manifest: Manifest,
  requestHash: Uint8Array,
  making: Making<Out>,
  result: Result,
): Plan<Out> {
  const { peers, vault, ports, wallets, generations } = context
  const sid = sessionId(manifest)
  const inbox = new ReceiptInbox()

  return {
    ...making.start,
    budgetMs: KEYGEN_MS,
    title: result.title,
    ...(making.facts !== undefined && { facts: making.facts }),
    release: () => making.release(),
    onReceipt: (from, receipt) => inbox.receive(from, receipt),
    async finish(output, session) {
      const { fields, certificate, share: bare } = making.made(output)
      using secret = bare
      const key: WalletKey = {
        wallet: manifest.wallet,
        protocol: manifest.protocol,
        generation: manifest.generation,
        parties: peers.nodes.map(({ index, id }) => ({ index: partyId(index), nodeId: id })),
        createdBy: { kind: result.purpose, ...(certificate !== undefined && { certificate }) },
        ...fields,
      }
      const share: KeyShare = { v: 1, key, party: peers.self, secret, custody: 'software' }
      const facts: ReceiptFacts = {
        sid,
        requestHash,
        wallet: manifest.wallet,
        generation: manifest.generation,
        purpose: result.purpose,
        result: confirmedBy(key),
      }
      const own = await makeReceipt(facts, peers, ports.clock.now())
      const row: WalletRow = {
        wallet: manifest.wallet,
        generation: manifest.generation,
        sid,
        state: 'pending',
        project: result.project,
        label: result.label,
        public: encodeWallet(result.record(key)),
        sealed: sealShare(vault, share, sid),
        receipts: [own],
        proof: result.proof,
      }
      failpoint('enclave/keygen/before-pending')
      // Given up meanwhile, because a peer was told that there is no share here: then there must be none.
      if (session.phase === 'ended') throw new Abort('threshold/timeout')
      await ports.persist(
        [{ kind: 'putPending', value: row }],
        [context.auditOf(session, { name: 'state', value: 'pending' })],
      )
      wallets.put(row)
      failpoint('enclave/keygen/after-pending')

      const book = new ReceiptBook(facts, peers.cluster)
      const parties = partiesOf(manifest)
      book.addOwn(peers.self, own)
      const complete = inbox.collect(book, parties, ports.timers, RECEIPTS_MS)
      complete.catch(() => undefined)
      context.tell({ kind: 'receipt', value: { receipt: own } }, sid, parties)
      failpoint('enclave/keygen/after-receipt')
      const receipts = await complete
      const ref = refOf(row)
      // Recovery may have been quicker.
      if (wallets.find(ref)?.row.state === 'pending') {
        failpoint('enclave/keygen/before-activate')
        await generations.activate(ref, receipts, [
          context.auditOf(session, { name: 'state', value: 'active' }),
        ])
        failpoint('enclave/keygen/after-activate')
      }
      return { kind: 'wallet', value: wallets.active(ref.wallet).row }
    },
  }
}
