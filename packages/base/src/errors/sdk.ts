import {
  abort,
  conflict,
  denied,
  type ErrorEntry,
  invalid,
  notFound,
  unavailable,
} from './entry.ts'

export const sdkErrors = {
  'sdk/unreachable': unavailable([
    'the node does not answer',
    'Start it with quorate up, or check the address; quorate status shows which nodes run.',
  ]),
  'sdk/other-certificate': denied([
    'the node shows another certificate than the one that was pinned',
    'Compare the fingerprint with the one that the operator of the node reads in its status; send nothing until it fits.',
  ]),
  'sdk/timeout': unavailable([
    'the node took too long',
    'Ask for the operation again with its id; it goes on without you.',
  ]),
  'sdk/cancelled': conflict([
    'the caller took the call back before it was done',
    'What the cluster had begun goes on; ask again with the same request to see what came of it.',
  ]),
  'sdk/waits-for-approval': conflict([
    'policy asks for approvals or a delay before this is signed',
    'Have the approvers look at quorate approval list; the operation goes on by itself once they agree.',
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
  'sdk/unknown-wallet': notFound([
    'the project has no wallet of that label',
    'quorate wallet list shows the labels; they are compared letter by letter.',
  ]),
  'sdk/other-wallet': abort(
    [
      'the wallet that the node shows does not have the address that was expected',
      'Send nothing to that address. Check the id and the address of the wallet, and ask another node.',
    ],
    502,
    6,
  ),
  'sdk/bad-wallet': abort(
    [
      'the wallet that came back is not the one that its nodes confirmed',
      'Send nothing to its address. Ask another node, and look at the one that answered.',
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
  'sdk/bad-address': invalid([
    'that is no address of a KMS',
    'Write unix:PATH, http://127.0.0.1:8200 or https://host:8200, with #fingerprint where it is self-signed.',
  ]),
  'sdk/too-large': invalid([
    'the backup is larger than a KMS takes',
    'A sealed share has at most 512 KiB; check what is being sent.',
  ]),
} as const satisfies Record<string, ErrorEntry>
