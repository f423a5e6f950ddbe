/**
 * A backup tried out: every key of it is brought into the device under another id, compared with what the
 * backup says and, where the device still holds the key, with that; then it is destroyed. Nothing uses it
 * meanwhile, and what a crash leaves behind has a label of its own.
 */
import { equalBytes, Fault, isFault } from '@quorate/base'
import type { HsmProvider, KeyInfo } from '../provider.ts'
import type { BackedUpKey, Backup } from './archive.ts'
import { type BackupKeys, DRILL_LABEL } from './keys.ts'
import { unwrap } from './restore.ts'

/** @throws hsm/drill-failed naming the key, and faults of the device */
export async function drillBackup(
  provider: HsmProvider,
  keys: BackupKeys,
  { keys: saved }: Backup,
): Promise<void> {
  for (const { id, label } of await provider.list())
    if (label === DRILL_LABEL) await provider.destroy(id, { label })
  for (const each of saved) await drillKey(provider, keys, each)
}

/** Codes that mean: the backup is not good. Others are troubles of the device. */
const BAD: readonly string[] = ['hsm/cannot-open', 'hsm/key-changed', 'hsm/wrong-result']

async function drillKey(
  provider: HsmProvider,
  keys: BackupKeys,
  saved: BackedUpKey,
): Promise<void> {
  try {
    const tried = await unwrap(provider, keys, saved, { label: DRILL_LABEL })
    try {
      await compare(provider, tried, saved)
    } finally {
      await provider.destroy(tried.id, { label: DRILL_LABEL })
    }
  } catch (error) {
    if (!isFault(error) || !BAD.includes(error.code)) throw error
    throw new Fault('hsm/drill-failed', { detail: saved.label, cause: error })
  }
}

/** A secret key has no public part to be known by, so it is compared with the living one. */
async function compare(provider: HsmProvider, tried: KeyInfo, saved: BackedUpKey): Promise<void> {
  if (saved.publicKey !== undefined) return
  const living = (await provider.list()).find(({ id }) => id === saved.id)
  if (living === undefined) return
  const message = await provider.random(32)
  const isSame =
    saved.algorithm === 'hmac-sha256'
      ? equalBytes(await provider.hmac(tried.id, message), await provider.hmac(living.id, message))
      : await opensEachOther(provider, tried, living, message)
  if (!isSame) throw new Fault('hsm/key-changed', { detail: saved.label })
}

async function opensEachOther(
  provider: HsmProvider,
  tried: KeyInfo,
  living: KeyInfo,
  message: Uint8Array,
): Promise<boolean> {
  const aad = new Uint8Array()
  const sealed = await provider.encrypt(living.id, message, aad)
  return equalBytes(await provider.decrypt(tried.id, sealed, aad), message)
}
