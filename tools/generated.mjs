/** Files that a tool writes and that are committed all the same, so that readers find them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { root } from './run.mjs'

/** Writes `text` to `path` (relative to the project), or with `--check` fails when the file differs. */
export function writeOrCheck(path, text) {
  const file = `${root}/${path}`
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return
  }
  let present = ''
  try {
    present = readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  if (present === text) return
  process.stderr.write(`${path} is out of date; write it with: npm run generate\n`)
  process.exitCode = 1
}
