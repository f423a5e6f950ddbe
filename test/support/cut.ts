/** A guard in compiled code, and what is left in its place. */
export type Cut = {
  /** Below `packages/`, e.g. `threshold/dist/src/session/session.js`. */
  readonly file: string
  readonly guard: string
  readonly instead: string
}

/** The code without the guard. Throws unless the guard is there exactly once: it may have moved. */
export function cutOut(code: string, { file, guard, instead }: Cut): string {
  const pieces = code.split(guard)
  if (pieces.length !== 2) throw new Error(`${file} holds ${pieces.length - 1} times: ${guard}`)
  return pieces.join(instead)
}
