/**
 * Where the CLI keeps how it reaches a KMS: `quorate/kms.json` in the configuration directory of the user,
 * mode 0600, because the token is in it.
 */
import { existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { Fault, Secret, utf8 } from '@quorate/base'
import { readJson } from '../files.ts'

export type SignIn = {
  readonly v: 1
  /** As `parseKmsAddress` takes it. */
  readonly address: string
  readonly token: string
  /** Id of the project that commands mean unless told. */
  readonly project?: string
  /** Slug of the environment that commands mean unless told. */
  readonly environment?: string
}

/** The file; nothing is made. */
export function signInFile(): string {
  const config = process.env['XDG_CONFIG_HOME']
  // The specification has relative paths ignored.
  const base = config?.startsWith('/') === true ? config : join(homedir(), '.config')
  return join(base, 'quorate', 'kms.json')
}

/** @throws cli/open-file where others can read it, cli/bad-file */
export function readSignIn(): SignIn | undefined {
  const path = signInFile()
  if (!existsSync(path)) return undefined
  const { mode } = lstatSync(path)
  if ((mode & 0o077) !== 0) throw new Fault('cli/open-file', { detail: path })
  const stored = readJson(path) as Partial<SignIn> | null
  if (stored?.v !== 1 || typeof stored.address !== 'string' || typeof stored.token !== 'string')
    throw new Fault('cli/bad-file', { detail: path })
  return stored as SignIn
}

/** Writes the file with mode 0600; gives its path. */
export async function writeSignIn(signIn: SignIn): Promise<string> {
  const { writeFileAtomic } = await import('@quorate/platform')
  const path = signInFile()
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileAtomic(path, utf8(`${JSON.stringify(signIn, null, 2)}\n`))
  return path
}

export function removeSignIn(): void {
  rmSync(signInFile(), { force: true })
}

/** A token from `KMS_TOKEN` or the file that `KMS_TOKEN_FILE` names. @throws cli/file-not-found */
export async function tokenOfEnvironment(): Promise<Secret<string> | undefined> {
  const plain = process.env['KMS_TOKEN']
  if (plain !== undefined && plain !== '') {
    // A program that is started by this one must not find it.
    delete process.env['KMS_TOKEN']
    return new Secret(plain.trim())
  }
  const path = process.env['KMS_TOKEN_FILE']
  if (path === undefined || path === '') return undefined
  const { readBytes } = await import('../files.ts')
  return new Secret(Buffer.from(readBytes(path)).toString('utf8').trim())
}
