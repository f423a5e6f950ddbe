import { broken, conflict, type ErrorEntry, invalid, notFound, unavailable } from './entry.ts'

export const nodeErrors = {
  'node/internal': broken([
    'the node met an error that it did not expect',
    'Look in the log of the node for the request id, and please report it.',
  ]),
  'node/interrupted': unavailable([
    'the node stopped while the request was running',
    'Ask again with a new request: nothing of the old one took effect unless the wallet list shows it.',
  ]),
  'node/idempotency-conflict': conflict([
    'the idempotency key was used for another request',
    'Use a new key for a new request, or the same request with this key.',
  ]),
  'node/idempotency-key-missing': invalid([
    'the request needs an Idempotency-Key header',
    'Send 8 to 128 printable characters of your own choice, new for each new request.',
  ]),
  'node/request-mismatch': invalid([
    'the signed request is for another route, client or project',
    'Send each kind of request to its own route, signed by the client that sends it.',
  ]),
  'node/unknown-operation': notFound([
    'there is no such operation in this project',
    'Operations are kept for a day; quorate wallet list shows what came of them.',
  ]),
  'node/address-unproven': unavailable([
    'the wallet has not yet signed with the key of its address',
    'Wait a moment. If it stays so, refresh the wallet while all nodes run: quorate wallet refresh.',
  ]),
  'node/rolled-back': conflict([
    'the data directory is older than what this node had already told its peers',
    'Put the newest directory back. If it is lost, take the node out of the cluster and enrol it anew.',
  ]),
  'node/not-enrolled': conflict([
    'this data directory belongs to no cluster yet',
    'Make its card with quorate cluster card, then propose, sign and join a cluster record.',
  ]),
  'node/signer-ended': unavailable([
    'the signer process has ended',
    'Look in the log of the node, then start it again.',
  ]),
  'node/no-environment': invalid([
    'the environment is not given',
    'Say development, staging or production: --environment, QUORATE_ENVIRONMENT or the file.',
  ]),
  'node/peers-mismatch': invalid([
    'the configured peers are not the other nodes of the cluster record',
    'Give one address for each other node: mesh.peers in the configuration.',
  ]),
  'node/threshold-disagrees': invalid([
    'MPC_THRESHOLD is not a threshold of the wallets in this store',
    'Take MPC_THRESHOLD out of the environment: each wallet has its own threshold, counted in signers.',
  ]),
  'node/loopback-only': invalid([
    'a development node listens on loopback addresses and unix sockets only',
    'Use 127.0.0.1, [::1] or a socket path, or set up a staging cluster.',
  ]),
} as const satisfies Record<string, ErrorEntry>
