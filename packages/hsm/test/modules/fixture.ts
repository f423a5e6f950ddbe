/** What the fixtures of real PKCS#11 modules share: their form, their packages, their scratch places. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { DeviceSettings } from '#src/device.js'
import type { TokenPlan } from './init-token.ts'

/** A module with one empty token whose PINs are set; or why there is none. */
export type Module =
  | {
      readonly available: true
      readonly library: string
      readonly settings: DeviceSettings
      readonly pin: string
      readonly soPin: string
    }
  | { readonly available: false; readonly reason: string }

/** A test's context; or, at the top level of a file (not in a hook), `{ after }` of node:test for the whole file. */
export type Scope = { readonly after: (stop: () => void | Promise<void>) => void }

/** The package's directory. */
export const PACKAGE: string = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * What each part needs from Debian: packages, and for each file that they bring its usual places.
 * tools/test.mjs installs from the same table.
 */
export const DEBIAN_PACKAGES = JSON.parse(
  readFileSync(join(PACKAGE, 'test/modules/debian-packages.json'), 'utf8'),
) as {
  readonly [name: string]: {
    readonly packages: readonly string[]
    readonly files: readonly (readonly string[])[]
  }
}

/** Where the files of a part are, or the reason why it cannot be used. */
export function locate(name: string): readonly string[] | { readonly reason: string } {
  const { packages = [], files = [] } = DEBIAN_PACKAGES[name] ?? {}
  const found = files.map((places) => places.find((place) => existsSync(place)))
  if (found.includes(undefined))
    return { reason: `not installed (Debian: apt-get install ${packages.join(' ')})` }
  return found as string[]
}

/** A directory that is gone when the scope ends. */
export function scratchIn(scope: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-module-'))
  scope.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Runs a program to its end. @throws Error with what it wrote, when it fails */
export function runOrThrow(
  program: string,
  args: readonly string[],
  { env = {}, input = '' }: { env?: { readonly [name: string]: string }; input?: string } = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    input,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${program} fails: ${error?.message ?? stderr + stdout}`)
  return stdout
}

/** Sets up a token in a process of its own, so that this one stays without the module. */
export function initToken(plan: TokenPlan, env: { readonly [name: string]: string } = {}): void {
  const program = fileURLToPath(new URL('./init-token.js', import.meta.url))
  runOrThrow(process.execPath, [program, 'run'], { env, input: JSON.stringify(plan) })
}

/**
 * Runs a shell script that starts a daemon, says `ready` in its first line of output, or else why
 * not, and then waits for the end of its input to stop the daemon: that comes when the scope ends,
 * and also when this process dies. @returns that first line
 */
export async function startDaemon(
  scope: Scope,
  command: readonly [program: string, ...args: string[]],
): Promise<string> {
  const [program, ...args] = command
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const closed = once(child, 'close')
  scope.after(async () => {
    child.stdin.end()
    await closed
  })
  const [said] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    closed.then(() => [`${program} gave up`]),
  ])) as [string]
  return said
}

/** Makes the settings' environment that of this process, for modules loaded into it. */
export function adopt(settings: DeviceSettings): void {
  Object.assign(process.env, settings.env)
}
