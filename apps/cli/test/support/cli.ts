/** Runs the real command as a child process, each run with a home of its own choice. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../../bin/quorate.mjs', import.meta.url))

export type Ran = { readonly code: number | null; readonly out: string; readonly err: string }

export type Cli = (...args: readonly string[]) => Promise<Ran>

/** A directory that only this user can reach, gone when the tests end. */
export function scratch(...below: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'quorate-cli-'))
  process.once('exit', () => rmSync(root, { recursive: true, force: true }))
  const directory = join(root, ...below)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return directory
}

/** The command with that home; `env` is added to a clean environment. */
export const cliIn =
  (home: string, env: NodeJS.ProcessEnv = {}): Cli =>
  (...args) =>
    new Promise((resolve, reject) => {
      const { PATH, NODE_V8_COVERAGE } = process.env
      const child = spawn(process.execPath, [LAUNCHER, ...args], {
        cwd: home,
        env: { PATH, NODE_V8_COVERAGE, HOME: home, QUORATE_HOME: home, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [out, err]: [Buffer[], Buffer[]] = [[], []]
      child.stdout.on('data', (part: Buffer) => out.push(part))
      child.stderr.on('data', (part: Buffer) => err.push(part))
      child.on('error', reject)
      child.on('close', (code) =>
        resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
      )
    })

/** The one document on stdout. */
export function document<T>({ code, out, err }: Ran): T {
  if (code !== 0) throw new Error(`exit ${code}: ${err}`)
  return JSON.parse(out) as T
}

export type CliError = {
  readonly code: string
  readonly message: string
  readonly remedy: string
  readonly exit: number
}

/** The error that a run with --json ended with: the last line of stderr. */
export function errorOf({ err }: Ran): CliError {
  return (JSON.parse(err.trimEnd().split('\n').at(-1) ?? '') as { readonly error: CliError }).error
}
