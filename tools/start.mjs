/** `npm start`: a cluster of three on this machine, with a first wallet, that stays up. */
import { become } from './run.mjs'
import { setUp } from './setup.mjs'

await setUp()
await become('apps/cli/bin/quorate.mjs', ['up', '--first-run', ...process.argv.slice(2)])
