/** Many changes of one folder at once, all or none: batches and imported files. */
import { Fault, type Id } from '@quorate/base'
import type { Action } from '../access/actions.ts'
import type { Access, Principal } from '../access/port.ts'
import type { Place } from '../folders/place.ts'
import { secretText } from '../folders/place.ts'
import type { FolderService } from '../folders/service.ts'
import type { Folder } from '../folders/tree.ts'
import { type FileFormat, formatFile, parseFile } from './formats.ts'
import { type ContentBody, newContent, patchOf } from './json.ts'
import type { SecretType } from './model.ts'
import type { Moves } from './moves.ts'
import type { ReadOptions, SecretReading } from './reading.ts'
import { resourceOfSecret } from './resource.ts'
import type { By, Changed, Kept, Prepared, SecretService } from './service.ts'

export const MAX_OPERATIONS = 500

export type Operation = ContentBody & {
  readonly op: 'create' | 'update' | 'delete' | 'put'
  readonly secretName: string
  readonly type?: SecretType
}

/** What to do with a name of a file that is there already. */
export const ON_CONFLICT = ['fail', 'overwrite', 'keep'] as const
export type OnConflict = (typeof ON_CONFLICT)[number]

export type ImportPlan = {
  readonly created: readonly string[]
  readonly updated: readonly string[]
  /** Left as they were: the value is the same, or what is there is to be kept. */
  readonly unchanged: readonly string[]
}

export class Batches {
  readonly #access: Access
  readonly #folders: FolderService
  readonly #secrets: SecretService
  readonly #reading: SecretReading
  readonly #moves: Moves

  constructor(
    access: Access,
    folders: FolderService,
    secrets: SecretService,
    reading: SecretReading,
    moves: Moves,
  ) {
    this.#access = access
    this.#folders = folders
    this.#secrets = secrets
    this.#reading = reading
    this.#moves = moves
  }

  /**
   * Carries the operations out in one transaction.
   * @throws kms/not-permitted, kms/no-secret, kms/name-taken, each naming the secret
   */
  async run(
    project: Id<'prj'>,
    place: Place,
    operations: readonly Operation[],
    principal: Principal,
    keep: (changed: readonly Changed[]) => Kept,
  ): Promise<readonly Changed[]> {
    const seen = new Set<string>()
    for (const { secretName, type = 'shared' } of operations) {
      if (seen.has(`${type}/${secretName}`))
        throw new Fault('kms/name-taken', { detail: `${secretName} is in the batch twice` })
      seen.add(`${type}/${secretName}`)
    }
    const folder = (await this.#folders.tree(project)).require(place)
    const prepared: Prepared[] = []
    for (const operation of operations)
      prepared.push(await this.#prepare(folder, place, operation, principal))
    const changed = prepared.map((each) => each.changed)
    await this.#secrets.commit(prepared, keep(changed))
    return changed
  }

  async #prepare(
    folder: Folder,
    place: Place,
    operation: Operation,
    principal: Principal,
  ): Promise<Prepared> {
    const { op, secretName: name, type = 'shared' } = operation
    const stored = await this.#secrets.named(folder, name, principal, type)
    const known = stored && this.#secrets.box.label(stored.current)
    const action = op === 'put' ? (stored === undefined ? 'create' : 'update') : op
    const tags = (action === 'delete' ? undefined : operation.tags) ?? known?.tags ?? []
    if (stored !== undefined && known !== undefined && action === 'update') {
      const found = { ...stored, place, label: known }
      await this.#moves.ofSecret(found, { name, tags }, 'secret.update', principal)
    }
    const by = await this.#by(folder.project, place, `secret.${action}`, { name, tags }, principal)
    if (action === 'create')
      return this.#secrets.prepareNew(folder, place, type, newContent(name, operation), by)
    if (stored === undefined) throw new Fault('kms/no-secret', { detail: secretText(place, name) })
    return action === 'delete'
      ? this.#secrets.prepareDelete(stored, place, by)
      : this.#secrets.prepareUpdate(stored, place, patchOf(operation), by)
  }

  async #by(
    project: Id<'prj'>,
    place: Place,
    action: Action,
    label: { readonly name: string; readonly tags: readonly string[] },
    principal: Principal,
  ): Promise<By> {
    const resource = resourceOfSecret(project, place, label)
    const decision = await this.#access.check(principal, action, resource)
    return {
      principal,
      record: this.#access.recordOf(principal, action, resource, decision),
    }
  }

  /**
   * The operations that a file asks for, and what they come to. Values that are there already are no change.
   * @throws kms/bad-file, kms/name-taken where a name is there and `onConflict` is `fail`, kms/too-many
   */
  async planImport(
    project: Id<'prj'>,
    place: Place,
    file: { readonly format: FileFormat; readonly content: string; readonly isLiteral: boolean },
    onConflict: OnConflict,
    principal: Principal,
  ): Promise<{ readonly plan: ImportPlan; readonly operations: readonly Operation[] }> {
    const named = parseFile(file.format, file.content)
    if (named.length > MAX_OPERATIONS)
      throw new Fault('kms/too-many', { detail: `a file holds at most ${MAX_OPERATIONS} secrets` })
    const folder = (await this.#folders.tree(project)).require(place)
    const plan = { created: [] as string[], updated: [] as string[], unchanged: [] as string[] }
    const operations: Operation[] = []
    for (const { name, value } of named) {
      const body = { secretName: name, secretValue: value, literal: file.isLiteral }
      const stored = await this.#secrets.named(folder, name, principal, 'shared')
      const tags = stored === undefined ? [] : this.#secrets.box.label(stored.current).tags
      // Before values are compared: the answer would tell whether a guess is right.
      await this.#by(
        project,
        place,
        stored === undefined ? 'secret.create' : 'secret.update',
        { name, tags },
        principal,
      )
      if (stored === undefined) {
        plan.created.push(name)
        operations.push({ op: 'create', ...body })
      } else if (onConflict === 'keep' || this.#secrets.hasValue(stored, newContent(name, body)))
        plan.unchanged.push(name)
      else if (onConflict === 'fail')
        throw new Fault('kms/name-taken', { detail: secretText(place, name) })
      else {
        plan.updated.push(name)
        operations.push({ op: 'update', ...body })
      }
    }
    return { plan, operations }
  }

  /** The secrets of a folder as a file; those that hold bytes are left out and counted. @throws what reading throws */
  async export(
    project: Id<'prj'>,
    place: Place,
    format: FileFormat,
    principal: Principal,
    options: ReadOptions,
  ): Promise<{ readonly content: string; readonly count: number; readonly binary: number }> {
    const { items } = await this.#reading.all(project, place, principal, options)
    const texts = items.flatMap(({ label, value }) =>
      value?.encoding === 'utf8'
        ? [{ name: label.name, value: value.value, comment: label.comment }]
        : [],
    )
    return {
      content: formatFile(format, texts),
      count: texts.length,
      binary: items.length - texts.length,
    }
  }
}
