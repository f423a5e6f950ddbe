/**
 * Whether this node takes part in a proposed session: is the manifest of the present, is it what the
 * request calls for, and is the request what policy allows. Every node judges for itself.
 */
import {
  ALLOWED_SKEW_MS,
  checkLifetime,
  type Intent,
  MAX_LIFETIME_MS,
  type RefreshRequest,
  type WalletRequest,
} from '@quorate/api'
import { equalBytes, Fault } from '@quorate/base'
import { checkStanding, type Decision } from '@quorate/policy'
import { type Manifest, partiesOf } from '@quorate/threshold'
import type { AuxRow } from '../channel/rows.ts'
import type { Plan } from './participation.ts'
import type { Peers } from './peers.ts'
import { auxPlan } from './plan-aux.ts'
import type { PlanContext } from './plan-context.ts'
import { keygenPlan, refreshPlan } from './plan-keygen.ts'
import { provePlan, signPlan } from './plan-sign.ts'
import {
  type CheckedRequest,
  checkIntent,
  planWallet,
  proofOf,
  readTransaction,
  walletIdOf,
} from './requests.ts'
import type { StoredWallet } from './wallets.ts'

/**
 * Refuses a manifest that is not of now: other epochs or starts of its signers than are known here.
 * @throws threshold/wrong-cluster, threshold/expired, enclave/stale-manifest, enclave/bad-prepare
 */
export function checkManifest(
  manifest: Manifest,
  peers: Peers,
  bootIdOfThis: Uint8Array,
  now: number,
): void {
  if (!equalBytes(manifest.cluster, peers.cluster.cluster))
    throw new Fault('threshold/wrong-cluster')
  const { createdAt, expiresAt } = manifest
  const isOfNow = expiresAt > now && createdAt <= now + ALLOWED_SKEW_MS
  // Burnt ids are kept for a manifest's life, which therefore has an end.
  if (!isOfNow || expiresAt - createdAt > MAX_LIFETIME_MS) throw new Fault('threshold/expired')
  const own = manifest.signers.find(({ party }) => party === peers.self)
  if (own === undefined)
    throw new Fault('enclave/bad-prepare', { detail: 'this node is no signer of it' })
  for (const { party, bootId, epoch } of manifest.signers) {
    const known = peers.epochOf(party)
    if (!equalBytes(known.bootId, bootId) || !equalBytes(known.epoch, epoch))
      throw new Fault('enclave/stale-manifest', { detail: `node ${party}` })
  }
  if (!equalBytes(own.bootId, bootIdOfThis)) throw new Fault('enclave/stale-manifest')
  if (manifest.minVersion !== peers.versionOf(partiesOf(manifest)))
    throw new Fault('enclave/bad-prepare')
}

function fits(is: boolean): void {
  if (!is) throw new Fault('enclave/bad-prepare')
}

/**
 * What this node will run. `approvals` are those that came with the proposal; they count only as far as
 * they verify here and now.
 * @throws enclave/bad-prepare, policy/…, and what the request itself fails by
 */
export function judge(
  context: PlanContext,
  manifest: Manifest,
  checked: CheckedRequest,
  now: number,
  approvals: readonly Uint8Array[] = [],
): Plan {
  const { body } = checked.request
  if (body.kind === 'createWallet' && manifest.purpose !== 'sign')
    return judgeKeygen(context, manifest, checked, body.value)
  // A policy changes by votes, and in no session.
  if (body.kind === 'changePolicy') throw new Fault('enclave/bad-prepare')
  const target =
    body.kind === 'createWallet' ? walletIdOf(body.value, checked.hash) : body.value.wallet
  const stored = context.wallets.active(target, body.value.project)
  const { key } = stored.record
  const policyHash = context.policies.of(stored.record).hash
  fits(manifest.protocol === key.protocol)
  fits(manifest.wallet === key.wallet && manifest.suite === key.suite)
  fits(manifest.threshold === key.threshold && equalBytes(manifest.policyHash, policyHash))
  if (body.kind === 'refresh' && manifest.purpose !== 'sign')
    return judgeRefresh(context, manifest, checked, body.value, stored)
  fits(manifest.purpose === 'sign')
  fits(manifest.generation === key.generation && manifest.signers.length === key.threshold)
  // Whoever may make or refresh a wallet may have its address proven: that signs no transaction.
  if (body.kind !== 'sign') return provePlan(context, manifest, stored, proofOf(stored.record))
  return judgeSigning(context, manifest, checked, body.value, stored, now, approvals)
}

function judgeKeygen(
  context: PlanContext,
  manifest: Manifest,
  { hash }: CheckedRequest,
  request: WalletRequest,
): Plan {
  const { purpose } = manifest
  fits(purpose === 'keygen' || purpose === 'aux')
  const cluster = context.peers.cluster.record
  const wallet = planWallet(request, hash, cluster)
  fits(manifest.wallet === wallet.wallet && manifest.generation === 1)
  fits(manifest.protocol === request.protocol && manifest.suite === request.suite)
  fits(manifest.threshold === request.threshold)
  fits(equalBytes(manifest.policyHash, wallet.policyHash))
  fits(manifest.signers.length === cluster.nodes.length)
  if (context.wallets.anyOf(wallet.wallet) !== undefined) throw new Fault('enclave/wallet-exists')
  if (context.wallets.hasLabel(request.project, request.label))
    throw new Fault('enclave/label-taken')
  if (purpose === 'aux') return judgeAux(context, manifest, request.requestId)
  return keygenPlan(context, manifest, hash, request, wallet, auxOf(context, manifest))
}

/** One request has auxiliary information made once: it costs seconds of computing. */
function judgeAux(context: PlanContext, manifest: Manifest, requestId: string): Plan {
  fits(manifest.protocol === 'cggmp24' && context.auxes.ofRequest(manifest.request) === undefined)
  return auxPlan(context, manifest, requestId)
}

/** What the new shares are for, where their protocol has such a thing. @throws enclave/unknown-aux */
function auxOf({ auxes }: PlanContext, { protocol, suite, aux }: Manifest): AuxRow | undefined {
  fits((protocol === 'cggmp24') === (aux !== undefined))
  if (aux === undefined) return undefined
  const row = auxes.find(aux)
  fits(row.level === suite)
  return row
}

function judgeRefresh(
  context: PlanContext,
  manifest: Manifest,
  { hash }: CheckedRequest,
  request: RefreshRequest,
  stored: StoredWallet,
): Plan {
  const { generation, parties } = stored.record.key
  if (request.generation !== generation)
    throw new Fault('enclave/other-generation', { detail: `it is at generation ${generation}` })
  fits(manifest.generation === generation + 1 && manifest.signers.length === parties.length)
  if (manifest.purpose === 'aux') return judgeAux(context, manifest, request.requestId)
  fits(manifest.purpose === 'refresh')
  const aux = auxOf(context, manifest)
  // Fresh shares are worth little with moduli whose factors may be known.
  fits(aux === undefined || equalBytes(aux.request, manifest.request))
  return refreshPlan(context, manifest, hash, stored, aux)
}

function judgeSigning(
  context: PlanContext,
  manifest: Manifest,
  checked: CheckedRequest,
  intent: Intent,
  stored: StoredWallet,
  now: number,
  approvals: readonly Uint8Array[],
): Plan {
  const { hash, client } = checked
  const { policy, hash: policyHash } = context.policies.of(stored.record)
  checkIntent(intent, stored.record, policyHash)
  const { record } = context.peers.cluster
  const read = readTransaction(intent, stored.record, policy, client, record, now)
  checkDecision(context, checked, intent, read.decision, policyHash, approvals)
  const plan = signPlan(context, manifest, hash, stored, read)
  const { charges } = read.decision
  return charges.length === 0 ? plan : context.budgets.guard(plan, manifest, charges)
}

/** @throws policy/… unless the transaction may be signed now; api/lifetime for one that waits for nothing and lives too long */
function checkDecision(
  { waiting, ports }: PlanContext,
  checked: CheckedRequest,
  intent: Intent,
  decision: Decision,
  policyHash: Uint8Array,
  approvals: readonly Uint8Array[],
): void {
  if (decision.decision === 'deny')
    throw new Fault('policy/denied', {
      detail: decision.reasons.map(({ because }) => because).join('; '),
    })
  if (decision.decision === 'allow') checkLifetime(intent, ports.clock.now())
  else checkStanding(decision, waiting.standingFacts(checked, policyHash, approvals))
}
