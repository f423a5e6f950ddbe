/** The environments and folders of one project, in memory: where a place is, and where a folder lies. */
import { bug, Fault, type Id } from '@quorate/base'
import { MAX_DEPTH, type Place, pathOf, placeText, segmentsOf } from './place.ts'

export type Environment = {
  readonly id: Id<'env'>
  readonly project: Id<'prj'>
  readonly slug: string
  /** For people; the slug is what programs use. */
  readonly name: string
  readonly root: Id<'fld'>
  readonly version: number
  readonly createdAt: number
}

/** What one version of a folder says. */
export type FolderContent = {
  /** `undefined` for the root of an environment. */
  readonly parent: Id<'fld'> | undefined
  /** Empty for the root. */
  readonly name: string
  /** Folders whose secrets it offers as its own, in order. */
  readonly imports: readonly Id<'fld'>[]
  readonly isDeleted: boolean
}

export type Folder = FolderContent & {
  readonly id: Id<'fld'>
  readonly project: Id<'prj'>
  readonly environment: Id<'env'>
  readonly version: number
  readonly contentOf: number
  /** Milliseconds since the epoch, of this version. */
  readonly at: number
  readonly actor: string
}

export class FolderTree {
  readonly environments: readonly Environment[]
  readonly #bySlug = new Map<string, Environment>()
  readonly #byId = new Map<string, Folder>()
  readonly #children = new Map<string, Map<string, Folder>>()
  readonly #places = new Map<string, Place>()

  /** `folders`: also the deleted ones, which only `folder` gives. */
  constructor(environments: readonly Environment[], folders: readonly Folder[]) {
    this.environments = environments
    for (const each of environments) this.#bySlug.set(each.slug, each)
    for (const each of folders) this.#byId.set(each.id, each)
    for (const each of folders) {
      if (each.isDeleted || each.parent === undefined) continue
      const siblings = this.#children.get(each.parent) ?? new Map<string, Folder>()
      siblings.set(each.name, each)
      this.#children.set(each.parent, siblings)
    }
    for (const { slug, root } of environments) this.#placeBelow(slug, root, [])
  }

  #placeBelow(environment: string, folder: string, segments: readonly string[]): void {
    this.#places.set(folder, { environment, path: pathOf(segments) })
    for (const child of this.#children.get(folder)?.values() ?? [])
      this.#placeBelow(environment, child.id, [...segments, child.name])
  }

  environment(slug: string): Environment | undefined {
    return this.#bySlug.get(slug)
  }

  /** By id, deleted or not. */
  folder(id: string): Folder | undefined {
    return this.#byId.get(id)
  }

  /** Where a living folder is; `undefined` for a deleted or unknown one. */
  placeOf(id: string): Place | undefined {
    return this.#places.get(id)
  }

  /** @throws kms/bad-path */
  find({ environment, path }: Place): Folder | undefined {
    const found = this.#bySlug.get(environment)
    if (found === undefined) return undefined
    let at = this.#byId.get(found.root)
    for (const name of segmentsOf(path)) {
      if (at === undefined) return undefined
      at = this.#children.get(at.id)?.get(name)
    }
    return at
  }

  /** @throws kms/no-such-environment, kms/no-folder, kms/bad-path */
  require(place: Place): Folder {
    if (this.#bySlug.get(place.environment) === undefined)
      throw new Fault('kms/no-such-environment', { detail: place.environment })
    const found = this.find(place)
    if (found === undefined) throw new Fault('kms/no-folder', { detail: placeText(place) })
    return found
  }

  /** By name. */
  children(id: string): readonly Folder[] {
    return [...(this.#children.get(id)?.values() ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The folder and every living one below it, parents first. */
  subtree(id: string): readonly Folder[] {
    const folder = this.#byId.get(id) ?? bug('a folder that is not there')
    return [folder, ...this.children(id).flatMap((child) => this.subtree(child.id))]
  }

  /** Every folder that was ever made below it, and itself. */
  everBelow(id: string): readonly Folder[] {
    const found: Folder[] = []
    const wanted = new Set([id])
    // Ids of children are not always later than those of their parents, so until nothing is added.
    for (let grew = true; grew; ) {
      grew = false
      for (const each of this.#byId.values())
        if (!wanted.has(each.id) && each.parent !== undefined && wanted.has(each.parent)) {
          wanted.add(each.id)
          grew = true
        }
    }
    for (const each of this.#byId.values()) if (wanted.has(each.id)) found.push(each)
    return found
  }

  /** Living folders that import the folder. */
  importersOf(id: string): readonly Folder[] {
    return [...this.#byId.values()].filter(
      ({ isDeleted, imports }) => !isDeleted && imports.some((each) => each === id),
    )
  }

  /**
   * Checks that `folder` may import `imports`: each is there, once, and none leads back to it.
   * @throws kms/no-folder, kms/import-cycle, kms/bad-path
   */
  checkImports(folder: Id<'fld'>, imports: readonly Id<'fld'>[]): void {
    if (imports.length > MAX_IMPORTS)
      throw new Fault('kms/too-many', { detail: `a folder imports at most ${MAX_IMPORTS} others` })
    if (new Set(imports).size !== imports.length)
      throw new Fault('kms/import-cycle', { detail: 'a folder is imported twice' })
    for (const each of imports) this.#checkImport(folder, each, [folder])
  }

  #checkImport(folder: Id<'fld'>, next: Id<'fld'>, chain: readonly Id<'fld'>[]): void {
    const steps = [...chain, next]
    const text = (): string =>
      steps.map((id) => placeText(this.placeOf(id) ?? { environment: '?', path: '/' })).join(' → ')
    if (this.placeOf(next) === undefined) throw new Fault('kms/no-folder')
    if (next === folder) throw new Fault('kms/import-cycle', { detail: text() })
    if (steps.length > 2 * MAX_DEPTH) throw new Fault('kms/import-depth', { detail: text() })
    for (const deeper of this.#byId.get(next)?.imports ?? [])
      if (this.placeOf(deeper) !== undefined) this.#checkImport(folder, deeper, steps)
  }
}

export const MAX_IMPORTS = 32
