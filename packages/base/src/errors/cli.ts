import {
  broken,
  conflict,
  denied,
  type ErrorEntry,
  invalid,
  notFound,
  unavailable,
} from './entry.ts'

export const cliErrors = {
  'cli/internal': broken([
    'the command met an error that it did not expect',
    'Run it again with QUORATE_DEBUG=1 to see where, and please report that.',
  ]),
  'cli/unknown-command': invalid(['there is no such command', 'quorate help lists all commands.']),
  'cli/unknown-option': invalid([
    'the command has no such option',
    'Add --help to the command to see its options.',
  ]),
  'cli/missing-argument': invalid([
    'something that the command needs is missing',
    'Add --help to the command to see what it takes.',
  ]),
  'cli/unexpected-argument': invalid([
    'there is an argument that the command does not take',
    'Add --help to the command to see what it takes; quote what has spaces in it.',
  ]),
  'cli/bad-value': invalid([
    'an option or argument has a value that it cannot take',
    'Add --help to the command to see what it takes.',
  ]),
  'cli/no-voice': denied([
    'none of the keys given belongs to somebody who may approve',
    'Give the key file of a client that is a member of a group with --client, or of an administrator with --admin.',
  ]),
  'cli/not-waiting': notFound([
    'no request of that hash waits',
    'quorate approval list shows those that do; one that has ended or expired is gone.',
  ]),
  'cli/not-confirmed': invalid([
    'this cannot be undone, and it was not confirmed',
    'Type the word at the question, or give it with --confirm.',
  ]),
  'cli/file-not-found': notFound([
    'there is no such file',
    'Check the path; a transaction can also be given as hex, or with - on standard input.',
  ]),
  'cli/file-exists': conflict([
    'the file is already there',
    'Choose another name, or move the old file away: it is never overwritten.',
  ]),
  'cli/bad-file': invalid([
    'the file does not hold what the command expects',
    'Check that it is the right file, and that it was copied whole.',
  ]),
  'cli/no-cluster': notFound([
    'there is no development cluster here',
    'Make one with quorate up, or name its place with --home or QUORATE_HOME.',
  ]),
  'cli/not-running': unavailable([
    'no node answers',
    'Start the development cluster with quorate up; quorate status shows which nodes run.',
  ]),
  'cli/still-running': conflict([
    'nodes of this cluster still run',
    'Stop them with quorate down, then try again.',
  ]),
  'cli/other-size': conflict([
    'the development cluster here has another number of nodes',
    'Leave --nodes out to take it up, or make a new one after quorate reset.',
  ]),
  'cli/other-hsm': conflict([
    'the keys of the development cluster live in another HSM',
    'Leave --hsm out to take it up, or make a new cluster after quorate reset.',
  ]),
  'cli/node-failed': unavailable([
    'a node did not start',
    'quorate logs shows why, quorate doctor looks for usual causes.',
  ]),
  'cli/start-timeout': unavailable([
    'the nodes did not find each other in time',
    'quorate status shows who is missing, quorate logs why.',
  ]),
  'cli/unknown-wallet': notFound([
    'there is no wallet of that id or name in this project',
    'quorate wallet list shows what there is.',
  ]),
  'cli/wrong-protocol': invalid([
    'the network has no use for keys of that protocol',
    'Choose another protocol or network; quorate networks shows what goes with what.',
  ]),
  'cli/unknown-node': notFound([
    'the cluster has no node of that number',
    'quorate status shows the nodes.',
  ]),
  'cli/does-not-verify': invalid(
    [
      'it does not verify',
      'Do not use it. The lines above say what is wrong; get it again from its source.',
    ],
    400,
    6,
  ),
  'cli/findings': invalid(
    ['something needs to be put right', 'Each finding above says what to do.'],
    400,
    7,
  ),
  'cli/unsafe-url': invalid([
    'requests to that URL could be read and changed on their way',
    'Use https, or http to this machine; --allow-http takes the risk.',
  ]),
  'cli/rpc-unreachable': unavailable([
    'the node of the network cannot be reached',
    'Check the URL given with --rpc and the connection, and try again.',
  ]),
  'cli/rpc-refused': conflict([
    'the node of the network refuses it',
    'QUORATE_DEBUG=1 shows its own words. Put right what it complains of, or ask another node.',
  ]),
  'cli/rpc-bad-answer': unavailable([
    'the node of the network gives an answer that makes no sense',
    'Check that --rpc names JSON-RPC for Ethereum and Solana, and an Esplora API for Bitcoin.',
  ]),
  'cli/other-network': conflict([
    'the node named with --rpc is one of another network',
    'Name a node of the network of the wallet or of --network.',
  ]),
  'cli/mainnet': denied([
    'it would be sent to a network where coins have value, and nobody said that it should be',
    'Add --mainnet if that is what you want.',
  ]),
  'cli/no-referee': unavailable([
    'the libraries that make and check sample transactions are not installed',
    'Run this from a checkout of the project, after npm install and npm run build.',
  ]),
  'cli/not-signed-in': denied([
    'you are not signed in to a KMS',
    'Start one with quorate kms dev, or sign in with quorate kms login --url URL.',
  ]),
  'cli/no-project': invalid([
    'it is not clear which project is meant',
    'Name it with --project or KMS_PROJECT; quorate kms projects list shows what there is.',
  ]),
  'cli/open-file': denied([
    'others of this machine can read a file that holds a secret',
    'Give it mode 0600 (chmod 600), and use a new token if somebody may have read it.',
  ]),
  'cli/cannot-run': notFound([
    'the program cannot be started',
    'Check its name and that it may be executed; what comes after -- is the program.',
  ]),
  'cli/kms-not-running': unavailable([
    'the development KMS does not run',
    'Start it with quorate kms dev.',
  ]),
  'cli/kms-running': conflict([
    'the development KMS runs in the background already',
    'Stop it with quorate kms dev --stop, then try again.',
  ]),
  'cli/sign-in-refused': denied([
    'the sign-in was not approved in time',
    'Run quorate kms login again, and approve its code where you are signed in.',
  ]),
} as const satisfies Record<string, ErrorEntry>
