import { conflict, denied, type ErrorEntry, invalid, unavailable } from './entry.ts'

export const policyErrors = {
  'policy/malformed': invalid([
    'the policy or its parameters are not in the expected form',
    'Compare it with the printed form of a policy (`quorate policy show`).',
  ]),
  'policy/unknown-template': invalid([
    'there is no policy template of that name',
    'Choose one of the documented templates.',
  ]),
  'policy/development-only': denied([
    'the policy template is for development only',
    'Choose a template with limits, such as allow-list.',
  ]),
  'policy/denied': denied([
    'the policy of the wallet does not allow this transaction',
    'See which rule decided and why with `quorate policy why`; change the transaction, or have the policy changed.',
  ]),
  'policy/role-denied': denied([
    'the policy of the role does not allow this use of its key',
    'Read in the message which rule decided; use a device that the rule accepts, or change the policy.',
  ]),
  'policy/rate-limited': unavailable([
    'the role signs as fast as its policy allows already',
    'Try again in a second, or raise the highest rate of the role.',
  ]),
  'policy/not-approved': denied([
    'the approvals that the policy asks for are not all there',
    'See what is missing with `quorate approval list`, and have the named groups approve it.',
  ]),
  'policy/rejected': denied([
    'somebody who may do so has rejected the request',
    'Speak to the approvers; a rejected request can only be made anew.',
  ]),
  'policy/delayed': unavailable([
    'the policy delays the request, and the time is not over',
    'Wait until the time that is named; it then goes on by itself.',
  ]),
  'policy/over-limit': denied([
    'the request would go beyond a limit of the policy',
    'Wait until earlier payments leave the window of the limit, or have the policy changed.',
  ]),
  'policy/clock-set-back': unavailable([
    'the time of the request lies before what this wallet was charged for already',
    'Set the clocks of the nodes right; limits open again only as time goes on.',
  ]),
  'policy/bad-ledger': denied([
    'a ledger of charges contradicts itself',
    'See the log for the node that sent it, and upgrade or replace that node.',
  ]),
  'policy/not-next': conflict([
    'the change does not follow the policy in force',
    'Read the policy in force, and propose the change anew from it.',
  ]),
  'policy/change-expired': denied([
    'the change of the policy has expired',
    'Propose it anew, and have it approved in time.',
  ]),
} as const satisfies Record<string, ErrorEntry>
