/**
 * Whether this node takes part in a proposed session: is the manifest of the present, is it what the
 * request calls for, and is the request what policy allows. Every node judges for itself.
 */
import { ALLOWED_SKEW_MS, type Intent, type RefreshRequest, type WalletRequest } from '@quorate/api'
import { equalBytes, Fault } from '@quorate/base'
import { type Manifest, partiesOf } from '@quorate/threshold'
import type { AuxRow } from '../channel/calls.ts'
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
  if (manifest.expiresAt <= now || manifest.createdAt > now + ALLOWED_SKEW_MS)
    throw new Fault('threshold/expired')
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

/** What this node will run. @throws enclave/bad-prepare, policy/denied, and what the request itself fails by */
export function judge(
  context: PlanContext,
  manifest: Manifest,
  checked: CheckedRequest,
  now: number,
): Plan {
  const { body } = checked.request
  if (body.kind === 'createWallet' && manifest.purpose !== 'sign')
    return judgeKeygen(context, manifest, checked, body.value)
  const target =
    body.kind === 'createWallet' ? walletIdOf(body.value, checked.hash) : body.value.wallet
  const stored = context.wallets.active(target, body.value.project)
  const { key, policyHash } = stored.record
  fits(manifest.protocol === key.protocol)
  fits(manifest.wallet === key.wallet && manifest.suite === key.suite)
  fits(manifest.threshold === key.threshold && equalBytes(manifest.policyHash, policyHash))
  if (body.kind === 'refresh' && manifest.purpose !== 'sign')
    return judgeRefresh(context, manifest, checked, body.value, stored)
  fits(manifest.purpose === 'sign')
  fits(manifest.generation === key.generation && manifest.signers.length === key.threshold)
  // Whoever may make or refresh a wallet may have its address proven: that signs no transaction.
  if (body.kind !== 'sign') return provePlan(context, manifest, stored, proofOf(stored.record))
  return judgeSigning(context, manifest, checked, body.value, stored, now)
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
  { hash, client }: CheckedRequest,
  intent: Intent,
  stored: StoredWallet,
  now: number,
): Plan {
  checkIntent(intent, stored.record)
  const read = readTransaction(intent, stored.record, client, context.peers.cluster.record, now)
  if (read.decision.decision !== 'allow')
    throw new Fault('policy/denied', {
      detail: read.decision.reasons.map(({ because }) => because).join('; '),
    })
  return signPlan(context, manifest, hash, stored, read)
}
