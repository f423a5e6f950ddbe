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
    'Keep the nodes as they are; another machine takes the place of one by quorate node restore.',
  ]),
  'enclave/no-recipients': conflict([
    'the cluster record names nobody who could open a backup of this node',
    'Make a recipient (quorate backup recipients), and propose a cluster record that names it.',
  ]),
  'enclave/bad-backup': invalid([
    'the backup is damaged, or parts of it do not belong together',
    'Take the file from another copy of the backups, or an earlier backup of the same node.',
  ]),
  'enclave/backup-unreadable': denied([
    'the backup cannot be opened with this secret',
    'Check the words, the key file or the HSM; if they are right, the file was altered.',
  ]),
  'enclave/backup-not-for-key': denied([
    'the backup was not made for this recipient',
    'Use the secret of one of the recipients that the message names.',
  ]),
  'enclave/backup-too-large': conflict([
    'what the node holds does not fit into one backup',
    'Keep fewer wallets in one cluster: a backup has at most 24 MiB.',
  ]),
  'enclave/not-fresh': conflict([
    'the node belongs to a cluster already',
    'Restore into an empty data directory.',
  ]),
  'enclave/before-restore': conflict([
    'the request is from before this node was restored from its backup',
    'Make a new request.',
  ]),
  'enclave/restoring': unavailable([
    'the node was restored from a backup, and waits for the other nodes to tell what it has forgotten',
    'Start the missing nodes (quorate status shows them), then try again.',
  ]),
  'enclave/refresh-first': conflict([
    'the node was restored from a backup, and the wallet has not been refreshed since',
    'Refresh the wallet while all nodes run: quorate wallet refresh.',
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
  'enclave/in-flight': conflict([
    'another node is running this request',
    'Nothing to do: the node that was asked answers with the result of the other.',
  ]),
  'enclave/already-signed': conflict([
    'this request has been signed already',
    'Ask for it once more at the node that answered it, or make a new request.',
  ]),
  'enclave/not-waiting': notFound([
    'no request waits here for such an approval',
    'See what waits with quorate approval list; it may have expired, or be signed already.',
  ]),
  'enclave/other-vote': conflict([
    'the node has voted for another change of this policy',
    'Carry the change that was proposed first, or wait until it has expired.',
  ]),
  'enclave/bad-vote': abort([
    'a vote for a change of a policy does not verify',
    'Check that node: it may be faulty or hostile.',
  ]),
  'enclave/votes-missing': unavailable([
    'too few nodes have taken the change of the policy',
    'Start the missing nodes (quorate status shows them), then ask for the same change again.',
  ]),
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
  'enclave/not-blind': denied([
    'the wallet signs what its nodes can read, and no digest',
    'Send the transaction itself, or make a blind wallet with a grant of the administrators: quorate gateway grant.',
  ]),
  'enclave/blind-initiator': denied([
    'no rule of the wallet’s policy names this client as one that may have digests signed',
    'Name it in a rule that allows the kind opaque: initiators, kinds and allowsIncomplete.',
  ]),
} as const satisfies Record<string, ErrorEntry>
