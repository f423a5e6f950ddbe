/** What restoring or deleting a whole folder takes: the permission of each thing in it that changes. */
import type { Action } from '../access/actions.ts'
import { ACTIONS_ON, checkRelabelling } from '../access/gain.ts'
import type { Access, Principal, Resource } from '../access/port.ts'
import { type Place, pathOf, placeText, segmentsOf } from '../folders/place.ts'
import type { Folder, FolderTree } from '../folders/tree.ts'
import type { Moves } from './moves.ts'
import { resourceOfSecret } from './resource.ts'
import type { ChangeKind } from './restore.ts'
import type { SecretService } from './service.ts'
import type { StoredSecret, StoredVersion } from './store.ts'

export type FolderPast = { readonly now: Folder; readonly past: Folder | undefined }
export type SecretPast = { readonly now: StoredSecret; readonly past: StoredVersion | undefined }

/** Where each folder of a restore lies before it and after it. */
export class Places {
  readonly #tree: FolderTree
  readonly #folders: ReadonlyMap<string, FolderPast>

  /** `folders`: the restored one, and all that were ever below it. */
  constructor(tree: FolderTree, folders: ReadonlyMap<string, FolderPast>) {
    this.#tree = tree
    this.#folders = folders
  }

  /** Of a deleted folder: where it was. */
  before(id: string): Place | undefined {
    return this.#place(id, ({ now }) => now)
  }

  /** `undefined` where it, or one above it, is not there after the restore. */
  after(id: string): Place | undefined {
    return this.#place(id, ({ past }) => (past?.isDeleted === false ? past : undefined))
  }

  #place(id: string, standing: (known: FolderPast) => Folder | undefined): Place | undefined {
    const below: string[] = []
    for (let at = id; ; ) {
      const known = this.#folders.get(at)
      const folder = known && standing(known)
      if (known !== undefined && folder === undefined) return undefined
      if (folder?.parent === undefined) {
        const top = this.#tree.placeOf(at)
        return top && { ...top, path: pathOf([...segmentsOf(top.path), ...below.reverse()]) }
      }
      below.push(folder.name)
      at = folder.parent
    }
  }
}

export class RecoveryPermits {
  readonly #access: Access
  readonly #secrets: SecretService
  readonly #moves: Moves

  constructor(access: Access, secrets: SecretService, moves: Moves) {
    this.#access = access
    this.#secrets = secrets
    this.#moves = moves
  }

  /** @throws kms/not-permitted */
  async onFolder(
    action: Action,
    folder: Folder,
    place: Place,
    principal: Principal,
  ): Promise<void> {
    await this.#access.check(principal, action, folderAt(folder, place))
  }

  /** Of a folder that may come back under the name that it had, with all that is in it. @throws kms/not-permitted */
  async toRestoreFolder(
    folder: Folder,
    from: Place,
    to: Place | undefined,
    principal: Principal,
  ): Promise<void> {
    const after = to ?? from
    await checkRelabelling(
      this.#access,
      principal,
      'folder.restore',
      ACTIONS_ON.folder,
      folderAt(folder, from),
      folderAt(folder, after),
    )
    if (placeText(from) !== placeText(after))
      await this.#moves.secretsIn(folder, from, after, principal)
  }

  /** @throws kms/not-permitted */
  async toRestoreSecret(
    { now, past }: SecretPast,
    kind: ChangeKind,
    from: Place,
    to: Place | undefined,
    principal: Principal,
  ): Promise<void> {
    if (kind === 'delete' || past === undefined) return this.toDelete(now, from, principal)
    if (kind === 'lost') return
    const label = this.#secrets.box.label(now.current)
    const after = this.#secrets.box.label(past)
    const found = { head: now.head, place: from, label }
    await this.#moves.ofSecret(found, after, 'secret.rollback', principal, to)
  }

  /** @throws kms/not-permitted */
  async toDelete(
    { head, current }: StoredSecret,
    place: Place,
    principal: Principal,
  ): Promise<void> {
    const label = this.#secrets.box.label(current)
    const resource = resourceOfSecret(head.project, place, label, head.id)
    await this.#access.check(principal, 'secret.delete', resource)
  }
}

const folderAt = ({ id, project }: Folder, place: Place): Resource => ({
  kind: 'folder',
  id,
  project,
  ...place,
})
