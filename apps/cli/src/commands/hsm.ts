import type { Argument, Command, Options } from '../command.ts'
import { HSM_OPTIONS } from '../hsm-options.ts'
import { STATE_OPTIONS } from '../hsm-state-options.ts'
import { TRUST_OPTIONS } from '../hsm-trust-options.ts'

/** Of every command that opens an HSM. */
export const DEVICE_OPTIONS: Options = {
  ...HSM_OPTIONS,
  environment: {
    kind: 'text',
    value: 'NAME',
    about: 'development, staging or production, by whose rules it is opened (default development)',
  },
}
const key: Options = {
  key: { kind: 'text', value: 'KEY', about: 'label or id of the key' },
}
const message: Options = {
  in: { kind: 'text', value: 'FILE', about: 'the message; - for standard input' },
  digest: { kind: 'text', value: 'HEX', about: 'instead of a message, for ECDSA keys: 32 bytes' },
}
const uri: readonly Argument[] = [
  { name: 'URI', about: 'the HSM, instead of --hsm', isOptional: true },
]
const SOFTHSM = "'pkcs11:token=quorate?module-path=/usr/lib/softhsm/libsofthsm2.so'"

export const hsmCommands: readonly Command[] = [
  {
    name: 'hsm init',
    summary: 'Make an HSM for development, or the keys of a node in one that is there',
    arguments: [
      {
        name: 'TYPE',
        about: 'softhsm, software or simulated: a new one in --directory; none: the keys in --hsm',
        isOptional: true,
      },
    ],
    options: {
      ...DEVICE_OPTIONS,
      directory: { kind: 'text', value: 'DIR', about: 'of a new one; mode 0700' },
      'token-label': { kind: 'text', value: 'LABEL', about: 'of a new token (default quorate)' },
      'key-label': {
        kind: 'text',
        value: 'LABEL',
        about: 'of the key that seals shares (default: HSM_KEY_LABEL, else quorate-store)',
      },
      'identity-label': {
        kind: 'text',
        value: 'LABEL',
        about: 'of the identity key (default quorate-identity)',
      },
    },
    examples: [
      'quorate hsm init softhsm --directory ~/softhsm --pin-file pin',
      `quorate hsm init --hsm ${SOFTHSM} --pin-file pin`,
    ],
    load: async () => (await import('../actions/hsm-init.ts')).init,
  },
  {
    name: 'hsm list',
    summary: 'List the keys of an HSM',
    options: DEVICE_OPTIONS,
    examples: [`quorate hsm list --hsm ${SOFTHSM} --pin-file pin`, 'quorate hsm list --json'],
    load: async () => (await import('../actions/hsm.ts')).list,
  },
  {
    name: 'hsm generate',
    summary: 'Make a key that never leaves the HSM in plaintext',
    options: {
      ...DEVICE_OPTIONS,
      label: { kind: 'text', value: 'LABEL', about: 'what people call it' },
      algorithm: {
        kind: 'text',
        value: 'NAME',
        about: 'ed25519, p256, secp256k1, aes-256 or hmac-sha256 (default ed25519)',
      },
      id: { kind: 'text', value: 'HEX', about: 'its id (default: drawn at random)' },
      wrappable: {
        kind: 'flag',
        about: 'let it leave wrapped under the backup key, never in plaintext: for hsm backup',
      },
    },
    examples: ['quorate hsm generate --label release --algorithm p256'],
    load: async () => (await import('../actions/hsm.ts')).generate,
  },
  {
    name: 'hsm sign',
    summary: 'Sign a message or a digest with a key of an HSM',
    options: { ...DEVICE_OPTIONS, ...key, ...message },
    examples: [
      'quorate hsm sign --key release --in release.tar',
      'quorate hsm sign --key release --digest 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    ],
    load: async () => (await import('../actions/hsm.ts')).sign,
  },
  {
    name: 'hsm verify',
    summary: 'Check a signature of a key of an HSM',
    options: {
      ...DEVICE_OPTIONS,
      ...key,
      ...message,
      signature: { kind: 'text', value: 'HEX', about: 'as hsm sign prints it, 64 bytes' },
    },
    examples: ['quorate hsm verify --key release --in release.tar --signature 8f…02'],
    load: async () => (await import('../actions/hsm.ts')).verify,
  },
  {
    name: 'hsm status',
    summary: 'Show what an HSM is, how it is, and how far it is trusted',
    options: DEVICE_OPTIONS,
    examples: ['quorate hsm status', `quorate hsm status --hsm ${SOFTHSM} --json`],
    load: async () => (await import('../actions/hsm.ts')).status,
  },
  {
    name: 'hsm sample-config',
    summary: 'Print a commented configuration of an HSM',
    arguments: [{ name: 'VENDOR', about: 'e.g. aws-cloudhsm; none: list all', isOptional: true }],
    examples: ['quorate hsm sample-config', 'quorate hsm sample-config aws-cloudhsm > hsm.yaml'],
    load: async () => (await import('../actions/hsm.ts')).sample,
  },
  {
    name: 'hsm bench',
    summary: 'Measure how fast an HSM signs, with a key that is made and destroyed for it',
    options: {
      ...DEVICE_OPTIONS,
      algorithm: {
        kind: 'text',
        value: 'NAME',
        about: 'ed25519, p256 or secp256k1 (default: the first that it has)',
      },
      seconds: { kind: 'integer', value: 'N', about: 'how long (default 5)' },
      concurrency: { kind: 'integer', value: 'N', about: 'how many at once (default 8)' },
    },
    examples: ['quorate hsm bench --seconds 10 --concurrency 32'],
    load: async () => (await import('../actions/hsm-bench.ts')).bench,
  },
  {
    name: 'hsm conformance',
    summary: 'Check whether an HSM does all that Quorate asks of it, with keys made for that',
    arguments: uri,
    options: DEVICE_OPTIONS,
    examples: [`quorate hsm conformance ${SOFTHSM} --pin-file pin --json`],
    load: async () => (await import('../actions/hsm-conformance.ts')).conformance,
  },
  {
    name: 'hsm doctor',
    summary: 'Look for what is wrong or weak in an HSM and its keys, and say how to put it right',
    arguments: uri,
    options: {
      ...DEVICE_OPTIONS,
      format: { kind: 'text', value: 'NAME', about: 'table, json or sarif (default table)' },
      'fail-on': {
        kind: 'text',
        value: 'SEVERITY',
        about:
          'info, low, medium, high or critical: from which on the exit code is 7 (default low)',
      },
      'no-probe': { kind: 'flag', about: 'make no keys for trial operations' },
      ...STATE_OPTIONS,
      ...TRUST_OPTIONS,
      attestation: {
        kind: 'list',
        value: 'FILE',
        about: 'an attestation of a key, as hsm attest make wrote it; not older than a month',
      },
    },
    examples: [
      `quorate hsm doctor ${SOFTHSM} --pin-file pin`,
      'quorate hsm doctor --environment production --format sarif --fail-on high > hsm.sarif',
    ],
    load: async () => (await import('../actions/hsm-doctor.ts')).doctor,
  },
]
