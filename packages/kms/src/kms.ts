/**
 * A store from its opening to its closing: sealed at first, unsealed by a recipient of the instance key,
 * served by the domains, sealed again at will. While it is sealed no key is in memory and nothing is written.
 */
import { Fault, fromUtf8, isFault, utf8, wipe } from '@quorate/base'
import type { OpenHsm } from '@quorate/hsm'
import { type DataDirectory, openDataDirectory, type Sql } from '@quorate/platform'
import { Checkpoints, nodeIdOf } from './audit/checkpoints.ts'
import { StoreJournal, type WrittenGroup } from './audit/journal.ts'
import { verifyTail } from './audit/tail.ts'
import { type KeyStore, StoreBarrier } from './barrier/barrier.ts'
import { type DevicePorts, openRecipients } from './barrier/devices.ts'
import { signerOf } from './barrier/ed25519.ts'
import { admit, openTerms, storedRecipients } from './barrier/instance.ts'
import { FIXED } from './barrier/keyring.ts'
import { SYSTEM } from './barrier/port.ts'
import type { Recipient } from './barrier/recipients.ts'
import type { KmsConfig } from './config.ts'
import type { KmsContext, KmsModule } from './context.ts'
import { openDatabase } from './storage/open.ts'
import type { Leaf, Reads } from './storage/port.ts'
import { freshReads } from './storage/reads.ts'
import { checkAccepted, endRestore, pendingRollback, type Rollback } from './storage/restore.ts'
import { StateTree } from './storage/tree.ts'

export type MakeModule = (context: KmsContext) => KmsModule

/** What is there only while the store is unsealed. */
type Live = {
  readonly journal: StoreJournal
  readonly reads: Reads
  readonly checkpoints: Checkpoints
}

const INSTANCE_KEY_BYTES = 32
const PUT_SETTING =
  'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'

export type KmsOptions = DevicePorts & {
  readonly config: KmsConfig
  readonly modules: readonly MakeModule[]
}

export class Kms {
  readonly context: KmsContext
  readonly barrier: StoreBarrier
  readonly modules: readonly KmsModule[]
  readonly sql: Sql
  readonly config: KmsConfig
  readonly recipients: readonly Recipient[]
  readonly ports: DevicePorts
  readonly #directory: DataDirectory
  readonly devices: readonly OpenHsm[]
  readonly #bootId: Uint8Array
  readonly #listeners: ((group: WrittenGroup) => void)[] = []
  readonly #gates: (() => void)[] = []
  #live: Live | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #stale = 0

  private constructor(
    { config, modules, ...ports }: KmsOptions,
    parts: {
      readonly directory: DataDirectory
      readonly sql: Sql
      readonly devices: readonly OpenHsm[]
      readonly recipients: readonly Recipient[]
    },
  ) {
    this.config = config
    this.ports = ports
    this.sql = parts.sql
    this.recipients = parts.recipients
    this.#directory = parts.directory
    this.devices = parts.devices
    this.#bootId = ports.random.bytes(16)
    this.barrier = new StoreBarrier(parts.sql.storeId, ports.random, () => ports.clock.now())
    this.context = this.#makeContext()
    this.modules = modules.map((make) => make(this.context))
  }

  /**
   * Opens the store of the data directory, or makes it, and unseals it if a device can.
   * @throws platform/* of directory and database, hsm/* of the devices, kms/environment-changed,
   *   kms/rolled-back, kms/no-recipient is none: then the store stays sealed
   */
  static async open(options: KmsOptions): Promise<Kms> {
    const { config, clock, random, logger } = options
    const directory = openDataDirectory(config.directory)
    const devices: OpenHsm[] = []
    let sql: Sql | undefined
    try {
      sql = await openDatabase({
        path: directory.file('kms.db'),
        uri: config.databaseUri,
        clock,
        random,
      })
      const recipients = await openRecipients(config, { clock, logger, random }, devices)
      const kms = new Kms(options, { directory, sql, devices, recipients })
      await kms.#begin()
      return kms
    } catch (error) {
      await sql?.close()
      for (const device of devices) await device.close()
      directory.release()
      throw error
    }
  }

  get isSealed(): boolean {
    return this.#live === undefined
  }
  /** Rows that were found to be other than what was written last, since the start. */
  get staleRows(): number {
    return this.#stale
  }
  /** @throws kms/sealed */
  get checkpoints(): Checkpoints {
    return this.#open().checkpoints
  }
  /** @throws kms/sealed */
  get journal(): StoreJournal {
    return this.#open().journal
  }

  /** Told of every group of audit records once it is on disk. */
  onWritten(listener: (group: WrittenGroup) => void): void {
    this.#listeners.push(listener)
  }
  /** Asked before anything is written; what it throws refuses the write. */
  addGate(check: () => void): void {
    this.#gates.push(check)
  }

  #open(): Live {
    if (this.#live === undefined) throw new Fault('kms/sealed')
    return this.#live
  }

  #writing<T>(write: (journal: StoreJournal) => Promise<T>): Promise<T> {
    return this.#live === undefined
      ? Promise.reject(new Fault('kms/sealed'))
      : write(this.#live.journal)
  }

  #makeContext(): KmsContext {
    const { clock, random, logger } = this.ports
    const { environment, directory, siteUrl } = this.config
    return {
      storeId: this.sql.storeId,
      options: { environment, directory, siteUrl },
      sql: {
        read: async (text, params) => this.#open().reads.read(text, params),
        first: (text, params) => this.#open().reads.first(text, params),
        fresh: async (read, leavesOf) => this.#open().reads.fresh(read, leavesOf),
        freshRow: (look) => this.#open().reads.freshRow(look),
      },
      journal: {
        commit: (change) => this.#writing((journal) => journal.commit(change)),
        record: (draft) => this.#writing((journal) => journal.record(draft)),
      },
      barrier: this.barrier,
      clock,
      random,
      logger,
    }
  }

  async #begin(): Promise<void> {
    const stored = await storedRecipients(this.sql)
    if (stored.length === 0) await this.#create()
    const [row] = await this.sql.read('SELECT value FROM setting WHERE name = ?', ['environment'])
    const environment = fromUtf8((row?.['value'] as Uint8Array | undefined) ?? new Uint8Array())
    if (environment !== this.config.environment) throw new Fault('kms/environment-changed')
    const isOpen = await this.unsealWith(this.recipients).catch((error: unknown) => {
      // It starts nevertheless: the quorum accepts over the API.
      if (!isFault(error, 'kms/restore-pending')) throw error
      this.ports.logger.log('warn', error.code, { detail: error.detail })
      return false
    })
    if (!isOpen) this.ports.logger.log('warn', 'kms.sealed', { remedy: 'quorate kms unseal' })
  }

  /** A new store: instance key 1 for every recipient at hand, and the keys of what belongs to no project. */
  async #create(): Promise<void> {
    const { random, clock } = this.ports
    const { storeId } = this.sql
    const now = clock.now()
    const key = random.bytes(INSTANCE_KEY_BYTES)
    try {
      const statements = []
      for (const recipient of this.recipients)
        statements.push(await admit(recipient, storeId, 1, key, now))
      this.barrier.unseal(new Map([[1, key.slice()]]))
      statements.push(this.barrier.insertKey(SYSTEM, FIXED), this.barrier.insertKey(SYSTEM, 1))
      statements.push({ sql: PUT_SETTING, params: ['environment', utf8(this.config.environment)] })
      await this.sql.write(statements)
    } finally {
      wipe(key)
      this.barrier.drop()
    }
  }

  /** Unseals with the first of the recipients that can; whether one could. @throws kms/rolled-back, kms/no-recipient */
  unsealWith(recipients: readonly Recipient[]): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#live !== undefined) return true
      const stored = await storedRecipients(this.sql)
      for (const recipient of recipients) {
        const terms = await openTerms(stored, recipient, this.sql.storeId)
        if (terms === undefined) continue
        await this.#unseal(terms, recipient)
        return true
      }
      return false
    })
  }

  async #unseal(terms: ReadonlyMap<number, Uint8Array>, by: Recipient): Promise<void> {
    const rollback = await pendingRollback(this.sql)
    if (rollback !== undefined) await checkAccepted(this.sql, rollback, [by, ...this.recipients])
    this.barrier.unseal(terms)
    try {
      this.barrier.attach(this.#keyStore(this.sql, () => this.#open().journal))
      await this.barrier.project(SYSTEM)
      this.#live = await this.#openLive(rollback !== undefined)
      await this.#live.journal.record({
        actor: 'system',
        action: 'sys.unseal',
        resource: by.id,
        decision: 'none',
        outcome: 'done',
        fields: [],
      })
      if (rollback !== undefined) await this.#takeUp(rollback)
      for (const each of this.modules) await each.unsealed?.()
    } catch (error) {
      this.#dropAll()
      throw error
    }
  }

  /** After an accepted restore: whoever could sign in at the time of the backup no longer can; then it is a store again. */
  async #takeUp({ seq }: Rollback): Promise<void> {
    for (const each of this.modules) await each.restored?.()
    await this.journal.commit({
      statements: endRestore,
      audit: [
        {
          actor: 'system',
          action: 'store.restore',
          resource: this.sql.storeId,
          decision: 'none',
          outcome: 'done',
          fields: [{ name: 'checkpoint', kind: 'int', value: seq }],
        },
      ],
    })
    await this.checkpoints.make()
  }

  async #openLive(isRestored: boolean): Promise<Live> {
    const { sql } = this
    const tree = await StateTree.load(sql)
    const journal = await StoreJournal.open({
      sql,
      tree,
      mac: (body) => this.barrier.headMac(body),
      stamp: () => ({ time: this.ports.clock.now(), bootId: this.#bootId }),
      onWritten: (group) => {
        for (const listener of this.#listeners) listener(group)
      },
      checkSinks: () => {
        for (const check of this.#gates) check()
      },
    })
    const signer = signerOf(this.barrier.derive('checkpoints'))
    const checkpoints = await Checkpoints.open({
      sql,
      journal,
      tree,
      signer,
      nodeId: nodeIdOf(signer.publicKey),
      clock: this.ports.clock,
      anchorFile: this.config.anchorFile,
      isAnchorStale: isRestored,
    })
    await verifyTail(sql, checkpoints.newest, journal.head)
    const reads = freshReads({ sql, tree, journal, onStale: (leaf) => this.#onStale(leaf) })
    return { journal, reads, checkpoints }
  }

  #keyStore(sql: Sql, journal: () => StoreJournal): KeyStore {
    return {
      read: (text, params) => sql.read(text, params),
      commit: async (statements, audit) => {
        await journal().commit({ statements, audit })
      },
    }
  }

  #onStale({ table, row }: Leaf): void {
    this.#stale++
    this.ports.logger.log('error', 'store.rolled-back', { table, row })
  }

  /** Signs a checkpoint, then drops every key. Whatever still runs is refused with kms/sealed. */
  seal(actor: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#live === undefined) return
      const { journal, checkpoints } = this.#live
      await journal.record({
        actor,
        action: 'sys.seal',
        resource: this.sql.storeId,
        decision: 'none',
        outcome: 'done',
        fields: [],
      })
      await checkpoints.make()
      await journal.close(new Fault('kms/sealed'))
      this.#dropAll()
    })
  }

  #dropAll(): void {
    for (const each of this.modules) each.sealed?.()
    this.#live = undefined
    this.barrier.drop()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** Seals, and lets go of everything. */
  async close(): Promise<void> {
    await this.seal('system')
    await this.sql.close()
    for (const device of this.devices) await device.close()
    this.#directory.release()
  }
}
