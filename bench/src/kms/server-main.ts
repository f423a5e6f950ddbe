/**
 * The server under load, a process of its own: `server-main.js <directory> [database URI]`. Production, so
 * nothing that development does without; its HSM keeps keys in files, for hardware is asked only at the start.
 * Prints one line once it serves; with a line on standard input it tells its CPU time and memory.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Logger } from '@quorate/base'
import { KMS_SETTINGS, kmsConfig, startKms } from '@quorate/kms'
import { loadConfig } from '@quorate/platform'

const [directory = '', databaseUri] = process.argv.slice(2)
const errors: string[] = []
const logger: Logger = {
  log: (level, event, fields) => {
    if (level === 'error') errors.push(`${event} ${JSON.stringify(fields)}`)
  },
  with: () => logger,
}

mkdirSync(directory, { recursive: true, mode: 0o700 })
const keyFile = join(directory, 'unlock')
writeFileSync(keyFile, 'x'.repeat(32), { mode: 0o600 })
const config = kmsConfig(
  loadConfig(KMS_SETTINGS, {
    flags: {
      environment: 'production',
      data: join(directory, 'data'),
      'http.port': '0',
      'hsm.type': 'software',
      'hsm.keyFile': keyFile,
      'hsm.allowSoftwareInProduction': 'true',
      'anchor.file': join(directory, 'anchor'),
    },
    env: databaseUri === undefined ? {} : { DB_CONNECTION_URI: databaseUri },
  }),
  {},
)
const start = performance.now()
const running = await startKms(config, logger)
const tell = (fields: object): void => {
  const { rss } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const records = running.kms.journal.head.seq
  process.stdout.write(
    `${JSON.stringify({ ...fields, rss, cpuUs: user + system, records, errors })}\n`,
  )
}
tell({ socketPath: running.socketPath, startMs: performance.now() - start })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') break
  tell({})
}
await running.stop()
