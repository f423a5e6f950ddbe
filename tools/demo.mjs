/** `npm run demo [-- --json]`: the main job once. With `--json`, stdout holds one document and nothing else. */
import { become } from './run.mjs'
import { setUp } from './setup.mjs'

await setUp()
await become('apps/cli/bin/quorate.mjs', ['demo', ...process.argv.slice(2)])
