/** The settings of a gateway as options of the command line, and their values from all sources. */
import { GATEWAY_SETTINGS } from '@quorate/gateway'
import type { Config } from '@quorate/platform'
import type { Given, Options } from './command.ts'
import { SettingOptions } from './setting-options.ts'

const gateway = new SettingOptions({
  settings: GATEWAY_SETTINGS,
  file: 'gateway.yaml',
  shorter: {
    'listen.allowPlainHttp': 'allow-plain-http',
    'wallets.policy': 'policy',
    'wallets.params': 'params',
    'wallets.grants': 'grants',
  },
})

export const gatewayOptions = (): Options => gateway.options
/** @throws what `SettingOptions.load` throws */
export const loadGatewayConfig = (given: Given): Config<typeof GATEWAY_SETTINGS> =>
  gateway.load(given)
