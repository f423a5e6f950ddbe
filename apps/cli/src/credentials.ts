/**
 * Client keys as files: 0600, one key each. A file says who the client is; whether a cluster knows
 * it is for the cluster record to say.
 */
import { randomBytes } from 'node:crypto'
import { isRole, type Role } from '@quorate/api'
import { Fault, fromHex, type Id, isId, isName, type Signer, toHex, utf8 } from '@quorate/base'
import { readFile } from '@quorate/platform'
import type { Credential } from '@quorate/sdk'
import { signerOf } from './crypto.ts'

export type ClientFile = {
  readonly v: 1
  readonly client: Id<'cli'>
  readonly name: string
  readonly role: Role
  readonly project: Id<'prj'>
  /** Ed25519, hex. */
  readonly key: string
  /** The 32 bytes that make the private key, hex. */
  readonly seed: string
  /** Of the cluster that it is enrolled in, hex. */
  readonly cluster?: string
}
/** What a cluster record needs to know of it. */
export type ClientEntry = Pick<ClientFile, 'client' | 'name' | 'role' | 'project' | 'key'>

export type AdminFile = {
  readonly v: 1
  readonly admin: string
  readonly key: string
  readonly seed: string
}

/** A fresh Ed25519 key: seed and public key in hex. */
export function newKey(): { readonly key: string; readonly seed: string } {
  const seed = new Uint8Array(randomBytes(32))
  const key = { key: toHex(signerOf(seed).publicKey), seed: toHex(seed) }
  seed.fill(0)
  return key
}

/** The bytes of a key file. */
export const keyFileBytes = (file: ClientFile | AdminFile): Uint8Array =>
  utf8(`${JSON.stringify(file, null, 2)}\n`)

/** The public part of a client file, or the client file itself. @throws cli/bad-file */
export function readClientEntry(value: unknown, where: string): ClientEntry {
  const { client, name, role, project, key } = (value ?? {}) as { readonly [name: string]: unknown }
  const isSound =
    typeof client === 'string' &&
    isId('cli', client) &&
    typeof name === 'string' &&
    isName(name) &&
    typeof role === 'string' &&
    isRole(role) &&
    typeof project === 'string' &&
    isId('prj', project) &&
    typeof key === 'string' &&
    /^[0-9a-f]{64}$/.test(key)
  if (!isSound)
    throw new Fault('cli/bad-file', { detail: `${where} is no client of quorate client new` })
  return { client, name, role, project, key }
}

/** The admin in a key file that only its owner can read. @throws cli/bad-file, platform/file-unreadable */
export function readAdmin(path: string): { readonly admin: string; readonly signer: Signer } {
  const value = readKeyFile(path)
  const { admin, seed, key } = value as Partial<AdminFile>
  if (typeof admin !== 'string' || !isName(admin))
    throw new Fault('cli/bad-file', { detail: `${path} is no admin key file` })
  return { admin, signer: signerIn(path, seed, key) }
}

/** The JSON of a key file. @throws cli/bad-file, platform/file-unreadable */
function readKeyFile(path: string): object {
  const bytes = readFile(path, { maxBytes: 4096, isSecret: true })
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Named below, without a word of what the file holds.
  } finally {
    bytes.fill(0)
  }
  throw new Fault('cli/bad-file', { detail: `${path} is not JSON` })
}

/** The signer of a seed in hex whose public key is `key`. @throws cli/bad-file */
function signerIn(path: string, seed: unknown, key: unknown): Signer {
  if (typeof seed !== 'string' || !/^[0-9a-f]{64}$/.test(seed))
    throw new Fault('cli/bad-file', { detail: `${path} holds no private key` })
  const secret = fromHex(seed)
  const signer = signerOf(secret)
  secret.fill(0)
  if (toHex(signer.publicKey) !== key)
    throw new Fault('cli/bad-file', {
      detail: `${path}: private and public key do not belong together`,
    })
  return signer
}

/**
 * The credential in a client file that only its owner can read.
 * @throws cli/bad-file, platform/file-unreadable
 */
export function readCredential(
  path: string,
): Credential & { readonly cluster: Uint8Array | undefined } {
  const value = readKeyFile(path)
  const entry = readClientEntry(value, path)
  const { seed, cluster } = value as Partial<ClientFile>
  const signer = signerIn(path, seed, entry.key)
  return {
    client: entry.client,
    role: entry.role,
    project: entry.project,
    signer,
    cluster: cluster === undefined ? undefined : fromHex(cluster),
  }
}
