/** Running other programs: the one place where the tools start a process. */
import { spawn } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The project's directory, without a trailing slash. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** Path of a program that npm installed for the project. */
export const bin = (name) => `${root}/node_modules/.bin/${name}`

/**
 * Runs a program to its end and gives `{ code, output }`. Its output is shown as it
 * comes, or with `isQuiet` kept for `output`. A program that a signal ended has code 128; one that
 * could not be started has 127 and the reason in `output`.
 */
export function run(command, args, { isQuiet = false, env = process.env } = {}) {
  const stdio = isQuiet ? ['ignore', 'pipe', 'pipe'] : 'inherit'
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio })
    const parts = []
    child.stdout?.on('data', (part) => parts.push(part))
    child.stderr?.on('data', (part) => parts.push(part))
    const finish = (code, extra = '') =>
      resolve({ code, output: Buffer.concat(parts).toString() + extra })
    child.on('error', (error) => finish(127, error.message))
    child.on('close', (code) => finish(code ?? 128))
  })
}

/**
 * Becomes the program `script …args`: loads it into this very process, so that its output, signals
 * and exit code are its own.
 */
export async function become(script, args) {
  process.argv.splice(1, Number.POSITIVE_INFINITY, `${root}/${script}`, ...args)
  await import(pathToFileURL(`${root}/${script}`).href)
}

/** Whether this module is the program itself and not an import of another. */
export const isMain = (meta) =>
  process.argv[1] !== undefined && fileURLToPath(meta.url) === process.argv[1]
