/** What a secret was: its versions, what changed between two, and going back to one. */
import { equalBytes, Fault, wipe } from '@quorate/base'
import { type Content, type Label, textOf, type VersionHead } from './model.ts'
import type { By, FoundSecret, Prepared, SecretService } from './service.ts'
import type { StoredVersion } from './store.ts'

/** One field that differs between two versions. */
export type Difference = {
  readonly field: 'name' | 'comment' | 'tags' | 'value'
  /** As text; `null` where that version has none, or holds bytes. */
  readonly before: string | null
  readonly after: string | null
}

export type VersionEntry = VersionHead & { readonly label: Label }

/** The newest version there can be, for paging from the newest on. */
const LAST = Number.MAX_SAFE_INTEGER
const PAGE = 100

export class SecretHistory {
  readonly #secrets: SecretService

  constructor(secrets: SecretService) {
    this.#secrets = secrets
  }

  /** Versions before `before`, newest first. */
  async versions(
    { head }: FoundSecret,
    limit: number,
    before: number = LAST,
  ): Promise<{ readonly items: readonly VersionEntry[]; readonly hasMore: boolean }> {
    const { store, box } = this.#secrets
    const rows = await store.versions(head.id, before, limit + 1)
    return {
      items: rows.slice(0, limit).map((version) => ({ ...version, label: box.label(version) })),
      hasMore: rows.length > limit,
    }
  }

  /** Every version that still has its value. */
  async withValues({ head }: FoundSecret): Promise<readonly StoredVersion[]> {
    const found: StoredVersion[] = []
    for (let before = LAST; ; ) {
      const page = await this.#secrets.store.versions(head.id, before, PAGE)
      found.push(...page.filter(({ content }) => content !== undefined))
      before = page.at(-1)?.version ?? 0
      if (page.length < PAGE) return found
    }
  }

  /** @throws kms/no-version */
  async version({ head }: FoundSecret, version: number): Promise<StoredVersion> {
    const found = await this.#secrets.store.version(head.id, version)
    if (found === undefined) throw new Fault('kms/no-version', { detail: `${version}` })
    return found
  }

  /** What one version holds; the caller wipes the value. @throws kms/no-version, kms/destroyed */
  async content(found: FoundSecret, version: number): Promise<Content & VersionHead> {
    const stored = await this.version(found, version)
    const content = this.#secrets.box.content(stored)
    if (content === undefined)
      throw new Fault(stored.isDestroyed ? 'kms/destroyed' : 'kms/no-version', {
        detail: stored.isDestroyed ? `version ${version}` : `version ${version} deleted the secret`,
      })
    return { ...stored, ...content }
  }

  /** The fields that differ, from one version to another. @throws kms/no-version */
  async diff(found: FoundSecret, from: number, to: number): Promise<readonly Difference[]> {
    const { box } = this.#secrets
    const [a, b] = await Promise.all([this.version(found, from), this.version(found, to)])
    const [before, after] = [box.content(a), box.content(b)]
    try {
      return differences(
        { label: box.label(a), content: before },
        { label: box.label(b), content: after },
      )
    } finally {
      wipe(before?.value, after?.value)
    }
  }

  /**
   * A new version with the content of an earlier one; brings a deleted secret back.
   * @throws kms/no-version, kms/destroyed
   */
  async prepareRollback(found: FoundSecret, version: number, by: By): Promise<Prepared> {
    const { contentOf, ...content } = await this.content(found, version)
    try {
      return this.#secrets.prepareVersion(
        found,
        found.place,
        { change: 'rollback', content, contentOf },
        by,
      )
    } finally {
      wipe(content.value)
    }
  }

  /**
   * Undoes the newest change: the content of the version before it, or deleted where it was that.
   * @throws kms/cannot-restore where there is no version before, kms/destroyed
   */
  async prepareUndo(found: FoundSecret, by: By): Promise<Prepared> {
    const before = found.head.version - 1
    if (before < 1)
      throw new Fault('kms/cannot-restore', {
        detail: 'the secret has one version only; delete it',
      })
    const { change } = await this.version(found, before)
    return change === 'delete'
      ? this.#secrets.prepareDelete(found, found.place, by)
      : this.prepareRollback(found, before, by)
  }
}

type Side = { readonly label: Label; readonly content: Content | undefined }

function differences(a: Side, b: Side): readonly Difference[] {
  const fields: readonly Difference[] = [
    { field: 'name', before: a.label.name, after: b.label.name },
    { field: 'comment', before: a.label.comment, after: b.label.comment },
    { field: 'tags', before: a.label.tags.join(', '), after: b.label.tags.join(', ') },
  ]
  const value: Difference = { field: 'value', before: shown(a.content), after: shown(b.content) }
  return [
    ...fields.filter(({ before, after }) => before !== after),
    ...(isSameValue(a.content, b.content) ? [] : [value]),
  ]
}

const shown = (content: Content | undefined): string | null => (content && textOf(content)) ?? null

const isSameValue = (a: Content | undefined, b: Content | undefined): boolean =>
  a === undefined || b === undefined
    ? a === b
    : a.isBinary === b.isBinary && equalBytes(a.value, b.value)
