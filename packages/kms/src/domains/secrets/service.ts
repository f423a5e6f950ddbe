/**
 * Changes of secrets. Each makes a version, and whatever belongs together is one transaction with its
 * audit records: a batch, an import, a restore.
 */
import { equalBytes, Fault, type Id, isFault, newId, wipe } from '@quorate/base'
import type { SqlStatement } from '@quorate/platform'
import type { KmsContext } from '../../context.ts'
import { after, type Soon } from '../../soon.ts'
import type { AuditDraft } from '../../storage/port.ts'
import type { DecisionRecord, Principal } from '../access/port.ts'
import { type Place, secretText } from '../folders/place.ts'
import { changeFault, type FolderService } from '../folders/service.ts'
import type { Folder, FolderTree } from '../folders/tree.ts'
import { SecretBox } from './box.ts'
import {
  type ChangeOfSecret,
  type Content,
  checkedContent,
  type Label,
  type SecretHead,
  type SecretType,
} from './model.ts'
import {
  changedSecrets,
  destroyVersions,
  type NameKey,
  type NewSecret,
  type NextVersion,
  SecretStore,
  type StoredSecret,
  type StoredVersion,
  type Written,
} from './store.ts'

/** Who asks, and the beginning of the audit record of it. */
export type By = { readonly principal: Principal; readonly record: DecisionRecord }

/** A secret with where it is and what it is called. */
export type FoundSecret = StoredSecret & {
  readonly place: Place
  readonly label: Label
}

/** `content` is there where the value was asked for; who asked wipes it. */
export type OpenedSecret = FoundSecret & { readonly content: Content | undefined }

/** What was opened of a secret before need not be opened again. */
type Known = StoredSecret & {
  readonly label?: Label
  readonly content?: Content | undefined
}

/** What is to be stored; what is absent stays as it is. */
export type Patch = Partial<Content>

/** What a change left behind. */
export type Changed = {
  readonly id: Id<'sec'>
  readonly version: number
  readonly type: SecretType
  readonly name: string
  readonly place: Place
  readonly at: number
}

/** One change of a batch, prepared: nothing is written yet. */
export type Prepared = {
  readonly changed: Changed
  /** As it is after the change. */
  readonly label: Pick<Label, 'name' | 'tags'>
  readonly made?: NewSecret
  readonly next?: NextVersion
  readonly audit: AuditDraft
}

/** What carries prepared changes out, in an order in which names can change hands. */
export const writtenOf = (prepared: readonly Prepared[]): Written =>
  changedSecrets(
    prepared.flatMap(({ made }) => made ?? []),
    prepared.flatMap(({ next }) => next ?? []),
  )

/** An answer that is kept with the change, for the same request sent again. */
export type Kept = { readonly statements: readonly SqlStatement[] }

const RETRIES = 4

export class SecretService {
  readonly store: SecretStore
  readonly box: SecretBox
  readonly #context: KmsContext
  readonly #folders: FolderService
  /** The newest change of each secret that is being changed. */
  readonly #changes = new Map<Id<'sec'>, Promise<Changed>>()

  constructor(context: KmsContext, folders: FolderService) {
    this.#context = context
    this.#folders = folders
    this.store = new SecretStore(context.sql)
    this.box = new SecretBox(context.barrier)
  }

  /**
   * The secret by its id, also a deleted one; `undefined` where there is none, its folder is deleted, or it
   * is another's personal one. `content` is there where the value was asked for, so that one opening serves
   * both the decision and the answer; the caller wipes it.
   */
  find(id: string, principal: Principal, withContent = false): Soon<OpenedSecret | undefined> {
    return after(this.store.byId(id), (stored) => {
      if (stored === undefined) return undefined
      const { project, owner } = stored.head
      if (owner !== undefined && owner !== principal.id) return undefined
      const tree = this.#folders.tree(project)
      const loading = this.box.ready(project)
      return tree instanceof Promise || loading !== undefined
        ? Promise.all([tree, loading]).then(([loaded]) => this.#opened(stored, loaded, withContent))
        : this.#opened(stored, tree, withContent)
    })
  }

  #opened(
    { head, current }: StoredSecret,
    tree: FolderTree,
    withContent: boolean,
  ): OpenedSecret | undefined {
    const place = tree.placeOf(head.folder)
    if (place === undefined) return undefined
    const content = withContent ? this.box.content(current) : undefined
    return { head, current, place, content, label: content ?? this.box.label(current) }
  }

  /** The living secret of that name in the folder itself: of that type, or the one that counts for the principal. */
  async named(
    folder: Folder,
    name: string,
    principal: Principal,
    type?: SecretType,
  ): Promise<StoredSecret | undefined> {
    await this.box.ready(folder.project)
    const { name: index } = this.box.nameKey(folder.project, folder.id, undefined, name)
    const all = await this.store.byName(folder.id, type === 'shared' ? '' : principal.id, index)
    const personal = all.find(({ head }) => head.owner !== undefined)
    const shared = all.find(({ head }) => head.owner === undefined)
    return type === 'personal' ? personal : type === 'shared' ? shared : (personal ?? shared)
  }

  /** Whether the secret holds that very value. Treats both as secret. */
  hasValue({ current }: StoredSecret, other: Content): boolean {
    const content = this.box.content(current)
    if (content === undefined) return false
    const isSame = content.isBinary === other.isBinary && equalBytes(content.value, other.value)
    wipe(content.value)
    return isSame
  }

  /** @throws kms/bad-name, kms/bad-secret */
  prepareNew(
    folder: Folder,
    place: Place,
    type: SecretType,
    given: Content,
    { principal, record }: By,
  ): Prepared {
    const content = checkedContent(given)
    const { clock, random } = this.#context
    const at = clock.now()
    const { project } = folder
    const head: SecretHead = {
      id: newId('sec', at, random),
      project,
      folder: folder.id,
      owner: type === 'personal' ? principal.id : undefined,
      version: 1,
      isDeleted: false,
    }
    const key = { project, secret: head.id, version: 1 }
    const version: StoredVersion = {
      ...key,
      ...this.box.seal(key, content),
      change: 'create',
      contentOf: 1,
      at,
      actor: principal.id,
      isDestroyed: false,
    }
    const nameKey = this.box.nameKey(project, folder.id, head.owner, content.name)
    return {
      changed: changedOf(head, content, place, at),
      label: { name: content.name, tags: content.tags },
      made: { head, version, name: nameKey },
      audit: this.#draft(record, head, content),
    }
  }

  /**
   * The next version of a living secret with some of its content replaced. Wipes what was opened of it.
   * @throws kms/bad-name, kms/bad-secret, kms/destroyed
   */
  prepareUpdate(found: Known, place: Place, patch: Patch, by: By): Prepared {
    const { head, current } = found
    const before = found.content ?? this.box.content(current)
    if (before === undefined) throw new Fault('kms/destroyed')
    try {
      const content = checkedContent({ ...before, ...patch })
      const known: Known = { head, current, label: before }
      return this.prepareVersion(known, place, { change: 'update', content }, by)
    } finally {
      wipe(before.value)
    }
  }

  /** The version that deletes a living secret; earlier ones stay. */
  prepareDelete(found: Known, place: Place, by: By): Prepared {
    return this.prepareVersion(found, place, { change: 'delete', content: undefined }, by)
  }

  /**
   * The next version. `contentOf` is the earlier version whose content it repeats.
   * Without a content the secret is deleted, under the label it had.
   */
  prepareVersion(
    { head, current, label: known }: Known,
    place: Place,
    next: {
      readonly change: ChangeOfSecret
      readonly content: Content | undefined
      readonly contentOf?: number
    },
    { principal, record }: By,
  ): Prepared {
    const { project, folder, owner } = head
    const before = known ?? this.box.label(current)
    const version = head.version + 1
    const key = { project, secret: head.id, version }
    const label: Label = next.content ?? before
    const sealed =
      next.content === undefined
        ? { label: this.box.sealLabel(key, label), content: undefined }
        : this.box.seal(key, next.content)
    // A clock that was set back must not put a change before the one it follows.
    const at = Math.max(this.#context.clock.now(), current.at)
    const after: SecretHead = { ...head, version, isDeleted: next.content === undefined }
    // Of the usual change, which leaves the name as it is, no key is asked for.
    const isSameName = head.isDeleted === after.isDeleted && before.name === label.name
    const nameKey = (isThere: boolean, name: string): NameKey | undefined =>
      isThere && !isSameName ? this.box.nameKey(project, folder, owner, name) : undefined
    return {
      changed: changedOf(after, label, place, at),
      label: { name: label.name, tags: label.tags },
      next: {
        head: after,
        version: {
          project,
          secret: head.id,
          version,
          label: sealed.label,
          content: sealed.content,
          change: next.change,
          contentOf: next.contentOf ?? version,
          at,
          actor: principal.id,
          isDestroyed: false,
        },
        nameBefore: nameKey(!head.isDeleted, before.name),
        nameAfter: nameKey(!after.isDeleted, label.name),
      },
      audit: this.#draft(record, after, next.content),
    }
  }

  /**
   * Carries prepared changes out, all or none.
   * @throws kms/version-mismatch, kms/name-taken
   */
  async commit(prepared: readonly Prepared[], kept?: Kept): Promise<void> {
    const { statements, leaves } = writtenOf(prepared)
    try {
      await this.#context.journal.commit({
        statements: [...statements, ...(kept?.statements ?? [])],
        leaves,
        audit: prepared.map(({ audit }) => audit),
      })
    } catch (error) {
      throw changeFault(error)
    }
  }

  /**
   * Changes one secret after every change of it that was begun before, in this process; what comes from
   * another side all the same, as from a restore, has it read anew and tried again.
   * `prepare` is told whether what was read before is still the newest. With `isConditional` the first
   * change of another ends it.
   * @throws kms/version-mismatch, and what `prepare` throws
   */
  async change(
    id: Id<'sec'>,
    prepare: (isUntouched: boolean) => Promise<Prepared>,
    isConditional: boolean,
  ): Promise<Changed> {
    const before = this.#changes.get(id)
    const change = (async (): Promise<Changed> => {
      await before?.catch(() => undefined)
      for (let left = isConditional ? 1 : RETRIES, isUntouched = before === undefined; ; left--) {
        const prepared = await prepare(isUntouched)
        try {
          await this.commit([prepared])
          return prepared.changed
        } catch (error) {
          if (left <= 1 || !isFault(error, 'kms/version-mismatch')) throw error
          isUntouched = false
        }
      }
    })()
    this.#changes.set(id, change)
    try {
      return await change
    } finally {
      if (this.#changes.get(id) === change) this.#changes.delete(id)
    }
  }

  /** Removes the values of earlier versions for ever. @throws kms/newest-version, kms/destroyed */
  async destroy(found: FoundSecret, versions: readonly StoredVersion[], by: By): Promise<void> {
    const { head } = found
    if (versions.some(({ version }) => version === head.version && !head.isDeleted))
      throw new Fault('kms/newest-version', { detail: secretText(found.place, found.label.name) })
    // A version that repeats a destroyed one would keep what was to be gone.
    if (versions.some(({ content }) => content === undefined)) throw new Fault('kms/destroyed')
    try {
      await this.#context.journal.commit({
        ...destroyVersions(versions),
        audit: versions.map(({ version }) => ({
          ...by.record,
          outcome: 'done',
          fields: [
            { name: 'version', kind: 'int', value: version },
            { name: 'change', kind: 'text', value: 'destroy' },
          ],
        })),
      })
    } catch (error) {
      throw changeFault(error)
    }
  }

  #draft(record: DecisionRecord, head: SecretHead, content: Content | undefined): AuditDraft {
    return {
      ...record,
      resource: head.id,
      outcome: 'done',
      fields: [
        { name: 'version', kind: 'int', value: head.version },
        { name: 'folder', kind: 'text', value: head.folder },
        ...(content === undefined
          ? []
          : [
              {
                name: 'value',
                kind: 'hash',
                value: this.#context.barrier.auditHash(head.project, 'secret-value', content.value),
              } as const,
            ]),
      ],
    }
  }
}

const changedOf = (head: SecretHead, label: Label, place: Place, at: number): Changed => ({
  id: head.id,
  version: head.version,
  type: head.owner === undefined ? 'shared' : 'personal',
  name: label.name,
  place,
  at,
})
