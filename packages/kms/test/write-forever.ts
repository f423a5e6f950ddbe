/** Started by a test and killed by it: writes rows with their records, and says each one that was acknowledged. */
import { writeSync } from 'node:fs'
import { armFailpoints } from '@quorate/platform'
import { leafDigest } from '#src/storage/leaf.js'
import { openTestKms } from '#src/testing/index.js'

const [directory, first = '0'] = process.argv.slice(2)
if (directory !== undefined) {
  const kms = await openTestKms({ directory })
  // What the KMS writes when it opens is written before.
  armFailpoints(process.env, { isDevelopment: true })
  let next = Number(first)
  const one = async (): Promise<void> => {
    for (;;) {
      const name = `row-${next++}`
      const value = Buffer.from(name)
      await kms.context.journal.commit({
        statements: [
          { sql: 'INSERT INTO setting (name, value) VALUES (?, ?)', params: [name, value] },
        ],
        audit: [
          {
            actor: 'system',
            action: 'test.write',
            resource: name,
            decision: 'none',
            outcome: 'done',
            fields: [],
          },
        ],
        leaves: [{ table: 'setting', row: name, digest: leafDigest(1, value) }],
      })
      writeSync(1, `${name}\n`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, one))
}
