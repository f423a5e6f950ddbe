/** The specification read aloud: no sharing, no laziness, one small function for each of its sentences. */
import { Fault } from '@quorate/base'
import { type Place, placeText, secretText } from '#src/domains/folders/place.js'
import { parseTemplate } from '#src/domains/secrets/references.js'
import type { Entry, Found } from '#src/domains/secrets/resolver.js'

export type World = ReadonlyMap<string, Exclude<Found, undefined>>

type Hit = { readonly entry: Entry; readonly place: Place; readonly name: string }

const path = (...steps: readonly string[]): string => steps.join(' → ')

function folderAt(world: World, chain: readonly Place[], trail: readonly string[]) {
  const texts = chain.map(placeText)
  const here = texts.at(-1) as string
  if (texts.indexOf(here) < texts.length - 1)
    throw new Fault('kms/import-cycle', { detail: path(...texts) })
  const found = world.get(here)
  if (found === 'denied') throw refused(chain, trail, here)
  if (found !== undefined) return found
  if (chain.length > 1) throw new Fault('kms/import-missing', { detail: path(...texts) })
  if (trail.length > 0)
    throw new Fault('kms/reference-missing', { detail: path(...trail, `${here} (no such folder)`) })
  throw new Fault('kms/no-folder', { detail: here })
}

function refused(chain: readonly Place[], trail: readonly string[], what: string): Fault {
  const detail = path(...trail, ...chain.slice(0, -1).map(placeText), what)
  if (trail.length > 0) return new Fault('kms/reference-denied', { detail })
  if (chain.length > 1) return new Fault('kms/import-denied', { detail })
  return new Fault('kms/not-permitted', { detail: `secret.read on ${what}` })
}

function lookup(
  world: World,
  chain: readonly Place[],
  name: string,
  trail: readonly string[],
): Hit | undefined {
  const folder = folderAt(world, chain, trail)
  const place = chain.at(-1) as Place
  const own = folder.entries.get(name)
  if (own === 'denied') throw refused(chain, trail, secretText(place, name))
  if (own !== undefined) return { entry: own, place, name }
  for (const next of folder.imports) {
    const hit = lookup(world, [...chain, next], name, trail)
    if (hit !== undefined) return hit
  }
  return undefined
}

function slowValue(world: World, hit: Hit, trail: readonly Hit[]): string {
  const steps = [...trail, hit].map(({ place, name }) => secretText(place, name))
  if (trail.some(({ entry }) => entry.id === hit.entry.id))
    throw new Fault('kms/reference-cycle', { detail: path(...steps) })
  return partsOf(hit.entry.template as string, steps)
    .map((part) => {
      if (typeof part === 'string') return part
      const place = part.place ?? hit.place
      const target = lookup(world, [place], part.name, steps)
      if (target === undefined)
        throw new Fault('kms/reference-missing', {
          detail: path(...steps, secretText(place, part.name)),
        })
      return slowValue(world, target, [...trail, hit])
    })
    .join('')
}

function partsOf(template: string, steps: readonly string[]) {
  try {
    return parseTemplate(template)
  } catch (error) {
    const { detail } = error as Fault
    throw new Fault('kms/bad-reference', { detail: `${path(...steps)}, ${detail}` })
  }
}

export function slowOne(world: World, place: Place, name: string): string {
  const hit = lookup(world, [place], name, [])
  if (hit === undefined) throw new Fault('kms/no-secret', { detail: secretText(place, name) })
  return slowValue(world, hit, [])
}

/** Names of the folder and of everything it imports; a denied one is in the way of all behind it. */
function namesAt(world: World, chain: readonly Place[], names: Map<string, Hit | 'denied'>): void {
  const folder = folderAt(world, chain, [])
  for (const [name, entry] of folder.entries)
    if (!names.has(name))
      names.set(name, entry === 'denied' ? entry : { entry, place: chain.at(-1) as Place, name })
  for (const next of folder.imports) namesAt(world, [...chain, next], names)
}

export function slowAll(world: World, place: Place): { readonly [name: string]: string } {
  const names = new Map<string, Hit | 'denied'>()
  namesAt(world, [place], names)
  const values: { [name: string]: string } = {}
  for (const name of [...names.keys()].sort()) {
    const hit = names.get(name) as Hit | 'denied'
    if (hit !== 'denied') values[name] = slowValue(world, hit, [])
  }
  return values
}
