import {
  broken,
  conflict,
  denied,
  type ErrorEntry,
  invalid,
  notFound,
  unavailable,
} from './entry.ts'

export const nodeErrors = {
  'node/internal': broken([
    'the node met an error that it did not expect',
    'Look in the log of the node for the request id, and please report it.',
  ]),
  'node/clock-skew': unavailable([
    'the clock of this node is far from those of the others',
    'Set the clock right (NTP); the node takes part again by itself.',
  ]),
  'node/stopping': unavailable([
    'the node is being stopped and takes on nothing new',
    'Ask another node, or this one again in a while.',
  ]),
  'node/not-ready': unavailable([
    'the node cannot do its work now',
    'The detail names the checks that fail; docs/runbooks says what to do about each.',
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
  'node/fenced': denied([
    'another machine has taken the place of this node',
    'Keep this machine off. Its shares are worthless once the wallets are refreshed; then destroy its data and HSM.',
  ]),
  'node/not-fresh': conflict([
    'the data directory is in use already',
    'Restore into an empty data directory, or go on with the backup that was begun with.',
  ]),
  'node/backup-not-newest': conflict([
    'the other nodes know of a later backup than the one this node was restored from',
    'Restore the newest backup. If it is lost, the admins may accept the older one: quorate cluster propose --restore … --accept-older-backup.',
  ]),
  'node/no-backup-place': invalid([
    'no place for backups is configured',
    'Give backup.dir: a directory, or s3://BUCKET/PREFIX?region=REGION.',
  ]),
  'node/backup-not-kept': unavailable([
    'the backup does not read back as it was written',
    'Check the disk or the server where backups go.',
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
  'node/other-node': invalid([
    'NODE_ID names another node than the one in this data directory',
    'Give the id or the number of this node, or take NODE_ID out of the environment.',
  ]),
  'node/unknown-initiator': invalid([
    'EVENT_INITIATOR_PUBKEY is no key of a client in the cluster record',
    'No setting enrols anybody: add the client with quorate cluster propose --client, or remove the setting.',
  ]),
  'node/no-software-hsm': invalid([
    'BADGER_PASSWORD is a passphrase of keys in files, and this node has none',
    'Set hsm.type to software, or give the PIN of the token as HSM_PIN_FILE.',
  ]),
  'node/rate-limited': unavailable(
    [
      'the client asks for more than it may in a second',
      'Wait as long as Retry-After says, then ask less often; http.ratePerSecond sets the rate.',
    ],
    429,
  ),
  'node/overloaded': unavailable([
    'the node works on as many calls as it takes on at once',
    'Wait a moment and ask again, or ask another node.',
  ]),
  'node/bad-api-certificate': invalid([
    'the file with the certificate of the API holds no certificate and key',
    'Put api-tls.pem of the data directory back, or remove it: a new one is made, whose fingerprint clients must be told.',
  ]),
  'node/loopback-only': invalid([
    'a development node listens on loopback addresses and unix sockets only',
    'Use 127.0.0.1, [::1] or a socket path, or set up a staging cluster.',
  ]),
} as const satisfies Record<string, ErrorEntry>
