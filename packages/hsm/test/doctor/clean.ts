/** Facts of a production device with which nothing is wrong. Tests change one thing in them. */
import { createHash } from 'node:crypto'
import type { ObjectFacts, TokenFacts } from '#src/device.js'
import { type DoctorFacts, type FileFacts, known, unknown } from '#src/doctor/facts.js'
import type { ZymbitState } from '#src/zymbit/commands.js'
import { NOW } from '../kit.ts'

export const OWN_UID = 990

export const rootFile = (path: string): FileFacts => ({
  path,
  mode: 0o644,
  uid: 0,
  directory: { mode: 0o755, uid: 0 },
})

const LIBRARY_SHA256 = createHash('sha256').update('module').digest('hex')

export const token: TokenFacts = {
  library: { description: 'module', version: '7.1', cryptoki: '2.40' },
  slot: '3',
  label: 'main',
  manufacturer: 'maker',
  model: 'model',
  serial: '0011',
  firmware: '7.7',
  flags: ['RNG', 'LOGIN_REQUIRED', 'USER_PIN_INITIALIZED', 'TOKEN_INITIALIZED'],
  maxSessions: 100,
  openSessions: 5,
  mechanisms: ['CKM_AES_GCM', 'CKM_AES_ECB', 'CKM_ECDSA', 'CKM_RSA_PKCS', 'CKM_DES3_CBC'].map(
    (name, code) => ({ name, code, flags: [], minKeySize: 0, maxKeySize: 0 }),
  ),
  algorithms: ['ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256'],
  capabilities: ['wrap'],
}

const GUARDED = {
  TOKEN: true,
  PRIVATE: true,
  SENSITIVE: true,
  EXTRACTABLE: false,
  LOCAL: true,
  ALWAYS_SENSITIVE: true,
  NEVER_EXTRACTABLE: true,
  MODIFIABLE: false,
  COPYABLE: false,
  DESTROYABLE: false,
}

export const signing: ObjectFacts = {
  class: 'CKO_PRIVATE_KEY',
  keyType: 'CKK_EC',
  label: 'identity',
  id: 'a1',
  flags: { ...GUARDED, SIGN: true, DERIVE: false, DECRYPT: false, UNWRAP: false },
  allowedMechanisms: ['CKM_ECDSA'],
  startDate: '2025-12-01',
}
export const signingPublic: ObjectFacts = {
  class: 'CKO_PUBLIC_KEY',
  keyType: 'CKK_EC',
  label: 'identity',
  id: 'a1',
  flags: { TOKEN: true, VERIFY: true, WRAP: true, ENCRYPT: true },
}
export const data: ObjectFacts = {
  class: 'CKO_SECRET_KEY',
  keyType: 'CKK_AES',
  label: 'data',
  id: 'd1',
  flags: { ...GUARDED, ENCRYPT: true, DECRYPT: true, WRAP: false, UNWRAP: false },
  allowedMechanisms: ['CKM_AES_GCM'],
  startDate: '2025-12-01',
  endDate: '2026-12-01',
}
export const wrapping: ObjectFacts = {
  class: 'CKO_SECRET_KEY',
  keyType: 'CKK_AES',
  label: 'backup',
  id: 'e1',
  flags: { ...GUARDED, ENCRYPT: false, DECRYPT: false, WRAP: true, UNWRAP: true },
  allowedMechanisms: ['CKM_AES_KEY_WRAP_KWP'],
  hasWrapTemplate: true,
  hasUnwrapTemplate: true,
  startDate: '2025-12-01',
}

/** Bytes without any pattern, and the same each time. */
const evenBytes = (): Uint8Array => {
  const blocks = Array.from({ length: 128 }, (_, i) =>
    createHash('sha256').update(Uint8Array.of(i)).digest(),
  )
  return new Uint8Array(Buffer.concat(blocks))
}

export const zymbit: ZymbitState = {
  model: 'HSM6',
  firmware: '01.00',
  serial: '0011',
  isBound: true,
  isBindingLocked: true,
  batteryVolts: 3,
  cpuCelsius: 40,
  breaches: [0, 0],
  slots: { taken: 2, free: 510, unlabelled: 0 },
}

export const clean: DoctorFacts = {
  now: NOW,
  environment: 'production',
  custody: 'hardware',
  type: 'luna',
  uid: OWN_UID,
  token: known(token),
  objects: known([signing, signingPublic, data, wrapping]),
  unreliable: [],
  trustedKeys: [],
  cryptoperiodDays: 365,
  pin: known({
    origin: 'file',
    length: 16,
    isCommon: false,
    account: 'crypto-user',
    file: { ...rootFile('/run/pin'), mode: 0o600 },
  }),
  library: known({
    file: rootFile('/usr/lib/module.so'),
    sha256: LIBRARY_SHA256,
    pinnedSha256: LIBRARY_SHA256,
  }),
  configuration: [rootFile('/etc/Chrystoki.conf')],
  hasSecondHsm: known(true),
  lastRestoreDrill: known(NOW - 86_400_000),
  attestations: known([{ label: 'identity', outcome: 'good' }]),
  gcm: known({ ivsDiffer: true, opens: true, refusesAltered: true }),
  signing: known([
    { algorithm: 'ed25519', outcome: 'good' },
    { algorithm: 'p256', outcome: 'good' },
  ]),
  random: known(evenBytes()),
  clockSkewMs: known(12),
  latency: known({ p99Ms: 20, samples: 100 }),
  errorRate: known(0),
  vendor: {
    cloudHsm: unknown('another vendor'),
    nshield: unknown('another vendor'),
    luna: known({ hasGroup: true, reconnectAttempts: -1 }),
    zymbit: known(zymbit),
  },
}
