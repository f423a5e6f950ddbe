/**
 * The referee as a process of its own: one JSON request on standard input, one JSON answer on
 * standard output.
 *
 *   {"method":"checkBitcoin","params":{"psbtUnsigned":"…","signedRaw":"…"}}  →  {"result":{…}} or {"error":"…"}
 */
import { text } from 'node:stream/consumers'
import {
  type BitcoinTransfer,
  checkBitcoin,
  checkSolana,
  makeBitcoinPsbt,
  makeSolanaTransfer,
  type SolanaTransfer,
  sampleBlockhash,
  sampleCoins,
  samplePayee,
  sampleRecipient,
} from './index.ts'

/** Whoever runs the referee is the one who asks, so a wrong request only ends in an error answer. */
const METHODS: { readonly [method: string]: (params: never) => unknown } = {
  sampleCoins: (params: { readonly address: string; readonly count?: number }) =>
    sampleCoins(params.address, params.count),
  samplePayee: (params: { readonly address: string }) => samplePayee(params.address),
  makeBitcoinPsbt: (params: BitcoinTransfer) => makeBitcoinPsbt(params),
  checkBitcoin: (params: Parameters<typeof checkBitcoin>[0]) => checkBitcoin(params),
  sampleBlockhash: (params: { readonly address: string }) => sampleBlockhash(params.address),
  sampleRecipient: (params: { readonly address: string }) => sampleRecipient(params.address),
  makeSolanaTransfer: (params: SolanaTransfer) => makeSolanaTransfer(params),
  checkSolana: (params: Parameters<typeof checkSolana>[0]) => checkSolana(params),
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
