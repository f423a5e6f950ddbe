/** The table of settings that a program declares, and the names they go by elsewhere. */
import { bug, editDistance } from '@quorate/base'
import type { SettingType } from './types.ts'

export type Setting<T, Default extends T | undefined = T | undefined> = {
  readonly type: SettingType<T>
  /** One sentence for people. */
  readonly description: string
  readonly default: Default
  /** Names that other programs use for the same thing in the environment. */
  readonly aliases: readonly string[]
}

type About<Default> = {
  readonly description: string
  readonly default?: Default
  readonly aliases?: readonly string[]
}

/** A setting with a default always has a value. */
export function setting<T>(
  type: SettingType<T>,
  about: About<T> & { readonly default: T },
): Setting<T, T>
export function setting<T>(type: SettingType<T>, about: About<never>): Setting<T, undefined>
export function setting<T>(type: SettingType<T>, about: About<T>): Setting<T> {
  return {
    type,
    description: about.description,
    default: about.default,
    aliases: about.aliases ?? [],
  }
}

/** By key: `section.name` or `name`, in camel case. */
// biome-ignore lint/suspicious/noExplicitAny: settings of any type
export type Settings = { readonly [key: string]: Setting<any, any> }
export type SettingValue<S> =
  S extends Setting<infer T, infer Default>
    ? Default extends undefined
      ? T | undefined
      : T
    : never

/** Our own name in the environment: `node.maxKeygen` is QUORATE_NODE_MAX_KEYGEN. */
export const environmentName = (key: string): string =>
  `QUORATE_${key
    .replaceAll('.', '_')
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`

/** All names of each setting in the environment, the own one first. */
export function environmentNames(settings: Settings): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, string>()
  return new Map(
    Object.entries(settings).map(([key, { aliases }]) => {
      if (!/^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$/.test(key))
        bug(`the setting ${key} has a bad name`)
      const names = [environmentName(key), ...aliases]
      for (const name of names) {
        if (owners.has(name)) bug(`${name} belongs to ${owners.get(name)} and ${key}`)
        owners.set(name, key)
      }
      return [key, names]
    }),
  )
}

/** The candidate closest to `name`, where one is close enough to be meant. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.min(4, Math.ceil(name.length / 2))
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}
