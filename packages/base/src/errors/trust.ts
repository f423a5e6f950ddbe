import { type ErrorEntry, invalid } from './entry.ts'

export const trustErrors = {
  'trust/malformed-der': invalid([
    'the bytes are not strict DER of the expected structure',
    'Check that the file is one DER certificate, not PEM text and not truncated.',
  ]),
  'trust/unsupported-key': invalid([
    'the certificate holds a key of a kind that is not supported here',
    'Use a certificate with an Ed25519 key.',
  ]),
  'trust/bad-certificate-field': invalid([
    'a field of the certificate to be made is out of range',
    'Check key length, serial number, subject and validity period.',
  ]),
} as const satisfies Record<string, ErrorEntry>
