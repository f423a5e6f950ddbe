/** kms restore: a lost store out of its backup, on the machine that is to serve it. */
import { createInterface } from 'node:readline/promises'
import { Fault } from '@quorate/base'
import { type BackupSummary, inspectKmsBackup, kmsConfig, restoreKms } from '@quorate/kms'
import { createLogger, streamSink, systemClock } from '@quorate/platform'
import { type Given, integerOf, type Run } from '../../command.ts'
import type { Output } from '../../output.ts'
import { loadKmsConfig } from '../settings.ts'
import { sharesIn } from '../shares.ts'

export const restore: Run = async (given, output) => {
  const values = loadKmsConfig(given)
  const config = kmsConfig(values)
  const source = { backup: given.argument(0), shares: sharesIn(given.list('share-file')) }
  const logger = createLogger({
    level: values.get('log.level') === 'debug' ? 'debug' : 'error',
    format: process.stderr.isTTY ? 'pretty' : 'json',
    sink: streamSink(process.stderr),
    clock: systemClock,
  })
  output.progress('reading the backup')
  const summary = await inspectKmsBackup(config, source, logger)
  const place = config.databaseUri === undefined ? config.directory : 'the database'
  if (given.flag('dry-run')) {
    output.result({ ...summary, isDryRun: true }, () => [
      ...linesOf(summary),
      `Nothing is written. To restore it into ${place}, add --accept-checkpoint ${summary.checkpoint}`,
    ])
    return
  }
  output.note(...linesOf(summary))
  const checkpoint = await acceptedCheckpoint(given, output, summary)
  output.progress('restoring')
  const { strangers, bootstrapFile } = await restoreKms(config, { ...source, checkpoint }, logger)
  output.result({ ...summary, data: config.directory, strangers, bootstrapFile }, () => [
    `Restored into ${place}. Nobody can sign in yet: tokens and secrets of before are void, and`,
    'every identity is out of action until an administrator puts it back.',
    '',
    '  quorate kms start                          as before',
    `  quorate kms init NAME --url URL --secret-file ${bootstrapFile ?? 'bootstrap-secret'} --output FILE`,
    '  quorate kms identities activate IDENTITY…  those that you know to be in order',
    ...strangers.map((each) => `  quorate kms recipients delete ${each}  if that HSM is lost`),
  ])
}

const linesOf = (summary: BackupSummary): readonly string[] => [
  `store       ${summary.store}, ${summary.environment}`,
  `made        ${new Date(summary.createdAt).toISOString()}, ${summary.rows} rows`,
  `checkpoint  ${summary.checkpoint}, of ${new Date(summary.checkpointAt).toISOString()}; what came later is lost`,
  `opened by   ${summary.openedBy}`,
]

/** @throws cli/not-confirmed unless the number of the checkpoint was given or is typed now */
async function acceptedCheckpoint(
  given: Given,
  output: Output,
  { checkpoint }: BackupSummary,
): Promise<number> {
  const named = given.integer('accept-checkpoint', 1, Number.MAX_SAFE_INTEGER)
  if (named === checkpoint) return named
  if (named === undefined && process.stdin.isTTY && !output.isJson) {
    const prompt = createInterface({ input: process.stdin, output: process.stderr })
    const typed = await prompt.question(
      `The store goes back to checkpoint ${checkpoint}. Type that number to accept it: `,
    )
    prompt.close()
    if (integerOf('the checkpoint', typed.trim(), 1, Number.MAX_SAFE_INTEGER) === checkpoint)
      return checkpoint
  }
  throw new Fault('cli/not-confirmed', { detail: `--accept-checkpoint ${checkpoint}` })
}
