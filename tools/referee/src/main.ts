/**
 * The referee as a process of its own: one JSON request on standard input, one JSON answer on
 * standard output.
 *
 *   {"method":"checkBitcoin","params":{"psbtUnsigned":"…","signedRaw":"…"}}  →  {"result":{…}} or {"error":"…"}
 */
import { text } from 'node:stream/consumers'

/** Each method loads only the library that it needs. */
const bitcoin = () => import('./bitcoin.ts')
const p2wpkh = () => import('./bitcoin-p2wpkh.ts')
const older = () => import('./bitcoin-older.ts')
const ethereum = () => import('./ethereum.ts')
const solana = () => import('./solana.ts')

type Bitcoin = typeof import('./bitcoin.ts')
type P2wpkh = typeof import('./bitcoin-p2wpkh.ts')
type Older = typeof import('./bitcoin-older.ts')
type Ethereum = typeof import('./ethereum.ts')
type Solana = typeof import('./solana.ts')
type First<F extends (...given: never) => unknown> = Parameters<F>[0]

/** Whoever runs the referee is the one who asks, so a wrong request only ends in an error answer. */
const METHODS: { readonly [method: string]: (params: never) => Promise<unknown> } = {
  sampleCoins: async (params: { readonly address: string; readonly count?: number }) =>
    (await bitcoin()).sampleCoins(params.address, params.count),
  samplePayee: async (params: { readonly address: string }) =>
    (await bitcoin()).samplePayee(params.address),
  makeBitcoinPsbt: async (params: First<Bitcoin['makeBitcoinPsbt']>) =>
    (await bitcoin()).makeBitcoinPsbt(params),
  checkBitcoin: async (params: First<Bitcoin['checkBitcoin']>) =>
    (await bitcoin()).checkBitcoin(params),
  samplePaidCoins: async (params: { readonly address: string; readonly count?: number }) =>
    (await p2wpkh()).samplePaidCoins(params.address, params.count),
  makeP2wpkhPsbt: async (params: First<P2wpkh['makeP2wpkhPsbt']>) =>
    (await p2wpkh()).makeP2wpkhPsbt(params),
  makeOlderPsbt: async (params: First<Older['makeOlderPsbt']>) =>
    (await older()).makeOlderPsbt(params),
  sampleEthereumPayee: async (params: { readonly address: string }) =>
    (await ethereum()).sampleEthereumPayee(params.address),
  makeEthereumTransfer: async (params: First<Ethereum['makeEthereumTransfer']>) =>
    (await ethereum()).makeEthereumTransfer(params),
  checkEthereum: async (params: First<Ethereum['checkEthereum']>) =>
    (await ethereum()).checkEthereum(params),
  sampleBlockhash: async (params: { readonly address: string }) =>
    (await solana()).sampleBlockhash(params.address),
  sampleRecipient: async (params: { readonly address: string }) =>
    (await solana()).sampleRecipient(params.address),
  makeSolanaTransfer: async (params: First<Solana['makeSolanaTransfer']>) =>
    (await solana()).makeSolanaTransfer(params),
  checkSolana: async (params: First<Solana['checkSolana']>) => (await solana()).checkSolana(params),
}

async function answer(): Promise<object> {
  try {
    const { method, params } = JSON.parse(await text(process.stdin)) as {
      readonly method: string
      readonly params: never
    }
    const run = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined
    if (run === undefined)
      return { error: `no such method; there are ${Object.keys(METHODS).join(', ')}` }
    return { result: await run(params) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : 'failed' }
  }
}

const given = await answer()
process.stdout.write(`${JSON.stringify(given)}\n`)
process.exitCode = 'error' in given ? 1 : 0
