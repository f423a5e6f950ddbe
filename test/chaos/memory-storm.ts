/**
 * A cluster in memory through a storm: requests go on while messages are lost, repeated, kept back,
 * rewritten and said again, nodes die, come back, or come back with what they had earlier, disks fill
 * up, links break, clocks jump. The same seed gives the same course of faults.
 */
import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { decodeRequest, requestHash } from '@quorate/api'
import { acceptChain, decodeSignedRecord } from '@quorate/auth'
import { Fault, isFault, toHex } from '@quorate/base'
import { verifyEd25519, type WalletRow } from '@quorate/enclave'
import {
  solanaIntent,
  TestCluster,
  type TestNetwork,
  type TestNode,
  type Wire,
  walletBody,
} from '@quorate/enclave/testing'
import { FEE, limitedTo, UNIT } from './limited.ts'
import {
  type Asked,
  type AuditRecord,
  assertDecided,
  assertNobodyBlamed,
  assertOneOutcome,
  assertWholeWallets,
  HOUR_MS,
  worstHourOf,
} from './memory-checks.ts'
import { Chance } from './random.ts'
import { mangled, type Odds, ROUGH, Storm, type Tally } from './storm.ts'
import { Witness } from './witness.ts'

export type StormFault = 'kill' | 'rollback' | 'cut' | 'disk' | 'clock' | 'keygen'
export const STORM_FAULTS: readonly StormFault[] = [
  'kill',
  'rollback',
  'cut',
  'disk',
  'clock',
  'keygen',
]

export type MemoryStormOptions = {
  readonly seed: number
  readonly size: number
  readonly threshold: number
  /** How many turns the storm lasts: in each a request, a fault, some deliveries, some time. */
  readonly turns: number
  readonly nonces?: number
  /** Payments are of one to four units, and within an hour the wallet pays no more than this. */
  readonly limit?: bigint
  readonly odds?: Odds
  readonly faults?: readonly StormFault[]
}

export type StormReport = {
  readonly seed: number
  readonly requests: number
  readonly signed: number
  readonly wallets: number
  readonly faults: Readonly<Record<string, number>>
  readonly tally: Tally
  readonly commitments: number
  readonly pooledUses: number
  /** What the worst hour of sessions that all their signers released took from the wallet. */
  readonly worstHour: bigint
  /** Time of the cluster's own clock from the end of the last fault to the next signature. */
  readonly resumedMs: number
}

type Outcome = Awaited<ReturnType<TestNode['signer']['submit']>>

const STEP_MS = 250
/** What a node says of a peer's keys that were made when somebody's clock was wrong. */
const UNTIMELY: readonly string[] = ['auth/expired', 'enclave/older-epoch']

export class MemoryStorm {
  readonly cluster: TestCluster
  readonly chance: Chance
  readonly storm: Storm<Wire>
  readonly witness: Witness
  readonly #options: MemoryStormOptions
  readonly #cuts = new Set<string>()
  readonly #copies = new Map<number, () => Promise<void>>()
  /** Records of every node, those included that a rollback took from its disk. */
  readonly #records = new Map<number, Set<AuditRecord>>()
  readonly #asked: Asked[] = []
  /** Hashes of requests of which a rollback took a node's answer. */
  readonly #forgotten = new Set<string>()
  readonly #counts: Record<string, number> = {}
  #row!: WalletRow
  #lamports = 1n
  /** How far everybody's clock is from the true time, in milliseconds. */
  #clockOffset = 0
  /** Whether a node was started while the clock was wrong. */
  #wasWrong = false
  /** What each request pays, with its fee. */
  readonly #payments = new Map<string, bigint>()

  private constructor(cluster: TestCluster, options: MemoryStormOptions) {
    this.cluster = cluster
    this.#options = options
    this.chance = new Chance(options.seed)
    const elsewhere = (): number => 1 + this.chance.below(options.size)
    this.storm = new Storm<Wire>(
      this.chance,
      (wire, chance) =>
        chance.is(0.3)
          ? { ...wire, to: elsewhere() }
          : { ...wire, envelope: mangled(wire.envelope, chance) },
      options.odds ?? ROUGH,
    )
    const record = acceptChain(cluster.chain.map(decodeSignedRecord), { verify: verifyEd25519 })
    this.witness = new Witness(record)
    for (const node of cluster.nodes) this.#learn(node)
  }

  static async open(options: MemoryStormOptions): Promise<MemoryStorm> {
    const { size, threshold, nonces = 8 } = options
    const cluster = await TestCluster.start(size, { nonces, presignatures: 0 })
    const storm = new MemoryStorm(cluster, options)
    cluster.tamper = (wire) => {
      storm.witness.see(wire.envelope)
      return [wire]
    }
    storm.#row = await storm.#wallet('solana-devnet', threshold)
    for (const node of cluster.nodes) storm.#keepCopy(node)
    return storm
  }

  get row(): WalletRow {
    return this.#row
  }

  /** Runs the storm, lets it pass, and checks everything. */
  async run(): Promise<StormReport> {
    this.cluster.tamper = (wire) => this.#onWire(wire)
    for (let turn = 0; turn < this.#options.turns; turn++) await this.#turn()
    return this.calm()
  }

  #onWire(wire: Wire): readonly Wire[] {
    this.witness.see(wire.envelope)
    return this.storm.pass(wire).filter(({ from, to }) => !this.#cuts.has(pair(from, to)))
  }

  async #turn(): Promise<void> {
    const { chance, cluster } = this
    const { limit } = this.#options
    for (let asks = limit === undefined ? 1 : 3; asks > 0; asks--)
      if (chance.is(0.7)) await this.#ask()
    if (chance.is(0.35)) await this.#fault(chance.pick(this.#options.faults ?? STORM_FAULTS))
    await this.#deliver(chance.below(limit === undefined ? 60 : 400))
    if (chance.is(0.8)) cluster.time.advance(chance.below(8) * STEP_MS)
    await this.#deliver(20)
  }

  /** Delivers some of what is under way, and leaves the rest there. */
  async #deliver(count: number): Promise<void> {
    const { cluster } = this
    for (let left = count; left > 0; left--) {
      const wire = cluster.wires.shift()
      if (wire === undefined) await new Promise((resolve) => setImmediate(resolve))
      else for (const arriving of cluster.tamper(wire)) await cluster.arrive(arriving)
    }
  }

  /** Asks for a signature somewhere, sometimes for one that was asked for already. */
  async #ask(): Promise<void> {
    const up = this.cluster.nodes.filter(({ isUp }) => isUp)
    if (up.length === 0) return
    const node = this.chance.pick(up)
    const old = this.#asked.length > 0 && this.chance.is(0.2)
    const bytes = old ? this.chance.pick(this.#asked).bytes : await this.#request()
    this.#submit(node, bytes)
  }

  async #request(amount: bigint = this.#amount()): Promise<Uint8Array> {
    const { signer } = this.cluster.clients
    const body = solanaIntent(this.cluster, signer, this.#row, amount)
    const request = await this.cluster.request(signer, body)
    this.#payments.set(toHex(requestHash(decodeRequest(request))), amount + FEE)
    return request
  }

  #amount(): bigint {
    if (this.#options.limit === undefined) return this.#lamports++
    return UNIT * BigInt(1 + this.chance.below(4)) - FEE
  }

  #submit(node: TestNode, bytes: Uint8Array): Asked {
    const asked: Asked = { bytes, at: node.index }
    this.#asked.push(asked)
    const submit = async (): Promise<Outcome> => node.signer.submit({ request: bytes })
    submit().then(
      (outcome) => {
        asked.result = outcome.kind === 'transaction' ? toHex(outcome.value.signed) : outcome.kind
      },
      (error: unknown) => {
        assert.ok(isFault(error), String(error))
        asked.code = error.code
      },
    )
    return asked
  }

  async #fault(kind: StormFault): Promise<void> {
    const { chance, cluster } = this
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1
    const node = chance.pick(cluster.nodes)
    switch (kind) {
      case 'kill':
        if (node.isUp) this.#kill(node)
        else await this.#restart(node)
        return
      case 'rollback':
        if (chance.is(0.4)) this.#keepCopy(node)
        else await this.#rollBack(node)
        return
      case 'cut':
        this.#cutOrHeal(node.index, 1 + chance.below(cluster.nodes.length))
        return
      case 'disk': {
        const isFull = chance.is(0.5)
        node.beforePersist = () => {
          if (isFull) throw new Fault('platform/disk-full')
        }
        return
      }
      case 'clock':
        this.#setClock(this.#clockOffset === 0 ? chance.pick([HOUR_MS, -HOUR_MS]) : 0)
        return
      case 'keygen': {
        const { operator } = cluster.clients
        const body = walletBody(cluster, operator, 'solana-devnet', {
          threshold: this.#options.threshold,
        })
        if (node.isUp) this.#submit(node, await cluster.request(operator, body))
        return
      }
    }
  }

  #setClock(offset: number): void {
    this.cluster.time.jump(offset - this.#clockOffset)
    this.#clockOffset = offset
  }

  #kill(node: TestNode): void {
    this.#archive(node)
    this.cluster.kill(node)
  }

  async #restart(node: TestNode): Promise<void> {
    // An epoch record replaces an earlier one only if its time is later.
    const { cluster } = this
    cluster.time.advance(1)
    await cluster.boot(node)
    await cluster.join(node)
    if (this.#clockOffset !== 0) this.#wasWrong = true
    this.#connect()
    this.#learn(node)
  }

  /** Introduces whoever is up, but for nodes whose keys are not of this time in the eyes of the other. */
  #connect(): void {
    const up = this.cluster.nodes.filter(({ isUp }) => isUp)
    for (const a of up)
      for (const b of up)
        try {
          if (a !== b) a.signer.peer({ record: b.epoch })
        } catch (error) {
          if (!isFault(error) || !UNTIMELY.includes(error.code)) throw error
        }
  }

  #learn(node: TestNode): void {
    this.witness.learn(node.epoch, this.cluster.time.now())
  }

  #keepCopy(node: TestNode): void {
    const { disk, directory } = node
    const saved = copyOf(disk)
    const hsm = `${directory}-copy-${this.chance.below(2 ** 30)}`
    cpSync(directory, hsm, { recursive: true })
    this.#copies.set(node.index, async () => {
      if (node.isUp) this.#kill(node)
      this.#archive(node)
      for (const name of answered(disk))
        if (!answered(saved).includes(name)) this.#forgotten.add(name)
      rmSync(directory, { recursive: true })
      cpSync(hsm, directory, { recursive: true })
      Object.assign(disk, copyOf(saved))
      await this.#restart(node)
    })
  }

  async #rollBack(node: TestNode): Promise<void> {
    await this.#copies.get(node.index)?.()
  }

  #cutOrHeal(one: number, other: number): void {
    if (one === other) return
    const { nodes } = this.cluster
    const [a, b] = [nodes[one - 1]!, nodes[other - 1]!]
    if (this.#cuts.delete(pair(one, other))) {
      if (a.isUp && b.isUp) this.#connect()
      return
    }
    this.#cuts.add(pair(one, other))
    if (a.isUp) a.signer.peerGone({ index: other })
    if (b.isUp) b.signer.peerGone({ index: one })
  }

  #archive({ index, disk }: TestNode): void {
    const records = this.#records.get(index) ?? new Set()
    for (const record of disk.audit) records.add(record)
    this.#records.set(index, records)
  }

  async #wallet(network: TestNetwork, threshold: number): Promise<WalletRow> {
    const { operator } = this.cluster.clients
    const { limit } = this.#options
    const body = walletBody(this.cluster, operator, network, {
      threshold,
      ...(limit !== undefined && { policy: limitedTo(limit) }),
    })
    const request = await this.cluster.request(operator, body)
    const outcome = await this.cluster.submit(this.cluster.nodes[0]!, request)
    if (outcome.kind !== 'wallet') throw new Error('no wallet')
    await this.cluster.settle()
    return outcome.value
  }

  /** Ends every fault, waits until all has come to its end, and checks what the cluster has become. */
  async calm(): Promise<StormReport> {
    const { cluster, storm } = this
    for (const node of cluster.nodes) node.beforePersist = () => undefined
    this.#cuts.clear()
    cluster.wires.push(...storm.clear())
    this.#setClock(0)
    // Keys that were made at a wrong time hold from then on only, and whoever has seen them takes none
    // that seem older: all are started again.
    if (this.#wasWrong) for (const node of cluster.nodes) if (node.isUp) this.#kill(node)
    for (const node of cluster.nodes) if (!node.isUp) await this.#restart(node)
    cluster.connect()
    const { limit } = this.#options
    if (limit !== undefined) await this.#exhaust()
    const worstHour = worstHourOf(this.witness, this.#payments)
    if (limit !== undefined) {
      assert.ok(worstHour <= limit, `${worstHour} within an hour, and the limit is ${limit}`)
      // There is room for a payment again.
      await cluster.settle()
      cluster.time.jump(HOUR_MS + 1)
    }
    const resumedMs = await this.#untilSigned()
    for (let turn = 0; turn < 60 * 4 && this.#asked.some(isOpen); turn++) {
      await cluster.settle()
      if (this.#asked.some(isOpen)) cluster.time.advance(1_000)
    }
    await cluster.settle()
    for (const node of cluster.nodes) this.#archive(node)
    this.witness.check()
    assertDecided(this.witness, this.#records)
    assertOneOutcome(this.#asked, this.#records, this.#forgotten)
    assertNobodyBlamed(cluster)
    assertWholeWallets(cluster)
    return {
      seed: this.#options.seed,
      requests: this.#asked.length,
      signed: this.#asked.filter(({ result }) => result !== undefined).length,
      wallets: new Set([...cluster.nodes[0]!.disk.rows.values()].map(({ wallet }) => wallet)).size,
      faults: this.#counts,
      tally: storm.tally,
      commitments: this.witness.commitments,
      pooledUses: this.witness.pooledUses,
      worstHour,
      resumedMs,
    }
  }

  /** Asks for what is left of the limit at all nodes at once, each time with others of them down. */
  async #exhaust(): Promise<void> {
    const { cluster, chance } = this
    const { size, threshold } = this.#options
    for (let round = 0; round < 4; round++) {
      const down = chance
        .shuffled(cluster.nodes)
        .slice(0, Math.min(threshold - 1, size - threshold))
      for (const node of down) this.#kill(node)
      const asked: Asked[] = []
      for (const node of cluster.nodes)
        if (node.isUp) asked.push(this.#submit(node, await this.#request(UNIT - FEE)))
      for (let turn = 0; turn < 40 && asked.some(isOpen); turn++) {
        await cluster.settle()
        if (asked.some(isOpen)) cluster.time.advance(1_000)
      }
      for (const node of down) await this.#restart(node)
      await cluster.settle()
    }
  }

  /** How long, by the cluster's own clock, until a new request is signed. */
  async #untilSigned(): Promise<number> {
    const { cluster } = this
    const begin = cluster.time.monotonic()
    const passed = (): number => cluster.time.monotonic() - begin
    while (passed() < 120_000) {
      const asked = this.#submit(this.chance.pick(cluster.nodes), await this.#request())
      while (isOpen(asked) && passed() < 120_000) {
        await cluster.settle()
        if (isOpen(asked)) cluster.time.advance(STEP_MS)
      }
      if (asked.result !== undefined) return passed()
      cluster.time.advance(STEP_MS)
    }
    throw new Error('signing did not come back')
  }

  close(): void {
    this.cluster.close()
  }
}

/** A report in one line. */
export const reportLine = (report: StormReport): string =>
  JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))

const isOpen = ({ result, code }: Asked): boolean => result === undefined && code === undefined
const pair = (a: number, b: number): string => `${Math.min(a, b)}-${Math.max(a, b)}`

/** Hashes of the requests of which a node has the answer on disk. */
const answered = ({ requests }: TestNode['disk']): readonly string[] =>
  [...requests].filter(([, { answer }]) => answer !== null).map(([hash]) => hash)

/** A copy of all that a node has on disk; the rows themselves never change. */
const copyOf = (disk: TestNode['disk']): TestNode['disk'] => ({
  ...disk,
  rows: new Map(disk.rows),
  aux: new Map(disk.aux),
  primes: new Map(disk.primes),
  burnt: [...disk.burnt],
  requests: new Map(disk.requests),
  ledger: new Map(disk.ledger),
  highWaters: new Map(disk.highWaters),
  waiting: new Map(disk.waiting),
  policies: new Map(disk.policies),
  audit: [...disk.audit],
})
