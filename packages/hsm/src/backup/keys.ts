/**
 * The two keys of a device by which its backups are wrapped and authenticated. Both come out of one secret
 * of 32 bytes, so that another token can be given the same: at the ceremony the secret is made, put into the
 * token, written down as shares (SLIP-39), and forgotten. Any token into which it is put again opens the
 * backups; that token shows by the ids, which are hashes of the secret, that it was the same.
 *
 * A token that takes no keys from outside makes them itself. Then only the vendor's own means bring them to a
 * second one.
 */
import { Fault, isFault, type Random, TAGS, taggedHash, toHex, utf8, wipe } from '@quorate/base'
import { combineMnemonics, splitMnemonics } from '@quorate/math'
import { DeviceFault } from '../errors.ts'
import { HostedHsm } from '../host/hosted-hsm.ts'
import {
  type HsmProvider,
  hasCapability,
  type KeyId,
  type KeyInfo,
  type KeyRequest,
  type KeyWrapper,
  parseKeyId,
} from '../provider.ts'

export type BackupKeys = {
  /** Wraps and unwraps the other keys. */
  readonly kek: KeyId
  /** Authenticates what was wrapped. */
  readonly mac: KeyId
}

/** Labels by which the two are found. A device has one pair. */
export const BACKUP_KEY_LABELS: { readonly kek: string; readonly mac: string } = {
  kek: 'quorate-backup-kek',
  mac: 'quorate-backup-mac',
}

/** Of keys that a drill brings in: they are in no backup, and the next drill destroys what one left behind. */
export const DRILL_LABEL = 'quorate-restore-drill'

const SECRET_BYTES = 32
const ID_BYTES = 16

/** A provider that can hold backup keys. @throws hsm/unsupported */
export function demandWrapper<P extends HsmProvider>(provider: P): P & KeyWrapper {
  if (hasCapability(provider, 'wrap')) return provider
  throw new DeviceFault('hsm/unsupported', { detail: 'it does not wrap keys' })
}

/**
 * A key that backups of the device hold from now on. It goes under trusted keys only, where the security
 * officer trusts the backup key: else whoever has the PIN could wrap it under a key of his own.
 * @throws hsm/unsupported, hsm/key-exists
 */
export async function generateBackedUpKey(
  provider: HsmProvider,
  request: KeyRequest,
): Promise<KeyInfo> {
  const wrapper = demandWrapper(provider)
  const withTrusted = await isTrusted(provider)
  return wrapper.generateWrappableKey({ ...request, ...(withTrusted && { withTrusted }) })
}

/** Whether the token says that its security officer trusts the backup key. Only he can have it say so. */
async function isTrusted(provider: HsmProvider): Promise<boolean> {
  if (!(provider instanceof HostedHsm)) return false
  const objects = await provider.objects()
  return objects.some(
    ({ label, flags }) => label === BACKUP_KEY_LABELS.kek && flags['TRUSTED'] === true,
  )
}

/** Keys out of the secret: a part of it never tells another. Treats it as secret. */
const partOf = (secret: Uint8Array, part: 'kek' | 'mac'): Uint8Array =>
  taggedHash(TAGS.hsmBackupPart, utf8(`${part}\n`), secret)

/** Public: the hash of a secret of 256 bits tells nothing of it. */
const idOf = (secret: Uint8Array, part: 'kek' | 'mac'): KeyId =>
  parseKeyId(
    toHex(taggedHash(TAGS.hsmBackupKekId, utf8(`${part}\n`), secret).subarray(0, ID_BYTES)),
  )

/** The backup keys of the device. @throws hsm/no-backup-key, hsm/key-ambiguous */
export async function findBackupKeys(provider: HsmProvider): Promise<BackupKeys> {
  const [kek, mac] = await Promise.all([
    findOne(provider, BACKUP_KEY_LABELS.kek, 'aes-256'),
    findOne(provider, BACKUP_KEY_LABELS.mac, 'hmac-sha256'),
  ])
  return { kek: kek.id, mac: mac.id }
}

async function findOne(
  provider: HsmProvider,
  label: string,
  algorithm: KeyInfo['algorithm'],
): Promise<KeyInfo> {
  const found = await provider.find({ label }).catch((error: unknown) => {
    throw isFault(error, 'hsm/key-not-found') ? noKey(label) : error
  })
  // One that could leave, or that the device would tell, protects nothing that is wrapped under it.
  if (found.algorithm !== algorithm || found.isExtractable || !found.isSensitive)
    throw new DeviceFault('hsm/weak-key', { detail: `${label} is not what its label says` })
  return found
}

const noKey = (label: string): Fault =>
  new Fault('hsm/no-backup-key', { detail: `there is no ${label}` })

export type Shares = { readonly threshold: number; readonly members: number }

export type Ceremony = {
  readonly keys: BackupKeys
  /** Words of each share, to be shown once. */
  readonly shares: readonly string[]
}

/**
 * Makes the secret, puts its keys into the device, and gives its shares: any `threshold` of them bring it to
 * another token. @throws hsm/key-exists where the device has backup keys, hsm/unsupported, math/bad-shares
 */
export async function initBackupKeys(
  provider: HsmProvider,
  { threshold, members }: Shares,
  random: Random,
): Promise<Ceremony> {
  const secret = random.bytes(SECRET_BYTES)
  try {
    const [shares = []] = splitMnemonics(secret, {
      groupThreshold: 1,
      groups: [{ threshold, members }],
      random,
    })
    await demandNone(provider)
    return { keys: await putKeys(provider, secret), shares }
  } finally {
    wipe(secret)
  }
}

/**
 * Gives another token, or the same one again, the keys that the shares stand for. Done twice it is as
 * done once. @throws math/bad-share, math/bad-shares, hsm/key-exists where the device has other backup keys
 */
export async function joinBackupKeys(
  provider: HsmProvider,
  shares: readonly string[],
): Promise<BackupKeys> {
  const secret = combineMnemonics(shares)
  try {
    const wanted = { kek: idOf(secret, 'kek'), mac: idOf(secret, 'mac') }
    await demandNone(provider, wanted)
    return await putKeys(provider, secret)
  } finally {
    wipe(secret)
  }
}

/** Makes backup keys in the device, for one whose vendor clones them. @throws hsm/key-exists, hsm/unsupported */
export async function makeBackupKeys(provider: HsmProvider): Promise<BackupKeys> {
  await demandNone(provider)
  const kek = await demandWrapper(provider).makeWrappingKey({ label: BACKUP_KEY_LABELS.kek })
  const mac = await provider.generateKey({
    label: BACKUP_KEY_LABELS.mac,
    algorithm: 'hmac-sha256',
  })
  return { kek: kek.id, mac: mac.id }
}

/** Refuses where a key has one of the labels already and is none of `except`. */
async function demandNone(provider: HsmProvider, except?: BackupKeys): Promise<void> {
  const labels: readonly string[] = Object.values(BACKUP_KEY_LABELS)
  const other = (await provider.list()).find(
    ({ id, label }) => labels.includes(label) && id !== except?.kek && id !== except?.mac,
  )
  if (other !== undefined)
    throw new Fault('hsm/other-backup-key', { detail: `${other.label} is ${other.id}` })
}

async function putKeys(provider: HsmProvider, secret: Uint8Array): Promise<BackupKeys> {
  const wrapper = demandWrapper(provider)
  if (!hasCapability(provider, 'import'))
    throw new DeviceFault('hsm/unsupported', { detail: 'it takes no keys from outside' })
  const [kek, mac] = [partOf(secret, 'kek'), partOf(secret, 'mac')]
  try {
    const ids = { kek: idOf(secret, 'kek'), mac: idOf(secret, 'mac') }
    await clear(provider, ids)
    await wrapper.makeWrappingKey({ id: ids.kek, label: BACKUP_KEY_LABELS.kek }, kek)
    await provider.importKey(
      { id: ids.mac, label: BACKUP_KEY_LABELS.mac, algorithm: 'hmac-sha256' },
      mac,
    )
    return ids
  } finally {
    wipe(kek, mac)
  }
}

/** What is there under their ids goes: the ids are no secret, and whoever has the PIN may have put other keys there. */
async function clear(provider: HsmProvider, { kek, mac }: BackupKeys): Promise<void> {
  for (const { id, label } of await provider.list())
    if (id === kek || id === mac) await provider.destroy(id, { label })
}
