/**
 * Settings of what is built around a device: they stand in the file of the HSM only, in sections, under the
 * names that specifications and guides give them. Each part of the layer has a table of its own.
 */
import type { Setting } from '@quorate/platform'
import { settingType } from '@quorate/platform'

export type SettingType<T> = Setting<T>['type']

type SectionSetting = {
  readonly type: SettingType<unknown>
  /** Other dotted names, in camel case. */
  readonly aliases: readonly string[]
}

/** By dotted key, e.g. `failover.maxPrimaryRetries`. */
export type SectionTable = { readonly [key: string]: SectionSetting }

/** A value that stands in the file, and where. */
export type Placed<T = unknown> = { readonly value: T; readonly where: string }

export type SectionValues = ReadonlyMap<string, Placed>

const DAY_MS = 86_400_000
const time = settingType.duration(1, DAY_MS)

/** A time with its unit, or milliseconds without one. */
export const milliseconds: SettingType<number> = {
  ...time,
  expects: 'a time such as 500ms or 30s, or a number of milliseconds',
  parse: ([value = '']) => time.parse([/^\d+$/.test(value) ? `${value}ms` : value]),
}

/** One setting, with other dotted names of it. */
export const section = (
  type: SettingType<unknown>,
  ...aliases: readonly string[]
): SectionSetting => ({ type, aliases })

const underscored = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** A dotted name in every spelling, each part in camel case or with underscores. */
export function spellingsOf(dotted: string): readonly string[] {
  const parts = dotted.split('.').map((part) => [...new Set([part, underscored(part)])])
  return parts.reduce<readonly string[]>(
    (before, choices) =>
      before.length === 0
        ? choices
        : before.flatMap((each) => choices.map((choice) => `${each}.${choice}`)),
    [],
  )
}
