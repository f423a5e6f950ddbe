/**
 * The backups of one device: made, listed, pruned, tried and restored.
 *
 *   wrap every key that may leave → put, read back → remember the newest → prune
 *
 * A crash anywhere leaves at most a file whose number the next backup takes.
 */
import {
  type Clock,
  equalBytes,
  Fault,
  isFault,
  type Logger,
  type Random,
  toHex,
} from '@quorate/base'
import { type BlobStore, failpoint } from '@quorate/platform'
import type { HsmEnvironment } from '../config/model.ts'
import type { HsmEvents } from '../events.ts'
import type { HsmProvider } from '../provider.ts'
import type { HsmState } from '../state/store.ts'
import { type Backup, type OpenedBackup, openBackup, sealBackup } from './archive.ts'
import { takeKeys } from './collect.ts'
import { drillBackup } from './drill.ts'
import { type BackupKeys, findBackupKeys } from './keys.ts'
import { type KeptBackup, keepBackup, keptBackups, readBackup } from './place.ts'
import {
  type BackupRecord,
  FIRST_DEVICE,
  type NewestBackup,
  putDrill,
  putNewest,
  putRestored,
  readBackupRecord,
} from './record.ts'
import { type Restored, restoreBackup } from './restore.ts'

/** How many backups are kept unless told. */
export const KEPT_BACKUPS = 10
const CHAIN_BYTES = 8

export type BackupsOptions = {
  readonly provider: HsmProvider
  readonly environment: HsmEnvironment
  readonly place: BlobStore
  readonly state: HsmState
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  readonly kept?: number
  readonly events?: HsmEvents
  readonly logger?: Logger
  /** Name of the device; `primary` unless told. */
  readonly device?: string
}

export type MadeBackup = OpenedBackup & { readonly name: string }

/** One that is there: what it says, or why it cannot be believed (an error code). */
export type ListedBackup = KeptBackup &
  (
    | { readonly backup: Backup; readonly isNewest: boolean }
    | { readonly trouble: string; readonly isNewest: boolean }
  )

export class Backups {
  readonly #o: BackupsOptions
  #running: Promise<MadeBackup> | undefined

  constructor(options: BackupsOptions) {
    this.#o = options
  }

  get #device(): string {
    return this.#o.device ?? FIRST_DEVICE
  }

  /** For people: where they are. */
  get place(): string {
    return this.#o.place.place
  }

  /**
   * Makes a backup now; two at once are one. Keys that it could not take are in it, each with its reason, and
   * in the log. @throws hsm/no-backup-key, hsm/unsupported, platform/…, and what the device throws
   */
  make(): Promise<MadeBackup> {
    this.#running ??= this.#make().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #make(): Promise<MadeBackup> {
    const { events, clock } = this.#o
    const component = this.#device
    const time = clock.now()
    try {
      const made = await this.#makeOne(time)
      events?.emit({ kind: 'backup.made', time, component, location: this.place })
      return made
    } catch (error) {
      events?.emit({ kind: 'backup.failed', time, component, reason: codeOf(error) })
      throw error
    }
  }

  async #makeOne(createdAt: number): Promise<MadeBackup> {
    const { provider, environment, place, state, random } = this.#o
    const keys = await findBackupKeys(provider)
    const there = await keptBackups(place)
    const last = lastOf(readBackupRecord(state, this.#device), there)
    const { type, name: deviceName, serial } = await provider.info()
    const taken = await takeKeys(provider, keys, await this.#earlier(keys, there))
    this.#tellNotTaken(taken.notTaken)
    const content: Backup = {
      v: 1,
      chain: last?.chain ?? random.bytes(CHAIN_BYTES),
      number: (last?.number ?? 0) + 1,
      previous: last?.digest ?? null,
      createdAt,
      environment,
      device: { type, name: deviceName, serial },
      kek: keys.kek,
      ...taken,
    }
    const { file, digest } = await sealBackup(provider, keys, content)
    const { chain, number } = content
    failpoint('hsm/backup/before-put')
    const name = await keepBackup(place, chain, number, file)
    failpoint('hsm/backup/after-put')
    await putNewest(state, this.#device, { chain, number, digest, createdAt })
    failpoint('hsm/backup/before-prune')
    await this.#prune(keys, chain)
    return { backup: content, digest, name }
  }

  /** The backups that may hold keys which the device does not let out again: the newest of its own, and what was restored into it. */
  async #earlier(keys: BackupKeys, there: readonly KeptBackup[]): Promise<readonly Backup[]> {
    const { newest, restored } = readBackupRecord(this.#o.state, this.#device)
    const earlier: Backup[] = []
    for (const known of [newest, restored]) {
      const kept = known === undefined ? undefined : there.find((each) => isThe(each, known))
      const opened = kept === undefined ? undefined : await this.#readable(keys, kept)
      if (opened !== undefined && known !== undefined && equalBytes(opened.digest, known.digest))
        earlier.push(opened.backup)
    }
    return earlier
  }

  /** Undefined for one that is damaged, or under a backup key that this device has no more. */
  async #readable(keys: BackupKeys, kept: KeptBackup): Promise<OpenedBackup | undefined> {
    try {
      return await this.#open(keys, kept)
    } catch (error) {
      if (isFault(error, 'hsm/backup-damaged') || isFault(error, 'hsm/backup-foreign'))
        return undefined
      throw error
    }
  }

  #tellNotTaken(notTaken: Backup['notTaken']): void {
    for (const { id, label, algorithm, reason } of notTaken)
      this.#o.logger?.log('warn', 'hsm/not-backed-up', { key: id, label, algorithm, reason })
  }

  /** Every backup that is there, checked by the device; oldest first in each chain. */
  async list(): Promise<readonly ListedBackup[]> {
    const { provider, place, state } = this.#o
    const keys = await findBackupKeys(provider)
    const { newest } = readBackupRecord(state, this.#device)
    const listed: ListedBackup[] = []
    for (const kept of await keptBackups(place)) {
      const isNewest = newest !== undefined && isThe(kept, newest)
      try {
        const { backup } = await this.#open(keys, kept)
        listed.push({ ...kept, backup, isNewest })
      } catch (error) {
        listed.push({ ...kept, trouble: codeOf(error), isNewest })
      }
    }
    return listed
  }

  /**
   * The backup of that name, else the newest.
   * @throws hsm/no-backup, hsm/backup-damaged, hsm/backup-foreign, hsm/backup-not-newest
   */
  async open(name?: string): Promise<OpenedBackup> {
    const { provider, place } = this.#o
    const keys = await findBackupKeys(provider)
    if (name !== undefined) return openBackup(provider, keys, await readBackup(place, name))
    const { newest } = readBackupRecord(this.#o.state, this.#device)
    const there = await keptBackups(place)
    if (newest === undefined) return this.#youngest(keys, there)
    const kept = there.find((each) => isThe(each, newest))
    const opened = kept === undefined ? undefined : await this.#open(keys, kept)
    if (opened === undefined || !equalBytes(opened.digest, newest.digest))
      throw new Fault('hsm/backup-not-newest', {
        detail: `number ${newest.number} of ${toHex(newest.chain)}`,
      })
    return opened
  }

  /** On a machine that remembers nothing: of the last of each chain the youngest, for they are of one device or its twins. */
  async #youngest(keys: BackupKeys, there: readonly KeptBackup[]): Promise<OpenedBackup> {
    const last = new Map(there.map((kept) => [toHex(kept.chain), kept]))
    let found: OpenedBackup | undefined
    let trouble: Error | undefined
    for (const kept of last.values())
      try {
        const opened = await this.#open(keys, kept)
        if (found === undefined || opened.backup.createdAt > found.backup.createdAt) found = opened
      } catch (error) {
        trouble = error as Error
      }
    if (found !== undefined) return found
    throw trouble ?? new Fault('hsm/no-backup', { detail: this.place })
  }

  async #open(keys: BackupKeys, { name, chain, number }: KeptBackup): Promise<OpenedBackup> {
    const { provider, place } = this.#o
    const opened = await openBackup(provider, keys, await readBackup(place, name))
    const isOwn = equalBytes(opened.backup.chain, chain) && opened.backup.number === number
    if (!isOwn) throw new Fault('hsm/backup-damaged', { detail: `${name} is another one` })
    return opened
  }

  /** Restores every key of a backup for trial, compares it, and destroys it again. @throws hsm/drill-failed */
  async drill(name?: string): Promise<OpenedBackup> {
    const { provider, state, clock } = this.#o
    const opened = await this.open(name)
    const keys = await findBackupKeys(provider)
    await drillBackup(provider, keys, opened.backup)
    const { chain, number } = opened.backup
    await putDrill(state, this.#device, {
      at: clock.now(),
      chain,
      number,
      keys: opened.backup.keys.length,
    })
    return opened
  }

  /**
   * Brings the keys of a backup into the device, those that are there already excepted. Done again after a
   * crash it goes on where it was.
   * @throws hsm/backup-environment, hsm/key-exists where another key has the id of one, hsm/key-changed
   */
  async restore(
    name?: string,
  ): Promise<{ readonly opened: OpenedBackup; readonly keys: readonly Restored[] }> {
    const { provider, environment, state } = this.#o
    const opened = await this.open(name)
    if (opened.backup.environment !== environment)
      throw new Fault('hsm/backup-environment', {
        detail: `it is of ${opened.backup.environment}, this is ${environment}`,
      })
    const keys = await findBackupKeys(provider)
    const restored = await restoreBackup(provider, keys, opened.backup)
    const { chain, number } = opened.backup
    await putRestored(state, this.#device, { chain, number, digest: opened.digest })
    return { opened, keys: restored }
  }

  /** Removes the oldest of the chain beyond so many; none that alone holds a key which nobody destroyed. */
  async #prune(keys: BackupKeys, chain: Uint8Array): Promise<void> {
    const { place, state, kept = KEPT_BACKUPS } = this.#o
    const own = (await keptBackups(place)).filter((each) => equalBytes(each.chain, chain))
    const [old, wanted] = [own.slice(0, -kept), own.slice(-kept)]
    if (old.length === 0) return
    const held = new Set<string>(readBackupRecord(state, this.#device).destroyed)
    for (const each of wanted)
      for (const { id } of (await this.#readable(keys, each))?.backup.keys ?? []) held.add(id)
    // From the newest on, so that of several that hold such a key the newest stays.
    for (const each of old.toReversed()) {
      const opened = await this.#readable(keys, each)
      const missing = opened?.backup.keys.filter(({ id }) => !held.has(id)) ?? []
      if (opened !== undefined && missing.length === 0) await place.delete(each.name)
      for (const { id } of missing) held.add(id)
    }
  }
}

const isThe = (
  kept: Pick<KeptBackup, 'chain' | 'number'>,
  known: Pick<NewestBackup, 'chain' | 'number'>,
): boolean => equalBytes(kept.chain, known.chain) && kept.number === known.number

/** Where the chain goes on; undefined where a new one begins. */
function lastOf({ newest }: BackupRecord, there: readonly KeptBackup[]): NewestBackup | undefined {
  if (newest === undefined) return undefined
  // Somebody put back an older state: its numbers are taken.
  const isBehind = there.some(
    ({ chain, number }) => equalBytes(chain, newest.chain) && number > newest.number + 1,
  )
  return isBehind ? undefined : newest
}

const codeOf = (error: unknown): string => (isFault(error) ? error.code : 'unexpected error')
