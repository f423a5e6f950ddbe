import { type ErrorEntry, invalid, notFound } from './entry.ts'

export const chainsErrors = {
  'chains/unknown-network': notFound([
    'there is no network of that name',
    'Use a slug or a CAIP-2 id from `quorate networks`.',
  ]),
  'chains/unsupported-suite': invalid([
    'keys of that signing suite are of no use on this network',
    'Create the wallet with a suite that the network supports.',
  ]),
  'chains/bad-address': invalid([
    'the address is not valid on this network',
    'Copy the whole address again; a single wrong character breaks its checksum.',
  ]),
  'chains/unknown-token': invalid([
    'this network has no token of that symbol in our own table',
    'Give the address of the contract of the token.',
  ]),
  'chains/wrong-network': invalid([
    'the address belongs to another network',
    'Ask for an address of the network of this wallet, or use a wallet of that network.',
  ]),
  'chains/no-key-in-address': invalid([
    'the address does not say which key signs for it',
    'Use an address that wallets of this network have: Taproot (bc1p…), P2WPKH (bc1q…), 0x…, or Solana.',
  ]),
  'chains/address-unproven': invalid(
    [
      'the signature does not verify under the key of the address',
      'Do not send anything to this address; create the wallet again.',
    ],
    400,
    6,
  ),
  'chains/bad-key': invalid([
    'the public key is not one that this network can use',
    'Give the untweaked group key: 33 compressed bytes for secp256k1, 32 bytes for Ed25519.',
  ]),
  'chains/wrong-scheme': invalid([
    'the key belongs to another signature scheme than the network asks for',
    'Use a wallet that was created for this network.',
  ]),
  'chains/unexpected-context': invalid([
    'context was given, but transactions of this network need none',
    'Leave the context out.',
  ]),
  'chains/bad-context': invalid([
    'the context is malformed or does not fit the transaction',
    'Give exactly what the transaction leaves open, in the form of the network: on Solana the accounts that its tables load, in their order; on Ethereum symbols and decimals of tokens.',
  ]),
  'chains/malformed-transaction': invalid([
    'the bytes are not an unsigned transaction of this network',
    'Bitcoin takes a binary PSBT; Solana an unsigned wire transaction or a version 0 message; Ethereum the unsigned payload of a transaction, a personal message as EIP-191 frames it, or typed data and user operations as JSON.',
  ]),
  'chains/unsupported-version': invalid([
    'the transaction has a version that is not supported',
    'Use version 0 or legacy messages on Solana, PSBT version 0 or 2 on Bitcoin, and on Ethereum a transaction type and an entry point that the network has.',
  ]),
  'chains/not-canonical': invalid([
    'the transaction is not written in the one form this program would write it in',
    'Write it again with a current wallet or library: keys in order, lengths in their shortest form.',
  ]),
  'chains/transaction-too-large': invalid(
    [
      'the transaction is larger than the network or this program relays',
      'Split it into several transactions.',
    ],
    413,
  ),
  'chains/missing-utxo': invalid([
    'an input does not say which amount and script it spends',
    'Add PSBT_IN_WITNESS_UTXO or PSBT_IN_NON_WITNESS_UTXO to every input, also to those of others.',
  ]),
  'chains/missing-previous-transaction': invalid([
    'an input of this wallet comes without the whole transaction that it spends',
    'Add PSBT_IN_NON_WITNESS_UTXO to it: without the whole transaction the fee could be made to look smaller than it is.',
  ]),
  'chains/other-chain': invalid([
    'the transaction is for another network',
    'Set the chain id of the network of this wallet, or use a wallet of that network.',
  ]),
  'chains/bad-gas': invalid([
    'the gas or fee fields are out of range or contradict each other',
    'Give at least 21000 gas, and a priority fee that is no higher than the maximum fee.',
  ]),
  'chains/insufficient-funds': invalid([
    'the coins do not cover the amount and the fee',
    'Give more coins, or lower the amount or the fee rate.',
  ]),
  'chains/dust': invalid([
    'an amount is so small that nodes will not relay it',
    'Send more, or nothing.',
  ]),
  'chains/bad-fee-rate': invalid([
    'the fee rate is not a number above zero',
    'Give smallest units for each virtual byte, such as 2.5.',
  ]),
  'chains/duplicate-input': invalid([
    'the same coin is spent twice',
    'Build the transaction again with each coin once.',
  ]),
  'chains/bad-amount': invalid([
    'an amount is negative or more than there will ever be',
    'Check the amounts of coins and outputs.',
  ]),
  'chains/negative-fee': invalid([
    'the outputs are worth more than the inputs',
    'Lower an output or add a coin.',
  ]),
  'chains/not-our-key': invalid([
    'the transaction needs no signature of this wallet',
    'Check that you chose the right wallet and network.',
  ]),
  'chains/key-mismatch': invalid([
    'an input names the key of this wallet, but its coin belongs to another script',
    'Check the internal key and the script root of that input against the wallet.',
  ]),
  'chains/script-path': invalid([
    'an input asks for a spend by script; this wallet spends by key',
    'Remove the scripts and their signatures; for a Taproot coin with a script tree give PSBT_IN_TAP_MERKLE_ROOT.',
  ]),
  'chains/sighash-type': invalid([
    'an input asks for a signature that leaves parts of the transaction open',
    'Use SIGHASH_ALL, SIGHASH_DEFAULT for Taproot, or on Bitcoin Cash SIGHASH_ALL with SIGHASH_FORKID.',
  ]),
  'chains/already-signed': invalid([
    'the place of the signature of this wallet is already taken',
    'Give the transaction as it was before it was signed.',
  ]),
  'chains/missing-signature': invalid(
    ['a signature is missing', 'Sign every item that the transaction asks for.'],
    400,
    6,
  ),
  'chains/bad-signature': invalid(
    [
      'a signature does not verify',
      'Sign exactly the given message with the given key, tweak included; for ECDSA with s in the lower half.',
    ],
    400,
    6,
  ),
  'chains/others-unsigned': invalid([
    'inputs of others are not signed yet, so there is no final transaction',
    'Ask for the signed PSBT, pass it on to the other signers, and let the last one finish it.',
  ]),
  'chains/unknown-format': invalid([
    'signed transactions of this network cannot be written in that format',
    'Use `raw`, or `psbt` on Bitcoin.',
  ]),
} as const satisfies Record<string, ErrorEntry>
