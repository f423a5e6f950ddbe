/** A commented configuration for each type, whole enough to be used. */
import { Fault } from '@quorate/base'
import { CUSTODY } from '../custody.ts'
import { profileById } from '../pkcs11/profiles/find.ts'
import { type CloudType, HSM_TYPES, type HsmType, isCloud, isVendor, type Vendor } from './model.ts'

type Sample = {
  readonly about: readonly string[]
  readonly token: string
  /** What the PIN file holds. */
  readonly pin: string
  readonly env?: readonly string[]
}

const VENDOR_SAMPLES: { readonly [V in Vendor]: Sample } = {
  'aws-cloudhsm': {
    about: [
      'Install cloudhsm-pkcs11 and name the cluster with',
      '/opt/cloudhsm/bin/configure-pkcs11 --cluster-id cluster-….',
      'It has no Ed25519: the identity key of a node is then sealed by the HSM instead of living in it.',
      'Run three HSMs or more: a new key is safe only once two have it.',
    ],
    token: 'hsm1',
    pin: 'the crypto user and its password: alice:correct-horse',
  },
  nshield: {
    about: [
      'token: the name of a softcard or of an operator card set. Module-protected keys are not private.',
      'A card set of K of N cards is loaded with preload; its PIN is then not checked.',
    ],
    token: 'quorate',
    pin: 'the passphrase of the softcard or card set',
    env: ['CKNFAST_LOADSHARING=1'],
  },
  luna: {
    about: [
      'token: the label of the partition, or of the virtual slot of an HA group.',
      'secp256k1 and Ed25519 need partition policy 43 (non-FIPS algorithms).',
    ],
    token: 'quorate',
    pin: 'the password of the Crypto Officer, who makes keys, or of the Crypto User, who uses them',
    env: ['ChrystokiConfigurationPath=/etc'],
  },
  'luna-cloud': {
    about: ['Unpack the service client of the DPoD service and name its directory below.'],
    token: 'quorate',
    pin: 'the password of the Crypto Officer of the service',
    env: ['ChrystokiConfigurationPath=/usr/safenet/lunaclient'],
  },
  fortanix: {
    about: ['Key caching of the Fortanix Accelerator keeps keys on this machine: switch it off.'],
    token: 'Fortanix Token',
    pin: 'the API key of the application',
    env: ['FORTANIX_PKCS11_CONFIG_PATH=/etc/fortanix/pkcs11.conf'],
  },
  utimaco: {
    about: [
      'List both devices in cs_pkcs11_R3.cfg, for load balancing or failover in the library.',
    ],
    token: 'quorate',
    pin: 'the PIN of the user of the slot',
    env: ['CS_PKCS11_R3_CFG=/etc/utimaco/cs_pkcs11_R3.cfg'],
  },
  yubihsm2: {
    about: [
      'Start yubihsm-connector and name it in the configuration of the module.',
      'It makes about ten signatures a second, enough to seal shares and to sign epochs.',
    ],
    token: 'YubiHSM',
    pin: 'four hex digits, the id of the authentication key, then its password: 0001password',
    env: ['YUBIHSM_PKCS11_CONF=/etc/yubihsm_pkcs11.conf'],
  },
  softhsm: {
    about: [
      'A token in files, for development and tests: level software.',
      'quorate hsm init softhsm --directory DIR makes one.',
    ],
    token: 'quorate',
    pin: 'the user PIN',
    env: ['SOFTHSM2_CONF=/etc/softhsm/softhsm2.conf'],
  },
  tpm2: {
    about: [
      'Level sealed: the keys lie on the disk, readable by the chip alone. P-256 and HMAC only.',
      'Make the token with tpm2_ptool init and tpm2_ptool addtoken.',
    ],
    token: 'quorate',
    pin: 'the user PIN',
    env: ['TPM2_PKCS11_STORE=/etc/tpm2_pkcs11'],
  },
  nss: {
    about: [
      'A token in files, for tests: level software. certutil -N -d sql:DIR makes one.',
      'initArgs names its directory.',
    ],
    token: 'NSS Certificate DB',
    pin: 'the password of the database',
  },
  opencryptoki: {
    about: ['Level software, for its tokens cannot be told apart from here. pkcsslotd must run.'],
    token: 'quorate',
    pin: 'the user PIN',
  },
  pkcs11: {
    about: [
      'Any other module of Cryptoki 2.40 or newer. Level software, for nothing is known of it:',
      'name the vendor as the type where there is one.',
    ],
    token: 'quorate',
    pin: 'the user PIN',
  },
}

const DEFAULT_POOL: readonly string[] = [
  'pool:',
  '  size: 5',
  '  maxOverflow: 10',
  '  acquireTimeout: 30s',
  '  idleTimeout: 60s',
]

const ZYMBIT_SAMPLE: readonly string[] = [
  '# Zymbit HSM6 on a Raspberry Pi with a 64-bit system. Needs zkifc and libzk_app_utils of Zymbit.',
  '# It asks no PIN: it answers to this machine alone, once its binding is locked.',
  '# P-256 and secp256k1 sign; it has no Ed25519, so the identity key of a node is sealed by it instead.',
  '# It proves nothing about its keys: their origin is what this machine says.',
  'type: zymbit',
  '',
  '# Where labels are kept, for the device has none. Back it up.',
  'directory: /var/lib/quorate/zymbit',
  '',
  '# Where Zymbit puts its library.',
  'library: /usr/lib/libzk_app_utils.so',
  '',
  '# Refuse another device than this one.',
  '#serial: "0123456789ABCDEF"',
  '',
  '# The key that seals the shares of a node; made where missing.',
  '#keyLabel: quorate-store',
]

/** Files of a directory provider. */
const DIRECTORY_SAMPLES: { readonly [T in 'simulated' | 'software']: readonly string[] } = {
  simulated: [
    '# A simulated HSM, for development only: it protects nothing, and production refuses it.',
    'type: simulated',
    'directory: /var/lib/quorate/hsm',
  ],
  software: [
    '# Keys in files, sealed under a passphrase: level software. Production refuses it, unless',
    '# allowSoftwareInProduction says otherwise.',
    'type: software',
    'directory: /var/lib/quorate/hsm',
    '',
    '# The passphrase, 12 characters or more, in a file of mode 0600.',
    'pinFile: /etc/quorate/hsm.pin',
    '',
    '# Instead of it, a file of 32 random bytes or more:',
    '#keyFile: /etc/quorate/hsm.key',
  ],
}

const CLOUD_SAMPLES: { readonly [T in CloudType]: readonly string[] } = {
  'aws-kms': [
    '# AWS KMS. Needs the package @aws-sdk/client-kms. Credentials come from the chain of AWS',
    '# (instance role, AWS_PROFILE, AWS_ACCESS_KEY_ID …), never from this file.',
    '# Ed25519 keys sign messages of up to 4096 bytes; up to 4096 bytes are encrypted at once.',
    '# A role that may use kms:CreateKey, TagResource, CreateAlias, DeleteAlias, UpdateAlias, ListKeys,',
    '# ListAliases, DescribeKey, GetPublicKey, Sign, Encrypt, Decrypt, GenerateMac, GenerateRandom',
    '# and ScheduleKeyDeletion can do everything; one that only signs needs far less.',
    'type: aws-kms',
    'region: eu-central-1',
    '',
    '# Aliases of its keys begin with alias/ and this.',
    'keyPrefix: quorate',
    '',
    '# A destroyed key can be brought back for so many days, 7 to 30.',
    'deletionDays: 30',
    '',
    '# A VPC endpoint, where the usual entrance is not to be used:',
    '#endpoint: https://vpce-0123456789abcdef0-abcdefgh.kms.eu-central-1.vpce.amazonaws.com',
  ],
  'azure-hsm': [
    '# Azure Managed HSM. Needs the packages @azure/keyvault-keys and @azure/identity. Credentials come',
    '# from the chain of Azure (managed identity, workload identity, AZURE_CLIENT_ID …), never from this file.',
    '# It has no Ed25519: the identity key of a node is then sealed by the HSM instead of living in it.',
    '# The role Managed HSM Crypto User makes and uses keys; Crypto Officer also purges them.',
    'type: azure-hsm',
    'vaultUrl: https://quorate.managedhsm.azure.net',
    '',
    '# Whether a destroyed key is also purged, where the HSM has no purge protection. Else it can be',
    '# brought back until the retention of the HSM is over.',
    'purge: false',
  ],
  'google-hsm': [
    '# Google Cloud KMS, keys of protection level HSM. Needs the package @google-cloud/kms. Credentials are',
    '# the application default ones (attached service account, GOOGLE_APPLICATION_CREDENTIALS).',
    '# Make the key ring first: gcloud kms keyrings create quorate --location europe-west3.',
    '# The roles Cloud KMS Admin and Crypto Operator make and use keys.',
    'type: google-hsm',
    'project: my-project',
    'location: europe-west3',
    'keyRing: quorate',
    '',
    '# A destroyed key can be brought back for so many days; its id stays taken for ever.',
    'deletionDays: 30',
  ],
}

const cloudSample = (type: CloudType): readonly string[] => [
  ...CLOUD_SAMPLES[type],
  '',
  '# One request; it is tried again where the service is busy or does not answer.',
  'requestTimeout: 10s',
  '',
  '# The key that seals the shares of a node; made where missing.',
  '#keyLabel: quorate-store',
]

/** YAML of a device of that type. @throws hsm/unknown-type naming the known ones */
export function sampleConfig(type: string): string {
  const known = HSM_TYPES.find((each) => each === type)
  if (known === undefined)
    throw new Fault('hsm/unknown-type', { detail: `known types: ${HSM_TYPES.join(', ')}` })
  const lines = linesOf(known)
  return `${[...lines, '', ...common(known)].join('\n')}\n`
}

function vendorSample(type: Vendor): readonly string[] {
  const { about, token, pin, env = [] } = VENDOR_SAMPLES[type]
  const { name, libraries, initArgs } = profileById(type === 'pkcs11' ? 'generic' : type)
  return [
    `# ${name}`,
    ...about.map((line) => `# ${line}`),
    `type: ${type}`,
    '',
    '# The module, where the client of the vendor puts it.',
    `library: ${libraries[0] ?? '/usr/lib/vendor/libpkcs11.so'}`,
    '',
    '# Label of the token; serial and slot also select one.',
    `token: ${JSON.stringify(token)}`,
    '#serial: "0123456789"',
    '#slot: "0"',
    '',
    `# A file of mode 0600 with ${pin}.`,
    'pinFile: /etc/quorate/hsm.pin',
    '',
    '# The key that seals the shares of a node; made where missing.',
    '#keyLabel: quorate-store',
    ...(initArgs === undefined
      ? []
      : ['', `initArgs: ${JSON.stringify(initArgs.replace('{directory}', '/etc/quorate/nss'))}`]),
    ...(env.length === 0
      ? []
      : [
          '',
          '# What the module reads from its environment.',
          'env:',
          ...env.map((each) => `  - ${each}`),
        ]),
    '',
    '# Sessions with the device.',
    ...DEFAULT_POOL,
  ]
}

function linesOf(type: HsmType): readonly string[] {
  if (isVendor(type)) return vendorSample(type)
  if (isCloud(type)) return cloudSample(type)
  return type === 'zymbit' ? ZYMBIT_SAMPLE : DIRECTORY_SAMPLES[type]
}

const common = (type: HsmType): readonly string[] => [
  '# Refuse a device below this level: software, sealed or hardware.',
  `${CUSTODY[type] === 'software' ? '#' : ''}requireCustody: ${CUSTODY[type]}`,
  '',
  '# Devices with the same keys that take its place, for programs that sign as roles:',
  '# failover:',
  '#   secondary: [/etc/quorate/backup-hsm.yaml]',
  '#   maxPrimaryRetries: 3',
  '#   primaryRetryInterval: 5s',
  '#   maxSecondaryRetries: 3',
  '#   secondaryRetryInterval: 10s',
  '# emergency:',
  '#   device: /etc/quorate/emergency-hsm.yaml',
  '#   maxTransactions: 1000',
  '#   maxTimeSeconds: 3600',
  '#   allowedOperations: [sign]',
  '# policy:',
  '#   requireHsmForRoles: [validator]',
  '#   maxSigningRate: 1000',
  '',
  '# New keys for roles by time, and backups of all keys that may leave (quorate hsm rotate, hsm backup):',
  '# rotation:',
  '#   intervalDays: 30',
  '#   overlapDays: 2',
  '#   rotationTime: "00:00:00"',
  '#   timeZone: UTC',
  '#   backupEnabled: true',
  '#   backupLocation: /mnt/backups/hsm',
]
