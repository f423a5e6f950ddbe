/** The project's packages, as the root package.json lists them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** Every workspace as `{ dir, manifest }`; `dir` is relative to `root`. */
export function workspacesOf(root) {
  const dirs = readJson(join(root, 'package.json')).workspaces.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [pattern]
    const parent = pattern.slice(0, -2)
    return existsSync(join(root, parent))
      ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`)
      : []
  })
  return dirs
    .filter((dir) => existsSync(join(root, dir, 'package.json')))
    .sort()
    .map((dir) => ({ dir, manifest: readJson(join(root, dir, 'package.json')) }))
}

/** Files below `dir` (relative to it) whose name ends in one of `endings`; build output and packages are passed over. */
export function filesBelow(dir, ...endings) {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory())
      return ['dist', 'node_modules', '.git'].includes(entry.name)
        ? []
        : filesBelow(join(dir, entry.name), ...endings).map((file) => `${entry.name}/${file}`)
    return endings.some((ending) => entry.name.endsWith(ending)) ? [entry.name] : []
  })
}
