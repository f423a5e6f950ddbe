/** Values that are mostly at hand: a promise only where something has to be waited for. */

/** Test it with `instanceof Promise`; `await` takes either. */
export type Soon<T> = T | Promise<T>

/** What `make` makes of the value, at once where it is at hand. */
export const after = <T, U>(value: Soon<T>, make: (value: T) => Soon<U>): Soon<U> =>
  value instanceof Promise ? value.then(make) : make(value)
