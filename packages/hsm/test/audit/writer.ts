/** Writes records until it is killed, and says the number of each once it is confirmed. */
import { writeSync } from 'node:fs'
import { HsmAuditLog } from '@quorate/hsm'
import { systemClock, systemRandom, systemTimers } from '@quorate/platform'
import { signed } from './kit.ts'

// The test runner starts every file of a test directory, without an argument.
const [, , directory] = process.argv
const logger = { log: () => undefined, with: () => logger }
async function write(log: HsmAuditLog, worker: number): Promise<never> {
  for (let n = 0; ; n++) {
    const code = `w${worker}-${n}`
    await log.append(signed(n, { code }))
    writeSync(1, `${code}\n`)
  }
}
if (directory !== undefined) {
  const log = await HsmAuditLog.open({
    directory,
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    logger,
    limits: { maxFileBytes: 20_000 },
  })
  await Promise.all([0, 1, 2, 3].map((worker) => write(log, worker)))
}
