/** The settings of a node as options of the command line, and their values from all sources. */
import { NODE_SETTINGS } from '@quorate/node'
import type { Config } from '@quorate/platform'
import type { Given, Options } from './command.ts'
import { SettingOptions, SHORTER_HSM_NAMES } from './setting-options.ts'

const node = new SettingOptions({
  settings: NODE_SETTINGS,
  file: 'quorate.yaml',
  shorter: SHORTER_HSM_NAMES,
  dataIn: 'node',
})

export const settingOptions = (): Options => node.options
/** @throws what `SettingOptions.load` throws */
export const loadNodeConfig = (given: Given): Config<typeof NODE_SETTINGS> => node.load(given)
