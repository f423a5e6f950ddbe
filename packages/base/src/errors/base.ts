import { broken, type ErrorEntry, invalid } from './entry.ts'

export const baseErrors = {
  'base/malformed': invalid([
    'the bytes or text are not in the expected form',
    'Check the value against the documented format.',
  ]),
  'base/too-large': invalid(
    ['the value is larger than allowed', 'Send less at once; limits are in the documentation.'],
    413,
  ),
  'base/not-canonical': invalid([
    'the bytes are not the one canonical encoding of their value',
    'Encode with deterministic CBOR (RFC 8949, section 4.2.1).',
  ]),
  'base/unknown-version': invalid([
    'the record was made by a newer version',
    'Upgrade this program, then try again.',
  ]),
  'base/bad-id': invalid([
    'the id is not in the form <prefix>_<26 characters>',
    'Copy the id as it was printed; names are not ids.',
  ]),
  'base/wiped': broken([
    'a secret was used after it had been wiped',
    'Please report this with the version and the log.',
  ]),
  'base/bug': broken([
    'an internal invariant does not hold',
    'Please report this with the version and the log.',
  ]),
} as const satisfies Record<string, ErrorEntry>
