/**
 * The dependency lists are the architecture. This reads "floors" and "pure" from the root
 * package.json and refuses:
 *   - a workspace dependency that does not go to a strictly lower floor;
 *   - project references that differ from the dependencies, and projects the root does not build;
 *   - an import of a workspace package that is not declared, or of a development dependency in src;
 *   - in a pure package: a Node module, an outside package that is not on the list of pure ones,
 *     a dependency on a package that is not pure, or a tsconfig that lets Node's types in.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { isMain, root as projectRoot } from './run.mjs'
import { filesBelow, readJson, workspacesOf } from './workspaces.mjs'

/** Loaded only when asked for, so that a release runs without it: importer → imported. */
const LAZY = new Map([['@quorate/cli', '@quorate/referee']])

/** What is wrong with the layering of the project at `root`, one sentence each. */
export function findLayerFaults(root) {
  const { floors, pure } = readJson(join(root, 'package.json'))
  const floorOf = new Map(floors.flatMap((names, floor) => names.map((name) => [name, floor])))
  const workspaces = workspacesOf(root)
  const dirOf = new Map(workspaces.map(({ dir, manifest }) => [manifest.name, dir]))
  const faults = [...floorOf.keys()]
    .filter((name) => !dirOf.has(name))
    .map((name) => `${name} has a floor but no directory`)
  for (const { dir, manifest } of workspaces) {
    const isPure = pure.packages.includes(manifest.name)
    faults.push(
      ...edgeFaults(manifest, floorOf),
      ...referenceFaults(root, dir, manifest, dirOf),
      ...sourceFaults(join(root, dir), manifest, floorOf),
      ...(isPure ? purityFaults(join(root, dir), manifest, pure) : []),
    )
  }
  return [...faults, ...unbuiltProjects(root)]
}

function edgeFaults(
  { name, dependencies, optionalDependencies, peerDependencies, devDependencies },
  floorOf,
) {
  const own = floorOf.get(name)
  if (own === undefined)
    return [`${name} has no floor; add it to "floors" in the root package.json`]
  const needed = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
  const edges = needed.filter((other) => floorOf.get(other) >= own)
  const inDevelopment = Object.keys(devDependencies ?? {}).filter(
    (other) => floorOf.get(other) > own,
  )
  return [...edges, ...inDevelopment].map(
    (other) => `${name} (floor ${own}) may not depend on ${other} (floor ${floorOf.get(other)})`,
  )
}

/** Directories that the tsconfig at `path` refers to, relative to `root`. */
const referencesOf = (root, path) =>
  (readJson(path).references ?? []).map((reference) =>
    relative(root, resolve(dirname(path), reference.path)),
  )

function referenceFaults(root, dir, manifest, dirOf) {
  const wanted = [...Object.keys(manifest.dependencies ?? {}), LAZY.get(manifest.name)]
    .map((name) => dirOf.get(name))
    .filter((found) => found !== undefined)
  const path = join(root, dir, 'tsconfig.json')
  if (!existsSync(path)) return [`${dir} has no tsconfig.json`]
  // A second project of a dependency (`math/native`) may be referred to beside it.
  const references = referencesOf(root, path).filter(
    (other) => !wanted.some((declared) => other.startsWith(`${declared}/`)),
  )
  const difference = [...symmetricDifference(new Set(wanted), new Set(references))]
  const faults = difference.map(
    (other) => `${dir}/tsconfig.json: the reference to ${other} and the dependencies differ`,
  )
  // Projects inside the package (tests, an engine) may refer to it, to each other and to declared packages.
  const declared = new Set([...wanted, ...developmentDirs(manifest, dirOf)])
  for (const inner of filesBelow(join(root, dir), 'tsconfig.json').filter(
    (file) => file !== 'tsconfig.json',
  ))
    for (const other of referencesOf(root, join(root, dir, inner)))
      if (
        other !== dir &&
        !other.startsWith(`${dir}/`) &&
        ![...declared].some((each) => other === each || other.startsWith(`${each}/`))
      )
        faults.push(`${dir}/${inner} refers to ${other}, which ${manifest.name} does not declare`)
  return faults
}

const developmentDirs = ({ devDependencies }, dirOf) =>
  Object.keys(devDependencies ?? {}).flatMap((name) => dirOf.get(name) ?? [])

function* symmetricDifference(a, b) {
  for (const item of a) if (!b.has(item)) yield item
  for (const item of b) if (!a.has(item)) yield item
}

const IMPORT = /(?<!['"])(?:\bfrom\s*|\bimport\s*(\(\s*)?)(['"])([^'"\s]+)\2/g

/** The last words before a `from` that take types only. */
const TYPES_ONLY = /\b(?:import|export)\s+type\b[^'"=]*$/

/** The modules that a source text imports: `{ specifier, name, isLazy, isType }`, `name` being the package. */
export function importsOf(source) {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return [...code.matchAll(IMPORT)].map(({ index, 1: paren, 3: specifier }) => ({
    specifier,
    name: specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'),
    isLazy: paren !== undefined,
    isType: TYPES_ONLY.test(code.slice(0, index)),
  }))
}

function* importsBelow(dir) {
  for (const file of filesBelow(dir, '.ts'))
    for (const found of importsOf(readFileSync(join(dir, file), 'utf8'))) yield { file, ...found }
}

function sourceFaults(dir, manifest, floorOf) {
  const runtime = { ...manifest.dependencies, ...manifest.optionalDependencies }
  const development = manifest.devDependencies ?? {}
  const peers = manifest.peerDependencies ?? {}
  const faults = []
  for (const { file, name, isLazy, isType } of importsBelow(dir)) {
    if (name === manifest.name || name in runtime) continue
    // Who wants a client installs it, so nothing may need it before it is asked for.
    const isOptional = name in peers && (isLazy || isType)
    const isAllowedLazily = isOptional || (isLazy && LAZY.get(manifest.name) === name)
    if (name in development) {
      if (file.startsWith('src/') && !isAllowedLazily)
        faults.push(`${manifest.name}: ${file} imports ${name}, a development dependency`)
    } else if (floorOf.has(name))
      faults.push(`${manifest.name}: ${file} imports ${name}, which is not declared`)
  }
  return faults
}

function purityFaults(dir, manifest, { packages, mayImport }) {
  const faults = []
  const isAllowed = (name) => packages.includes(name) || mayImport.includes(name)
  for (const name of Object.keys(manifest.dependencies ?? {}))
    if (!isAllowed(name)) faults.push(`${manifest.name} is pure and may not depend on ${name}`)
  for (const { file, specifier, name } of importsBelow(join(dir, 'src'))) {
    const isOwn = specifier.startsWith('.') || specifier.startsWith('#') || name === manifest.name
    if (!isOwn && (!isAllowed(name) || specifier === '@quorate/math/native'))
      faults.push(`${manifest.name} is pure, but src/${file} imports ${specifier}`)
  }
  const config = readJson(join(dir, 'tsconfig.json'))
  if (
    !config.extends?.endsWith('/tsconfig.pure.json') ||
    config.compilerOptions?.types ||
    config.compilerOptions?.lib
  )
    faults.push(
      `${manifest.name} is pure: its tsconfig.json must extend tsconfig.pure.json and keep its types and lib`,
    )
  return faults
}

function unbuiltProjects(root) {
  const built = new Set(referencesOf(root, join(root, 'tsconfig.json')))
  return filesBelow(root, 'tsconfig.json')
    .map((file) => dirname(file))
    .filter((dir) => dir !== '.' && !built.has(dir))
    .map((dir) => `${dir}/tsconfig.json is not in the root tsconfig.json, so nothing builds it`)
}

if (isMain(import.meta)) {
  const faults = findLayerFaults(projectRoot)
  for (const fault of faults) process.stderr.write(`${fault}\n`)
  process.exitCode = faults.length > 0 ? 1 : 0
}
