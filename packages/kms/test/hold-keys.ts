/**
 * Started by a test, which reads this process's memory: holds keys, says what they are with every bit turned
 * over (so that saying it leaves no copy), and seals when told to.
 */
import { createInterface } from 'node:readline'
import { openTestKms } from '#src/testing/index.js'

const PROJECT = 'prj_00000000000000000000000001'
const [directory] = process.argv.slice(2)
if (directory !== undefined) {
  const kms = await openTestKms({ directory })
  await kms.barrier.project(PROJECT)
  const turned = (key: Uint8Array): string => {
    const out = Buffer.from(key.map((byte) => byte ^ 0xff)).toString('hex')
    key.fill(0)
    return out
  }
  // In a scope of its own, or this would be what keeps the keys.
  const tell = (): void => {
    const { keyring } = kms.barrier
    const { fixed, versions } = keyring.projects.get(PROJECT)!
    const keys = [
      turned(keyring.exportTerm()),
      turned(fixed.export()),
      ...[...versions.values()].map((key) => turned(key.export())),
    ]
    process.stdout.write(`${JSON.stringify(keys)}\n`)
  }
  tell()
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'end') break
    await kms.seal('system')
    process.stdout.write('sealed\n')
  }
  await kms.close()
}
