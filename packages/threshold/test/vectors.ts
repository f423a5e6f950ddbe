/** Official test vectors, which lie beside the project and may be absent. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function projectRoot(): string {
  for (
    let dir = dirname(fileURLToPath(import.meta.url));
    dir !== dirname(dir);
    dir = dirname(dir)
  ) {
    const file = join(dir, 'package.json')
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'quorate-workspace')
      return dir
  }
  throw new Error('no workspace above this test')
}

/** Where a file of the project lies. */
export const projectPath = (name: string): string => join(projectRoot(), name)

export const pathOf = (name: string): string => join(projectRoot(), '..', 'shared', 'vectors', name)

/** Options of a test that reads these vectors: skipped where they are absent. */
export const withVectors = (name: string): { skip?: string } =>
  existsSync(pathOf(name)) ? {} : { skip: 'vectors not present' }

export const readVectors = <T>(name: string): T =>
  JSON.parse(readFileSync(pathOf(name), 'utf8')) as T
