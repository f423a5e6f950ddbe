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
  'math/not-a-unit': invalid([
    'a number has a factor in common with its modulus',
    'Run the protocol again; if it happens twice, look for a peer that chooses its values dishonestly.',
  ]),
  'math/bad-modulus': invalid([
    'a modulus is not an odd number of the kind that is needed',
    'Use a modulus that is the product of two different odd primes.',
  ]),
  'math/out-of-range': invalid([
    'a number does not fit the bytes that are set aside for it',
    'Look for a peer that chooses its values dishonestly, or for a parameter of another security level.',
  ]),
  'math/bad-path': invalid([
    'the derivation path is not a list of key indices',
    'Write it as m, or as m/0/5: numbers without leading zeros, at most 255 of them.',
  ]),
  'math/hardened-path': invalid([
    'the derivation path has a hardened index, which only a whole private key could follow',
    'Use indices below 2147483648, without a mark.',
  ]),
  'math/bad-chain-code': invalid([
    'the chain code does not have 32 bytes',
    'Use the chain code of the wallet as it was made with the key.',
  ]),
  'math/bad-share': invalid([
    'a recovery share is not one',
    'Compare its words with what was written down; the checksum finds up to three wrong ones.',
  ]),
  'math/bad-shares': invalid([
    'the recovery shares do not give a secret',
    'Take shares of one set, exactly as many groups and members as are needed.',
  ]),
  'math/no-child': invalid(['the key has no child of that index', 'Use the next index.']),
} as const satisfies Record<string, ErrorEntry>
