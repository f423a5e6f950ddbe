/** `npm run bench -- <name> [--json]`: one benchmark. With `--json`, stdout holds one document and nothing else. */
import { become } from './run.mjs'
import { setUp } from './setup.mjs'

await setUp()
await become('bench/dist/src/main.js', process.argv.slice(2))
