/** Ed25519 keys of approvers as files of mode 0600; the KMS knows the public half. */
import { Fault, fromHex, type Signer, toHex } from '@quorate/base'
import { readFile } from '@quorate/platform'
import { newKey } from '../credentials.ts'
import { signerOf } from '../crypto.ts'
import { writeNew } from '../files.ts'

type KeyFile = {
  readonly v: 1
  readonly kind: 'kms-approver'
  /** Hex. */
  readonly publicKey: string
  /** The 32 bytes that make the private key, hex. */
  readonly seed: string
}

/** Makes a key in a new file; gives its public half in hex. @throws cli/file-exists */
export function createApproverKey(path: string): string {
  const { key: publicKey, seed } = newKey()
  const file: KeyFile = { v: 1, kind: 'kms-approver', publicKey, seed }
  writeNew(path, `${JSON.stringify(file, null, 2)}\n`)
  return publicKey
}

/** The key of a file that only its owner can read. @throws cli/bad-file, platform/file-unreadable */
export function readApproverKey(path: string): Signer {
  const bytes = readFile(path, { maxBytes: 4096, isSecret: true })
  const file = parsed(bytes)
  bytes.fill(0)
  if (file?.v !== 1 || file.kind !== 'kms-approver' || !/^[0-9a-f]{64}$/.test(file.seed ?? ''))
    throw new Fault('cli/bad-file', { detail: `${path} is no key of an approver` })
  const seed = fromHex(file.seed as string)
  const signer = signerOf(seed)
  seed.fill(0)
  if (toHex(signer.publicKey) !== file.publicKey)
    throw new Fault('cli/bad-file', {
      detail: `${path}: private and public key do not belong together`,
    })
  return signer
}

function parsed(bytes: Uint8Array): Partial<KeyFile> | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<KeyFile>
  } catch {
    // The fault says no word of what the file holds.
    return undefined
  }
}
