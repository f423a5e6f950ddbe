import { type ErrorEntry, invalid } from './entry.ts'

export const mathErrors = {
  'math/bad-scalar': invalid([
    'a scalar is not the canonical encoding of a number below the group order',
    'Send the scalar as exactly 32 bytes in the byte order of its curve.',
  ]),
  'math/bad-element': invalid([
    'a group element is not a canonical point of the prime-order group',
    'Send a compressed point of the right curve that is neither the identity nor of small order.',
  ]),
  'math/identity': invalid([
    'the identity element was found where none may stand',
    'Run the protocol again; if it happens twice, look for a peer that chooses its values dishonestly.',
  ]),
  'math/bad-index': invalid([
    'indices are not distinct and between 1 and the group order',
    'Give every party its own index, counted from 1.',
  ]),
  'math/bad-length': invalid([
    'lists that belong together have different or zero lengths',
    'Pass one value per index, and at least one.',
  ]),
} as const satisfies Record<string, ErrorEntry>
