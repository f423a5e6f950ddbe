/** Which transactions of Ethereum and networks like it are understood in full, in part, or refused: of what is understood in full, policy may rely on the amounts. */
import type { Understanding } from '../understanding.ts'

const row = (
  understood: Understanding['understood'],
  type: string,
  remark: string,
): Understanding => ({ type, understood, remark })

export const evmUnderstood: readonly Understanding[] = [
  row(
    'full',
    'transfer of coins',
    'legacy (EIP-155), EIP-2930, 1559, 4844 where the network has them',
  ),
  row('full', 'ERC-20 transfer', 'decimals and symbol of the node’s own table, else claimed'),
  row('full', 'ERC-20 transferFrom', 'of a token of the table; of another contract in part'),
  row('full', 'ERC-721 and ERC-1155 transfers', 'without data for the receiver; with data in part'),
  row(
    'full',
    'ending an allowance',
    'approve of 0 for a token of the table, setApprovalForAll false',
  ),
  row('full', 'multicall upon one contract', 'if all calls in it are, and no coins come along'),
  row('full', 'EIP-3009 transfer by authorization', 'of a token of the table, out of this wallet'),
  row('part', 'allowances', 'approve, increaseAllowance, permit, Permit2, setApprovalForAll'),
  row('part', 'batches', 'Multicall3, Safe multiSend and execTransaction, execute of accounts'),
  row(
    'part',
    'user operations',
    'ERC-4337 of entry points 0.6, 0.7 and 0.8; execute calls are read',
  ),
  row('part', 'EIP-7702 transactions', 'each delegation is shown with whose account it hands over'),
  row('part', 'EIP-7702 authorizations', 'of this wallet’s own account'),
  row(
    'part',
    'typed data (EIP-712)',
    'every value is shown; permits and Safe transactions are read',
  ),
  row('part', 'personal messages (EIP-191)', 'the text is shown'),
  row('part', 'other calls, creation of contracts', 'contract, selector and coins are shown'),
  row('refused', 'legacy transactions without chain id', 'they are valid on every chain'),
  row('refused', 'blobs', 'a type 3 transaction is signed without them; add them afterwards'),
  row('refused', 'user operations that delegate their sender (0x7702)', 'sign the authorization'),
  row('refused', 'bare hashes, entry points that are not known', 'nobody can say what they do'),
]
