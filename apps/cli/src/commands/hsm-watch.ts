/** Commands of what watches over an HSM: attestations, alerts, audit. */
import type { Argument, Command, Options } from '../command.ts'
import { AUDIT_OPTIONS } from '../hsm-audit.ts'
import { STATE_OPTIONS } from '../hsm-state-options.ts'
import { TRUST_OPTIONS } from '../hsm-trust-options.ts'
import { DEVICE_OPTIONS } from './hsm.ts'

const text = (value: string, about: string): Options[string] => ({ kind: 'text', value, about })
const alert: readonly Argument[] = [{ name: 'ID', about: 'number of the alert' }]
const by: Options = { by: text('NAME', 'who does it (default: the user of this process)') }

export const hsmWatchCommands: readonly Command[] = [
  {
    name: 'hsm watch',
    summary: 'Look after the devices of a configuration and rotate keys in time, until it is ended',
    options: {
      ...DEVICE_OPTIONS,
      ...STATE_OPTIONS,
      port: {
        kind: 'integer',
        value: 'N',
        about: 'of its figures for Prometheus on this machine (default 9464; 0: a free one)',
      },
    },
    examples: ['quorate hsm watch --hsm-config hsm.yaml --environment production'],
    load: async () => (await import('../actions/hsm-watch.ts')).run,
  },
  {
    name: 'hsm attest make',
    summary: 'Make an attestation of a key: by the device, by its maker, or by an attestation key',
    options: {
      ...DEVICE_OPTIONS,
      ...STATE_OPTIONS,
      key: text('KEY', 'label or id of the key'),
      nonce: text('HEX', '16 to 64 bytes from whoever will verify (default: drawn at random)'),
      'attestation-key': text('KEY', 'label or id of the key that signs the attestation'),
      'device-name': text('NAME', 'what it is enrolled as (default: its serial number)'),
      certificates: text(
        'FILE',
        'PEM: of a YubiHSM the chain of the key, its root last; of Marvell both chains; else of the attestation key',
      ),
      blob: text('FILE', 'of a Marvell module (CloudHSM, Google): the attestation of its tools'),
      out: text('FILE', 'where it is written (default: standard output)'),
    },
    examples: [
      'quorate hsm attest make --key signer --attestation-key attest --nonce 5f0c… --out signer.attestation',
      'quorate hsm attest make --key signer --certificates yubihsm-chain.pem --out signer.attestation',
    ],
    load: async () => (await import('../actions/hsm-attest.ts')).make,
  },
  {
    name: 'hsm attest verify',
    summary: 'Check an attestation of a key, and say what it proves',
    arguments: [{ name: 'FILE', about: 'as hsm attest make wrote it' }],
    options: {
      ...TRUST_OPTIONS,
      state: text('DIR', 'remembers the starts of devices, so that an earlier one is refused'),
      'public-key': text('ALGORITHM:HEX', 'the key that it has to be of'),
      nonce: text('HEX', 'the one that was given to whoever made it'),
      'max-age': { kind: 'integer', value: 'SECONDS', about: 'how old it may be (default 300)' },
      'at-least': text(
        'LEVEL',
        'simulated, self-attested or hardware: refuse what proves less (default hardware)',
      ),
    },
    examples: [
      'quorate hsm attest verify signer.attestation --public-key p256:02… --nonce 5f0c…',
      'quorate hsm attest verify signer.attestation --public-key p256:02… --nonce 5f0c… --at-least self-attested --enrolled luna-7=p256:03…',
    ],
    load: async () => (await import('../actions/hsm-attest.ts')).verify,
  },
  {
    name: 'hsm alerts list',
    summary: 'List what went wrong around the HSM',
    options: {
      ...STATE_OPTIONS,
      status: text('STATE', 'open, acknowledged or resolved (default: all)'),
      severity: text('SEVERITY', 'info, warning or critical (default: all)'),
      component: text('NAME', 'of this device only'),
    },
    examples: ['quorate hsm alerts list --status open', 'quorate hsm alerts list --json'],
    load: async () => (await import('../actions/hsm-alerts.ts')).list,
  },
  {
    name: 'hsm alerts acknowledge',
    summary: 'Say that somebody takes care of an alert',
    arguments: alert,
    options: { ...STATE_OPTIONS, ...by },
    examples: ['quorate hsm alerts acknowledge 17 --by ada'],
    load: async () => (await import('../actions/hsm-alerts.ts')).acknowledge,
  },
  {
    name: 'hsm alerts resolve',
    summary: 'Say that what an alert is about was put right',
    arguments: alert,
    options: { ...STATE_OPTIONS, ...by },
    examples: ['quorate hsm alerts resolve 17'],
    load: async () => (await import('../actions/hsm-alerts.ts')).resolve,
  },
  {
    name: 'hsm audit list',
    summary: 'Show what was done with the HSM, newest first',
    options: {
      ...AUDIT_OPTIONS,
      operation: text('NAME', 'e.g. sign, generateKey or failover.switched'),
      device: text('NAME', 'of this device only'),
      key: text('ID', 'of this key only'),
      role: text('NAME', 'for this role only'),
      user: text('NAME', 'of this user only'),
      source: text('NAME', 'from there only'),
      result: text('RESULT', 'done, failed or refused'),
      code: text('CODE', 'e.g. hsm/unavailable'),
      from: text('TIME', 'from then on, e.g. 2026-01-02T03:04:05Z'),
      to: text('TIME', 'up to then'),
      limit: { kind: 'integer', value: 'N', about: 'at most so many (default 100)' },
      before: { kind: 'integer', value: 'SEQ', about: 'older than that record' },
    },
    examples: [
      'quorate hsm audit list --role transaction_signer --result failed',
      'quorate hsm audit list --from 2026-01-02 --json',
    ],
    load: async () => (await import('../actions/hsm-audit.ts')).list,
  },
  {
    name: 'hsm audit verify',
    summary: 'Check that nobody has changed the audit log of the HSM',
    options: {
      ...AUDIT_OPTIONS,
      'public-key': text('HEX', 'Ed25519 key that signs its checkpoints, 32 bytes'),
    },
    examples: ['quorate hsm audit verify', 'quorate hsm audit verify --public-key 8a…5c --json'],
    load: async () => (await import('../actions/hsm-audit.ts')).verify,
  },
]
