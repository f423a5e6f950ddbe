import type { Options } from './command.ts'

const rootOption = (about: string): Options[string] => ({ kind: 'list', value: 'FILE', about })

/** Options of every command that verifies attestations. Roots that vendors publish are known without them. */
export const TRUST_OPTIONS: Options = {
  root: rootOption(
    'root certificate (PEM or DER) of attestation keys of ours; never proves hardware',
  ),
  'yubihsm-root': rootOption('one more root certificate of the maker of YubiHSMs'),
  'marvell-root': rootOption('one more root certificate of the maker of Marvell modules'),
  'owner-root': rootOption(
    'for Marvell: the root of whoever runs the module, e.g. customerCA.crt of CloudHSM',
  ),
  enrolled: {
    kind: 'list',
    value: 'DEVICE=ALGORITHM:HEX',
    about: 'an attestation key that was enrolled, and the device that it speaks for',
  },
  'simulated-root': { kind: 'list', value: 'HEX', about: 'the key of a simulated HSM' },
}
