/**
 * Key generation, in which all nodes make a key that none of them ever holds, and refresh, in which
 * they give that key new shares. A node writes its share as pending, then gives its receipt; with
 * the receipts of all nodes the new generation is active and the old one forgotten (`recovery.ts`
 * says why nothing half-made can remain).
 */
import type { WalletRequest } from '@quorate/api'
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
import type { WalletRow } from '../channel/calls.ts'
import { encodeWallet, type WalletRecord } from '../wallet-record.ts'
import { hostSecretFor } from './host-keys.ts'
import type { Plan } from './participation.ts'
import type { PlanContext } from './plan-context.ts'
import { makeReceipt, ReceiptBook, type ReceiptFacts, ReceiptInbox } from './receipts.ts'
import { refOf } from './recovery.ts'
import type { WalletPlan } from './requests.ts'
import { openShare, sealShare } from './shares.ts'
import type { StoredWallet } from './wallets.ts'

const KEYGEN_MS = 60_000
/** How long the coordinator's client waits for the last receipt; the wallet may still appear later. */
const RECEIPTS_MS = 15_000

/** What differs between a new wallet and new shares of one. */
type Making = {
  readonly title: string
  readonly purpose: 'keygen' | 'refresh'
  readonly project: string
  readonly label: string
  /** Carried over with the key it proves. */
  readonly proof: Uint8Array | null
  begin(options: DkgOptions): Step<SharedKey>
  record(shared: SharedKey): WalletRecord
  release(): void
}

/** The joint key's public part under this manifest. */
function keyOf(
  { peers }: PlanContext,
  manifest: Manifest,
  shared: SharedKey,
  kind: 'keygen' | 'refresh',
): WalletKey {
  return {
    wallet: manifest.wallet,
    protocol: manifest.protocol,
    generation: manifest.generation,
    parties: peers.nodes.map(({ index, id }) => ({ index: partyId(index), nodeId: id })),
    createdBy: { kind, certificate: shared.recoveryData },
    ...describeKey(shared),
  }
}

/** Makes the wallet that a client asked for. */
export const keygenPlan = (
  context: PlanContext,
  manifest: Manifest,
  requestHash: Uint8Array,
  request: WalletRequest,
  wallet: WalletPlan,
): Plan<SharedKey> =>
  makingPlan(context, manifest, requestHash, undefined, {
    title: 'making the key',
    purpose: 'keygen',
    project: request.project,
    label: request.label,
    proof: null,
    begin: beginKeygen,
    release: () => undefined,
    record: (shared) => ({
      v: 1,
      key: keyOf(context, manifest, shared, 'keygen'),
      sid: sessionId(manifest),
      project: request.project,
      label: request.label,
      environment: context.peers.cluster.record.environment,
      network: wallet.adapter.network.slug,
      policyTemplate: request.policy.template,
      policy: wallet.policyBytes,
      policyHash: wallet.policyHash,
      blind: false,
      unsafeThreshold: request.unsafeThreshold,
      createdAt: manifest.createdAt,
    }),
  })

/** Gives all nodes new shares of the same key; the old ones become worthless. */
export function refreshPlan(
  context: PlanContext,
  manifest: Manifest,
  requestHash: Uint8Array,
  stored: StoredWallet,
): Plan<SharedKey> {
  const opened = openShare(context.vault, context.peers.self, stored)
  const { key, commitment, share } = opened
  const number = stored.record.key.generation
  const old: Generation = { key, commitment, share, tweaks: stored.record.key.tweaks, number }
  return makingPlan(
    context,
    manifest,
    requestHash,
    generationDigest(key.suite.group, number, commitment),
    {
      title: 'refreshing the shares',
      purpose: 'refresh',
      project: stored.row.project,
      label: stored.row.label,
      proof: stored.row.proof,
      begin: (options) => beginRefresh(options, old),
      release: () => share[Symbol.dispose](),
      record: (shared) => ({
        ...stored.record,
        key: keyOf(context, manifest, shared, 'refresh'),
        sid: sessionId(manifest),
        createdAt: manifest.createdAt,
      }),
    },
  )
}

function makingPlan(
  context: PlanContext,
  manifest: Manifest,
  requestHash: Uint8Array,
  refreshes: Uint8Array | undefined,
  making: Making,
): Plan<SharedKey> {
  const { peers, vault, ports, wallets } = context
  const sid = sessionId(manifest)
  const suite = dkgSuite(manifest.suite)
  const hostSecret = hostSecretFor(vault, manifest.suite)
  const inbox = new ReceiptInbox()

  return {
    budgetMs: KEYGEN_MS,
    title: making.title,
    begin: () =>
      making.begin({
        sid,
        params: dkgParameters({
          suite,
          threshold: manifest.threshold,
          hostKeys: partiesOf(manifest).map(
            (party) => peers.epochOf(party).dkgKeys[suite.group.name],
          ),
          ...(refreshes !== undefined && { refreshes }),
        }),
        hostSecret,
        random: ports.random,
      }),
    release: () => {
      hostSecret[Symbol.dispose]()
      making.release()
    },
    onReceipt: (from, receipt) => inbox.receive(from, receipt),
    async finish(shared, session) {
      using secret = shared.share
      const record = making.record(shared)
      const share: KeyShare = {
        v: 1,
        key: record.key,
        party: peers.self,
        secret,
        custody: 'software',
      }
      const facts: ReceiptFacts = {
        sid,
        requestHash,
        wallet: manifest.wallet,
        generation: manifest.generation,
        purpose: making.purpose,
        result: record.key.groupKey,
      }
      const own = await makeReceipt(facts, peers, ports.clock.now())
      const row: WalletRow = {
        wallet: manifest.wallet,
        generation: manifest.generation,
        sid,
        state: 'pending',
        project: making.project,
        label: making.label,
        public: encodeWallet(record),
        sealed: sealShare(vault, share, sid),
        receipts: [own],
        proof: making.proof,
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
      const complete = inbox.collect(book, own, parties, ports.timers, RECEIPTS_MS)
      complete.catch(() => undefined)
      context.tell({ kind: 'receipt', value: { receipt: own } }, sid, parties)
      failpoint('enclave/keygen/after-receipt')
      const receipts = await complete
      const ref = refOf(row)
      // Recovery may have been quicker.
      if (wallets.find(ref)?.row.state === 'pending') {
        failpoint('enclave/keygen/before-activate')
        await ports.persist(
          [{ kind: 'activate', value: { ref, receipts } }],
          [context.auditOf(session, { name: 'state', value: 'active' })],
        )
        wallets.activate(ref, receipts)
        failpoint('enclave/keygen/after-activate')
      }
      return { kind: 'wallet', value: wallets.active(ref.wallet).row }
    },
  }
}
