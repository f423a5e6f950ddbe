/** A cluster with a wallet whose policy asks for everything: a rolling limit, approvals, a delay, a quorum for its change. */
import {
  encodeApproval,
  encodeSignedChange,
  intentHash,
  type PolicyChange,
  policyChangeHash,
  type RequestBody,
  signApproval,
  type UnsignedApproval,
} from '@quorate/api'
import { newId } from '@quorate/base'
import {
  type Client,
  solanaIntent,
  TestCluster,
  type TestNode,
  walletBody,
} from '@quorate/enclave/testing'
import { systemRandom } from '@quorate/platform'
import { chooseTemplate, encodePolicy, type Policy } from '@quorate/policy'
import type { Outcome, SignedTransaction, WaitingFor } from '#src/channel/outcomes.js'
import type { WalletRow } from '#src/channel/rows.js'
import { decodeWallet, type WalletRecord } from '#src/wallet-record.js'

export const LIMIT = 100_000n
export const APPROVE_ABOVE = 60_000n
export const DELAY_ABOVE = 70_000n
export const DELAY_MS = 60_000
const HOUR_MS = 3_600_000

/** The one recipient of `solanaTransfer`: 32 bytes of 7 in base 58. */
const RECIPIENT = 'US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx'

export class Treasury {
  readonly cluster: TestCluster
  readonly row: WalletRow

  private constructor(cluster: TestCluster, row: WalletRow) {
    this.cluster = cluster
    this.row = row
  }

  static async open({ nodes = 3, threshold = 2 } = {}): Promise<Treasury> {
    const cluster = await TestCluster.start(nodes)
    const { operator } = cluster.clients
    const policy = chooseTemplate('treasury', {
      networks: ['solana-devnet'],
      recipients: [RECIPIENT],
      maxFee: { SOL: '1000000' },
      limit: { SOL: String(LIMIT) },
      within: '1h',
      approveAbove: { SOL: String(APPROVE_ABOVE) },
      approvers: { group: 'treasurers', need: 2 },
      delayAbove: { SOL: String(DELAY_ABOVE) },
      delay: '60s',
      change: { group: 'treasurers', need: 2 },
    })
    const body = walletBody(cluster, operator, 'solana-devnet', { threshold, policy })
    const outcome = await cluster.submit(cluster.nodes[0]!, await cluster.request(operator, body))
    if (outcome.kind !== 'wallet') throw new Error('no wallet')
    await cluster.settle()
    return new Treasury(cluster, outcome.value)
  }

  get record(): WalletRecord {
    return decodeWallet(this.row.public)
  }

  node(index: number): TestNode {
    return this.cluster.nodes[index - 1]!
  }

  /** A request to pay, signed. */
  async payment(
    lamports: bigint,
    o: { policyHash?: Uint8Array; lifeMs?: number } = {},
  ): Promise<{ readonly request: Uint8Array; readonly body: RequestBody }> {
    const { signer } = this.cluster.clients
    const body = solanaIntent(this.cluster, signer, this.row, lamports, o)
    return { body, request: await this.cluster.request(signer, body) }
  }

  /** Pays at once. */
  async pay(lamports: bigint, at = 1): Promise<SignedTransaction> {
    const { request } = await this.payment(lamports)
    return signed(await this.cluster.submit(this.node(at), request))
  }

  approval(
    body: RequestBody,
    by: Client,
    o: Partial<Omit<UnsignedApproval, 'v'>> = {},
  ): Promise<Uint8Array> {
    if (body.kind !== 'sign') throw new Error('no intent')
    return this.#signedBy(by, intentHash(body.value), body.value.policyHash, o)
  }

  async #signedBy(
    by: Client,
    subject: Uint8Array,
    policyHash: Uint8Array,
    o: Partial<Omit<UnsignedApproval, 'v'>>,
  ): Promise<Uint8Array> {
    return encodeApproval(
      await signApproval(by.key, {
        v: 1,
        cluster: this.cluster.clusterId,
        subject,
        policyHash,
        decision: 'approve',
        approver: { kind: 'client', value: by.id },
        expiresAt: this.cluster.time.now() + HOUR_MS,
        ...o,
      }),
    )
  }

  /** A request to change the policy, with the approvals of these. */
  async change(
    policy: Policy,
    by: readonly Client[],
    o: Partial<PolicyChange> = {},
  ): Promise<{ readonly request: Uint8Array; readonly signed: Uint8Array }> {
    const { cluster, record } = this
    const { operator } = cluster.clients
    const now = cluster.time.now()
    const lifetime = { createdAt: now, expiresAt: now + HOUR_MS }
    const change: PolicyChange = {
      v: 1,
      wallet: record.key.wallet,
      from: record.policyHash,
      version: 2,
      policy: encodePolicy(policy),
      ...lifetime,
      ...o,
    }
    const approvals = []
    for (const each of by)
      approvals.push(
        await signApproval(each.key, {
          v: 1,
          cluster: cluster.clusterId,
          subject: policyChangeHash(change),
          policyHash: change.from,
          decision: 'approve',
          approver: { kind: 'client', value: each.id },
          expiresAt: now + HOUR_MS,
        }),
      )
    const value = {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: operator.project,
      wallet: record.key.wallet,
      signed: { change, approvals },
      ...lifetime,
    } as const
    return {
      request: await cluster.request(operator, { kind: 'changePolicy', value }),
      signed: encodeSignedChange(value.signed),
    }
  }

  close(): void {
    this.cluster.close()
  }
}

export function signed(outcome: Outcome): SignedTransaction {
  if (outcome.kind !== 'transaction') throw new Error(`it is ${outcome.kind}`)
  return outcome.value
}

export function waiting(outcome: Outcome): WaitingFor {
  if (outcome.kind !== 'waiting') throw new Error(`it is ${outcome.kind}`)
  return outcome.value
}
