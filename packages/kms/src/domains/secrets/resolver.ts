/**
 * The one resolver: which secret a name means at a place, and what its value is once every
 * reference in it is replaced. Specified in docs/spec/secret-references.md.
 *
 *   in   what is asked, and folders as they are needed   yields Need, is sent FolderView
 *   out  values with where each came from, or a fault that names the path of references
 *
 * Pure: it asks for folders and never fetches one, so the same code answers a single read, a list,
 * an export and a search for what refers to a secret.
 */
import { Fault, type Id } from '@quorate/base'
import { type Place, placeText, secretText } from '../folders/place.ts'
import {
  hasReferences,
  parseTemplate,
  placesText,
  type Reference,
  referenceText,
  trailText,
} from './references.ts'

/** References in references; an import in an import. */
export const MAX_REFERENCE_DEPTH = 32
/** References followed for one value: each costs a lookup. */
export const MAX_REFERENCES = 1024
/** Of one value once expanded, in UTF-16 units. */
export const MAX_EXPANDED_LENGTH: number = 1 << 20

/** What one secret is for the one who asks: the personal override where there is one. */
export type Entry = {
  readonly id: Id<'sec'>
  readonly version: number
  readonly type: 'shared' | 'personal'
  /** Text of the value, its references still in it; `undefined` where it holds bytes. */
  readonly template: string | undefined
}

/** A folder as the one who asks may see it. */
export type FolderView = {
  /** In order: the first that has a name gives it. */
  readonly imports: readonly Place[]
  /** By name. `denied` where it is there and its value may not be read. */
  readonly entries: ReadonlyMap<string, Entry | 'denied'>
}

/** Asks for a folder: with `name` alone, that entry of it and the imports are enough. */
export type Need = { readonly place: Place; readonly name?: string }
/** `denied` where secrets of the folder may not be read at all, whether it exists or not. */
export type Found = FolderView | 'denied' | undefined

/** A secret and where it was found. */
export type Provenance = {
  readonly id: Id<'sec'>
  readonly version: number
  readonly type: 'shared' | 'personal'
  readonly name: string
  readonly place: Place
  /** Imports that led from the place asked to `place`, outermost first; none where it is its own. */
  readonly via: readonly Place[]
}

export type Resolved = Provenance & {
  /** Text with nothing left to replace; `undefined` where the secret holds bytes. */
  readonly value: string | undefined
  /** Every secret whose value went into it, in the order in which it was first needed. */
  readonly references: readonly Provenance[]
}

type Steps<T> = Generator<Need, T, Found>
type Located = { readonly entry: Entry; readonly provenance: Provenance }

export type ResolveOptions = {
  /** Whether imported secrets belong to the folder; true unless told. */
  readonly withImports?: boolean
  /** Whether references are replaced; true unless told. */
  readonly isExpanded?: boolean
}

/**
 * The secret that `name` means at `place`.
 * @throws kms/no-secret, kms/no-folder, kms/import-cycle, kms/import-depth, kms/import-missing,
 *   kms/import-denied, kms/reference-missing, kms/reference-denied, kms/reference-cycle, kms/reference-depth,
 *   kms/reference-limit, kms/bad-reference
 */
export function* resolveOne(
  place: Place,
  name: string,
  { withImports = true, isExpanded = true }: ResolveOptions = {},
): Steps<Resolved> {
  const run = new Run(withImports)
  const located = yield* run.locate([place], name, [])
  if (located === undefined) throw new Fault('kms/no-secret', { detail: secretText(place, name) })
  return yield* run.resolved(located, isExpanded)
}

export type ListOptions = ResolveOptions & {
  /** Whether values are looked at; true unless told. */
  readonly withValues?: boolean
  /** Only names after this one. */
  readonly after?: string
  /** How many at most; all unless told. */
  readonly limit?: number
}

export type ResolvedFolder = {
  /** By name; a value is `undefined` where none was asked for. */
  readonly items: readonly Resolved[]
  /** Whether there are more after the last one. */
  readonly hasMore: boolean
  /** How many of the whole folder were left out because they may not be read. */
  readonly withheld: number
}

/** The secrets at `place`, imported ones included. @throws as `resolveOne` */
export function* resolveAll(
  place: Place,
  { withImports = true, isExpanded = true, withValues = true, ...page }: ListOptions = {},
): Steps<ResolvedFolder> {
  const run = new Run(withImports)
  const all = new Map<string, Located | 'denied'>()
  yield* run.collect([place], all)
  const { after = '', limit = Number.POSITIVE_INFINITY } = page
  const readable: Located[] = []
  for (const name of [...all.keys()].sort()) {
    const located = all.get(name)
    if (located !== undefined && located !== 'denied' && name > after) readable.push(located)
  }
  const items: Resolved[] = []
  for (const located of readable.slice(0, limit))
    items.push(
      withValues
        ? yield* run.resolved(located, isExpanded)
        : { ...located.provenance, value: undefined, references: [] },
    )
  const withheld = [...all.values()].filter((each) => each === 'denied').length
  return { items, hasMore: readable.length > limit, withheld }
}

/**
 * What the secret at hand holds once the references in it are replaced.
 * @throws as `resolveOne`
 */
export function* resolveEntry(place: Place, name: string, entry: Entry): Steps<Resolved> {
  const { id, version, type } = entry
  return yield* new Run(true).resolved(
    { entry, provenance: { id, version, type, name, place, via: [] } },
    true,
  )
}

class Run {
  readonly #withImports: boolean
  /** By place, and by place and name where only that entry was asked for. */
  readonly #folders = new Map<string, Found>()
  #followed = 0

  constructor(withImports: boolean) {
    this.#withImports = withImports
  }

  *#folder(place: Place, name: string | undefined): Steps<Found> {
    const whole = `${placeText(place)}/`
    if (this.#folders.has(whole)) return this.#folders.get(whole)
    const key = name === undefined ? whole : secretText(place, name)
    if (!this.#folders.has(key))
      this.#folders.set(key, yield name === undefined ? { place } : { place, name })
    return this.#folders.get(key)
  }

  /**
   * The secret of that name in the folder itself, else in its imports in their order.
   * `chain` are the imports that led here from the first place, which is in it; `trail` the secrets
   * whose references did.
   */
  *locate(
    chain: readonly Place[],
    name: string,
    trail: readonly string[],
  ): Steps<Located | undefined> {
    const place = chain.at(-1) as Place
    const folder = yield* this.#open(chain, name, trail)
    const entry = folder.entries.get(name)
    if (entry === 'denied') throw denied(chain, trail, secretText(place, name))
    if (entry !== undefined) return locatedAt(chain, name, entry)
    // References are looked up with imports whatever was asked for the list itself.
    if (!this.#withImports && trail.length === 0) return undefined
    for (const next of folder.imports) {
      const found = yield* this.locate([...chain, next], name, trail)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Every name at the place: what is there already keeps its place before what is imported. */
  *collect(chain: readonly Place[], all: Map<string, Located | 'denied'>): Steps<void> {
    const folder = yield* this.#open(chain, undefined, [])
    for (const [name, entry] of folder.entries)
      if (!all.has(name)) all.set(name, entry === 'denied' ? entry : locatedAt(chain, name, entry))
    if (!this.#withImports) return
    for (const next of folder.imports) yield* this.collect([...chain, next], all)
  }

  *#open(
    chain: readonly Place[],
    name: string | undefined,
    trail: readonly string[],
  ): Steps<FolderView> {
    const place = chain.at(-1) as Place
    if (chain.slice(0, -1).some((each) => isSame(each, place)))
      throw new Fault('kms/import-cycle', { detail: placesText(chain) })
    if (chain.length > MAX_REFERENCE_DEPTH)
      throw new Fault('kms/import-depth', { detail: `${placesText(chain.slice(0, 3))} → …` })
    const found = yield* this.#folder(place, name)
    if (found === 'denied') throw denied(chain, trail, placeText(place))
    if (found !== undefined) return found
    if (chain.length > 1) throw new Fault('kms/import-missing', { detail: placesText(chain) })
    if (trail.length > 0)
      throw new Fault('kms/reference-missing', {
        detail: trailText([...trail, `${placeText(place)} (no such folder)`]),
      })
    throw new Fault('kms/no-folder', { detail: placeText(place) })
  }

  *resolved(located: Located, isExpanded: boolean): Steps<Resolved> {
    const { entry, provenance } = located
    const { template } = entry
    if (template === undefined || !isExpanded || !hasReferences(template))
      return { ...provenance, value: template, references: [] }
    this.#followed = 0
    const used = new Map<string, Provenance>()
    const value = yield* this.#expand(located, [], used)
    return { ...provenance, value, references: [...used.values()] }
  }

  *#expand(
    { entry, provenance }: Located,
    trail: readonly Provenance[],
    used: Map<string, Provenance>,
  ): Steps<string> {
    const { place, name } = provenance
    const here = [...trail, provenance]
    const steps = here.map((each) => secretText(each.place, each.name))
    if (trail.some(({ id }) => id === entry.id))
      throw new Fault('kms/reference-cycle', { detail: trailText(steps) })
    if (trail.length > MAX_REFERENCE_DEPTH)
      throw new Fault('kms/reference-depth', {
        detail: `${trailText(steps.slice(0, 3))} → … → ${secretText(place, name)}`,
      })
    if (entry.template === undefined)
      throw new Fault('kms/reference-binary', { detail: trailText(steps) })
    let value = ''
    for (const part of parsed(entry.template, steps)) {
      value += typeof part === 'string' ? part : yield* this.#follow(part, here, steps, used)
      if (value.length > MAX_EXPANDED_LENGTH)
        throw new Fault('kms/reference-limit', { detail: trailText(steps) })
    }
    return value
  }

  *#follow(
    reference: Reference,
    here: readonly Provenance[],
    steps: readonly string[],
    used: Map<string, Provenance>,
  ): Steps<string> {
    if (++this.#followed > MAX_REFERENCES)
      throw new Fault('kms/reference-limit', { detail: trailText(steps) })
    // A value means the same wherever it is imported: its own folder is where `${NAME}` is looked for.
    const home = (here.at(-1) as Provenance).place
    const target = yield* this.locate([reference.place ?? home], reference.name, steps)
    if (target === undefined)
      throw new Fault('kms/reference-missing', {
        detail: trailText([...steps, referenceText(reference, home)]),
      })
    const { id } = target.entry
    if (!used.has(id)) used.set(id, target.provenance)
    return yield* this.#expand(target, here, used)
  }
}

const isSame = (a: Place, b: Place): boolean => a.environment === b.environment && a.path === b.path

function locatedAt(chain: readonly Place[], name: string, entry: Entry): Located {
  const { id, version, type } = entry
  const place = chain.at(-1) as Place
  return { entry, provenance: { id, version, type, name, place, via: chain.slice(1) } }
}

function denied(chain: readonly Place[], trail: readonly string[], what: string): Fault {
  const steps = [...trail, ...chain.slice(0, -1).map(placeText), what]
  if (trail.length > 0) return new Fault('kms/reference-denied', { detail: trailText(steps) })
  if (chain.length > 1) return new Fault('kms/import-denied', { detail: trailText(steps) })
  return new Fault('kms/not-permitted', { detail: `secret.read on ${what}` })
}

/** A malformed reference, found at a secret that the error then names. */
function parsed(template: string, steps: readonly string[]): ReturnType<typeof parseTemplate> {
  try {
    return parseTemplate(template)
  } catch (cause) {
    throw cause instanceof Fault
      ? new Fault('kms/bad-reference', { detail: `${trailText(steps)}, ${cause.detail}`, cause })
      : cause
  }
}

/** Runs a resolution to its end, with `supply` to fetch what it asks for. */
export async function drive<T>(
  steps: Steps<T>,
  supply: (need: Need) => Found | Promise<Found>,
): Promise<T> {
  let step = steps.next()
  while (step.done !== true) step = steps.next(await supply(step.value))
  return step.value
}
