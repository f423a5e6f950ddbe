#!/usr/bin/env node
// `kms …` is `quorate kms …`.
process.argv.splice(2, 0, 'kms')
await import('./quorate.mjs')
