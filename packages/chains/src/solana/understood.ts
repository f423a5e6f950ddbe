/** Which transactions of Solana are understood in full, in part, or refused. */

import type { Understanding } from '../understanding.ts'

const row = (
  understood: Understanding['understood'],
  type: string,
  remark: string,
): Understanding => ({ type, understood, remark })

export const solanaUnderstood: readonly Understanding[] = [
  row('full', 'Legacy and version 0 messages', 'wire transaction, or a bare version 0 message'),
  row('refused', 'later message versions', 'only version 0 and the one before it'),
  row(
    'part',
    'address tables',
    'their accounts come from the context and are shown as claimed; without it nothing is read of them',
  ),
  row(
    'full',
    'durable nonce',
    'in the first place; it is said that the transaction does not expire',
  ),
  row(
    'full',
    'System: create, transfer, also with seed; allocate; nonce accounts',
    'addresses made with a seed are made again',
  ),
  row('part', 'System: assign; nonce authority', 'gives the account away: a warning'),
  row(
    'full',
    'compute budget',
    'the priority fee is price times limit; a fee that cannot be told is not told',
  ),
  row(
    'full',
    'Token and Token-2022: transfer, mint, burn',
    'payees by their wallet where the account is derived from it; a plain transfer only where an account shows its mint',
  ),
  row('full', 'Token-2022: transfer with fee', 'the fee is shown'),
  row('not', 'Token-2022: transfers with further accounts', 'the mint may call any program'),
  row(
    'full',
    'Token and Token-2022: revoke, initialise, freeze, thaw, sync native',
    'whose account it is, is shown',
  ),
  row(
    'part',
    'Token and Token-2022: approve, set authority',
    'later effects are up to others: a warning',
  ),
  row(
    'part',
    'Token and Token-2022: close account',
    'in full where the SOL comes back to the wallet; always a warning',
  ),
  row('full', 'associated token accounts: create', 'the rent is shown as at most'),
  row('full', 'memo', 'the text is shown'),
  row(
    'full',
    'Stake: initialise, delegate, deactivate, withdraw',
    'a withdrawer that is not the wallet is a warning',
  ),
  row('part', 'Stake: authorize', 'gives the stake away: a warning'),
  row(
    'part',
    'off-chain messages, versions 0 and 1',
    'the text is shown; what it is good for is up to its readers',
  ),
  row('not', 'every other program or instruction', 'named in a warning'),
]
