/** Values of secrets as people hand them over: at a prompt, on standard input, in a file, or on the line. */
import { existsSync } from 'node:fs'
import { Fault, fromUtf8, toBase64 } from '@quorate/base'
import type { Given } from '../command.ts'
import { readBytes } from '../files.ts'
import type { Output } from '../output.ts'
import { askSecret } from '../pin.ts'

export type GivenValue = { readonly secretValue: string; readonly encoding: 'utf8' | 'base64' }

/** The name and what stands behind its `=`, where there is one. */
export function nameAndValue(argument: string): {
  readonly name: string
  readonly inline: string | undefined
} {
  const at = argument.indexOf('=')
  return at < 0
    ? { name: argument, inline: undefined }
    : { name: argument.slice(0, at), inline: argument.slice(at + 1) }
}

/**
 * The value that is to be stored.
 * @throws cli/missing-argument where there is nobody to ask, cli/file-not-found, cli/bad-file
 */
export async function takeValue(
  given: Given,
  output: Output,
  { name, inline }: ReturnType<typeof nameAndValue>,
): Promise<GivenValue> {
  const file = given.text('file')
  if (inline !== undefined && file !== undefined)
    throw new Fault('cli/bad-value', { detail: 'give the value or --file' })
  if (inline !== undefined) {
    output.note(
      'The value is in the history of your shell now; leave =value out to be asked for it.',
    )
    return { secretValue: inline, encoding: 'utf8' }
  }
  if (file !== undefined) return asValue(readFile(file), given.flag('binary'), file)
  if (!process.stdin.isTTY) return asValue(readFile('-'), given.flag('binary'), 'standard input')
  const typed = await askSecret(`Value of ${name}: `)
  if (typed === undefined) throw new Fault('cli/missing-argument', { detail: 'the value' })
  const bytes = typed.expose()
  const taken = asValue(bytes, false, 'the prompt')
  typed[Symbol.dispose]()
  return taken
}

function readFile(path: string): Uint8Array {
  if (path !== '-' && !existsSync(path)) throw new Fault('cli/file-not-found', { detail: path })
  return readBytes(path)
}

function asValue(bytes: Uint8Array, isBinary: boolean, from: string): GivenValue {
  if (isBinary) return { secretValue: toBase64(new Uint8Array(bytes)), encoding: 'base64' }
  const text = fromUtf8(bytes)
  if (text === undefined)
    throw new Fault('cli/bad-file', { detail: `${from} is not UTF-8; --binary stores bytes` })
  // One line break at the end is the editor's or echo's, not the value's.
  return { secretValue: text.replace(/\r?\n$/, ''), encoding: 'utf8' }
}
