/** Profiles of local devices and of software tokens. */
import { CKR } from '../constants.ts'
import { type Profile, profile } from './profile.ts'

const yubihsm = profile({
  id: 'yubihsm2',
  name: 'YubiHSM 2',
  libraries: [
    '/usr/local/lib/pkcs11/yubihsm_pkcs11.so',
    '/usr/lib/x86_64-linux-gnu/pkcs11/yubihsm_pkcs11.so',
    '/usr/lib64/pkcs11/yubihsm_pkcs11.so',
  ],
  hints: { files: ['yubihsm_pkcs11'], manufacturers: ['yubico'] },
  env: { YUBIHSM_PKCS11_CONF: '/etc/yubihsm_pkcs11.conf' },
  pinForm: 'hex-key-id+password',
  // It claims to have no limit, and has 16 for all applications together.
  maxSessions: 16,
  gcmIv: 'none',
  // It has no session objects that a trial could make.
  curves: ['p256', 'secp256k1', 'ed25519'],
  wrap: [],
  denied: [
    'ALLOWED_MECHANISMS',
    'COPYABLE',
    'MODIFIABLE',
    'START_DATE',
    'END_DATE',
    'UNWRAP_TEMPLATE',
    'WRAP_TEMPLATE',
  ],
  attestation: 'yubihsm',
  throttle: [CKR.SESSION_COUNT],
})

const softhsm = profile({
  id: 'softhsm',
  name: 'SoftHSM 2',
  isProven: true,
  libraries: [
    '/usr/lib/softhsm/libsofthsm2.so',
    '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
    '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
    '/usr/lib64/pkcs11/libsofthsm2.so',
    '/usr/local/lib/softhsm/libsofthsm2.so',
    '/opt/homebrew/lib/softhsm/libsofthsm2.so',
  ],
  hints: { files: ['softhsm'], manufacturers: ['softhsm'] },
  env: { SOFTHSM2_CONF: '/etc/softhsm/softhsm2.conf' },
  // It takes a start date, and then fails to tell it.
  denied: ['START_DATE', 'END_DATE'],
  canImport: true,
  cannotOpen: [CKR.GENERAL_ERROR],
})

const tpm2 = profile({
  id: 'tpm2',
  name: 'TPM 2.0 (tpm2-pkcs11)',
  isProven: true,
  libraries: [
    '/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1',
    '/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so',
    '/usr/lib/aarch64-linux-gnu/libtpm2_pkcs11.so.1',
    '/usr/lib64/pkcs11/libtpm2_pkcs11.so',
  ],
  hints: { files: ['tpm2_pkcs11'], manufacturers: ['tpm2-pkcs11'] },
  env: { TPM2_PKCS11_STORE: '/etc/tpm2_pkcs11' },
  slotBy: 'label',
  // The chip has place for a few objects, and not for those of two sessions at once.
  maxSessions: 1,
  edParams: [],
  gcmIv: 'none',
  curves: ['p256'],
  wrap: [],
  // Its EC keys all say that they decrypt, for which there is no mechanism.
  denied: ['DECRYPT', 'ALLOWED_MECHANISMS', 'COPYABLE'],
  // Said to be false, each of these takes away the one permission that it shares with signing.
  unsaid: ['SIGN_RECOVER', 'VERIFY_RECOVER', 'ENCRYPT', 'WRAP'],
})

const nss = profile({
  id: 'nss',
  name: 'NSS softokn',
  isProven: true,
  libraries: [
    '/usr/lib/x86_64-linux-gnu/libsoftokn3.so',
    '/usr/lib/x86_64-linux-gnu/nss/libsoftokn3.so',
    '/usr/lib/aarch64-linux-gnu/libsoftokn3.so',
    '/usr/lib64/libsoftokn3.so',
  ],
  hints: { files: ['softokn'], manufacturers: ['mozilla'] },
  // It keeps the template of what a wrapping key may unwrap, and does not apply it.
  wrap: [],
  initArgs: "configdir='sql:{directory}' certPrefix='' keyPrefix='' secmod='secmod.db' flags= ",
  slotBy: 'label',
  // Its database has no place for the first two, and it says of every key that it is not local.
  denied: ['COPYABLE', 'ALLOWED_MECHANISMS', 'LOCAL'],
})

const opencryptoki = profile({
  id: 'opencryptoki',
  name: 'openCryptoki',
  isProven: true,
  libraries: [
    '/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so',
    '/usr/lib/opencryptoki/libopencryptoki.so',
    '/usr/lib64/opencryptoki/libopencryptoki.so',
    '/usr/lib/s390x-linux-gnu/opencryptoki/libopencryptoki.so',
  ],
  hints: { files: ['opencryptoki'], manufacturers: ['ibm'] },
  slotBy: 'label',
})

export const LOCAL: readonly Profile[] = [yubihsm, softhsm, tpm2, nss, opencryptoki]
