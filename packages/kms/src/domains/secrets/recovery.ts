/**
 * Whole folders: what they were at a time, bringing that back, and deleting one with what is in it.
 * Shared secrets only, but for the deletion: personal ones belong to their owners.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { Fault, type Id, isFault, wipe } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import type { AuditDraft } from '../../storage/port.ts'
import type { Access, Principal } from '../access/port.ts'
import { type Place, pathOf, placeText } from '../folders/place.ts'
import { changeFault, type FolderService } from '../folders/service.ts'
import { changedFolders } from '../folders/store.ts'
import type { Folder, FolderTree } from '../folders/tree.ts'
import type { Moves } from './moves.ts'
import { type FolderPast, Places, RecoveryPermits, type SecretPast } from './recovery-permits.ts'
import { type Change, type Past, planRestore, type Standing } from './restore.ts'
import { type By, type Prepared, type SecretService, writtenOf } from './service.ts'
import type { StoredSecret, StoredVersion } from './store.ts'

const BATCH = 256
/** Changes of one restore or deletion: all of them are one transaction. */
export const MAX_CHANGES = 10_000

/** One change of a plan, with words for people. */
export type PlannedChange = Change<string> & {
  readonly type: 'secret' | 'folder'
  readonly name: string
  /** Of the secret's folder, or of the folder itself; as it is after the restore. */
  readonly place: Place
}

export type Plan = { readonly at: number; readonly changes: readonly PlannedChange[] }

/** A secret as it stood at a time. */
export type SnapshotItem = {
  readonly id: Id<'sec'>
  readonly version: number
  readonly at: number
  readonly actor: string
  readonly name: string
  readonly place: Place
  readonly isDestroyed: boolean
}

type Draft = {
  readonly plan: Plan
  readonly folders: ReadonlyMap<string, FolderPast>
  readonly secrets: ReadonlyMap<string, SecretPast>
}

export class Recovery {
  readonly #context: KmsContext
  readonly #access: Access
  readonly #folders: FolderService
  readonly #secrets: SecretService
  readonly #permits: RecoveryPermits

  constructor(
    context: KmsContext,
    access: Access,
    folders: FolderService,
    secrets: SecretService,
    moves: Moves,
  ) {
    this.#context = context
    this.#access = access
    this.#folders = folders
    this.#secrets = secrets
    this.#permits = new RecoveryPermits(access, secrets, moves)
  }

  /** What restoring the folder to a time would change. @throws kms/too-many, kms/not-permitted */
  async plan(folder: Folder, at: number, principal: Principal): Promise<Plan> {
    return (await this.#draft(folder, at, principal)).plan
  }

  /**
   * Makes the folder, with all below it, what it was at a time: all of it or nothing.
   * @throws kms/too-many, kms/not-permitted, kms/version-mismatch where something changes meanwhile,
   *   kms/cannot-restore where a name is taken that comes back
   */
  async restore(folder: Folder, at: number, by: By): Promise<Plan> {
    const { plan, folders, secrets } = await this.#draft(folder, at, by.principal)
    const prepared: Prepared[] = []
    const nextFolders: Folder[] = []
    for (const change of plan.changes) {
      if (change.kind === 'lost') continue
      if (change.type === 'folder') {
        const past = folders.get(change.id) as FolderPast
        nextFolders.push(this.#nextFolder(past, change.kind === 'delete', by.principal.id))
        continue
      }
      const { now, past } = secrets.get(change.id) as SecretPast
      prepared.push(
        change.kind === 'delete' || past === undefined
          ? this.#secrets.prepareDelete(now, change.place, by)
          : this.#revert(now, past, change.place, by),
      )
      if (prepared.length % BATCH === 0) await turn()
    }
    await this.#commit(folder, nextFolders, prepared, {
      ...by.record,
      outcome: 'done',
      fields: [
        { name: 'at', kind: 'int', value: at },
        { name: 'changes', kind: 'int', value: prepared.length + nextFolders.length },
      ],
    })
    return plan
  }

  /**
   * Deletes the folder; its versions and those of its secrets stay.
   * @throws kms/still-used where it is imported elsewhere, or holds something and `isRecursive` was not said
   */
  async deleteFolder(folder: Folder, isRecursive: boolean, by: By): Promise<void> {
    const tree = await this.#folders.tree(folder.project)
    if (folder.parent === undefined)
      throw new Fault('kms/still-used', { detail: 'the root of an environment stays with it' })
    const all = tree.subtree(folder.id)
    const inside = new Set<string>(all.map(({ id }) => id))
    for (const { id } of all)
      for (const importer of tree.importersOf(id))
        if (!inside.has(importer.id))
          throw new Fault('kms/still-used', {
            detail: `imported by ${placeText(tree.placeOf(importer.id) as Place)}`,
          })
    const prepared: Prepared[] = []
    for (const each of all) {
      const place = tree.placeOf(each.id) as Place
      await this.#permits.onFolder('folder.delete', each, place, by.principal)
      for await (const stored of this.#pages((after) =>
        this.#secrets.store.livingIn(each.id, after, BATCH),
      )) {
        await this.#permits.toDelete(stored, place, by.principal)
        prepared.push(this.#secrets.prepareDelete(stored, place, by))
        refuseTooMany(prepared.length)
      }
    }
    if (!isRecursive && (prepared.length > 0 || all.length > 1))
      throw new Fault('kms/still-used', {
        detail: `${prepared.length} secrets and ${all.length - 1} folders are in it`,
      })
    const nextFolders = all.map((each) =>
      this.#folders.next(each, { ...each, isDeleted: true }, by.principal.id),
    )
    await this.#commit(folder, nextFolders, prepared, {
      ...by.record,
      outcome: 'done',
      fields: [{ name: 'changes', kind: 'int', value: prepared.length + all.length }],
    })
  }

  /** Every shared secret of the folder and below as it stood at a time; no values. @throws kms/too-many */
  async snapshot(
    folder: Folder,
    at: number,
    principal: Principal,
  ): Promise<readonly SnapshotItem[]> {
    const tree = await this.#folders.tree(folder.project)
    await this.#secrets.box.ready(folder.project)
    const standings = await this.#folders.standingsAt(folder.project, at)
    const items: SnapshotItem[] = []
    for (const each of tree.everBelow(folder.id)) {
      const place = placeThen(tree, standings, each.id)
      if (place === undefined) continue
      for await (const then of this.#pages((after) =>
        this.#secrets.store.everInAt(each.id, at, after, BATCH),
      )) {
        if (then.change === 'delete') continue
        const { name, tags } = this.#secrets.box.label(then)
        const resource = { kind: 'secret', project: folder.project, ...place, name, tags }
        if (!this.#access.authorize(principal, 'secret.list', resource).allowed) continue
        const { secret: id, version, at: madeAt, actor, isDestroyed } = then
        items.push({ id, version, at: madeAt, actor, name, place, isDestroyed })
        refuseTooMany(items.length)
      }
    }
    return items.sort((a, b) =>
      placeText(a.place) + a.name < placeText(b.place) + b.name ? -1 : 1,
    )
  }

  async #draft(folder: Folder, at: number, principal: Principal): Promise<Draft> {
    const { project } = folder
    const tree = await this.#folders.tree(project)
    await this.#secrets.box.ready(project)
    const standings = await this.#folders.standingsAt(project, at)
    if (!standings.has(folder.id))
      throw new Fault('kms/cannot-restore', { detail: 'the folder did not exist at that time' })
    const below = tree.everBelow(folder.id)
    const folders = new Map<string, FolderPast>(
      below.map((now) => [now.id, { now, past: standings.get(now.id) }]),
    )
    const secrets = new Map<string, SecretPast>()
    const places = new Places(tree, folders)
    for (const each of below) {
      const { id } = each
      const [from, to] = [places.before(id), places.after(id)]
      const isThere = tree.placeOf(id) !== undefined || to !== undefined
      if (from === undefined || !isThere) continue
      // A right to restore a folder is none to change what lies deeper and is denied.
      await this.#permits.toRestoreFolder(each, from, to, principal)
      for await (const now of this.#pages((after) => this.#secrets.store.everIn(id, after, BATCH)))
        secrets.set(now.head.id, { now, past: undefined })
      for await (const then of this.#pages((after) =>
        this.#secrets.store.everInAt(id, at, after, BATCH),
      )) {
        const known = secrets.get(then.secret)
        if (known !== undefined) secrets.set(then.secret, { ...known, past: then })
      }
    }
    const restored = planRestore<string>([...secrets.values()].map(pastOfSecret))
    for (const { id, kind } of restored) {
      const secret = secrets.get(id) as SecretPast
      const { folder: where } = secret.now.head
      const from = places.before(where) as Place
      await this.#permits.toRestoreSecret(secret, kind, from, places.after(where), principal)
    }
    const placeAfter = (id: string): Place =>
      places.after(id) ?? tree.placeOf(id) ?? { environment: '(deleted)', path: '/' }
    const changes: PlannedChange[] = [
      ...planRestore<string>([...folders.values()].map(pastOfFolder)).map((change) => ({
        ...change,
        type: 'folder' as const,
        name: folders.get(change.id)?.now.name ?? '',
        place: placeAfter(change.id),
      })),
      ...restored.map((change) => {
        const { now, past } = secrets.get(change.id) as SecretPast
        return {
          ...change,
          type: 'secret' as const,
          name: this.#secrets.box.label(past ?? now.current).name,
          place: placeAfter(now.head.folder),
        }
      }),
    ]
    refuseTooMany(changes.length)
    return { plan: { at, changes }, folders, secrets }
  }

  #nextFolder({ now, past }: FolderPast, isDeleted: boolean, actor: string): Folder {
    return isDeleted || past === undefined
      ? this.#folders.next(now, { ...now, isDeleted: true }, actor)
      : this.#folders.next(now, past, actor, past.contentOf)
  }

  #revert(now: StoredSecret, past: StoredVersion, place: Place, by: By): Prepared {
    const content = this.#secrets.box.content(past)
    if (content === undefined) throw new Fault('kms/destroyed')
    try {
      const { contentOf } = past
      return this.#secrets.prepareVersion(now, place, { change: 'restore', content, contentOf }, by)
    } finally {
      wipe(content.value)
    }
  }

  async #commit(
    folder: Folder,
    folders: readonly Folder[],
    prepared: readonly Prepared[],
    audit: AuditDraft,
  ): Promise<void> {
    const changed = changedFolders(folders)
    const written = writtenOf(prepared)
    try {
      await this.#context.journal.commit({
        statements: [...changed.statements, ...written.statements],
        leaves: [...changed.leaves, ...written.leaves],
        audit: [audit, ...prepared.map((each) => each.audit)],
      })
    } catch (error) {
      const fault = changeFault(error)
      throw isFault(fault, 'kms/name-taken')
        ? new Fault('kms/cannot-restore', {
            detail: 'a name that comes back is taken',
            cause: error,
          })
        : fault
    } finally {
      this.#folders.forget(folder.project)
    }
  }

  async *#pages<T extends StoredSecret | StoredVersion>(
    read: (after: string) => Promise<readonly T[]>,
  ): AsyncGenerator<T> {
    for (let after = ''; ; await turn()) {
      const page = await read(after)
      yield* page
      const last = page.at(-1)
      if (last === undefined || page.length < BATCH) return
      after = 'head' in last ? last.head.id : last.secret
    }
  }
}

const standingOfFolder = ({ version, contentOf, isDeleted }: Folder): Standing => ({
  version,
  contentOf,
  isDeleted,
  isDestroyed: false,
})
const pastOfFolder = ({ now, past }: FolderPast): Past<string> => ({
  id: now.id,
  now: standingOfFolder(now),
  past: past && standingOfFolder(past),
})

const standingOfVersion = ({
  version,
  contentOf,
  change,
  isDestroyed,
}: StoredVersion): Standing => ({
  version,
  contentOf,
  isDeleted: change === 'delete',
  isDestroyed,
})
const pastOfSecret = ({ now, past }: SecretPast): Past<string> => ({
  id: now.head.id,
  now: standingOfVersion(now.current),
  past: past && standingOfVersion(past),
})

/** Where a folder was by the standings of a time; `undefined` where it or one above was not there. */
function placeThen(
  tree: FolderTree,
  standings: ReadonlyMap<string, Folder>,
  id: string,
): Place | undefined {
  const segments: string[] = []
  for (let at = standings.get(id); at !== undefined; at = standings.get(at.parent ?? '')) {
    if (at.isDeleted) return undefined
    const { environment, parent, name } = at
    if (parent === undefined) {
      const slug = tree.environments.find((each) => each.id === environment)?.slug
      return slug === undefined
        ? undefined
        : { environment: slug, path: pathOf(segments.reverse()) }
    }
    segments.push(name)
  }
  return undefined
}

function refuseTooMany(count: number): void {
  if (count > MAX_CHANGES)
    throw new Fault('kms/too-many', { detail: `at most ${MAX_CHANGES} at once` })
}
