/** A process that makes keys for ever, in the directory of its second argument by the provider of its first, and prints each id once it is acknowledged. */
import type { HsmProvider } from '@quorate/hsm'
import { openIn, openSoftwareIn } from '../kit.ts'

async function write(provider: HsmProvider): Promise<never> {
  process.stdout.write('ready\n')
  for (;;) {
    const { id } = await provider.generateKey({ label: 'written', algorithm: 'hmac-sha256' })
    process.stdout.write(`${id}\n`)
  }
}

// The test runner starts every file of a test directory, without an argument.
const [, , kind, directory] = process.argv
if (directory !== undefined)
  await write(await (kind === 'software' ? openSoftwareIn : openIn)(directory))
