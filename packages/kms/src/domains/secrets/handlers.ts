/** What the routes of secrets share: finding, reading, storing and deleting one for a request. */
import { DEFAULT_LIMIT } from '@quorate/api'
import { Fault } from '@quorate/base'
import type { HttpAnswer } from '@quorate/platform'
import type { KmsContext } from '../../context.ts'
import { after, type Soon } from '../../soon.ts'
import { doneBy } from '../access/act.ts'
import type { Action } from '../access/actions.ts'
import { isRelabelled } from '../access/gain.ts'
import type { Access, DecisionRecord, Principal, Resource } from '../access/port.ts'
import type { GuardedCall } from '../access/route.ts'
import {
  checkMatch,
  etagOf,
  ifMatchOf,
  isOn,
  type PageQuery,
  type PlaceInput,
  placeOfInput,
  requirePlace,
} from '../folders/schemas.ts'
import type { FolderService } from '../folders/service.ts'
import {
  type ChangedJson,
  type CreateBody,
  changedJson,
  newContent,
  type PatchBody,
  patchOf,
  secretJson,
} from './json.ts'
import type { SecretType } from './model.ts'
import type { Moves } from './moves.ts'
import type { ReadOptions, ReadSecret, SecretReading } from './reading.ts'
import type { Requests } from './requests.ts'
import { resourceOfSecret } from './resource.ts'
import type { FoundSecret, OpenedSecret, Prepared, SecretService } from './service.ts'

export type SecretParts = {
  readonly context: KmsContext
  readonly access: Access
  readonly folders: FolderService
  readonly secrets: SecretService
  readonly reading: SecretReading
  readonly requests: Requests
  readonly moves: Moves
}

/**
 * Where a resource carries the secret that the gate's look at it has found, for the handler behind it. On the
 * resource itself: a weak map would be work for the collector with every request.
 */
const FOUND = Symbol('found')
type Carrier = Resource & { [FOUND]?: OpenedSecret }

export type ReadQuery = {
  readonly imports?: string
  readonly expand?: string
  readonly personal?: string
}
/** The same for one secret and for a list: imports, references and personal overrides are on. */
export const optionsOf = ({ imports, expand, personal }: ReadQuery): ReadOptions => ({
  withImports: isOn(imports, true),
  isExpanded: isOn(expand, true),
  withPersonal: isOn(personal, true),
})

export class SecretHandlers {
  readonly parts: SecretParts

  constructor(parts: SecretParts) {
    this.parts = parts
  }

  /** What the secret of that id is to access; `undefined` where there is none for this principal. */
  resource(id: string, principal: Principal, withContent = false): Soon<Resource | undefined> {
    return after(this.parts.secrets.find(id, principal, withContent), (found) => {
      if (found === undefined) return undefined
      const { head, place, label } = found
      const resource: Carrier = resourceOfSecret(head.project, place, label, head.id)
      resource[FOUND] = found
      return resource
    })
  }

  /** What a place, or a name there, is to access; `undefined` where no project is known. @throws kms/bad-path */
  placeResource(
    input: PlaceInput,
    principal: Principal,
    label?: { readonly name: string; readonly tags?: readonly string[] },
  ): Resource | undefined {
    const at = placeOfInput(input, principal)
    return at && { kind: 'secret', project: at.project, ...at.place, ...label }
  }

  /** What the living secret of that name in the folder itself is to access, else the name alone. */
  async namedResource(
    input: PlaceInput,
    name: string,
    type: SecretType,
    principal: Principal,
  ): Promise<Resource | undefined> {
    const { folders, secrets } = this.parts
    const at = placeOfInput(input, principal)
    if (at === undefined) return undefined
    const folder = (await folders.tree(at.project)).find(at.place)
    const stored = folder && (await secrets.named(folder, name, principal, type))
    const resource = stored && (await this.resource(stored.head.id, principal))
    return resource ?? { kind: 'secret', project: at.project, ...at.place, name }
  }

  /** The secret behind a resource of the above; `undefined` where it is a name alone. */
  behind({ resource }: { readonly resource: Resource }): OpenedSecret | undefined {
    return (resource as Carrier)[FOUND]
  }

  /** @throws kms/no-secret */
  required(call: { readonly resource: Resource }): OpenedSecret {
    const found = this.behind(call)
    if (found === undefined) throw new Fault('kms/no-secret')
    return found
  }

  /** Records the read, then gives what was read: nothing is answered that is not on disk. */
  answerRead(record: DecisionRecord, read: ReadSecret): Promise<HttpAnswer> {
    const { head, current } = read.stored
    const recorded = this.parts.context.journal.record(
      doneBy({ record }, head.id, [
        { name: 'version', kind: 'int', value: current.version },
        { name: 'references', kind: 'int', value: read.references.length },
      ]),
    )
    return recorded.then(() => ({
      headers: { etag: etagOf(current.version) },
      body: secretJson(read),
    }))
  }

  async create(input: PlaceInput, body: CreateBody, call: GuardedCall): Promise<HttpAnswer> {
    const { principal, record, idempotencyKey: key } = call
    const { folders, secrets, requests } = this.parts
    const { project, place } = requirePlace(input, principal)
    const request = { route: 'createSecret', place, body }
    const answer = await requests.once<ChangedJson>(
      { principal, project, key, request },
      async (keep) => {
        const folder = (await folders.tree(project)).require(place)
        await secrets.box.ready(project)
        const content = newContent(body.secretName, body)
        const by = { principal, record }
        const prepared = secrets.prepareNew(folder, place, body.type ?? 'shared', content, by)
        const made = changedJson(prepared.changed)
        await secrets.commit([prepared], keep(made))
        return made
      },
    )
    return { status: 201, headers: { etag: etagOf(answer.version) }, body: answer }
  }

  async list(
    input: PlaceInput,
    query: PageQuery & ReadQuery & { readonly values?: string },
    { principal, record }: GuardedCall,
  ): Promise<HttpAnswer> {
    const { folders, reading, context } = this.parts
    const { project, place } = requirePlace(input, principal)
    const withValues = isOn(query.values, false)
    const { items, hasMore, withheld } = await reading.all(project, place, principal, {
      ...optionsOf(query),
      withValues,
      limit: query.limit ?? DEFAULT_LIMIT,
      ...(query.cursor !== undefined && { after: query.cursor }),
    })
    const folder = (await folders.tree(project)).require(place)
    await context.journal.record({
      ...record,
      action: withValues ? 'secret.read' : record.action,
      resource: folder.id,
      outcome: 'done',
      fields: [{ name: 'secrets', kind: 'int', value: items.length }],
    })
    const nextCursor = hasMore ? (items.at(-1)?.label.name ?? null) : null
    return { body: { items: items.map(secretJson), nextCursor, withheld } }
  }

  update(opened: FoundSecret, body: PatchBody, call: GuardedCall): Promise<HttpAnswer> {
    const { principal, record } = call
    const { secrets } = this.parts
    const patch = {
      ...patchOf(body),
      ...(body.secretName !== undefined && { name: body.secretName }),
    }
    return this.change(opened, call, (current) =>
      secrets.prepareUpdate(current, current.place, patch, { principal, record }),
    )
  }

  remove(opened: FoundSecret, call: GuardedCall): Promise<HttpAnswer> {
    const { secrets } = this.parts
    return this.change(opened, call, (current) =>
      secrets.prepareDelete(current, current.place, call),
    )
  }

  /** Carries out a change of a living secret, under the version that `If-Match` demands. */
  async change(
    opened: FoundSecret,
    call: GuardedCall,
    prepare: (current: FoundSecret) => Prepared | Promise<Prepared>,
    withDeleted = false,
  ): Promise<HttpAnswer> {
    const { secrets } = this.parts
    const demanded = ifMatchOf(call.header('if-match'))
    const { id } = opened.head
    const changed = await secrets.change(
      id,
      async (isUntouched) => {
        const current = isUntouched ? opened : await secrets.find(id, call.principal)
        if (current === undefined || (current.head.isDeleted && !withDeleted))
          throw new Fault('kms/no-secret')
        checkMatch(demanded, current.head.version)
        const prepared = await prepare(current)
        await this.#checkChange(opened, current, prepared, call)
        return prepared
      },
      demanded !== undefined,
    )
    return { headers: { etag: etagOf(changed.version) }, body: changedJson(changed) }
  }

  /**
   * The gate has permitted the change of the secret that it saw. Another name or other tags are another
   * resource, and so is what somebody else has made of it meanwhile.
   */
  async #checkChange(
    opened: FoundSecret,
    current: FoundSecret,
    { label }: Prepared,
    { principal, record }: GuardedCall,
  ): Promise<void> {
    const [seen, now] = [opened, current].map(({ head, place, label: each }) =>
      resourceOfSecret(head.project, place, each, head.id),
    )
    const { head, place } = current
    const after = resourceOfSecret(head.project, place, label, head.id)
    if (isRelabelled(seen as Resource, now as Resource) || isRelabelled(now as Resource, after))
      await this.parts.moves.ofSecret(current, label, record.action as Action, principal)
  }
}
