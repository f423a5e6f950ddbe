/** From a configuration to a provider. The client of the service is loaded here and nowhere else. */
import { Fault } from '@quorate/base'
import { checkAddresses } from '../config/cloud.ts'
import type { CloudConfig, CloudType } from '../config/model.ts'
import type { HsmProvider } from '../provider.ts'
import { openAwsKms } from './aws/open.ts'
import { openAzureHsm } from './azure/open.ts'
import { type CallPorts, systemCallPorts } from './calls.ts'
import { openGoogleHsm } from './google/open.ts'
import type { CloudProviderPorts } from './provider.ts'

export type CloudPorts = CloudProviderPorts & {
  /** Of this machine unless given. */
  readonly calls?: CallPorts
}

export type OpenCloud = (
  config: CloudConfig,
  ports: CloudProviderPorts & { readonly calls: CallPorts },
) => Promise<HsmProvider>

const OPEN: { readonly [T in CloudType]: OpenCloud } = {
  'aws-kms': openAwsKms,
  'azure-hsm': openAzureHsm,
  'google-hsm': openGoogleHsm,
}

/**
 * The service that `config` describes.
 * @throws hsm/client-missing, hsm/bad-config, also where nobody checks certificates
 */
export async function openCloud(
  type: CloudType,
  config: CloudConfig,
  { calls = systemCallPorts, ...ports }: CloudPorts,
): Promise<HsmProvider> {
  // Then anybody on the way could be the service, and have the credentials.
  if (process.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0')
    throw new Fault('hsm/bad-config', {
      detail: 'NODE_TLS_REJECT_UNAUTHORIZED=0 switches the checks of certificates off',
    })
  checkAddresses(config)
  return OPEN[type](config, { ...ports, calls })
}
