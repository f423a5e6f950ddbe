import { denied, type ErrorEntry, invalid } from './entry.ts'

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
} as const satisfies Record<string, ErrorEntry>
