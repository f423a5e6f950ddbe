/** Reading what people hand to a command, and writing what it makes. */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { Fault, fromBase64, fromHex, fromUtf8 } from '@quorate/base'

const MAX_BYTES = 16 * 1024 * 1024

/** The bytes of a file, or of standard input for `-`. @throws cli/file-not-found, cli/bad-file */
export function readBytes(path: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(readFileSync(path === '-' ? 0 : path))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Fault('cli/file-not-found', { detail: path })
    throw new Fault('cli/bad-file', { detail: `${path} (${code ?? 'unreadable'})`, cause })
  }
  if (bytes.length > MAX_BYTES)
    throw new Fault('cli/bad-file', { detail: `${path} is over 16 MiB` })
  return bytes
}

/** The value of a JSON file. @throws cli/file-not-found, cli/bad-file */
export function readJson(path: string): unknown {
  const text = fromUtf8(readBytes(path))
  try {
    return JSON.parse(text ?? '')
  } catch (cause) {
    throw new Fault('cli/bad-file', { detail: `${path} is not JSON`, cause })
  }
}

/**
 * A transaction as people pass it on: the path of a file or `-`, or the transaction itself, in hex
 * or base64. A file may hold its bytes, or hex or base64.
 * @throws cli/file-not-found, cli/bad-file
 */
export function readTransaction(given: string): Uint8Array {
  if (given !== '-' && !existsSync(given)) {
    const bytes = textToBytes(given)
    if (bytes !== undefined) return bytes
    throw new Fault('cli/file-not-found', { detail: given.slice(0, 200) })
  }
  const bytes = readBytes(given)
  if (bytes.length === 0) throw new Fault('cli/bad-file', { detail: 'it is empty' })
  const text = fromUtf8(bytes)
  return (text === undefined ? undefined : textToBytes(text.replace(/\s+/g, ''))) ?? bytes
}

function textToBytes(text: string): Uint8Array | undefined {
  if (text.length < 16) return undefined
  try {
    return /^[0-9a-fA-F]+$/.test(text) ? fromHex(text) : fromBase64(text)
  } catch {
    return undefined
  }
}

/** Writes a new file that only its owner can read. @throws cli/file-exists, cli/bad-file */
export function writeNew(path: string, content: Uint8Array | string): void {
  try {
    const file = openSync(path, 'wx', 0o600)
    try {
      if (typeof content === 'string') writeSync(file, content)
      else writeSync(file, content)
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new Fault('cli/file-exists', { detail: path })
    throw new Fault('cli/bad-file', {
      detail: `${path} cannot be written (${code ?? 'unknown error'})`,
      cause,
    })
  }
}
