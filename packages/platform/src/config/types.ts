/**
 * What settings can hold. Every source gives text, so that a value means the same in a flag, in the
 * environment and in the file.
 */
import { isAbsolute, resolve } from 'node:path'
import { Secret, wipe } from '@quorate/base'

export type SettingType<T> = {
  /** What it takes, after "expected". */
  readonly expects: string
  readonly isList: boolean
  readonly isSecret: boolean
  /** The value of the texts given (exactly one unless `isList`), or `undefined` where they are wrong. */
  parse(texts: readonly string[]): T | undefined
}

function scalar<T>(expects: string, parse: (text: string) => T | undefined): SettingType<T> {
  return { expects, isList: false, isSecret: false, parse: ([text = '']) => parse(text) }
}

export const text = (pattern: RegExp = /^.{1,1000}$/u, expects = 'text'): SettingType<string> =>
  scalar(expects, (value) => (pattern.test(value) ? value : undefined))

/** A decimal integer. */
export const integer = (min: number, max: number): SettingType<number> =>
  scalar(`an integer from ${min} to ${max}`, (value) => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    return number >= min && number <= max ? number : undefined
  })

export const boolean: SettingType<boolean> = scalar('true or false', (value) =>
  value === 'true' ? true : value === 'false' ? false : undefined,
)

export const choice = <const T extends string>(...values: readonly T[]): SettingType<T> =>
  scalar(`one of ${values.join(', ')}`, (value) => values.find((each) => each === value))

/** A path; one that is relative counts from the working directory. */
export const path: SettingType<string> = scalar('a path', (value) =>
  value === '' || value.includes('\0') ? undefined : isAbsolute(value) ? value : resolve(value),
)

const UNITS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A span of time with its unit, such as `500ms` or `5min`; the value is in milliseconds. */
export const duration = (minMs: number, maxMs: number): SettingType<number> =>
  scalar(`a time such as 500ms, 30s, 5min, 2h or 1d, from ${minMs} to ${maxMs} ms`, (value) => {
    const [, digits = '', unit = ''] = /^(\d{1,9})(ms|s|min|h|d)$/.exec(value) ?? []
    const ms = Number(digits) * (UNITS[unit as keyof typeof UNITS] ?? Number.NaN)
    return ms >= minMs && ms <= maxMs ? ms : undefined
  })

/** Several values: a sequence in the file, elsewhere text with commas. */
export const list = <T>(item: SettingType<T>): SettingType<readonly T[]> => ({
  expects: `a list, each ${item.expects}`,
  isList: true,
  isSecret: false,
  parse(texts) {
    const values = texts.map((each) => item.parse([each]))
    return values.some((value) => value === undefined) ? undefined : (values as T[])
  },
})

/** Bytes of UTF-8 that nothing prints. Given by a file where possible. */
export const secret: SettingType<Secret<Uint8Array>> = {
  expects: 'a secret of 1 to 4096 bytes',
  isList: false,
  isSecret: true,
  parse([value = '']) {
    const bytes = new TextEncoder().encode(value)
    if (bytes.length >= 1 && bytes.length <= 4096) return new Secret(bytes)
    wipe(bytes)
    return undefined
  },
}
