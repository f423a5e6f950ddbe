/** Reads of secrets as the one who asks sees them: permitted, personal overrides first, references replaced. */
import { setImmediate as turn } from 'node:timers/promises'
import { Fault, type Id, toBase64, wipe } from '@quorate/base'
import type { Soon } from '../../soon.ts'
import type { Access, Principal } from '../access/port.ts'
import type { Place } from '../folders/place.ts'
import type { FolderService } from '../folders/service.ts'
import type { Folder, FolderTree } from '../folders/tree.ts'
import { type Label, textOf } from './model.ts'
import {
  drive,
  type Entry,
  type Found,
  type ListOptions,
  type Need,
  type Provenance,
  type Resolved,
  type ResolveOptions,
  resolveAll,
  resolveEntry,
  resolveOne,
} from './resolver.ts'
import type { OpenedSecret, SecretService } from './service.ts'
import type { StoredSecret } from './store.ts'

/** Secrets read from the store at once, and opened before other requests get their turn. */
const BATCH = 256
/** Secrets of one folder that a list may go through. */
const MAX_IN_FOLDER = 20_000

export type ReadValue = {
  /** As text, or base64 of bytes. */
  readonly value: string
  readonly encoding: 'utf8' | 'base64'
}
export type ReadSecret = {
  readonly stored: StoredSecret
  readonly label: Label
  /** Where the secret lies, which is elsewhere than asked where it is imported. */
  readonly place: Place
  readonly via: readonly Place[]
  readonly references: readonly Provenance[]
  /** Absent where no value was asked for. */
  readonly value?: ReadValue
}

export type ReadOptions = ResolveOptions & {
  /** Whether the personal secrets of the one who asks count; true unless told. */
  readonly withPersonal?: boolean
}

export class SecretReading {
  readonly #access: Access
  readonly #folders: FolderService
  readonly #secrets: SecretService

  constructor(access: Access, folders: FolderService, secrets: SecretService) {
    this.#access = access
    this.#folders = folders
    this.#secrets = secrets
  }

  /**
   * The value of a secret at hand. Wipes the content.
   * @throws kms/no-secret where it is deleted, and what the resolver throws
   */
  value(found: OpenedSecret, principal: Principal, isExpanded = true): Soon<ReadSecret> {
    const { head, place, label, content } = found
    if (content === undefined) throw new Fault(head.isDeleted ? 'kms/no-secret' : 'kms/destroyed')
    try {
      const text = textOf(content)
      if (text !== undefined && isExpanded && text.includes('${'))
        return this.#expanded(found, text, principal)
      const value: ReadValue =
        text === undefined
          ? { value: toBase64(content.value), encoding: 'base64' }
          : { value: text, encoding: 'utf8' }
      return { stored: found, label, place, via: [], references: [], value }
    } finally {
      wipe(content.value)
    }
  }

  async #expanded(
    found: OpenedSecret,
    template: string,
    principal: Principal,
  ): Promise<ReadSecret> {
    const { head, current, place, label } = found
    const entry: Entry = {
      id: head.id,
      version: current.version,
      type: head.owner === undefined ? 'shared' : 'personal',
      template,
    }
    const view = new View(this.#access, this.#secrets, principal, true)
    const tree = await this.#folders.tree(head.project)
    const { references, value } = await drive(resolveEntry(place, label.name, entry), (need) =>
      view.supply(tree, need),
    )
    return {
      stored: found,
      label,
      place,
      via: [],
      references,
      value: { value: value ?? template, encoding: 'utf8' },
    }
  }

  /** The secret that a name means at a place. @throws what the resolver throws */
  async one(
    project: Id<'prj'>,
    place: Place,
    name: string,
    principal: Principal,
    options: ReadOptions = {},
  ): Promise<ReadSecret> {
    const view = new View(this.#access, this.#secrets, principal, options.withPersonal ?? true)
    const [tree] = await Promise.all([
      this.#folders.tree(project),
      this.#secrets.box.ready(project),
    ])
    tree.require(place)
    return view.read(
      await drive(resolveOne(place, name, options), (need) => view.supply(tree, need)),
      true,
    )
  }

  /** The secrets of a folder with the imported ones. @throws what the resolver throws, kms/too-many */
  async all(
    project: Id<'prj'>,
    place: Place,
    principal: Principal,
    options: ReadOptions & ListOptions = {},
  ): Promise<{
    readonly items: readonly ReadSecret[]
    readonly hasMore: boolean
    readonly withheld: number
  }> {
    const { withPersonal = true, withValues = true } = options
    const view = new View(
      this.#access,
      this.#secrets,
      principal,
      withPersonal,
      withValues ? 'secret.read' : 'secret.list',
    )
    const [tree] = await Promise.all([
      this.#folders.tree(project),
      this.#secrets.box.ready(project),
    ])
    tree.require(place)
    const { items, hasMore, withheld } = await drive(resolveAll(place, options), (need) =>
      view.supply(tree, need),
    )
    return { items: items.map((item) => view.read(item, withValues)), hasMore, withheld }
  }
}

/** The folders of one request, as its principal sees them. */
class View {
  readonly #access: Access
  readonly #secrets: SecretService
  readonly #principal: Principal
  readonly #withPersonal: boolean
  readonly #action: 'secret.read' | 'secret.list'
  readonly #seen = new Map<string, { readonly stored: StoredSecret; readonly label: Label }>()

  constructor(
    access: Access,
    secrets: SecretService,
    principal: Principal,
    withPersonal: boolean,
    action: 'secret.read' | 'secret.list' = 'secret.read',
  ) {
    this.#access = access
    this.#secrets = secrets
    this.#principal = principal
    this.#withPersonal = withPersonal
    this.#action = action
  }

  /** What the resolver asks for. */
  async supply(tree: FolderTree, { place, name }: Need): Promise<Found> {
    if (place === GONE) return undefined
    const folder = tree.find(place)
    const project = tree.environments[0]?.project
    if (folder === undefined || project === undefined)
      return this.#mayRead(project, place, { name: name ?? '', tags: [] }) ? undefined : 'denied'
    const imports = folder.imports.flatMap((id) => tree.placeOf(id) ?? GONE)
    const entries = new Map<string, Entry | 'denied'>()
    for await (const stored of this.#stored(folder, name)) {
      const label = this.#secrets.box.label(stored.current)
      const known = entries.get(label.name)
      if (known !== undefined && stored.head.owner === undefined) continue
      entries.set(label.name, this.#entry(stored, label, place))
    }
    // Whoever may not read a name does not learn whether it is there.
    if (
      name !== undefined &&
      !entries.has(name) &&
      !this.#mayRead(project, place, { name, tags: [] })
    )
      entries.set(name, 'denied')
    if (name === undefined && entries.size === 0 && !this.#mayRead(project, place, undefined))
      return 'denied'
    return { imports, entries }
  }

  async *#stored(folder: Folder, name: string | undefined): AsyncGenerator<StoredSecret> {
    const { store, box } = this.#secrets
    const owner = this.#withPersonal ? this.#principal.id : ''
    if (name !== undefined) {
      const key = box.nameKey(folder.project, folder.id, undefined, name)
      yield* await store.byName(folder.id, owner, key.name)
      return
    }
    let after = ''
    for (let count = 0; ; count += BATCH) {
      if (count > MAX_IN_FOLDER)
        throw new Fault('kms/too-many', { detail: `a list goes through ${MAX_IN_FOLDER} secrets` })
      const page = await store.inFolder(folder.id, owner, after, BATCH)
      yield* page
      if (page.length < BATCH) return
      after = page.at(-1)?.head.id ?? ''
      await turn()
    }
  }

  #entry(stored: StoredSecret, label: Label, place: Place): Entry | 'denied' {
    const { head, current } = stored
    if (!this.#mayRead(head.project, place, label)) return 'denied'
    this.#seen.set(head.id, { stored, label })
    const { box } = this.#secrets
    return {
      id: head.id,
      version: current.version,
      type: head.owner === undefined ? 'shared' : 'personal',
      // Opened when it is needed: a page of a list opens its own values and no others.
      get template(): string | undefined {
        const content = box.content(current)
        if (content === undefined) throw new Fault('kms/destroyed')
        try {
          return textOf(content)
        } finally {
          wipe(content.value)
        }
      },
    }
  }

  #mayRead(
    project: Id<'prj'> | undefined,
    { environment, path }: Place,
    label: Pick<Label, 'name' | 'tags'> | undefined,
  ): boolean {
    return this.#access.authorize(this.#principal, this.#action, {
      kind: 'secret',
      project,
      environment,
      path,
      ...(label !== undefined && { name: label.name, tags: label.tags }),
    }).allowed
  }

  /** A resolved secret with the rest of what is known of it. */
  read(resolved: Resolved, withValue: boolean): ReadSecret {
    const { stored, label } = this.#seen.get(resolved.id) as {
      readonly stored: StoredSecret
      readonly label: Label
    }
    const { place, via, references, value } = resolved
    const plain = { stored, label, place, via, references }
    if (!withValue) return plain
    if (value !== undefined) return { ...plain, value: { value, encoding: 'utf8' } }
    const content = this.#secrets.box.content(stored.current)
    if (content === undefined) throw new Fault('kms/destroyed')
    try {
      return { ...plain, value: { value: toBase64(content.value), encoding: 'base64' } }
    } finally {
      wipe(content.value)
    }
  }
}

/** The place of a folder that was deleted: nothing is there, and the error names the import. */
const GONE: Place = { environment: '(deleted)', path: '/' }
