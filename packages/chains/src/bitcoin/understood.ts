/** Which transactions of the Bitcoin family are understood in full, in part, or refused; the documentation is made from it. */
import type { Understanding } from '../understanding.ts'

export const bitcoinUnderstood: readonly Understanding[] = [
  {
    type: 'PSBT version 0 and version 2',
    understood: 'full',
    remark: 'comes back in the version and the order that it came in',
  },
  {
    type: 'P2TR by key path',
    understood: 'full',
    remark:
      'Bitcoin, Litecoin; wallets of Schnorr keys. With a script root it says that a script could spend, too',
  },
  {
    type: 'P2WPKH, P2SH-P2WPKH, P2PKH',
    understood: 'full',
    remark:
      'wallets of ECDSA keys, at all three addresses; only P2PKH on Dogecoin and Bitcoin Cash. Each own input needs its whole previous transaction',
  },
  {
    type: 'Inputs of others beside our own',
    understood: 'part',
    remark:
      'named and warned of. Of ECDSA wallets the fee is claimed where such an input comes without its previous transaction',
  },
  {
    type: 'Outputs: P2PKH, P2SH, P2WPKH, P2WSH, P2TR, pay to anchor; on Bitcoin Cash P2PKH, P2SH, P2SH32',
    understood: 'full',
    remark: 'change is what goes exactly to an address of the wallet',
  },
  {
    type: 'Data outputs (OP_RETURN)',
    understood: 'full',
    remark:
      'shown in hex; what others read in it, such as tokens, is not; a warning if it holds money',
  },
  {
    type: 'Other output scripts: bare keys and multisignature, later witness versions, CashTokens, MWEB',
    understood: 'not',
    remark: 'shown as script: and hex, with a warning',
  },
  {
    type: 'Replacement (BIP-125), lock times (BIP-65), relative locks (BIP-68)',
    understood: 'full',
    remark: '',
  },
  {
    type: 'Spending by script: multisignature, Taproot leaves',
    understood: 'refused',
    remark: 'inputs of others may do so',
  },
  {
    type: 'Signature types other than ALL, Taproot’s DEFAULT, and ALL with FORKID on Bitcoin Cash',
    understood: 'refused',
    remark: 'they leave inputs or outputs open',
  },
  {
    type: 'Previous transactions with an MWEB part',
    understood: 'refused',
    remark: 'Litecoin: give them without it; the id is the same',
  },
  {
    type: 'Signed messages (BIP-322)',
    understood: 'refused',
    remark: '',
  },
]
