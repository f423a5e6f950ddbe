/** A new SoftHSM token in a directory of its own, for development and tests. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault, fromUtf8, isFaultCode, type Secret, utf8 } from '@quorate/base'
import { ensurePrivateDirectory, writeFileAtomic } from '@quorate/platform'
import { findLibrary } from '../config/vendors.ts'
import { profileById } from '../pkcs11/profiles/find.ts'
import { formatPkcs11Uri } from '../pkcs11/uri.ts'
import type { TokenPlan } from './token-process.ts'

export type SoftToken = {
  readonly uri: string
  /** SOFTHSM2_CONF for whoever loads the module. */
  readonly configuration: string
  readonly library: string
  /** Holds the PIN of the security officer, which was drawn at random. */
  readonly soPinFile: string
}

const TOKEN_PROCESS = fileURLToPath(new URL('./token-process.js', import.meta.url))
const MIN_PIN_BYTES = 4

/**
 * Makes `directory` (mode 0700) with a token of that label in it.
 * @throws hsm/library-missing, hsm/bad-pin, hsm/token-exists, platform/directory-mode, DeviceFault
 */
export async function initSoftToken(o: {
  readonly directory: string
  readonly label: string
  readonly pin: Secret<Uint8Array>
}): Promise<SoftToken> {
  const library = findLibrary(profileById('softhsm'))
  const pin = fromUtf8(o.pin.expose()) ?? ''
  if (pin.length < MIN_PIN_BYTES)
    throw new Fault('hsm/bad-pin', { detail: `a new PIN has at least ${MIN_PIN_BYTES} characters` })
  if (!/^[\x20-\x7e]{1,32}$/.test(o.label))
    throw new Fault('hsm/bad-argument', {
      detail: 'the label of a token is 1 to 32 ASCII characters',
    })
  const directory = resolve(o.directory)
  const configuration = join(directory, 'softhsm2.conf')
  if (existsSync(configuration)) throw new Fault('hsm/token-exists', { detail: directory })
  ensurePrivateDirectory(directory)
  const tokens = join(directory, 'tokens')
  mkdirSync(tokens, { mode: 0o700, recursive: true })
  const soPin = randomBytes(16).toString('hex')
  const soPinFile = join(directory, 'so-pin')
  writeFileAtomic(soPinFile, utf8(soPin))
  const lines = [
    `directories.tokendir = ${tokens}`,
    'objectstore.backend = file',
    'log.level = ERROR',
  ]
  const plan: TokenPlan = { library, label: o.label, pin, soPin }
  // The file that says that there is a token comes last, so that a failed start can be repeated.
  const aside = join(directory, 'softhsm2.conf.new')
  writeFileAtomic(aside, utf8(`${lines.join('\n')}\n`))
  await runPlan(plan, { SOFTHSM2_CONF: aside })
  renameSync(aside, configuration)
  const uri = formatPkcs11Uri({ token: o.label, modulePath: library })
  return { uri, configuration, library, soPinFile }
}

async function runPlan(plan: TokenPlan, env: { readonly [name: string]: string }): Promise<void> {
  const child = spawn(process.execPath, [TOKEN_PROCESS], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(plan))
  let said = ''
  child.stdout.on('data', (part: Buffer) => {
    said += part.toString('utf8')
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code === 0 && said === '') return
  throw new Fault(isFaultCode(said) ? said : 'hsm/unavailable', {
    detail: 'while making the token',
  })
}
