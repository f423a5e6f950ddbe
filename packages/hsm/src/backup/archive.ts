/**
 * A backup of keys: each wrapped under the backup key (KEK) of the device, with what the device tells of
 * it, and the list of those that could not be taken. Never a key in plaintext.
 *
 *   file = [ body, HMAC(MAC key of the device, tag ‖ SHA-256(tag ‖ body)) ]
 *
 * Backups of one device and KEK form a chain: each holds the number and the digest of the one before, so a
 * place that loses one, or gives an older one for the newest, is found out by whoever remembers.
 */
import {
  array,
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  isFault,
  mapped,
  nullable,
  oneOf,
  optional,
  record,
  TAGS,
  tagged,
  taggedHash,
  text,
} from '@quorate/base'
import { HSM_ENVIRONMENTS, type HsmEnvironment } from '../config/model.ts'
import { type HsmProvider, type KeyAlgorithm, type KeyId, parseKeyId } from '../provider.ts'
import type { BackupKeys } from './keys.ts'

/** Why a key is not in a backup: it may not leave, or the device refused (an error code). */
export type NotTaken = {
  readonly id: KeyId
  readonly label: string
  readonly algorithm: KeyAlgorithm
  readonly reason: string
}

export type BackedUpKey = {
  readonly id: KeyId
  readonly label: string
  readonly algorithm: KeyAlgorithm
  /** Absent for secret keys. */
  readonly publicKey?: Uint8Array | undefined
  /** Milliseconds since the epoch, as the device told; 0 where it does not. */
  readonly createdAt: number
  /** As the device's provider wraps them. */
  readonly wrapped: Uint8Array
  /** Taken over from the backup before: the device holds the key, and does not let it leave again. */
  readonly isCarried: boolean
}

export type Backup = {
  readonly v: 1
  /** Names the chain: random, drawn with its first backup. */
  readonly chain: Uint8Array
  /** 1, 2, 3 … */
  readonly number: number
  /** Digest of the one before; null for the first. */
  readonly previous: Uint8Array | null
  readonly createdAt: number
  readonly environment: HsmEnvironment
  /** What the provider says it is, for people. */
  readonly device: { readonly type: string; readonly name: string; readonly serial: string }
  readonly kek: KeyId
  readonly keys: readonly BackedUpKey[]
  readonly notTaken: readonly NotTaken[]
}

type PublicPart = Pick<BackedUpKey, 'algorithm' | 'publicKey'>

/** Whether both are the same key, as far as the public part of a key tells. */
export const isSameKey = (a: PublicPart, b: PublicPart): boolean =>
  a.algorithm === b.algorithm &&
  (a.publicKey === undefined || b.publicKey === undefined
    ? a.publicKey === b.publicKey
    : equalBytes(a.publicKey, b.publicKey))

const MAX_KEYS = 10_000
export const MAX_BACKUP_BYTES: number = 16 << 20
const CHAIN_BYTES = 8
const DIGEST_BYTES = 32

const keyId: Codec<KeyId> = mapped(text(64), parseKeyId, (id) => id)
const named = {
  id: field(0, keyId),
  label: field(1, text(128)),
  algorithm: field(2, oneOf('ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256')),
} as const
const backup: Codec<Backup> = record({
  v: field(0, oneOf(1)),
  chain: field(1, bytes(CHAIN_BYTES)),
  number: field(2, int(1)),
  previous: field(3, nullable(bytes(DIGEST_BYTES))),
  createdAt: field(4, int()),
  environment: field(5, oneOf(...HSM_ENVIRONMENTS)),
  device: field(
    6,
    record({ type: field(0, text(64)), name: field(1, text(256)), serial: field(2, text(256)) }),
  ),
  kek: field(7, keyId),
  keys: field(
    8,
    array(
      record({
        ...named,
        publicKey: optional(3, bytes({ min: 32, max: 33 })),
        createdAt: field(4, int()),
        wrapped: field(5, bytes({ min: 24, max: 4096 })),
        isCarried: field(6, bool),
      }),
      { max: MAX_KEYS },
    ),
  ),
  notTaken: field(9, array(record({ ...named, reason: field(3, text(128)) }), { max: MAX_KEYS })),
})

type Envelope = { readonly v: 1; readonly body: Uint8Array; readonly mac: Uint8Array }
const envelope: Codec<Envelope> = record({
  v: field(0, oneOf(1)),
  body: field(1, bytes({ max: MAX_BACKUP_BYTES })),
  mac: field(2, bytes(DIGEST_BYTES)),
})

/** 32 bytes that name a backup. */
const digestOf = (body: Uint8Array): Uint8Array => taggedHash(TAGS.hsmBackupFile, body)

const macOf = (provider: HsmProvider, mac: KeyId, digest: Uint8Array): Promise<Uint8Array> =>
  provider.hmac(mac, tagged(TAGS.hsmBackupMac, digest))

export type SealedBackup = { readonly file: Uint8Array; readonly digest: Uint8Array }

/** The file of a backup, authenticated by the device. @throws what the device throws */
export async function sealBackup(
  provider: HsmProvider,
  { mac }: BackupKeys,
  content: Backup,
): Promise<SealedBackup> {
  const body = encode(backup, content)
  const digest = digestOf(body)
  const file = encode(envelope, { v: 1, body, mac: await macOf(provider, mac, digest) })
  if (file.length > MAX_BACKUP_BYTES)
    throw new Fault('hsm/backup-too-large', { detail: `${file.length} bytes` })
  return { file, digest }
}

export type OpenedBackup = { readonly backup: Backup; readonly digest: Uint8Array }

/**
 * What the file says, once the device has said that it is one of its own.
 * @throws hsm/backup-damaged for what is no backup or was changed, hsm/backup-foreign for one under another
 *   backup key, and what the device throws
 */
export async function openBackup(
  provider: HsmProvider,
  { kek, mac }: BackupKeys,
  file: Uint8Array,
): Promise<OpenedBackup> {
  const { body, mac: tag } = parsed(envelope, file)
  const content = parsed(backup, body)
  // Not believed yet, but another device's backup should not be called damaged.
  if (content.kek !== kek)
    throw new Fault('hsm/backup-foreign', { detail: `its key: ${content.kek}` })
  const digest = digestOf(body)
  if (!equalBytes(tag, await macOf(provider, mac, digest))) throw new Fault('hsm/backup-damaged')
  return { backup: content, digest }
}

function parsed<T>(codec: Codec<T>, content: Uint8Array): T {
  try {
    return decode(codec, content, { maxBytes: MAX_BACKUP_BYTES })
  } catch (cause) {
    const newer = isFault(cause) && cause.detail?.includes('.v: expected') === true
    throw new Fault('hsm/backup-damaged', {
      cause,
      ...(newer && { detail: 'no backup, or made by a newer version' }),
    })
  }
}
