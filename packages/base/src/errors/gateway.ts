import { conflict, denied, type ErrorEntry, invalid, unavailable } from './entry.ts'

export const gatewayErrors = {
  'gateway/no-environment': invalid([
    'the environment is not given',
    'Say development, staging or production: --environment, QUORATE_ENVIRONMENT or the file.',
  ]),
  'gateway/other-environment': invalid([
    'the gateway and the cluster are of different environments',
    'Give the gateway the environment of its cluster record; quorate cluster show names it.',
  ]),
  'gateway/no-tokens': invalid([
    'nobody could call the gateway: there is no token of a caller',
    'Make one with quorate gateway token, and name the file with --tokens. Only on loopback in development may it go without.',
  ]),
  'gateway/bad-tokens': invalid([
    'the file of callers is not in its form',
    'Write one caller on each line, as quorate gateway token prints it: a name and the SHA-256 of the token.',
  ]),
  'gateway/bad-grant': invalid([
    'the file is no blind grant',
    'Make it with quorate gateway grant, and have each administrator sign that very file.',
  ]),
  'gateway/plain-http': invalid([
    'callers would send their tokens over the network in the clear',
    'Listen on loopback behind a proxy that speaks TLS, or accept it with --allow-plain-http on a network of your own.',
  ]),
  'gateway/loopback-only': invalid([
    'a development gateway listens on loopback addresses only',
    'Use 127.0.0.1 or [::1], or set up a staging cluster.',
  ]),
  'gateway/too-few-nodes': invalid([
    'the gateway knows fewer nodes than a majority of the cluster',
    'Name at least a majority with --node: what a wallet’s key is, must not be one node’s word.',
  ]),
  'gateway/unauthenticated': denied(
    [
      'the call has no token of a caller',
      'Send Authorization: Bearer TOKEN with a token of quorate gateway token.',
    ],
    401,
  ),
  'gateway/rate-limited': unavailable(
    [
      'the caller asks for more than it may in a second',
      'Wait as long as Retry-After says, then ask less often.',
    ],
    429,
  ),
  'gateway/overloaded': unavailable([
    'the gateway works on as many calls as it takes on at once',
    'Wait a moment and ask again.',
  ]),
  'gateway/unknown-chain': invalid([
    'there is no network for that chainType',
    'Use a name of quorate networks, or map the old name to a network with --chain OLD=NETWORK.',
  ]),
  'gateway/other-parties': conflict([
    'the cluster has another number of parties',
    'Ask for as many parties as the cluster has nodes: every node of it holds a share of each wallet.',
  ]),
  'gateway/other-wallet': conflict([
    'there is a wallet of that walletID, and it is another one',
    'Choose another walletID, or ask for the same network, threshold and number of parties.',
  ]),
  'gateway/not-blind': denied([
    'the wallet signs what its nodes can read, and no digest',
    'Send the transaction to a node (quorate tx sign), or make the wallet blind: quorate gateway grant, then keygen again under another walletID.',
  ]),
  'gateway/nodes-disagree': unavailable([
    'the nodes do not show the same key for that wallet',
    'Use no key and no address of it until quorate wallet show gives the same at every node.',
  ]),
} as const satisfies Record<string, ErrorEntry>
