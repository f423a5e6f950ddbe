/** The parts of a member, put together: each decides about one thing, and knows of the others what it is given here. */
import { findAdapter } from '@quorate/chains'
import { Abort, type PartyId } from '@quorate/threshold'
import type {
  AuditDraft,
  LedgerRow,
  PolicyRow,
  RequestRow,
  WaitingRow,
  WalletRef,
} from '../channel/rows.ts'
import { AddressProofs } from './address-proofs.ts'
import { Answers } from './answers.ts'
import { nodeAudit } from './audit.ts'
import type { AuxStore } from './aux-store.ts'
import { Restored } from './backup/restored.ts'
import { Budgets } from './budgets.ts'
import { BurntSessions } from './burnt-sessions.ts'
import { ClockWatch } from './clock-watch.ts'
import type { Control } from './control.ts'
import { Generations } from './generations.ts'
import { Leading } from './leading.ts'
import type { Limits } from './limits.ts'
import { Outbox } from './outbox.ts'
import type { Participation } from './participation.ts'
import type { Peers } from './peers.ts'
import type { PlanContext } from './plan-context.ts'
import { Policies } from './policies.ts'
import { Pools } from './pool/pools.ts'
import { type PoolSizes, Refill } from './pool/refill.ts'
import type { SignerPorts } from './ports.ts'
import type { PrimeStock } from './prime-stock.ts'
import { type IntentReader, intentReader } from './reading.ts'
import { Recovery } from './recovery.ts'
import { RequestBook } from './request-book.ts'
import { checkSpelling } from './requests.ts'
import { SessionRecords } from './session-records.ts'
import type { SessionRunner } from './session-runner.ts'
import { Sessions } from './sessions.ts'
import { SigningLead } from './signing-lead.ts'
import type { Vault } from './vault.ts'
import { WaitingRequests } from './waiting.ts'
import type { Wallets } from './wallets.ts'

/** What the store held at the start. */
export type MemberState = {
  readonly burnt: Iterable<Uint8Array>
  readonly requests: Iterable<RequestRow>
  readonly ledger: Iterable<LedgerRow>
  readonly highWaters: Iterable<{ readonly wallet: string; readonly time: number }>
  readonly waiting: Iterable<WaitingRow>
  readonly policies: Iterable<PolicyRow>
  /** The latest time at which anything was forgotten. */
  readonly highWater: number
}

export const NOTHING_STORED: MemberState = {
  burnt: [],
  requests: [],
  ledger: [],
  highWaters: [],
  waiting: [],
  policies: [],
  highWater: 0,
}

export type MemberOptions = {
  readonly vault: Vault
  readonly peers: Peers
  readonly wallets: Wallets
  readonly auxes: AuxStore
  readonly primes: PrimeStock
  readonly ports: SignerPorts
  readonly stored: MemberState
  readonly limits: Limits
  readonly bootId: Uint8Array
  readonly poolSizes: PoolSizes
  /** Where sessions run. */
  readonly run: SessionRunner
}

export type Parts = {
  readonly outbox: Outbox
  readonly sessions: Sessions
  readonly leading: Leading
  readonly recovery: Recovery
  readonly proofs: AddressProofs
  readonly policies: Policies
  readonly waiting: WaitingRequests
  readonly budgets: Budgets
  readonly restored: Restored
  readonly answers: Answers
  readonly clock: ClockWatch
  readonly pools: Pools
  readonly refill: Refill
  readonly reader: IntentReader
}

/** @throws enclave/store-mismatch for a chain of policies that does not verify */
export function assemble(o: MemberOptions): Parts {
  const { vault, peers, wallets, auxes, primes, ports, stored, limits } = o
  const { clock, timers, logger } = ports
  const { nodeId } = vault
  const audit = (action: string, ref: WalletRef): AuditDraft =>
    nodeAudit(nodeId, action, ref, wallets.anyOf(ref.wallet)?.row.project)

  const outbox = new Outbox(peers, ports)
  const burnt = new BurntSessions(ports, stored.burnt, stored.highWater)
  const generations = new Generations(wallets, auxes, (changes, records) =>
    ports.persist(changes, records),
  )
  const policies = new Policies({
    peers,
    wallets,
    ports,
    outbox,
    nodeId,
    refuseEarlier: (createdAt) => restored.refuseEarlier(createdAt),
    rows: stored.policies,
    checkSpelling: (policy, network, suite) => checkSpelling(policy, findAdapter(network, suite)),
  })
  const reader = intentReader({ wallets, policies, peers, clock })
  const { read, reread } = reader
  const waiting = new WaitingRequests({
    peers,
    ports,
    outbox,
    limits,
    nodeId,
    rows: stored.waiting,
    read,
  })
  const { ledger, highWaters } = stored
  const budgets = new Budgets({ peers, ports, outbox, rows: ledger, highWaters })
  const restored = new Restored({ peers, wallets, budgets, outbox, logger })
  const book = new RequestBook(clock, stored.requests, stored.highWater)
  const answers = new Answers({ book, waiting, wallets, peers, ports, outbox, read: reread })
  const records = new SessionRecords(ports)
  const pools = new Pools(clock)
  const watch = new ClockWatch({
    clock,
    timers,
    logger,
    beat: () => outbox.tellAll(peers.present, { kind: 'heartbeat', value: { time: clock.now() } }),
    onGap: () => {
      pools.dropAll()
      sessions.endAll()
    },
  })
  const context: PlanContext = {
    vault,
    peers,
    wallets,
    auxes,
    primes,
    pools,
    generations,
    policies,
    waiting,
    budgets,
    restored,
    book,
    ports,
    tell: (message: Control, sid: Uint8Array, receivers: readonly PartyId[]) =>
      outbox.tellAll(receivers, message, sid),
    auditOf: (session: Participation, ...fields: AuditDraft['fields']) =>
      records.done(session, fields),
  }
  const { bootId, run } = o
  const sessions: Sessions = new Sessions({
    context,
    records,
    burnt,
    outbox,
    bootId,
    limits,
    clock: watch,
    answers,
    run,
  })
  const refill = new Refill({
    context,
    sizes: o.poolSizes,
    begin: (manifest) => sessions.joinFill(manifest),
    signing: () => sessions.signing,
  })
  const leading = new Leading({
    peers,
    wallets,
    auxes,
    ports,
    policies,
    waiting,
    book,
    clock: watch,
    limits,
    pools,
    want: (wallet) => refill.want(wallet),
    signing: new SigningLead({ wallets, policies, book, waiting, answers, read }),
    join: (manifest, request, approvals) => sessions.join(manifest, request, approvals),
  })
  const recovery = new Recovery(wallets, peers, {
    logger,
    timers,
    control: (message, sid, to) => outbox.tell(to, message, sid),
    activate: (ref, receipts) =>
      generations.activate(ref, receipts, [audit('wallet.recovered', ref)]),
    drop: (ref) => generations.drop(ref, [audit('wallet.dropped', ref)]),
    burn: (sid) => burnt.burn(sid),
    isRunning: (sid) => sessions.find(sid) !== undefined,
    giveUp: (sid) => sessions.find(sid)?.end(new Abort('threshold/timeout')),
  })
  const proofs = new AddressProofs({ wallets, ports, outbox, audit })
  return {
    outbox,
    sessions,
    leading,
    recovery,
    proofs,
    policies,
    waiting,
    budgets,
    restored,
    answers,
    clock: watch,
    pools,
    refill,
    reader,
  }
}
