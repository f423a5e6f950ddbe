/**
 * The root key of a software provider: 32 random bytes that seal its key files, themselves sealed in
 * the directory under a passphrase or the content of a key file.
 *
 *   passphrase   scrypt (RFC 7914), N = 2^17, r = 8, p = 1: 128 MiB and some tenths of a second a guess
 *   key file     HKDF-SHA-256 of at least 32 bytes, which must be random: nothing slows a guess
 */
import { hkdfSync, randomBytes, scrypt } from 'node:crypto'
import {
  bytes,
  type Codec,
  concatBytes,
  decode,
  encode,
  Fault,
  field,
  int,
  oneOf,
  record,
  Secret,
  TAGS,
  tagged,
  utf8,
  wipe,
} from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import type { PrivateDirectory } from '../keyfiles/directory.ts'
import { IV_BYTES, openGcm, sealGcm } from '../keyfiles/gcm.ts'
import { ensureRootFile, readRootFile } from '../keyfiles/root-file.ts'

export type Unlock = {
  readonly by: 'passphrase' | 'key-file'
  /** Text in UTF-8, or the content of the file. Stays the caller's. */
  readonly secret: Secret<Uint8Array>
}

const ROOT_FILE = 'root.sealed'
const MIN_PASSPHRASE_BYTES = 12
const MIN_KEY_FILE_BYTES = 32
const COST_LOG2 = 17
const SCRYPT = { r: 8, p: 1, maxmem: 600 * 1024 * 1024 } as const

type Header = {
  readonly v: 1
  readonly id: Uint8Array
  readonly by: Unlock['by']
  readonly salt: Uint8Array
  readonly costLog2: number
}
const headerFields = {
  v: field(0, oneOf(1)),
  id: field(1, bytes(16)),
  by: field(2, oneOf('passphrase', 'key-file')),
  salt: field(3, bytes(32)),
  // A directory that was tampered with must not make us use more memory than the machine has.
  costLog2: field(4, int(14, 18)),
} as const
const header: Codec<Header> = record(headerFields)
const rootFile: Codec<Header & { readonly sealed: Uint8Array }> = record({
  ...headerFields,
  sealed: field(5, bytes(IV_BYTES + 32 + 16)),
})

export type RootKey = {
  /** 16 random bytes that name this store. */
  readonly id: Uint8Array
  readonly key: Secret<Uint8Array>
}

/**
 * The root key in the directory, made where that is empty.
 * @throws hsm/cannot-open for a wrong secret, hsm/bad-pin for one of the wrong kind or too short for a
 *   new store, hsm/object-damaged, hsm/loose-permissions
 */
export async function openRootKey(directory: PrivateDirectory, unlock: Unlock): Promise<RootKey> {
  await ensureRootFile(directory, ROOT_FILE, () => makeRootFile(unlock))
  const { sealed, ...head } = parse(await readRootFile(directory, ROOT_FILE))
  if (head.by !== unlock.by)
    throw new Fault('hsm/bad-pin', {
      detail: `this store is opened by a ${head.by.replace('-', ' ')}`,
    })
  const wrapping = await deriveKey(head, unlock)
  const key = openGcm(wrapping, sealed.subarray(0, IV_BYTES), sealed.subarray(IV_BYTES), aad(head))
  wipe(wrapping)
  if (key === undefined) throw new Fault('hsm/cannot-open')
  return { id: head.id, key: new Secret(key) }
}

async function makeRootFile(unlock: Unlock): Promise<Uint8Array> {
  checkStrength(unlock)
  const head: Header = {
    v: 1,
    id: new Uint8Array(randomBytes(16)),
    by: unlock.by,
    salt: new Uint8Array(randomBytes(32)),
    costLog2: COST_LOG2,
  }
  const [key, wrapping] = [new Uint8Array(randomBytes(32)), await deriveKey(head, unlock)]
  const { iv, ciphertext } = sealGcm(wrapping, key, aad(head))
  wipe(key, wrapping)
  return encode(rootFile, { ...head, sealed: concatBytes(iv, ciphertext) })
}

function checkStrength({ by, secret }: Unlock): void {
  const min = by === 'passphrase' ? MIN_PASSPHRASE_BYTES : MIN_KEY_FILE_BYTES
  if (secret.expose().length < min)
    throw new Fault('hsm/bad-pin', {
      detail: `the ${by.replace('-', ' ')} of a software store has at least ${min} bytes`,
    })
}

function parse(content: Uint8Array): Header & { readonly sealed: Uint8Array } {
  try {
    return decode(rootFile, content, { maxBytes: 512 })
  } catch (cause) {
    throw new DeviceFault('hsm/object-damaged', { detail: ROOT_FILE, cause })
  }
}

const aad = (head: Header): Uint8Array => tagged(TAGS.hsmSoftwareRoot, encode(header, head))

/** 32 bytes; the caller wipes them. */
async function deriveKey({ by, salt, costLog2 }: Header, { secret }: Unlock): Promise<Uint8Array> {
  const input = secret.expose()
  if (by === 'key-file')
    return new Uint8Array(hkdfSync('sha256', input, salt, utf8(TAGS.hsmSoftwareUnlock), 32))
  return new Promise((resolve, reject) => {
    scrypt(input, salt, 32, { N: 2 ** costLog2, ...SCRYPT }, (error, key) => {
      if (error === null) resolve(new Uint8Array(key.buffer, key.byteOffset, key.length))
      else reject(error)
    })
  })
}
