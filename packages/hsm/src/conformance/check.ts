/** What the checks of the conformance suite share. */
import { Fault, type FaultCode, isFault, utf8 } from '@quorate/base'
import type { HsmProvider, KeyAlgorithm, KeyId, KeyInfo } from '../provider.ts'

export type ConformanceCheck = {
  readonly name: string
  /** The check says nothing of a provider without these. */
  readonly needs: readonly KeyAlgorithm[]
  /** @throws hsm/nonconforming */
  run(provider: HsmProvider): Promise<void>
}

export const LABEL = 'conformance'
export const MESSAGE: Uint8Array = utf8('Quorate conformance')
export const OTHER_MESSAGE: Uint8Array = utf8('quorate conformance')

export function demand(condition: boolean, detail: string): asserts condition {
  if (!condition) throw new Fault('hsm/nonconforming', { detail })
}

/** The fault of that code which `action` must end in. */
export async function mustFail(
  code: FaultCode,
  what: string,
  action: () => Promise<unknown>,
): Promise<Fault> {
  try {
    await action()
  } catch (error) {
    if (isFault(error, code)) return error
    throw new Fault('hsm/nonconforming', {
      detail: `${what} does not fail with ${code}`,
      cause: error,
    })
  }
  throw new Fault('hsm/nonconforming', { detail: `${what} is not refused` })
}

/** Runs `use` with a new key of each algorithm, and destroys them whatever happens. */
export async function withKeys(
  provider: HsmProvider,
  algorithms: readonly KeyAlgorithm[],
  use: (...keys: readonly KeyInfo[]) => Promise<void>,
): Promise<void> {
  const keys: KeyInfo[] = []
  try {
    for (const algorithm of algorithms)
      keys.push(await provider.generateKey({ label: LABEL, algorithm }))
    await use(...keys)
  } finally {
    for (const { id, label } of keys) await provider.destroy(id, { label }).catch(ignoreGone)
  }
}

/** A check with one new key of `algorithm`. */
export const keyCheck = (
  name: string,
  algorithm: KeyAlgorithm,
  use: (provider: HsmProvider, key: KeyInfo) => Promise<void>,
): ConformanceCheck => ({
  name: `${algorithm}: ${name}`,
  needs: [algorithm],
  run: (provider) => withKeys(provider, [algorithm], (key) => use(provider, key as KeyInfo)),
})

function ignoreGone(error: unknown): void {
  if (!isFault(error, 'hsm/key-not-found')) throw error
}

/** `bytes` with one bit of the byte at `at` changed; counted from the end where negative. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice()
  const index = at < 0 ? bytes.length + at : at
  changed[index] = (changed[index] ?? 0) ^ 1
  return changed
}

/** An id that no key has. */
export const ABSENT: KeyId = 'ab5e'.repeat(8) as KeyId
