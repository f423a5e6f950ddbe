/** From single settings to where a service of a cloud is. */
import { Fault } from '@quorate/base'
import { withoutAbsent } from '../absent.ts'
import type { CloudConfig, CloudType } from './model.ts'
import type { HsmValues } from './settings.ts'

type Key = keyof HsmValues & keyof CloudConfig
type Get = <K extends keyof HsmValues>(key: K) => HsmValues[K] | undefined

/** What each service needs, and what else it takes. */
const KEYS: {
  readonly [T in CloudType]: { readonly needs: readonly Key[]; readonly may: readonly Key[] }
} = {
  'aws-kms': { needs: ['region'], may: ['endpoint', 'keyPrefix', 'deletionDays'] },
  'azure-hsm': { needs: ['vaultUrl'], may: ['caFile', 'purge'] },
  'google-hsm': { needs: ['project', 'location', 'keyRing'], may: ['endpoint', 'deletionDays'] },
}

/** Settings that mean something for services only. */
export const CLOUD_KEYS: readonly (keyof HsmValues)[] = [
  ...new Set(Object.values(KEYS).flatMap(({ needs, may }) => [...needs, ...may])),
  'requestTimeout',
]

/** Where the service is. AWS has the region also from its own variables. @throws hsm/bad-config */
export function cloudConfigOf(
  type: CloudType,
  get: Get,
  env: { readonly [name: string]: string | undefined },
): CloudConfig {
  const { needs, may } = KEYS[type]
  const known = new Set<keyof HsmValues>([...needs, ...may, 'requestTimeout'])
  const foreign = CLOUD_KEYS.find((key) => !known.has(key) && get(key) !== undefined)
  if (foreign !== undefined)
    throw new Fault('hsm/bad-config', { detail: `hsm.${foreign} means nothing for type ${type}` })
  const given = Object.fromEntries([...needs, ...may].map((key) => [key, get(key)]))
  const config: CloudConfig = withoutAbsent({
    ...given,
    ...(type === 'aws-kms' && {
      region: get('region') ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'],
    }),
    requestTimeoutMs: get('requestTimeout'),
  })
  const missing = needs.find((key) => config[key] === undefined)
  if (missing !== undefined)
    throw new Fault('hsm/bad-config', { detail: `hsm.${missing} is needed for type ${type}` })
  checkAddresses(config)
  const { deletionDays } = config
  if (type === 'aws-kms' && deletionDays !== undefined && (deletionDays < 7 || deletionDays > 30))
    throw new Fault('hsm/bad-config', { detail: 'hsm.deletionDays of AWS KMS is 7 to 30' })
  return config
}

/** Refuses addresses where credentials would go without TLS: only a program on this very machine is spoken to so. @throws hsm/bad-config */
export function checkAddresses({ endpoint, vaultUrl }: CloudConfig): void {
  for (const [key, address] of Object.entries({ endpoint, vaultUrl }))
    if (address !== undefined && !isAddress(address))
      throw new Fault('hsm/bad-config', {
        detail: `hsm.${key} is https://HOST, or http://localhost:PORT`,
      })
}

function isAddress(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname, pathname, search, hash, username } = new URL(address)
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLocal)
  return isSafe && pathname === '/' && `${search}${hash}${username}` === ''
}
