/**
 * The pure packages must run in a browser. This follows every import from their built entries, through
 * our own packages and those of others, and refuses what a browser has not: Node's modules, and what is
 * no ES module. It also tells how much there is to load for each family of chains.
 */
import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { isMain, root as projectRoot } from './run.mjs'
import { readJson, workspacesOf } from './workspaces.mjs'

/** As bundlers for browsers choose among the exports of a package. */
const CONDITIONS = ['browser', 'import', 'module', 'default']

/** A statement that names another module: what it is, the names in it, the module. */
const LINK =
  /(?<!['"\w.$])(?:(import|export)\s*((?:[\w$*,\s]|\{[^}]*\})*?)\s*from\s*|import\s*\(?\s*)(['"])([^'"\s]+)\3/g

function linksOf(source) {
  return [...source.matchAll(LINK)].map(([, keyword, clause = '', , specifier]) => {
    const [, list] = /\{([^}]*)\}/.exec(clause) ?? []
    const isListed = list !== undefined && clause.trim().startsWith('{')
    return {
      specifier,
      isExport: keyword === 'export',
      // What it has there, and what it is called here.
      names: isListed
        ? list
            .split(',')
            .map((each) => each.trim().split(/\s+as\s+/))
            .filter(([there]) => there !== '')
            .map(([there, here = there]) => ({ there, here }))
        : undefined,
    }
  })
}

/**
 * Every file that `entry` loads, with its text, and what is wrong with them, one sentence each. What a
 * package without side effects only hands on is followed where it is asked for, as bundlers do it.
 * `root` is where the walk up to `node_modules` ends.
 */
export function walk(root, entry) {
  const files = new Map()
  const asked = new Map()
  const faults = new Set()
  /** `wanted` are names, or `undefined` for all. */
  const visit = (file, wanted) => {
    const before = asked.get(file)
    const fresh = wanted?.filter((name) => before?.names.has(name) !== true)
    if (before?.isAll || fresh?.length === 0) return
    const names = new Set([...(before?.names ?? []), ...(fresh ?? [])])
    asked.set(file, { names, isAll: wanted === undefined })
    const source = files.get(file) ?? withoutComments(readFileSync(file, 'utf8'))
    files.set(file, source)
    if (/^\s*module\.exports\b|\brequire\(['"]/m.test(source))
      faults.add(`${relative(root, file)} is no ES module`)
    const isPicky = wanted !== undefined && readManifest(packageOf(file)).sideEffects === false
    for (const { specifier, isExport, names: listed } of linksOf(source)) {
      const used =
        isPicky && isExport ? listed?.filter(({ here }) => wanted.includes(here)) : listed
      if (used?.length === 0) continue
      const found = isBuiltin(specifier) ? undefined : resolveFrom(root, file, specifier)
      if (found !== undefined)
        visit(
          found,
          used?.map(({ there }) => there),
        )
      else
        faults.add(
          `${relative(root, file)} imports ${specifier}${isBuiltin(specifier) ? '' : ', which is not there'}`,
        )
    }
  }
  visit(entry, undefined)
  return { files, faults: [...faults] }
}

function resolveFrom(root, file, specifier) {
  if (specifier.startsWith('.')) return existing(resolve(dirname(file), specifier))
  if (specifier.startsWith('#')) return exported(packageOf(file), 'imports', specifier)
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  for (let dir = dirname(file); dir.startsWith(root); dir = dirname(dir)) {
    const place = join(dir, 'node_modules', name)
    if (existsSync(place)) return exported(place, 'exports', `.${specifier.slice(name.length)}`)
  }
  return undefined
}

const existing = (path) => (existsSync(path) ? path : undefined)

/** The package that the file belongs to. */
function packageOf(file) {
  let dir = dirname(file)
  while (!existsSync(join(dir, 'package.json'))) dir = dirname(dir)
  return dir
}

const manifests = new Map()
function readManifest(dir) {
  if (!manifests.has(dir)) manifests.set(dir, readJson(join(dir, 'package.json')))
  return manifests.get(dir)
}

function exported(dir, field, key) {
  const manifest = readManifest(dir)
  const table = manifest[field]
  const target =
    table === undefined && key === '.'
      ? (manifest.module ?? manifest.main ?? 'index.js')
      : chosen(typeof table === 'object' && key in table ? table[key] : key === '.' && table)
  return typeof target === 'string' ? existing(resolve(dir, target)) : undefined
}

function chosen(target) {
  if (typeof target !== 'object' || target === null) return target
  const condition = CONDITIONS.find((each) => each in target)
  return condition === undefined ? undefined : chosen(target[condition])
}

const withoutComments = (source) =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

/** What is wrong with the entries of the pure packages of the project at `root`. */
export function findBrowserFaults(root) {
  const { pure } = readJson(join(root, 'package.json'))
  return workspacesOf(root)
    .filter(({ manifest }) => pure.packages.includes(manifest.name))
    .flatMap(({ dir, manifest }) => {
      const entry = exported(join(root, dir), 'exports', '.')
      if (entry === undefined) return [`${manifest.name} is not built`]
      return walk(root, entry).faults.map((fault) => `${manifest.name}: ${fault}`)
    })
}

/** What an application loads that has to do with one family only. */
const FAMILIES = ['bitcoin', 'evm', 'solana']

function sizes(root) {
  const dist = join(root, 'packages/chains/dist/src')
  const rows = FAMILIES.map((family) => [family, [`${family}/adapter.js`, `${family}/build.js`]])
  return [...rows, ['all', ['index.js']]].map(([name, entries]) => {
    const files = new Map(entries.flatMap((entry) => [...walk(root, join(dist, entry)).files]))
    const sources = [...files.values()]
    const own = [...files.keys()].filter((file) => file.startsWith(`${dist}/${name}/`))
    return {
      name,
      modules: files.size,
      ownModules: name === 'all' ? files.size : own.length,
      bytes: sources.reduce((sum, source) => sum + source.length, 0),
      gzipped: gzipSync(sources.join('\n')).length,
    }
  })
}

if (isMain(import.meta)) {
  const faults = findBrowserFaults(projectRoot)
  for (const fault of faults) process.stderr.write(`${fault}\n`)
  process.exitCode = faults.length > 0 ? 1 : 0
  const kilo = (bytes) => `${(bytes / 1000).toFixed(0)} kB`.padStart(10)
  process.stdout.write(
    `${'chains'.padEnd(10)}${'modules'.padStart(10)}${'own'.padStart(10)}${'bytes'.padStart(10)}${'gzipped'.padStart(10)}\n`,
  )
  for (const { name, modules, ownModules, bytes, gzipped } of sizes(projectRoot))
    process.stdout.write(
      `${name.padEnd(10)}${String(modules).padStart(10)}${String(ownModules).padStart(10)}${kilo(bytes)}${kilo(gzipped)}\n`,
    )
}
