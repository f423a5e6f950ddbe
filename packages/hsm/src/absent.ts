export type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The object without the properties that are undefined. */
export const withoutAbsent = <T extends object>(value: T): Present<T> =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Present<T>

/** The same, or `undefined` where nothing is left. */
export function someOf<T extends object>(value: T): Present<T> | undefined {
  const present = withoutAbsent(value)
  return Object.keys(present).length === 0 ? undefined : present
}
