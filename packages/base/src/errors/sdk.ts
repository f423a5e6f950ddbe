import { abort, denied, type ErrorEntry, unavailable } from './entry.ts'

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
} as const satisfies Record<string, ErrorEntry>
