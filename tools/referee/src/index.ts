export {
  type BitcoinTransfer,
  type BitcoinVerdict,
  type CheckedInput,
  checkBitcoin,
  type MadePsbt,
  makeBitcoinPsbt,
  type SampleCoin,
  sampleCoins,
  samplePayee,
} from './bitcoin.ts'
export {
  checkSolana,
  makeSolanaTransfer,
  type SolanaTransfer,
  type SolanaVerdict,
  sampleBlockhash,
  sampleRecipient,
} from './solana.ts'
