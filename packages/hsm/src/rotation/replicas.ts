/**
 * Further devices that hold the keys of roles, for failover: before a new key signs, each that holds the old
 * one has it too. Devices with one store have it by themselves; others hold the same backup key and get it
 * out of the newest backup, so that it travels wrapped only.
 */
import { isFault } from '@quorate/base'
import { isSameKey } from '../backup/archive.ts'
import type { Backups } from '../backup/backups.ts'
import { findBackupKeys } from '../backup/keys.ts'
import { unwrap } from '../backup/restore.ts'
import type { HsmProvider, KeyInfo } from '../provider.ts'
import type { RotationReplica } from './ports.ts'

export type Replica = {
  /** Of the device. */
  readonly name: string
  provider(): Promise<HsmProvider>
}

/**
 * Accepts a new key once the device holds it, or if it never held the old one. `backups`: those of the device
 * of that name, where there are any.
 */
export const replicaConsumer = (
  { name, provider }: Replica,
  backups: ((device: string) => Promise<Backups>) | undefined,
): RotationReplica => ({
  name: `replica-${name}`,
  uses: () => true,
  async accept(_role, next, current) {
    // The key was made there.
    if (next.provider === name) return true
    const device = await provider()
    if (!(await holds(device, current)) || (await holds(device, next))) return true
    const newest = await (await backups?.(next.provider))?.open()
    const saved = newest?.backup.keys.find((key) => key.id === next.keyId && isSameKey(key, next))
    if (saved === undefined) return false
    await unwrap(device, await findBackupKeys(device), saved)
    return true
  },
  async destroy(key) {
    const device = await provider()
    const found = await held(device, key)
    if (found !== undefined) await device.destroy(found.id, { label: found.label })
  },
})

type KeyToFind = Parameters<RotationReplica['destroy']>[0]

/** By its id, else by its label: another device may have another id for it. */
async function held(
  device: HsmProvider,
  { keyId, label, ...key }: KeyToFind,
): Promise<KeyInfo | undefined> {
  const [byId, byLabel] = [await find(device, { id: keyId }), await find(device, { label })]
  return [byId, byLabel].find((found) => found !== undefined && isSameKey(found, key))
}

const holds = async (device: HsmProvider, key: KeyToFind): Promise<boolean> =>
  (await held(device, key)) !== undefined

async function find(
  device: HsmProvider,
  query: Parameters<HsmProvider['find']>[0],
): Promise<KeyInfo | undefined> {
  try {
    return await device.find(query)
  } catch (error) {
    if (isFault(error, 'hsm/key-not-found') || isFault(error, 'hsm/key-ambiguous')) return undefined
    throw error
  }
}
