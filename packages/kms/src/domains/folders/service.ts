/** Folders of a project: the tree in memory, and changes of it. Every change is a version. */
import { bug, Fault, type Id, isFault, newId } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import type { Soon } from '../../soon.ts'
import type { AuditDraft } from '../../storage/port.ts'
import { ProjectStore } from '../projects/store.ts'
import { isFolderName, type Place, placeText, segmentsOf } from './place.ts'
import { changedFolders, FolderStore, newFolder, type Written } from './store.ts'
import { type Environment, type Folder, type FolderContent, FolderTree } from './tree.ts'

/** Who makes a change, and the audit record that goes with it. */
export type Act = {
  /** Id of the identity. */
  readonly actor: string
  readonly audit: AuditDraft
}

export class FolderService {
  readonly #context: KmsContext
  readonly #store: FolderStore
  readonly #projects: ProjectStore
  readonly #trees = new Map<Id<'prj'>, Soon<FolderTree>>()

  constructor(context: KmsContext) {
    this.#context = context
    this.#store = new FolderStore(context.sql)
    this.#projects = new ProjectStore(context.sql)
  }

  /** Environments and folders of a project as they are now. */
  tree(project: Id<'prj'>): Soon<FolderTree> {
    const known = this.#trees.get(project)
    if (known !== undefined) return known
    const loading = this.#load(project)
    this.#trees.set(project, loading)
    loading.then(
      (tree) => {
        // Not where it was forgotten meanwhile.
        if (this.#trees.get(project) === loading) this.#trees.set(project, tree)
      },
      () => this.forget(project),
    )
    return loading
  }

  async #load(project: Id<'prj'>): Promise<FolderTree> {
    const [environments, folders] = await Promise.all([
      this.#projects.environments(project),
      this.#store.folders(project),
    ])
    return new FolderTree(environments, folders)
  }

  /** Has the tree read anew; after every change of it. */
  forget(project: Id<'prj'>): void {
    this.#trees.delete(project)
  }

  /** Has every tree read anew. */
  forgetAll(): void {
    this.#trees.clear()
  }

  /** The folder that a new environment begins with. */
  newRoot(environment: Pick<Environment, 'id' | 'project' | 'root'>, actor: string): Written {
    return newFolder({
      id: environment.root,
      project: environment.project,
      environment: environment.id,
      ...FRESH,
      parent: undefined,
      name: '',
      at: this.#context.clock.now(),
      actor,
    })
  }

  /** What takes the root of an environment away with it, so that nothing can be put there any more. */
  deletedRoot(tree: FolderTree, root: Id<'fld'>, actor: string): Written {
    const folder = tree.folder(root) ?? bug('an environment without a root')
    return changedFolders([this.next(folder, { ...folder, isDeleted: true }, actor)])
  }

  /**
   * Makes the folder at `place`, and those above it that are missing; gives the innermost.
   * @throws kms/name-taken where it is there, kms/bad-path, kms/no-such-environment
   */
  async create(project: Id<'prj'>, place: Place, act: Act): Promise<Folder> {
    const tree = await this.tree(project)
    if (tree.find(place) !== undefined)
      throw new Fault('kms/name-taken', { detail: placeText(place) })
    const { made, statements, leaves } = this.missing(tree, place, act.actor)
    await this.#commit(project, { statements, leaves }, act.audit)
    return made
  }

  /**
   * What makes the folder at `place` with those above it, where they are missing, and the folder.
   * @throws kms/bad-path, kms/no-such-environment
   */
  missing(
    tree: FolderTree,
    { environment, path }: Place,
    actor: string,
  ): Written & { readonly made: Folder } {
    let parent = tree.require({ environment, path: '/' })
    const written: Written[] = []
    const { clock, random } = this.#context
    for (const name of segmentsOf(path)) {
      const known = tree.children(parent.id).find((each) => each.name === name)
      if (known !== undefined) {
        parent = known
        continue
      }
      const at = clock.now()
      const folder: Folder = {
        ...FRESH,
        id: newId('fld', at, random),
        project: parent.project,
        environment: parent.environment,
        parent: parent.id,
        name,
        at,
        actor,
      }
      written.push(newFolder(folder))
      parent = folder
    }
    return {
      made: parent,
      statements: written.flatMap(({ statements }) => statements),
      leaves: written.flatMap(({ leaves }) => leaves),
    }
  }

  /** @throws kms/bad-name, kms/name-taken, kms/version-mismatch, kms/no-folder */
  async rename(folder: Folder, name: string, act: Act): Promise<Folder> {
    if (!isFolderName(name)) throw new Fault('kms/bad-name')
    if (folder.parent === undefined)
      throw new Fault('kms/bad-name', { detail: 'the root of an environment has none' })
    const next = this.next(folder, { ...folder, name }, act.actor)
    await this.#commit(folder.project, changedFolders([next]), act.audit)
    return next
  }

  /** Sets what the folder imports, in order. @throws kms/no-folder, kms/import-cycle, kms/version-mismatch */
  async setImports(folder: Folder, imports: readonly Id<'fld'>[], act: Act): Promise<Folder> {
    const tree = await this.tree(folder.project)
    tree.checkImports(folder.id, imports)
    const next = this.next(folder, { ...folder, imports }, act.actor)
    await this.#commit(folder.project, changedFolders([next]), act.audit)
    return next
  }

  /** The version after the present one, with that content. */
  next(folder: Folder, content: FolderContent, actor: string, contentOf?: number): Folder {
    const version = folder.version + 1
    const { parent, name, imports, isDeleted } = content
    return {
      ...folder,
      parent,
      name,
      imports,
      isDeleted,
      version,
      contentOf: contentOf ?? version,
      // A clock that was set back must not put a change before the one it follows.
      at: Math.max(this.#context.clock.now(), folder.at),
      actor,
    }
  }

  /** What each folder of the project was at a time; none of those made later. */
  async standingsAt(project: Id<'prj'>, time: number): Promise<ReadonlyMap<string, Folder>> {
    const versions = await this.#store.versionsUntil(project, time)
    return new Map(versions.map((folder) => [folder.id, folder]))
  }

  async #commit(project: Id<'prj'>, written: Written, audit: AuditDraft): Promise<void> {
    try {
      await this.#context.journal.commit({ ...written, audit: [audit] })
    } catch (error) {
      throw changeFault(error)
    } finally {
      this.forget(project)
    }
  }
}

const FRESH = { version: 1, contentOf: 1, imports: [], isDeleted: false } as const

/** What a refused write means to the one who asked for it. */
export function changeFault(error: unknown): unknown {
  if (isFault(error, 'platform/write-conflict'))
    return new Fault('kms/version-mismatch', { cause: error })
  if (isFault(error, 'platform/constraint')) return new Fault('kms/name-taken', { cause: error })
  return error
}
