import type { Options } from './command.ts'

/** Options of every command that opens an HSM. */
export const HSM_OPTIONS: Options = {
  hsm: {
    kind: 'text',
    value: 'URI',
    about:
      'the HSM: pkcs11:token=…?module-path=…, zymbit:DIR, software:DIR or simulated:DIR (default: HSM_…)',
  },
  'hsm-config': {
    kind: 'text',
    value: 'FILE',
    about: 'its configuration, as hsm sample-config prints it (default: HSM_CONFIG)',
  },
  'pin-file': {
    kind: 'text',
    value: 'FILE',
    about:
      'PIN or passphrase, mode 0600; - for standard input (default: HSM_PIN_FILE, or a prompt)',
  },
}
