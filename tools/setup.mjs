/**
 * Makes a checkout ready to run: packages as the lock file says, and a current build.
 * Does only what is missing, says nothing when that is nothing, and writes to stderr alone.
 */
import { readFileSync } from 'node:fs'
import { bin, isMain, root, run } from './run.mjs'

const OLDEST_NODE = [20, 20]

/** Packages and build. Ends the program with exit code 1 when the checkout cannot be made ready. */
export async function setUp() {
  await installPackages()
  await step('building (tsc -b)', bin('tsc'), ['-b'], 'the build failed')
}

/** Packages only, for tools that report on the build themselves. */
export async function installPackages() {
  refuseOldNode()
  if (arePackagesInstalled()) return
  const complaint = 'npm install failed; it needs the package registry once'
  await step('installing packages (npm install)', ...npm('install', '--no-save'), complaint)
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  fail(`Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.versions.node}`)
}

/**
 * npm writes `node_modules/.package-lock.json` last, as a copy of what it installed; so it tells
 * a finished, current installation from a missing, outdated or interrupted one.
 */
function arePackagesInstalled() {
  let installed
  try {
    installed = JSON.parse(readFileSync(`${root}/node_modules/.package-lock.json`, 'utf8')).packages
  } catch {
    return false
  }
  const wanted = JSON.parse(readFileSync(`${root}/package-lock.json`, 'utf8')).packages
  return Object.entries(wanted).every(([path, { version, link, optional }]) => {
    if (!path.includes('node_modules/')) return true
    const found = installed[path]
    if (found === undefined) return optional === true
    return link ? found.link === true : found.version === version
  })
}

/**
 * `npm install --no-save` takes versions and integrity from the lock file and leaves it alone. `npm ci`
 * would too, but from version 11 on it refuses a lock file without the binaries of other platforms.
 */
function npm(...args) {
  const script = process.env.npm_execpath
  return script?.endsWith('.js') ? [process.execPath, [script, ...args]] : ['npm', args]
}

/** Runs one step quietly; one that takes over a second is announced, and closed with its time. */
async function step(name, command, args, complaint) {
  const started = performance.now()
  let isAnnounced = false
  const timer = setTimeout(() => {
    isAnnounced = true
    process.stderr.write(`${name} …\n`)
  }, 1000)
  const { code, output } = await run(command, args, { isQuiet: true })
  clearTimeout(timer)
  if (code !== 0) fail(`${output.trimEnd().split('\n').slice(-60).join('\n')}\n\n${complaint}`)
  if (isAnnounced)
    process.stderr.write(`  done in ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

if (isMain(import.meta)) await setUp()
