/**
 * Bitcoin as an outside party sees it: PSBTs made, and signed transactions judged, with bitcoinjs-lib
 * and libsecp256k1 only. Nothing of the product is imported here, so it cannot agree with its own mistakes.
 */
import { createHash } from 'node:crypto'
import {
  address as addresses,
  initEccLib,
  type Network,
  networks,
  Psbt,
  payments,
  Transaction,
} from 'bitcoinjs-lib'
import * as secp256k1 from 'tiny-secp256k1'

initEccLib(secp256k1)

export type SampleCoin = {
  /** As explorers show it. */
  readonly txid: string
  readonly vout: number
  /** Satoshi, decimal. */
  readonly amount: string
}

export type BitcoinTransfer = {
  /** Where the coins are: the Taproot address of the internal key, without scripts. */
  readonly address: string
  /** Hex, 32 bytes. */
  readonly xOnlyInternalKey: string
  readonly coins: readonly SampleCoin[]
  readonly to: string
  /** Satoshi, decimal. */
  readonly amount: string
  /** Satoshi per virtual byte; fractions allowed. */
  readonly feeRate: number
  readonly change: string
}

export type MadePsbt = {
  /** Hex. */
  readonly psbt: string
  /** Satoshi, decimal. */
  readonly fee: string
  readonly changeAmount: string
}

export type CheckedInput = {
  readonly message: string
  readonly signature: string
  /** The x-only key in the spent output. */
  readonly publicKey: string
}

export type BitcoinVerdict = {
  readonly isValid: boolean
  readonly reasons: readonly string[]
  readonly txid: string
  readonly inputs: readonly CheckedInput[]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

const PREFIXES: readonly (readonly [string, Network])[] = [
  ['bcrt1', networks.regtest],
  ['bc1', networks.bitcoin],
  ['tb1', networks.testnet],
]

function networkOf(address: string): Network {
  const found = PREFIXES.find(([prefix]) => address.startsWith(prefix))
  if (found === undefined) throw new Error('not a bech32 address')
  return found[1]
}

/**
 * Coins that nobody ever sent: valid in form and always the same for one address, so that a wallet
 * can sign a realistic transaction before it owns anything. 20 000 to 120 000 satoshi each.
 */
export function sampleCoins(address: string, count = 3): readonly SampleCoin[] {
  return Array.from({ length: count }, (_, i) => {
    const seed = createHash('sha256').update(`sample coin ${i} of ${address}`).digest()
    return {
      txid: seed.toString('hex'),
      vout: seed[0]! % 4,
      amount: String(20_000 + (seed.readUInt32BE(4) % 100_000)),
    }
  })
}

/** A second address of the same network that nobody holds the key of, to pay to in samples. */
export function samplePayee(address: string): string {
  const hash = createHash('sha256').update(`sample payee of ${address}`).digest().subarray(0, 20)
  return addresses.toBech32(hash, 0, networkOf(address).bech32)
}

const INPUT_VBYTES = 57.5
const OVERHEAD_VBYTES = 10.5

/** A PSBT that spends all `coins` to one payee and sends the rest, less the fee, back. */
export function makeBitcoinPsbt(transfer: BitcoinTransfer): MadePsbt {
  const network = networkOf(transfer.address)
  const internalPubkey = unhex(transfer.xOnlyInternalKey)
  const { output, address } = payments.p2tr({ internalPubkey, network })
  if (output === undefined || address !== transfer.address)
    throw new Error('the address is not that of the internal key')
  const scripts = [transfer.to, transfer.change].map((each) =>
    addresses.toOutputScript(each, network),
  )
  const vbytes =
    OVERHEAD_VBYTES +
    INPUT_VBYTES * transfer.coins.length +
    scripts.reduce((sum, script) => sum + 9 + script.length, 0)
  const fee = BigInt(Math.ceil(vbytes * transfer.feeRate))
  const available = transfer.coins.reduce((sum, { amount }) => sum + BigInt(amount), 0n)
  const change = available - BigInt(transfer.amount) - fee
  if (change < 0n) throw new Error('the coins do not cover amount and fee')

  const psbt = new Psbt({ network })
  for (const { txid, vout, amount } of transfer.coins)
    psbt.addInput({
      hash: txid,
      index: vout,
      witnessUtxo: { script: output, value: BigInt(amount) },
      tapInternalKey: internalPubkey,
    })
  psbt.addOutput({ script: scripts[0]!, value: BigInt(transfer.amount) })
  psbt.addOutput({ script: scripts[1]!, value: change })
  return { psbt: psbt.toHex(), fee: String(fee), changeAmount: String(change) }
}

/**
 * Whether `signedRaw` spends exactly what `psbtUnsigned` says, to exactly the same outputs, with a
 * valid Schnorr signature for every input under the key in the output that it spends. Both in hex.
 */
export function checkBitcoin(given: {
  readonly psbtUnsigned: string
  readonly signedRaw: string
}): BitcoinVerdict {
  const psbt = Psbt.fromHex(given.psbtUnsigned)
  const signed = Transaction.fromHex(given.signedRaw)
  const reasons: string[] = []
  const bare = signed.clone()
  for (const input of bare.ins) {
    input.witness = []
    input.script = new Uint8Array(0)
  }
  const wanted = psbt.data.globalMap.unsignedTx.toBuffer()
  if (hex(bare.toBuffer()) !== hex(wanted))
    reasons.push('it is another transaction than that of the PSBT')

  const spent = psbt.data.inputs.map(({ witnessUtxo }) => witnessUtxo)
  const scripts = spent.map((utxo) => utxo?.script ?? new Uint8Array(0))
  const values = spent.map((utxo) => utxo?.value ?? 0n)
  const inputs = signed.ins.flatMap(({ witness, script }, i): readonly CheckedInput[] => {
    const [witnessed] = witness
    const key = scripts[i]
    if (
      witness.length !== 1 ||
      witnessed === undefined ||
      script.length > 0 ||
      key?.length !== 34
    ) {
      reasons.push(`input ${i} is not a Taproot key spend`)
      return []
    }
    const type = witnessed.length === 65 ? witnessed[64]! : Transaction.SIGHASH_DEFAULT
    const message = signed.hashForWitnessV1(i, scripts, values, type)
    const signature = witnessed.subarray(0, 64)
    const publicKey = key.subarray(2)
    if (signature.length !== 64 || !secp256k1.verifySchnorr(message, publicKey, signature))
      reasons.push(`the signature of input ${i} does not verify`)
    return [{ message: hex(message), signature: hex(signature), publicKey: hex(publicKey) }]
  })
  return { isValid: reasons.length === 0, reasons, txid: signed.getId(), inputs }
}
