import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Clock, type FaultCode, isFault, Secret } from '@quorate/base'
import { SimulatedHsm, SoftwareHsm } from '@quorate/hsm'

export const NOW = 1_767_225_600_000
export const clock: Clock = { now: () => NOW, monotonic: () => 0 }

export const isCode =
  (code: FaultCode) =>
  (error: unknown): boolean =>
    isFault(error, code)

/** A directory that is gone after the test; the HSM directory is `hsm` inside it. */
export function scratch(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'quorate-hsm-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return join(root, 'hsm')
}

export const openIn = (directory: string): Promise<SimulatedHsm> =>
  SimulatedHsm.open(directory, clock)

export const openSoftwareIn = (directory: string): Promise<SoftwareHsm> =>
  SoftwareHsm.open(
    directory,
    { by: 'key-file', secret: new Secret(new Uint8Array(32).fill(7)) },
    clock,
  )
