/** Google Cloud KMS from a configuration. Credentials are the application default ones. */
import { Fault } from '@quorate/base'
import { Calls, DEFAULT_TIMEOUT_MS } from '../calls.ts'
import { loadClient } from '../load.ts'
import type { OpenCloud } from '../open.ts'
import { CloudProvider } from '../provider.ts'
import { googleFailure } from './failures.ts'
import { GoogleHsm } from './service.ts'

const ENDPOINT = 'https://cloudkms.googleapis.com'
const DEFAULT_DELETION_DAYS = 30

/** @throws hsm/client-missing, hsm/bad-config */
export const openGoogleHsm: OpenCloud = async (config, ports) => {
  const {
    project,
    location,
    keyRing,
    endpoint = ENDPOINT,
    deletionDays = DEFAULT_DELETION_DAYS,
    requestTimeoutMs: timeoutMs = DEFAULT_TIMEOUT_MS,
  } = config
  if (project === undefined || location === undefined || keyRing === undefined)
    throw new Fault('hsm/bad-config', {
      detail: 'hsm.project, hsm.location and hsm.keyRing are needed for type google-hsm',
    })
  // Then its client writes every request out, and so what is to be encrypted.
  if ((process.env['GOOGLE_SDK_NODE_LOGGING'] ?? '') !== '')
    throw new Fault('hsm/bad-config', {
      detail: 'GOOGLE_SDK_NODE_LOGGING makes the client write out what is encrypted: unset it',
    })
  const { KeyManagementServiceClient } = await loadClient(
    '@google-cloud/kms',
    () => import('@google-cloud/kms'),
  )
  const { hostname, port, protocol } = new URL(endpoint)
  const client = new KeyManagementServiceClient({
    // REST, in plain HTTPS: one connection less to understand than gRPC.
    fallback: true,
    apiEndpoint: hostname,
    port: port === '' ? 443 : Number(port),
    protocol: protocol.slice(0, -1),
    // Its variable would name another one.
    universeDomain: 'googleapis.com',
  })
  const calls = new Calls({ ...ports.calls, timeoutMs, classify: googleFailure })
  const place = `projects/${project}/locations/${location}`
  const service = new GoogleHsm({
    client,
    calls,
    location: place,
    keyRing: `${place}/keyRings/${keyRing}`,
    deletionDays,
  })
  return new CloudProvider(service, calls, ports)
}
