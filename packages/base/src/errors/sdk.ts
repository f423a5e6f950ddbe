import { abort, denied, type ErrorEntry, invalid, unavailable } from './entry.ts'

export const sdkErrors = {
  'sdk/unreachable': unavailable([
    'the node does not answer',
    'Start it with quorate up, or check the address; quorate status shows which nodes run.',
  ]),
  'sdk/timeout': unavailable([
    'the node took too long',
    'Ask for the operation again with its id; it goes on without you.',
  ]),
  'sdk/bad-answer': unavailable([
    'what answered does not speak the API of a node',
    'Check the address: another program may listen there.',
  ]),
  'sdk/no-credential': denied([
    'none of your keys may do this',
    'Use a client that is enrolled with the role it takes; quorate cluster show lists them.',
  ]),
  'sdk/bad-receipts': abort(
    [
      'the answer lacks the receipts of enough nodes',
      'Do not use the result. Ask another node, and look at the one that answered.',
    ],
    502,
    6,
  ),
  'sdk/other-wallet': abort(
    [
      'the wallet that the node shows does not have the address that was expected',
      'Send nothing to that address. Check the id and the address of the wallet, and ask another node.',
    ],
    502,
    6,
  ),
  'sdk/does-not-verify': abort(
    [
      'what came back is not the transaction with valid signatures of the wallet',
      'Do not use it. Ask another node, and look at the one that answered.',
    ],
    502,
    6,
  ),
  'sdk/unsupported-key': invalid([
    'keys of that kind cannot sign on this network',
    'Use a secp256k1 key for Ethereum and Bitcoin, an Ed25519 key for Solana.',
  ]),
  'sdk/not-readable': invalid([
    'the signer signs only what it can read, no hash and no bytes without a form',
    'Sign transactions, messages with the prefix of their network, or typed data.',
  ]),
  'sdk/other-address': invalid([
    'the transaction is to be sent from another address than that of the wallet',
    'Leave the sender out, or use the wallet that it names.',
  ]),
} as const satisfies Record<string, ErrorEntry>
