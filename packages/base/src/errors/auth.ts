import { conflict, denied, type ErrorEntry, invalid, unavailable } from './entry.ts'

export const authErrors = {
  'auth/bad-record': invalid([
    'the cluster record contradicts itself',
    'Propose the record again with the entry that the message names put right.',
  ]),
  'auth/bad-signature': denied([
    'a signature does not verify',
    'Get the document again from its signer; if it still fails, compare keys out of band.',
  ]),
  'auth/not-enough-signatures': denied([
    'the cluster record lacks signatures that it needs',
    'The first record needs every node, a later one adminThreshold admins of the record before it.',
  ]),
  'auth/record-not-newer': conflict([
    'the cluster record is not newer than the one in force',
    'Propose the change on top of the record in force; an older record never takes force again.',
  ]),
  'auth/record-gap': conflict([
    'cluster records between the one in force and this one are missing',
    'Give the missing records first, in the order of their numbers.',
  ]),
  'auth/record-forked': conflict([
    'the cluster record does not continue the one in force',
    'Two records claim one number: compare the fingerprint words with the other operators.',
  ]),
  'auth/other-cluster': denied([
    'the document belongs to another cluster',
    'Check which cluster this node or client was enrolled in.',
  ]),
  'auth/other-environment': denied([
    'the document belongs to another environment',
    'Development, staging and production never mix; use a node of the same environment.',
  ]),
  'auth/unknown-node': denied([
    'the node is not an entry of the cluster record in force',
    'Enrol the node with a record that the admins sign, or give this node the newest record.',
  ]),
  'auth/expired': denied([
    'the document is outside its time of validity',
    'Renew it; if it is new, set the clocks right.',
  ]),
  'auth/version-mismatch': denied([
    'the node speaks no protocol version that the cluster allows',
    'Upgrade the node to a version that speaks minProtocol of the cluster record.',
  ]),
  'auth/wrong-channel': denied([
    'the greeting was made for another connection or receiver',
    'Something between the two nodes answers in the name of one of them; check the network path.',
  ]),
  'auth/unauthenticated': denied(
    [
      'the request is not signed by an enrolled client',
      'Sign it with the key of a client entry of the cluster record; see the HTTP guide.',
    ],
    401,
  ),
  'auth/client-expired': denied(
    ['the client entry has expired', 'Ask the admins for a cluster record with a later expiry.'],
    401,
  ),
  'auth/clock-skew': denied(
    [
      'the time of the request is too far from ours',
      'Set the clock of the client or of the node right.',
    ],
    401,
  ),
  'auth/replayed': denied(
    ['the request was already seen', 'Sign every request anew, with a fresh nonce.'],
    401,
  ),
  'auth/too-many-requests': unavailable(
    [
      'the client has sent too many requests within a minute',
      'Wait a minute, then send fewer at once.',
    ],
    429,
  ),
} as const satisfies Record<string, ErrorEntry>
