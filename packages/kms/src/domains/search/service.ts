/** Searches the labels of secrets, in bounded batches. Values are never opened. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Id } from '@quorate/base'
import type { Access, Principal } from '../access/port.ts'
import type { Place } from '../folders/place.ts'
import type { FolderService } from '../folders/service.ts'
import type { Label } from '../secrets/model.ts'
import { resourceOfSecret } from '../secrets/resource.ts'
import type { SecretService } from '../secrets/service.ts'
import type { StoredSecret } from '../secrets/store.ts'
import { matcher, type SearchField, type SearchTerms } from './matcher.ts'

/** Secrets opened before other requests get their turn. */
const BATCH = 256
/** Secrets that one request goes through; what it has not seen waits for the next page. */
const MAX_SEEN = 20_000

export type SearchHit = {
  readonly stored: StoredSecret
  readonly label: Label
  readonly place: Place
  readonly matched: readonly SearchField[]
}
export type SearchPage = {
  readonly hits: readonly SearchHit[]
  /** Where the next page begins; `undefined` once everything was seen. */
  readonly next: string | undefined
}

export class Search {
  readonly #access: Access
  readonly #folders: FolderService
  readonly #secrets: SecretService

  constructor(access: Access, folders: FolderService, secrets: SecretService) {
    this.#access = access
    this.#folders = folders
    this.#secrets = secrets
  }

  /** Hits among what the principal may list, in the order of folders. `after`: the `next` of the page before. */
  async find(
    project: Id<'prj'>,
    scope: Place | undefined,
    terms: SearchTerms,
    principal: Principal,
    { limit, after = '' }: { readonly limit: number; readonly after?: string },
  ): Promise<SearchPage> {
    const tree = await this.#folders.tree(project)
    const roots =
      scope === undefined ? tree.environments.map(({ root }) => root) : [tree.require(scope).id]
    await this.#secrets.box.ready(project)
    const matches = matcher(terms)
    const [startFolder = '', startSecret = ''] = after.split(' ')
    const folders = roots.flatMap((root) => tree.subtree(root))
    // A folder that is gone since the page before: those after it in the order of then cannot be told.
    const start = Math.max(
      0,
      folders.findIndex(({ id }) => id === startFolder),
    )
    const hits: SearchHit[] = []
    let seen = 0
    for (const folder of folders.slice(start)) {
      const place = tree.placeOf(folder.id)
      if (place === undefined) continue
      let from = folder.id === startFolder ? startSecret : ''
      for (;;) {
        const page = await this.#secrets.store.inFolder(folder.id, principal.id, from, BATCH)
        for (const stored of page) {
          const hit = this.#hit(stored, place, matches, principal)
          from = stored.head.id
          if (hit !== undefined) hits.push(hit)
          if (hits.length >= limit) return { hits, next: `${folder.id} ${from}` }
        }
        seen += page.length
        if (seen >= MAX_SEEN) return { hits, next: `${folder.id} ${from}` }
        if (page.length < BATCH) break
        await turn()
      }
    }
    return { hits, next: undefined }
  }

  #hit(
    stored: StoredSecret,
    place: Place,
    matches: ReturnType<typeof matcher>,
    principal: Principal,
  ): SearchHit | undefined {
    const label = this.#secrets.box.label(stored.current)
    const matched = matches(label)
    if (matched.length === 0) return undefined
    const resource = resourceOfSecret(stored.head.project, place, label, stored.head.id)
    if (!this.#access.authorize(principal, 'secret.list', resource).allowed) return undefined
    return { stored, label, place, matched }
  }
}
