/** The settings of a KMS as options of the command line, and their values from all sources. */
import { KMS_SETTINGS } from '@quorate/kms'
import type { Config } from '@quorate/platform'
import type { Given, Options } from '../command.ts'
import { SettingOptions, SHORTER_HSM_NAMES } from '../setting-options.ts'

/** Options of lists that would else bear the name of another setting, such as `http.host`, the address to listen on. */
const LISTS = Object.fromEntries(
  Object.entries(KMS_SETTINGS)
    .filter(([key, { type }]) => type.isList && key.endsWith('s'))
    .map(([key]) => [key, `${key.replaceAll('.', '-').replace(/s$/, '')}-name`]),
)

const kms = new SettingOptions({
  settings: KMS_SETTINGS,
  file: 'quorate-kms.yaml',
  shorter: { ...LISTS, ...SHORTER_HSM_NAMES },
  dataIn: 'kms',
})

export const kmsSettingOptions = (): Options => kms.options
/** @throws what `SettingOptions.load` throws */
export const loadKmsConfig = (given: Given): Config<typeof KMS_SETTINGS> => kms.load(given)
