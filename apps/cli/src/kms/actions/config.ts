/** kms config check and show. */
import { kmsConfig } from '@quorate/kms'
import type { Run } from '../../command.ts'
import { showSettings } from '../../show-settings.ts'
import { loadKmsConfig } from '../settings.ts'

export const check: Run = async (given, output) => {
  const { environment, directory, databaseUri, hsm } = kmsConfig(loadKmsConfig(given))
  hsm.pin?.[Symbol.dispose]()
  const database = databaseUri === undefined ? 'sqlite' : 'postgresql'
  const { type } = hsm.config
  output.result({ isOk: true, environment, data: directory, database, hsm: { type } }, () => [
    `The configuration is in order: a ${environment} KMS with its data in ${directory},`,
    `on ${database}, its root key in a ${type} HSM.`,
  ])
}

export const show: Run = async (given, output) => showSettings(given, output, loadKmsConfig(given))
