/** Started by a test: takes a data directory, says so, and holds it until its input ends. */
import { openDataDirectory } from '@quorate/platform'

const [path] = process.argv.slice(2)
// Without arguments this is no run: some test runners start every file they find.
if (path === undefined) process.exit(0)
openDataDirectory(path)
process.stdout.write('held\n')
process.stdin.resume()
