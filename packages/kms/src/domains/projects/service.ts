/** Projects and their environments. */
import { bug, Fault, type Id, isName, newId } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import type { Change } from '../../storage/port.ts'
import { isEnvironmentSlug } from '../folders/place.ts'
import { type Act, changeFault, type FolderService } from '../folders/service.ts'
import type { Environment, Folder } from '../folders/tree.ts'
import type { SecretStore } from '../secrets/store.ts'
import type { Project } from './model.ts'
import {
  deleteEnvironment,
  environmentLeaf,
  insertEnvironment,
  insertProject,
  noEnvironment,
  ProjectStore,
  projectLeaf,
  renameProject,
  updateEnvironment,
} from './store.ts'

const MAX_ENVIRONMENTS = 64

export class ProjectService {
  readonly #context: KmsContext
  readonly #store: ProjectStore
  readonly #folders: FolderService

  constructor(context: KmsContext, folders: FolderService) {
    this.#context = context
    this.#store = new ProjectStore(context.sql)
    this.#folders = folders
  }

  /** All, by name. */
  list(): Promise<readonly Project[]> {
    return this.#store.projects()
  }

  find(id: Id<'prj'>): Promise<Project | undefined> {
    return this.#store.project(id)
  }

  /** @throws kms/no-project */
  async require(id: Id<'prj'>): Promise<Project> {
    const found = await this.#store.project(id)
    if (found === undefined) throw new Fault('kms/no-project')
    return found
  }

  /** Makes the project with its keys and environments. @throws kms/bad-name, kms/name-taken */
  async create(name: string, slugs: readonly string[], act: Act): Promise<Project> {
    if (!isName(name)) throw new Fault('kms/bad-name')
    const { clock, random, barrier } = this.#context
    const now = clock.now()
    const project: Project = {
      id: newId('prj', now, random),
      name,
      version: 1,
      createdAt: now,
      createdBy: act.actor,
    }
    await barrier.project(project.id)
    const environments = slugs.map((slug, i) =>
      this.#newEnvironment(project.id, slug, slug, now + i),
    )
    const written = environments.map((each) => this.#folders.newRoot(each, act.actor))
    await this.#commit(project.id, {
      statements: [
        insertProject(project),
        ...environments.map(insertEnvironment),
        ...written.flatMap(({ statements }) => statements),
      ],
      leaves: [
        projectLeaf(project),
        ...environments.map(environmentLeaf),
        ...written.flatMap(({ leaves }) => leaves),
      ],
      audit: [{ ...act.audit, resource: project.id, project: project.id }],
    })
    return project
  }

  /** @throws kms/bad-name, kms/name-taken, kms/version-mismatch */
  async rename(project: Project, name: string, act: Act): Promise<Project> {
    if (!isName(name)) throw new Fault('kms/bad-name')
    const next = { ...project, name, version: project.version + 1 }
    await this.#commit(project.id, {
      statements: [renameProject(next)],
      leaves: [projectLeaf(next)],
      audit: [act.audit],
    })
    return next
  }

  /** In the order in which they were made. */
  async environments(project: Id<'prj'>): Promise<readonly Environment[]> {
    return (await this.#folders.tree(project)).environments
  }

  /** @throws kms/no-such-environment */
  async environment(project: Id<'prj'>, slug: string): Promise<Environment> {
    const found = (await this.#folders.tree(project)).environment(slug)
    if (found === undefined) throw new Fault('kms/no-such-environment', { detail: slug })
    return found
  }

  /** The folder that everything in the environment lies below. */
  async rootOf({ project, root }: Environment): Promise<Folder> {
    return (await this.#folders.tree(project)).folder(root) ?? bug('an environment without a root')
  }

  /** @throws kms/bad-name, kms/name-taken, kms/too-many */
  async createEnvironment(
    project: Project,
    slug: string,
    name: string,
    act: Act,
  ): Promise<Environment> {
    if ((await this.environments(project.id)).length >= MAX_ENVIRONMENTS)
      throw new Fault('kms/too-many', { detail: `a project has at most ${MAX_ENVIRONMENTS}` })
    const made = this.#newEnvironment(project.id, slug, name, this.#context.clock.now())
    const root = this.#folders.newRoot(made, act.actor)
    await this.#commit(project.id, {
      statements: [insertEnvironment(made), ...root.statements],
      leaves: [environmentLeaf(made), ...root.leaves],
      audit: [{ ...act.audit, resource: made.id }],
    })
    return made
  }

  #newEnvironment(project: Id<'prj'>, slug: string, name: string, at: number): Environment {
    if (!isEnvironmentSlug(slug) || name.length > 64) throw new Fault('kms/bad-name')
    const { random } = this.#context
    return {
      id: newId('env', at, random),
      project,
      slug,
      name,
      root: newId('fld', at, random),
      version: 1,
      createdAt: at,
    }
  }

  /** Another slug or name; what is in it stays as it is. @throws kms/bad-name, kms/name-taken, kms/version-mismatch */
  async changeEnvironment(
    environment: Environment,
    { slug, name }: { readonly slug: string; readonly name: string },
    act: Act,
  ): Promise<Environment> {
    if (!isEnvironmentSlug(slug) || name.length > 64) throw new Fault('kms/bad-name')
    const next = { ...environment, slug, name, version: environment.version + 1 }
    await this.#commit(environment.project, {
      statements: [updateEnvironment(next)],
      leaves: [environmentLeaf(next)],
      audit: [act.audit],
    })
    return next
  }

  /** @throws kms/still-used while it holds secrets or folders, or its root is imported */
  async deleteEnvironment(environment: Environment, secrets: SecretStore, act: Act): Promise<void> {
    const { project, root } = environment
    const tree = await this.#folders.tree(project)
    const isEmpty =
      tree.children(root).length === 0 &&
      tree.importersOf(root).length === 0 &&
      (await secrets.livingIn(root, '', 1)).length === 0
    if (!isEmpty) throw new Fault('kms/still-used', { detail: environment.slug })
    const deleted = this.#folders.deletedRoot(tree, root, act.actor)
    await this.#commit(project, {
      statements: [deleteEnvironment(environment), ...deleted.statements],
      leaves: [noEnvironment(environment), ...deleted.leaves],
      audit: [act.audit],
    })
  }

  async #commit(project: Id<'prj'>, change: Change): Promise<void> {
    try {
      await this.#context.journal.commit(change)
    } catch (error) {
      throw changeFault(error)
    } finally {
      this.#folders.forget(project)
    }
  }
}
