/**
 * Shows that a guard is what stops an attack: the same product with exactly that guard cut out of its
 * compiled code, to run the same attack against.
 */
import { register } from 'node:module'
import type { Cut } from './cut.ts'
import type { MemoryWorld } from './memory-world.ts'

register('./guard-hooks.js', import.meta.url)

/** A world in memory whose nodes all lack the guards. Fails where one of them is not in the code. */
export async function worldWithout(...cuts: readonly Cut[]): Promise<MemoryWorld> {
  const mark = Buffer.from(JSON.stringify(cuts)).toString('base64url')
  const { memoryWorld } = (await import(
    `./memory-world.js?without=${mark}`
  )) as typeof import('./memory-world.ts')
  return memoryWorld()
}
