/**
 * Shows that a guard is what stops an attack: the same library with exactly that guard cut out of its
 * compiled code, to play the same attack against.
 */
import { register } from 'node:module'

/** A guard in compiled code, and what is left in its place. */
export type Cut = {
  /** Below `packages/`, e.g. `threshold/dist/src/session/session.js`. */
  readonly file: string
  readonly guard: string
  readonly instead: string
}
/** Everything that attacks use of the library. */
export type Stage = typeof import('../stage.ts')

register('./guard-hooks.js', import.meta.url)

/** The stage over a library that lacks the guards. Rejects where one of them is not in the code. */
export async function stageWithout(...cuts: readonly Cut[]): Promise<Stage> {
  const mark = Buffer.from(JSON.stringify(cuts)).toString('base64url')
  return (await import(`../stage.js?without=${mark}`)) as Stage
}
