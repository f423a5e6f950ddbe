/** The sections of failover, emergency, fallback, policy, roles and cache, by every name that is in use for them. */
import { settingType } from '@quorate/platform'
import { CURVES, KEY_OPERATIONS, MAX_SIGNING_RATE, ROLES } from '@quorate/policy'
import { MAX_CACHED_SIGNATURES } from '../signing/cache.ts'
import { milliseconds, type SectionTable, section } from './section.ts'

const { boolean, choice, integer, list, path, text } = settingType

/** A URI, or the path of a configuration file of its own. */
const device = text(/^\S.{0,4000}$/, 'the URI of an HSM or the path of its configuration')
const name = text(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name of letters, digits, . _ and -')
const role = text(/^[a-z][a-z0-9_]{0,63}$/, 'the name of a role, such as transaction_signer')
const label = text(/^[^\p{Cc}]{1,200}$/u, 'a label')
const amount = text(/^(0|[1-9]\d{0,77})$/, 'a decimal amount in the smallest unit')
const retries = integer(0, 1000)
const rate = integer(1, MAX_SIGNING_RATE)

const EMERGENCY = ['failover.emergency', 'emergencyMode', 'failover.emergencyMode'] as const
const emergency = (key: string): readonly string[] => EMERGENCY.map((each) => `${each}.${key}`)
const limit = (key: string): readonly string[] => [...emergency(key), `failover.${key}`, key]
const fallback = (key: string, ...more: readonly string[]): readonly string[] => [
  `softwareFallback.${key}`,
  ...more.flatMap((each) => [`fallback.${each}`, `softwareFallback.${each}`]),
]
const policy = (key: string): readonly string[] => [key, `roles.${key}`]
const keys = (key: string): readonly string[] => [
  `keyGeneration.${key}`,
  `keyGenerationPolicy.${key}`,
  `policy.keyGenerationPolicy.${key}`,
]
const bridge = (key: string): readonly string[] => [
  `bridge.${key}`,
  `bridgePolicy.${key}`,
  `policy.bridgePolicy.${key}`,
]

const ofRoles: SectionTable = Object.fromEntries(
  ROLES.flatMap((each) => [
    [`roles.${each}.key`, section(label, `roles.${each}.keyLabel`)],
    [`roles.${each}.requireHsm`, section(boolean)],
    [`roles.${each}.allowSoftwareFallback`, section(boolean)],
    [`roles.${each}.maxSigningRate`, section(rate)],
    [`roles.${each}.auditAllOperations`, section(boolean)],
  ]),
)

export const CUSTODY_SETTINGS: SectionTable = {
  'failover.enabled': section(boolean),
  'failover.name': section(name),
  'failover.secondary': section(list(device), 'failover.secondaries', 'failover.slots'),
  'failover.maxPrimaryRetries': section(retries, 'maxPrimaryRetries'),
  'failover.primaryRetryInterval': section(
    milliseconds,
    'primaryRetryInterval',
    'failover.primaryRetryIntervalMs',
  ),
  'failover.maxSecondaryRetries': section(retries, 'maxSecondaryRetries'),
  'failover.secondaryRetryInterval': section(
    milliseconds,
    'secondaryRetryInterval',
    'failover.secondaryRetryIntervalMs',
  ),
  'emergency.enabled': section(boolean, ...emergency('enabled')),
  'emergency.device': section(device, ...emergency('device')),
  'emergency.maxTransactions': section(integer(0, 1_000_000_000), ...limit('maxTransactions')),
  'emergency.maxTimeSeconds': section(integer(0, 31_536_000), ...limit('maxTimeSeconds')),
  'emergency.allowedOperations': section(
    list(choice(...KEY_OPERATIONS)),
    ...limit('allowedOperations'),
  ),
  'fallback.enabled': section(boolean, 'softwareFallback.enabled'),
  'fallback.device': section(device, 'softwareFallback.device'),
  'fallback.autoFallbackOnError': section(
    boolean,
    'autoFallbackOnError',
    ...fallback('autoFallbackOnError'),
  ),
  'fallback.fallbackTimeout': section(
    milliseconds,
    'fallbackTimeout',
    ...fallback('fallbackTimeout', 'fallbackTimeoutMs', 'timeout'),
  ),
  'fallback.maxFallbackOperations': section(
    integer(0, 1_000_000_000),
    'maxFallbackOperations',
    ...fallback('maxFallbackOperations', 'maxOperations'),
  ),
  'policy.file': section(path),
  'policy.requireHsmForRoles': section(list(role), ...policy('requireHsmForRoles')),
  'policy.allowSoftwareFallback': section(boolean, ...policy('allowSoftwareFallback')),
  'policy.maxSigningRate': section(rate, ...policy('maxSigningRate')),
  'policy.auditAllOperations': section(boolean, ...policy('auditAllOperations')),
  'policy.keyGeneration.defaultBackend': section(
    name,
    ...keys('defaultBackend'),
    ...policy('defaultBackend'),
    'policy.defaultBackend',
  ),
  'policy.keyGeneration.extractable': section(boolean, ...keys('extractable')),
  'policy.keyGeneration.sensitive': section(boolean, ...keys('sensitive')),
  'policy.keyGeneration.size': section(integer(1, 4096), ...keys('size'), ...keys('keySize')),
  'policy.keyGeneration.curve': section(choice(...CURVES), ...keys('curve')),
  'policy.bridge.roles': section(list(role), ...bridge('roles')),
  'policy.bridge.nonExportableKeys': section(boolean, ...bridge('nonExportableKeys')),
  'policy.bridge.minimumSignatures': section(integer(0, 1000), ...bridge('minimumSignatures')),
  'policy.bridge.maximumTransactionValue': section(amount, ...bridge('maximumTransactionValue')),
  'policy.bridge.requireProductionMode': section(boolean, ...bridge('requireProductionMode')),
  'roles.own': section(list(role)),
  ...ofRoles,
  'cache.enabled': section(boolean, 'signatureCache.enabled'),
  'cache.size': section(
    integer(1, MAX_CACHED_SIGNATURES),
    'cacheSize',
    'cache.cacheSize',
    'signatureCache.size',
    'signatureCache.cacheSize',
  ),
}
