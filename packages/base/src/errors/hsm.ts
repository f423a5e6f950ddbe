import { broken, conflict, denied, device, type ErrorEntry, invalid, notFound } from './entry.ts'

export const hsmErrors = {
  'hsm/unknown-type': invalid([
    'there is no HSM provider of that type',
    'Use one of the types that the message lists.',
  ]),
  'hsm/bad-argument': invalid([
    'the device cannot do this with that key or input',
    'Check the algorithm of the key and the length of the input.',
  ]),
  'hsm/cannot-open': invalid(
    [
      'the device could not open this with the given secret',
      'Check that data, key, context and PIN belong together; nothing more can be said safely.',
    ],
    422,
  ),
  'hsm/key-not-found': notFound([
    'the device holds no such key',
    'List the keys of the device; check its directory, token or slot.',
  ]),
  'hsm/key-ambiguous': conflict([
    'more than one key matches',
    'Name the key by its id; destroy the one that is not wanted.',
  ]),
  'hsm/key-exists': conflict([
    'the device already holds a key with that id',
    'Use the existing key, or generate one under another id.',
  ]),
  'hsm/label-mismatch': conflict([
    'the label given to confirm is not the label of the key',
    'Give the exact label of the key that is to be destroyed for ever.',
  ]),
  'hsm/simulated-in-production': denied([
    'a simulated HSM protects nothing and is refused in production',
    'Configure a real HSM; only allowSimulatedInProduction: true overrides this, in so many words.',
  ]),
  'hsm/loose-permissions': denied([
    'the device key can be read or written by other users',
    'Make the file 0600; if others could read it, make new keys.',
  ]),
  'hsm/attestation-invalid': denied([
    'the attestation does not verify',
    'Ask the device for a new attestation with a fresh nonce, and check the pinned root.',
  ]),
  'hsm/key-changed': denied([
    'the device answers with another key than the one pinned',
    'Do not use this device until it is known who replaced the key.',
  ]),
  'hsm/compromised': device([
    'the attestation of the device failed: it reports that it was compromised',
    'Stop using its keys, rotate them on another device, and find out what happened.',
  ]),
  'hsm/object-damaged': device([
    'a file of the device is damaged, was swapped, or belongs to another device',
    'Restore the device directory from a backup; find out who changed it.',
  ]),
  'hsm/unavailable': device([
    'the device does not answer',
    'Check that the device is there, has free space, and may be read and written by this user.',
  ]),
  'hsm/closed': device(['the device was closed', 'Open the device again.']),
  'hsm/nonconforming': broken([
    'the provider does not behave as the HSM interface demands',
    'Do not use this provider; report the name of the failed check.',
  ]),
} as const satisfies Record<string, ErrorEntry>
