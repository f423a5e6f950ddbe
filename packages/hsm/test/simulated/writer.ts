/** A process that makes keys in the directory of its argument for ever, and prints each id once it is acknowledged. */
import { openIn } from '../kit.ts'

async function write(directory: string): Promise<never> {
  const provider = await openIn(directory)
  process.stdout.write('ready\n')
  for (;;) {
    const { id } = await provider.generateKey({ label: 'written', algorithm: 'hmac-sha256' })
    process.stdout.write(`${id}\n`)
  }
}

// The test runner starts every file of a test directory, without an argument.
const directory = process.argv[2]
if (directory !== undefined) await write(directory)
