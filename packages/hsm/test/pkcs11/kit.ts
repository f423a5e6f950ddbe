/** Sessions of this layer on real modules, for the tests of a file. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { Secret, utf8 } from '@quorate/base'
import type { DeviceSession, DeviceSettings, PinnedKey } from '#src/device.js'
import { DeviceFault } from '#src/errors.js'
import { openDevice } from '#src/pkcs11/session.js'
import { type KeyId, type KeyInfo, parseKeyId } from '#src/provider.js'
import { adopt, type Module } from '../modules/fixture.ts'
import { type ModuleName, openModule } from '../modules/modules.ts'
import { FaultShim } from '../shim/shim.ts'

export type Available = Extract<Module, { readonly available: true }>

export type Bench = {
  readonly module: Available
  readonly shim: FaultShim
  /** A session through the shim, which is closed at the end. */
  open(over?: Partial<DeviceSettings>, pin?: string, gate?: SharedArrayBuffer): DeviceSession
}

/** One fresh token for all tests of a file, with the fault shim before it; or why there is none. */
export async function openBench(name: ModuleName): Promise<Bench | { readonly skip: string }> {
  const module = await openModule(name, { after })
  if (!module.available) return { skip: module.reason }
  let shim: FaultShim
  try {
    shim = new FaultShim(module.settings, { after })
  } catch (error) {
    return { skip: String(error) }
  }
  adopt(shim.settings)
  const sessions: DeviceSession[] = []
  after(() => {
    for (const session of sessions) session.close()
  })
  return {
    module,
    shim,
    open(over = {}, pin = module.pin, gate = new SharedArrayBuffer(8)) {
      const session = openDevice({ ...shim.settings, ...over }, new Secret(utf8(pin)), gate)
      sessions.push(session)
      return session
    },
  }
}

let made = 0
/** An id that no other test of the file has. */
export const freshId = (): KeyId => parseKeyId((++made).toString(16).padStart(8, '0'))

export const pinnedOf = ({ id, algorithm, publicKey }: KeyInfo): PinnedKey =>
  publicKey === undefined ? { id, algorithm } : { id, algorithm, publicKey }

/** For assert.throws: a fault of the device with that code, and what else is given. */
export const deviceFault =
  (code: string, expected: { readonly ckr?: number; readonly failover?: string } = {}) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof DeviceFault, String(error))
    const { ckr = error.ckr, failover = error.failover } = expected
    assert.deepEqual([error.code, error.ckr, error.failover], [code, ckr, failover])
    return true
  }
