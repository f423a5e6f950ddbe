import { broken, conflict, denied, type ErrorEntry, invalid, unavailable } from './entry.ts'

export const apiErrors = {
  'api/bad-threshold': invalid([
    'the threshold does not fit the number of parties',
    'Choose 2 ≤ threshold ≤ parties ≤ 50; the threshold is the number of signers needed.',
  ]),
  'api/unsafe-threshold': invalid([
    'the threshold is below a majority of the parties',
    'Choose at least half of the parties plus one, or set unsafeThreshold and accept that limits do not hold across signer sets.',
  ]),
  'api/unknown-protocol': invalid([
    'there is no signing protocol of that name',
    'Use frost or cggmp24, or leave it out: it follows from the network.',
  ]),
  'api/lifetime': invalid([
    'the request lives for too long, or ends before it begins',
    'Set expiresAt later than createdAt, by at most five minutes.',
  ]),
  'api/expired': denied([
    'the request has expired',
    'Make and sign a new request; if it is new, set the clock of the machine that made it.',
  ]),
  'api/from-the-future': denied([
    'the request was made at a time that has not come yet',
    'Set the clock of the machine that made it; 30 seconds of difference are allowed.',
  ]),
  'api/bad-signature': denied([
    'the signature does not belong to these bytes and this key',
    'Sign exactly the documented bytes with the enrolled key.',
  ]),
  'api/not-permitted': denied([
    'no role of this client permits the call',
    'Use a client with a role that permits it, or have the administrators enrol one.',
  ]),
  'api/other-subject': denied([
    'the approval is about another request, policy or cluster',
    'Approve the request as it waits now; an approval counts for one request under one policy only.',
  ]),
  'api/approval-expired': denied([
    'the approval has expired',
    'Approve again, with a later expiry.',
  ]),
  'api/unknown-approver': denied([
    'the approver is not one whom the cluster record lets approve now',
    'Use the key of an enrolled approver that has not expired, or have the administrators enrol it.',
  ]),
  'api/bad-blind-grant': denied([
    'the grant does not allow this wallet to sign digests',
    'Have enough administrators sign a grant for exactly this label, key and policy: quorate gateway grant.',
  ]),
  'api/chain-gap': conflict([
    'the audit record does not follow the end of the chain',
    'Read the end of the chain again, then append.',
  ]),
  'api/bad-tree': invalid([
    'the rows or the index do not make a Merkle tree',
    'Give the rows in strictly ascending order of their keys, and an index of one of them.',
  ]),
  'api/refused': invalid([
    'the server refused the call for a reason that this version does not know',
    'Read the detail; upgrade this program if the server is newer.',
  ]),
  'api/failed': unavailable([
    'the server failed for a reason that this version does not know',
    'Look at the log of the server; upgrade this program if the server is newer.',
  ]),
  'api/internal': broken([
    'the server made a mistake',
    'Look for the request id in the log of the server, and report both.',
  ]),
} as const satisfies Record<string, ErrorEntry>
