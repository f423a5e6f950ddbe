import {
  abort,
  broken,
  conflict,
  denied,
  type ErrorEntry,
  invalid,
  notFound,
  unavailable,
} from './entry.ts'

export const enclaveErrors = {
  'enclave/internal': broken([
    'the signer process met an error that it did not expect',
    'Look in the log of the node for this session, and please report it.',
  ]),
  'enclave/unknown-call': broken([
    'daemon and signer process do not speak the same version',
    'Stop the node and start it again after the upgrade.',
  ]),
  'enclave/channel-closed': unavailable([
    'the signer process has ended',
    'Look in the log of the node for the reason, then start it again.',
  ]),
  'enclave/hsm-cannot-seal': invalid([
    'this HSM has no AES-256, with which the shares are sealed',
    'Use another HSM for the node; quorate hsm status shows what one can do.',
  ]),
  'enclave/not-joined': unavailable([
    'the node belongs to no cluster yet',
    'Enrol it: quorate cluster propose, sign and join.',
  ]),
  'enclave/not-listed': denied([
    'the cluster record does not list this node',
    'Check that the record was made from the card of this very node.',
  ]),
  'enclave/nodes-changed': denied([
    'the record names other nodes than the cluster began with',
    'Keep the nodes as they are; this version changes clients, admins and rules only.',
  ]),
  'enclave/weak-custody': denied([
    'the key store of this node is weaker than the cluster record demands',
    'Configure the HSM that the record asks for, or propose a record with a lower minCustody.',
  ]),
  'enclave/store-mismatch': denied([
    'the store was sealed by another HSM or belongs to another node',
    'Start the node with the data directory and the HSM that belong together.',
  ]),
  'enclave/older-epoch': denied([
    'a peer showed older keys than those in force',
    'Nothing to do if it was a replay; if a node was restored from a backup, restart it.',
  ]),
  'enclave/peers-missing': unavailable([
    'not enough nodes are connected',
    'Start the missing nodes (quorate status shows them), then try again.',
  ]),
  'enclave/unknown-wallet': notFound([
    'there is no such wallet here',
    'quorate wallet list shows the wallets of this project.',
  ]),
  'enclave/wallet-exists': conflict([
    'this request has already made a wallet',
    'quorate wallet list shows it; make a new request for another wallet.',
  ]),
  'enclave/label-taken': conflict([
    'another wallet of the project has this name',
    'Choose another name.',
  ]),
  'enclave/other-generation': conflict([
    'the shares of the wallet have been refreshed since',
    'Read the wallet again and make the request for its present generation.',
  ]),
  'enclave/other-policy': conflict([
    'the policy of the wallet is not the one that the request names',
    'Read the wallet again, check its policy, and make the request for it.',
  ]),
  'enclave/other-project': notFound([
    'there is no such wallet in this project',
    'Use a client that is enrolled for the project of the wallet.',
  ]),
  'enclave/wrong-parties': invalid([
    'a wallet is shared among all nodes of the cluster',
    'Give the number of nodes in the cluster as parties; quorate status shows it.',
  ]),
  'enclave/wrong-suite': invalid([
    'the network does not take signatures of this suite',
    'Leave the suite out: it follows from the network.',
  ]),
  'enclave/weak-suite': denied([
    'the suite is for tests and comparison, not for keys that hold value',
    'Leave the suite out, which takes the one at 128 bits.',
  ]),
  'enclave/unknown-aux': conflict([
    'this node does not hold the auxiliary information that the new shares are for',
    'Ask again: the coordinator then has it made by all nodes.',
  ]),
  'enclave/mainnet-in-development': denied([
    'a development cluster signs for test networks only',
    'Choose a test network, or set up a production cluster.',
  ]),
  'enclave/derivation-unsupported': invalid([
    'wallets of FROST sign with their own key only, not with derived ones',
    'Leave the derivation path empty.',
  ]),
  'enclave/stale-manifest': abort([
    'the proposed session names keys or a start of this node that are no longer in force',
    'Try again; the coordinator learns of the restart when it reconnects.',
  ]),
  'enclave/burnt-session': abort([
    'this session has already been run here',
    'Nothing to do: sessions are never repeated; a retry is a new one.',
  ]),
  'enclave/bad-prepare': abort([
    'the proposed session does not fit the request it is for',
    'Check the coordinator node; it proposed something that nobody asked for.',
  ]),
  'enclave/busy': unavailable(
    ['too many sessions run at once', 'Wait a moment, then try again.'],
    429,
  ),
  'enclave/receipts-missing': unavailable([
    'not every node has confirmed the result yet',
    'The wallet appears when the missing nodes are back; quorate status shows them.',
  ]),
  'enclave/policy-address': invalid([
    'an address in the policy is not in the spelling that the network uses',
    'Write it as quorate tx show prints it: for Bitcoin in lower case.',
  ]),
  'enclave/bad-receipt': abort([
    'a node confirmed another result than this one',
    'Check that node: it may be faulty or hostile.',
  ]),
  'enclave/development-store': denied([
    'the store was made in another environment',
    'Start the node in the environment that the store was made for.',
  ]),
} as const satisfies Record<string, ErrorEntry>
