declare const brand: unique symbol

/** A `T` that only the function which checks it may create. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name }
