/** AWS KMS from a configuration. Credentials come from the chain of AWS. */
import { Fault } from '@quorate/base'
import type { HsmProvider } from '../../provider.ts'
import { Calls, DEFAULT_TIMEOUT_MS } from '../calls.ts'
import { isOwnHost } from '../hosts.ts'
import { loadClient } from '../load.ts'
import type { OpenCloud } from '../open.ts'
import { CloudProvider } from '../provider.ts'
import { awsFailure } from './failures.ts'
import { Names } from './keys.ts'
import { AwsKms } from './service.ts'

const DEFAULT_PREFIX = 'quorate'
const DEFAULT_DELETION_DAYS = 30

/** @throws hsm/client-missing, hsm/bad-config */
export const openAwsKms: OpenCloud = async (config, ports): Promise<HsmProvider> => {
  const {
    region,
    endpoint,
    keyPrefix = DEFAULT_PREFIX,
    deletionDays = DEFAULT_DELETION_DAYS,
    requestTimeoutMs: timeoutMs = DEFAULT_TIMEOUT_MS,
  } = config
  if (region === undefined)
    throw new Fault('hsm/bad-config', { detail: 'hsm.region is needed for type aws-kms' })
  const kms = await loadClient('@aws-sdk/client-kms', () => import('@aws-sdk/client-kms'))
  const client = new kms.KMSClient({
    region,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: timeoutMs, requestTimeout: timeoutMs },
    ...(endpoint !== undefined && { endpoint }),
  })
  // Its variables and files can name another endpoint, and the level of custody knows nothing of that.
  client.middlewareStack.add(
    (next) => (args) => {
      const { protocol, hostname } = args.request as { protocol?: string; hostname?: string }
      if (
        endpoint === undefined &&
        !(protocol === 'https:' && isOwnHost('aws-kms', hostname ?? ''))
      )
        throw new Fault('hsm/bad-config', {
          detail: 'another endpoint than that of AWS KMS must be named by hsm.endpoint',
        })
      return next(args)
    },
    { step: 'finalizeRequest', name: 'ownHost' },
  )
  const calls = new Calls({ ...ports.calls, timeoutMs, classify: awsFailure })
  const names = new Names(keyPrefix)
  const service = new AwsKms({ kms, client, calls, names, region, deletionDays })
  return new CloudProvider(service, calls, ports)
}
