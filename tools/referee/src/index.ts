export {
  type BitcoinTransfer,
  type BitcoinVerdict,
  type CheckedInput,
  checkBitcoin,
  type MadePsbt,
  makeBitcoinPsbt,
  type Payment,
  type SampleCoin,
  sampleCoins,
  samplePayee,
} from './bitcoin.ts'
export { makeOlderPsbt, olderAddresses } from './bitcoin-older.ts'
export {
  makeP2wpkhPsbt,
  type P2wpkhTransfer,
  type PaidCoin,
  samplePaidCoins,
} from './bitcoin-p2wpkh.ts'
export {
  checkEthereum,
  type EthereumTransfer,
  type EthereumVerdict,
  makeEthereumTransfer,
  sampleEthereumPayee,
} from './ethereum.ts'
export {
  checkSolana,
  makeSolanaTransfer,
  type SolanaTransfer,
  type SolanaVerdict,
  sampleBlockhash,
  sampleRecipient,
} from './solana.ts'
