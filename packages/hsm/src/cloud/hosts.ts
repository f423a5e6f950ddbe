/**
 * Which hosts are the services themselves. Whoever is asked elsewhere may be anybody, and says of keys what it
 * likes: such a service counts as software. A whole domain would not do: customers have hosts under those too.
 */
import { type CloudConfig, type CloudType, type HsmConfig, isCloud } from '../config/model.ts'

const OWN: { readonly [T in CloudType]: readonly RegExp[] } = {
  'aws-kms': [
    /^kms(-fips)?\.[a-z0-9-]+\.(amazonaws\.com|amazonaws\.com\.cn|api\.aws)$/,
    /^vpce-[a-z0-9-]+\.kms(-fips)?\.[a-z0-9-]+\.vpce\.amazonaws\.com(\.cn)?$/,
  ],
  'azure-hsm': [/^[a-z0-9-]+\.managedhsm\.(azure\.net|azure\.cn|usgovcloudapi\.net)$/],
  'google-hsm': [
    /^cloudkms\.googleapis\.com$/,
    /^cloudkms\.[a-z0-9-]+\.rep\.googleapis\.com$/,
    /^cloudkms-[a-z0-9-]+\.p\.googleapis\.com$/,
  ],
}

/** Whether the service itself answers under that name. */
export const isOwnHost = (type: CloudType, host: string): boolean =>
  OWN[type].some((pattern) => pattern.test(host.toLowerCase()))

/** Where the configuration sends requests, unless that is left to the client of the service. */
const addressOf = (type: CloudType, { endpoint, vaultUrl }: CloudConfig): string | undefined =>
  type === 'azure-hsm' ? (vaultUrl ?? '') : endpoint

/** Whether `config` asks somebody else than the service, or lets others than the system vouch for it. */
export function isForeignService({ type, cloud = {} }: HsmConfig): boolean {
  if (!isCloud(type)) return false
  if (cloud.caFile !== undefined) return true
  const address = addressOf(type, cloud)
  if (address === undefined) return false
  if (!URL.canParse(address)) return true
  const { protocol, hostname, port } = new URL(address)
  return protocol !== 'https:' || port !== '' || !isOwnHost(type, hostname)
}
