/**
 * Who may give a secret another name or tags, or a folder or environment another place: all that lies
 * below moves with it, and out of the rules of the old place into those of the new one.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Action } from '../access/actions.ts'
import { ACTIONS_ON, checkRelabelling, refuseGain } from '../access/gain.ts'
import type { Access, Principal, Resource } from '../access/port.ts'
import type { MoveCheck } from '../folders/handlers.ts'
import { type Place, pathOf, segmentsOf } from '../folders/place.ts'
import type { FolderService } from '../folders/service.ts'
import type { Folder } from '../folders/tree.ts'
import type { Label } from './model.ts'
import { resourceOfSecret } from './resource.ts'
import type { FoundSecret, SecretService } from './service.ts'

const BATCH = 256

export class Moves implements MoveCheck {
  readonly #access: Access
  readonly #folders: FolderService
  readonly #secrets: SecretService

  constructor(access: Access, folders: FolderService, secrets: SecretService) {
    this.#access = access
    this.#folders = folders
    this.#secrets = secrets
  }

  /** Permits `action` on a secret that has that label afterwards. @throws kms/not-permitted */
  async ofSecret(
    { head, place, label }: Pick<FoundSecret, 'head' | 'place' | 'label'>,
    after: Pick<Label, 'name' | 'tags'>,
    action: Action,
    principal: Principal,
    placeAfter: Place = place,
  ): Promise<void> {
    await checkRelabelling(
      this.#access,
      principal,
      action,
      ACTIONS_ON.secret,
      resourceOfSecret(head.project, place, label, head.id),
      resourceOfSecret(head.project, placeAfter, after, head.id),
    )
  }

  async ofFolder(folder: Folder, to: Place, action: Action, principal: Principal): Promise<void> {
    const tree = await this.#folders.tree(folder.project)
    const from = tree.placeOf(folder.id) ?? to
    const { id, project } = folder
    const resource = (place: Place): Resource => ({ kind: 'folder', id, project, ...place })
    const actions = ACTIONS_ON.folder
    await checkRelabelling(this.#access, principal, action, actions, resource(from), resource(to))
    await this.#below(folder, from, to, principal)
  }

  async ofEnvironment(root: Folder, from: string, to: string, principal: Principal): Promise<void> {
    const resource = (environment: string): Resource => ({
      kind: 'environment',
      project: root.project,
      environment,
    })
    await checkRelabelling(
      this.#access,
      principal,
      'environment.update',
      ACTIONS_ON.environment,
      resource(from),
      resource(to),
    )
    if (from === to) return
    const [before, after] = [from, to].map((environment) => ({ environment, path: '/' }))
    await this.#below(root, before as Place, after as Place, principal)
  }

  /** Refuses what would be gained on the folder, and on all folders and secrets below it. */
  async #below(top: Folder, from: Place, to: Place, principal: Principal): Promise<void> {
    const tree = await this.#folders.tree(top.project)
    await this.#secrets.box.ready(top.project)
    const depth = segmentsOf(from.path).length
    for (const folder of tree.subtree(top.id)) {
      const before = tree.placeOf(folder.id) ?? from
      const rest = segmentsOf(before.path).slice(depth)
      const after = { environment: to.environment, path: pathOf([...segmentsOf(to.path), ...rest]) }
      const [a, b] = [before, after].map((place) => ({
        kind: 'folder',
        project: top.project,
        ...place,
      }))
      await refuseGain(this.#access, principal, ACTIONS_ON.folder, a as Resource, b as Resource)
      await this.secretsIn(folder, before, after, principal)
    }
  }

  /** Refuses what would be gained on the secrets of a folder that moves, deleted ones included. */
  async secretsIn(folder: Folder, from: Place, to: Place, principal: Principal): Promise<void> {
    const { project } = folder
    // Permitted whatever name and tags it has, an action cannot be gained.
    const doubtful = ACTIONS_ON.secret.filter(
      (action) =>
        !this.#access.authorize(principal, action, { kind: 'secret', project, ...from }).allowed,
    )
    if (doubtful.length === 0) return
    for (let after = ''; ; await turn()) {
      const page = await this.#secrets.store.everIn(folder.id, after, BATCH)
      for (const { head, current } of page) {
        const label = this.#secrets.box.label(current)
        const [a, b] = [from, to].map((place) => resourceOfSecret(project, place, label, head.id))
        await refuseGain(this.#access, principal, doubtful, a as Resource, b as Resource)
      }
      const last = page.at(-1)
      if (last === undefined || page.length < BATCH) return
      after = last.head.id
    }
  }
}
