/** What stands before a session that is proposed: how many run, what they wait for, and what is on record of a refusal. */
import { Fault, isFault } from '@quorate/base'
import { decodeManifest, type Manifest, type PartyId } from '@quorate/threshold'
import { requestAudit } from './audit.ts'
import type { ControlOf } from './control.ts'
import { judge } from './judge.ts'
import type { Limits } from './limits.ts'
import { NO_SESSION } from './outbox.ts'
import type { Participation, Plan } from './participation.ts'
import type { PlanContext } from './plan-context.ts'
import { type CheckedRequest, checkRequest } from './requests.ts'

/** @throws enclave/busy where as many of the kind run as may */
export function refuseTooMany(
  { purpose }: Manifest,
  live: Iterable<Participation>,
  { maxSigningSessions, maxConcurrentKeygen }: Limits,
): void {
  const laneOf = (each: Manifest['purpose']): string =>
    each === 'sign' || each === 'pool' ? each : 'keygen'
  const lane = laneOf(purpose)
  let running = 0
  for (const { manifest } of live) if (laneOf(manifest.purpose) === lane) running++
  if (running >= (lane === 'sign' ? maxSigningSessions : maxConcurrentKeygen))
    throw new Fault('enclave/busy')
}

/**
 * Waits for what this node is about to have on disk: the coordinator may be done earlier with the
 * shares of the wallet, or with auxiliary information for them.
 */
export async function untilMade(
  { wallet, purpose }: Manifest,
  live: Iterable<Participation>,
): Promise<void> {
  const making = [...live].find(({ manifest, phase }) => {
    if (manifest.wallet !== wallet || manifest.purpose === 'sign') return false
    if (manifest.purpose === 'aux') return purpose !== 'aux' && phase !== 'preparing'
    return purpose !== 'keygen' && phase === 'settling'
  })
  await making?.outcome.catch(() => undefined)
}

/** What `judge` says; a refusal by policy is on record before it is given. */
export async function judged(
  context: PlanContext,
  manifest: Manifest,
  checked: CheckedRequest,
  now: number,
  approvals: readonly Uint8Array[],
): Promise<Plan> {
  try {
    return judge(context, manifest, checked, now, approvals)
  } catch (error) {
    if (isFault(error) && error.code.startsWith('policy/'))
      await context.ports.persist(
        [],
        [requestAudit(checked, manifest, 'failed', { decision: 'deny', reason: error.code })],
      )
    throw error
  }
}

/**
 * What a refused proposal shows to be missing: here a change of policy, or the request that begins to wait;
 * at its coordinator a rejection, which it is shown, for it need not believe that there is one.
 */
export async function catchUp(
  { peers, policies, wallets, waiting, ports, tell }: PlanContext,
  from: PartyId,
  { code }: Fault,
  message: ControlOf<'prepare'>,
): Promise<void> {
  if (code === 'enclave/other-policy' || code === 'enclave/bad-prepare') {
    const stored = wallets.anyOf(decodeManifest(message.manifest).wallet)
    if (stored !== undefined) policies.askFor(from, stored.record)
  }
  if (code === 'policy/delayed') await waiting.heard(message.request, message.approvals ?? [])
  if (code === 'policy/rejected') {
    const { hash } = checkRequest(message.request, peers.cluster, ports.clock.now())
    for (const approval of waiting.approvalsFor(hash))
      tell({ kind: 'approval', value: { approval } }, NO_SESSION, [from])
  }
}
