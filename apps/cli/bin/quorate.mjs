#!/usr/bin/env node
// Committed so that npm can link the command before anything is built.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/src/main.js', import.meta.url)
if (!existsSync(fileURLToPath(main))) {
  process.stderr.write('quorate is not built yet. Run: npm run build\n')
  process.exit(1)
}
await import(main.href)
