/** What the routes of folders share. */
import { toRfc3339 } from '@quorate/api'
import { Fault, type Id } from '@quorate/base'
import { type TSchema, Type } from '@sinclair/typebox'
import type { Action } from '../access/actions.ts'
import type { Access, DecisionRecord, Principal, Resource } from '../access/port.ts'
import { type Place, placeText } from './place.ts'
import type { Act, FolderService } from './service.ts'
import type { FolderStore } from './store.ts'
import type { Folder, FolderTree } from './tree.ts'

const text: TSchema = Type.String()
/** Where a thing lies, in answers. */
export const folderAnswerPlace = { environment: text, path: text } as const
export const folderAnswer: TSchema = {
  ...Type.Object({
    id: text,
    name: text,
    ...folderAnswerPlace,
    version: Type.Integer(),
    imports: Type.Array(Type.Object({ id: text, place: text })),
    updatedAt: text,
    updatedBy: text,
  }),
  title: 'Folder',
}

/** Whether somebody may move a folder with all that lies below it. @throws kms/not-permitted */
export type MoveCheck = {
  ofFolder(folder: Folder, to: Place, action: Action, principal: Principal): Promise<void>
  /** Slugs, before and after. */
  ofEnvironment(root: Folder, from: string, to: string, principal: Principal): Promise<void>
}

export class FolderHandlers {
  readonly service: FolderService
  readonly access: Access
  readonly moves: MoveCheck
  readonly #store: FolderStore
  readonly #found = new WeakMap<Resource, Folder>()

  constructor(access: Access, service: FolderService, store: FolderStore, moves: MoveCheck) {
    this.access = access
    this.service = service
    this.#store = store
    this.moves = moves
  }

  /** What the folder of that id is to access; `undefined` where there is none, or it is deleted. */
  readonly resourceOf = async (
    { params }: { readonly params: { readonly id: string } },
    _principal: Principal,
  ): Promise<Resource | undefined> => {
    const project = await this.#store.projectOf(params.id)
    if (project === undefined) return undefined
    const tree = await this.service.tree(project)
    const folder = tree.folder(params.id)
    const place = tree.placeOf(params.id)
    if (folder === undefined || place === undefined) return undefined
    const resource: Resource = { kind: 'folder', id: folder.id, project, ...place }
    this.#found.set(resource, folder)
    return resource
  }

  /** The folder behind such a resource. @throws kms/no-folder */
  required({ resource }: { readonly resource: Resource }): Folder {
    const found = this.#found.get(resource)
    if (found === undefined) throw new Fault('kms/no-folder')
    return found
  }
}

/** The folder as the API shows it. */
export const folderJson = (folder: Folder, tree: FolderTree): object => {
  const place = tree.placeOf(folder.id)
  return {
    id: folder.id,
    name: folder.name,
    environment: place?.environment ?? '',
    path: place?.path ?? '',
    version: folder.version,
    imports: folder.imports.map((id) => importJson(id, tree.placeOf(id))),
    updatedAt: toRfc3339(folder.at),
    updatedBy: folder.actor,
  }
}

const importJson = (id: Id<'fld'>, place: Place | undefined): object => ({
  id,
  place: place === undefined ? 'deleted' : placeText(place),
})

/** A change by the one who asks, with its audit record. */
export const actOf = (call: {
  readonly principal: Principal
  readonly record: DecisionRecord
}): Act => ({
  actor: call.principal.id,
  audit: { ...call.record, outcome: 'done', fields: [] },
})
