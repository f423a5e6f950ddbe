/** Azure Managed HSM from a configuration. Credentials come from the chain of Azure. */
import type { CryptographyClientOptions } from '@azure/keyvault-keys'
import { Fault, fromUtf8 } from '@quorate/base'
import { readFile } from '@quorate/platform'
import { Calls, DEFAULT_TIMEOUT_MS } from '../calls.ts'
import { isOwnHost } from '../hosts.ts'
import { loadClient } from '../load.ts'
import type { OpenCloud } from '../open.ts'
import { CloudProvider } from '../provider.ts'
import { azureFailure } from './failures.ts'
import { AzureHsm } from './service.ts'

const MAX_CA_BYTES = 1 << 18

/** @throws hsm/client-missing, hsm/bad-config, platform/file-unreadable */
export const openAzureHsm: OpenCloud = async (config, ports) => {
  const {
    vaultUrl,
    caFile,
    purge = false,
    requestTimeoutMs: timeoutMs = DEFAULT_TIMEOUT_MS,
  } = config
  if (vaultUrl === undefined)
    throw new Fault('hsm/bad-config', { detail: 'hsm.vaultUrl is needed for type azure-hsm' })
  const keys = await loadClient('@azure/keyvault-keys', () => import('@azure/keyvault-keys'))
  const identity = await loadClient('@azure/identity', () => import('@azure/identity'))
  const { hostname, host } = new URL(vaultUrl)
  const ca =
    caFile === undefined ? undefined : fromUtf8(readFile(caFile, { maxBytes: MAX_CA_BYTES }))
  const credential = new identity.DefaultAzureCredential()
  const options = (): CryptographyClientOptions => ({
    retryOptions: { maxRetries: 0 },
    ...(ca !== undefined && { tlsOptions: { ca } }),
    // Elsewhere than at Azure the service cannot name a resource of Azure as its own.
    disableChallengeResourceVerification: !isOwnHost('azure-hsm', hostname),
  })
  const client = new keys.KeyClient(vaultUrl, credential, options())
  const calls = new Calls({ ...ports.calls, timeoutMs, classify: azureFailure })
  const service = new AzureHsm({
    client,
    calls,
    host,
    purge,
    cryptoFor: (key) => new keys.CryptographyClient(key, credential, options()),
  })
  return new CloudProvider(service, calls, ports)
}
