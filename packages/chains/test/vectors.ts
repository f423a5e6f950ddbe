/** Official vectors lie beside the workspace and are not part of it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function workspaceRoot(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const manifest = join(at, 'package.json')
    if (
      existsSync(manifest) &&
      (JSON.parse(readFileSync(manifest, 'utf8')) as { name: string }).name === 'quorate-workspace'
    )
      return at
    if (dirname(at) === at) throw new Error('not inside the workspace')
  }
}

/** The JSON of `path` under shared/vectors, or `undefined` where the vectors are not present. */
export function readVectors<T>(path: string): T | undefined {
  const file = join(workspaceRoot(), '..', 'shared', 'vectors', path)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined
}
