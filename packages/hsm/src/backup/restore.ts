/**
 * Keys out of a backup, again in a device that holds the same backup key. They come back as keys that never
 * leave: the backup key itself lets nothing else out of a wrap. Their history is honest: the device says
 * of them that they were not made in it (CKA_LOCAL) and could once leave (CKA_NEVER_EXTRACTABLE false).
 */
import { Fault } from '@quorate/base'
import { failpoint } from '@quorate/platform'
import { DeviceFault } from '../errors.ts'
import type { HsmProvider, KeyInfo } from '../provider.ts'
import { type BackedUpKey, type Backup, isSameKey } from './archive.ts'
import { type BackupKeys, demandWrapper } from './keys.ts'

export type Restored = {
  readonly key: KeyInfo
  /** `there`: the device held it already. */
  readonly outcome: 'restored' | 'there'
}

/** @throws hsm/key-exists before anything is changed, hsm/key-changed, hsm/weak-key, hsm/cannot-open */
export async function restoreBackup(
  provider: HsmProvider,
  keys: BackupKeys,
  { keys: saved }: Backup,
): Promise<readonly Restored[]> {
  const there = new Map((await provider.list()).map((key) => [key.id, key]))
  for (const each of saved) {
    const other = there.get(each.id)
    if (other !== undefined && !isSameKey(other, each))
      throw new Fault('hsm/key-exists', { detail: `${each.id} is another key than in the backup` })
  }
  const restored: Restored[] = []
  for (const each of saved) {
    const known = there.get(each.id)
    failpoint('hsm/restore/before-key')
    if (known !== undefined) restored.push({ key: known, outcome: 'there' })
    else restored.push({ key: await unwrap(provider, keys, each), outcome: 'restored' })
  }
  return restored
}

/** The key in the device under `as`, its own id and label unless told, once it proves to be the one of the backup; else it is gone again. */
export async function unwrap(
  provider: HsmProvider,
  { kek }: BackupKeys,
  saved: BackedUpKey,
  as: Pick<KeyInfo, 'label'> & Partial<Pick<KeyInfo, 'id'>> = saved,
): Promise<KeyInfo> {
  const { algorithm, wrapped } = saved
  const { label, id } = as
  const request = { label, algorithm, ...(id !== undefined && { id }) }
  const key = await demandWrapper(provider).unwrapKey(kek, wrapped, request)
  try {
    await check(provider, key, saved)
    return key
  } catch (error) {
    await provider.destroy(key.id, { label })
    throw error
  }
}

async function check(provider: HsmProvider, key: KeyInfo, saved: BackedUpKey): Promise<void> {
  if (!isSameKey(key, saved))
    throw new Fault('hsm/key-changed', { detail: `${saved.label} of the backup` })
  if (key.isExtractable || !key.isSensitive)
    throw new DeviceFault('hsm/weak-key', { detail: `${saved.label} of the backup` })
  if (key.publicKey === undefined) return
  const message = await provider.random(32)
  if (!(await provider.verify(key.id, { message }, await provider.sign(key.id, { message }))))
    throw new DeviceFault('hsm/wrong-result', { detail: `${saved.label} of the backup` })
}
