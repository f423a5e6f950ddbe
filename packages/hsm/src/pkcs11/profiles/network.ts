/** Profiles of network HSMs and cloud HSMs. */
import { CKR } from '../constants.ts'
import { type Profile, profile } from './profile.ts'

const nshield = profile({
  id: 'nshield',
  name: 'Entrust nShield',
  libraries: ['/opt/nfast/toolkits/pkcs11/libcknfast.so'],
  hints: { files: ['cknfast'], manufacturers: ['ncipher', 'entrust', 'nshield'] },
  // Without load sharing the module shows neither softcards nor operator card sets.
  env: { CKNFAST_LOADSHARING: '1' },
  slotBy: 'label',
  gcmIv: 'none',
  hmacKey: { type: 'SHA256_HMAC', mechanism: 'NCIPHER_SHA256_HMAC_KEY_GEN' },
  denied: ['COPYABLE', 'ALLOWED_MECHANISMS'],
  isHaInLibrary: true,
  attestation: 'nshield',
})

const luna = profile({
  id: 'luna',
  name: 'Thales Luna 7',
  libraries: [
    '/usr/safenet/lunaclient/lib/libCryptoki2_64.so',
    '/usr/safenet/lunaclient/libs/64/libCryptoki2.so',
    '/usr/lunasa/lib/libCryptoki2_64.so',
  ],
  hints: { files: ['libcryptoki2'], manufacturers: ['safenet', 'thales', 'gemalto'] },
  env: { ChrystokiConfigurationPath: '/etc' },
  slotBy: 'label',
  gcmIv: 'hsmAppends16',
  denied: ['COPYABLE', 'ALLOWED_MECHANISMS'],
  isHaInLibrary: true,
  attestation: 'luna-pkc',
})

const lunaCloud: Profile = {
  ...luna,
  id: 'luna-cloud',
  name: 'Thales Luna Cloud HSM (DPoD)',
  libraries: [
    '/usr/safenet/lunaclient/libs/64/libCryptoki2.so',
    '/opt/dpod/libs/64/libCryptoki2.so',
    '/usr/safenet/lunaclient/lib/libCryptoki2_64.so',
  ],
  hints: { files: ['dpod'], manufacturers: ['dpod'] },
  env: { ChrystokiConfigurationPath: '/usr/safenet/lunaclient' },
}

const cloudhsm = profile({
  id: 'aws-cloudhsm',
  name: 'AWS CloudHSM (client SDK 5)',
  libraries: ['/opt/cloudhsm/lib/libcloudhsm_pkcs11.so'],
  hints: { files: ['cloudhsm'], manufacturers: ['marvell', 'cavium', 'aws'] },
  slotBy: 'label',
  pinForm: 'user:password',
  edParams: [],
  gcmIv: 'hsmWritesParam',
  gcmMaxBytes: 16_224,
  denied: [
    'COPYABLE',
    'ALLOWED_MECHANISMS',
    'START_DATE',
    'END_DATE',
    'SIGN_RECOVER',
    'VERIFY_RECOVER',
  ],
  isHaInLibrary: true,
  throttle: [CKR.FUNCTION_FAILED, CKR.DEVICE_ERROR, CKR.ARGUMENTS_BAD],
})

const fortanix = profile({
  id: 'fortanix',
  name: 'Fortanix DSM',
  libraries: [
    '/opt/fortanix/pkcs11/fortanix_pkcs11.so',
    '/opt/fortanix/pkcs11/fortanix_pkcs11_*.so',
  ],
  hints: { files: ['fortanix_pkcs11'], manufacturers: ['fortanix'] },
  env: { FORTANIX_PKCS11_CONFIG_PATH: '/etc/fortanix/pkcs11.conf' },
  slotBy: 'slot',
  pinForm: 'api-key',
  denied: ['COPYABLE', 'ALLOWED_MECHANISMS'],
  isHaInLibrary: true,
})

const utimaco = profile({
  id: 'utimaco',
  name: 'Utimaco CryptoServer',
  libraries: [
    '/opt/utimaco/lib/libcs_pkcs11_R3.so',
    '/opt/utimaco/lib/libcs_pkcs11_R2.so',
    '/usr/lib/utimaco/libcs_pkcs11_R3.so',
  ],
  hints: { files: ['cs_pkcs11_r'], manufacturers: ['utimaco'] },
  env: {
    CS_PKCS11_R3_CFG: '/etc/utimaco/cs_pkcs11_R3.cfg',
    CS_PKCS11_R2_CFG: '/etc/utimaco/cs_pkcs11_R2.cfg',
  },
  isHaInLibrary: true,
})

export const NETWORK: readonly Profile[] = [nshield, luna, lunaCloud, cloudhsm, fortanix, utimaco]
