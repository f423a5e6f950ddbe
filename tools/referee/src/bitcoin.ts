/**
 * Bitcoin as an outside party sees it: PSBTs made, and signed transactions judged, with bitcoinjs-lib
 * and libsecp256k1 only. Nothing of the product is imported here, so it cannot agree with its own mistakes.
 */
import { createHash } from 'node:crypto'
import {
  address as addresses,
  crypto,
  initEccLib,
  type Network,
  networks,
  Psbt,
  payments,
  script as scriptTools,
  Transaction,
} from 'bitcoinjs-lib'
import * as secp256k1 from 'tiny-secp256k1'

initEccLib(secp256k1)

const { signature: signatures } = scriptTools

export type SampleCoin = {
  /** As explorers show it. */
  readonly txid: string
  readonly vout: number
  /** Satoshi, decimal. */
  readonly amount: string
}

export type BitcoinTransfer = Payment & {
  /** Where the coins are: the Taproot address of the internal key, without scripts. */
  readonly address: string
  /** Hex, 32 bytes. */
  readonly xOnlyInternalKey: string
  readonly coins: readonly SampleCoin[]
}

/** Who gets what of the coins. */
export type Payment = {
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

/** In hex. */
export type CheckedInput = {
  /** The 32-byte hash that the signature is over. */
  readonly message: string
  /** 64 bytes: of ECDSA r ‖ s. */
  readonly signature: string
  /** The x-only key in the spent output, or the compressed key that hashes to it. */
  readonly publicKey: string
}

export type BitcoinVerdict = {
  readonly isValid: boolean
  readonly reasons: readonly string[]
  readonly txid: string
  readonly inputs: readonly CheckedInput[]
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

const BIP32 = networks.bitcoin.bip32
const LITECOIN: Network = {
  messagePrefix: '\x19Litecoin Signed Message:\n',
  bech32: 'ltc',
  bip32: BIP32,
  pubKeyHash: 0x30,
  scriptHash: 0x32,
  wif: 0xb0,
}
const DOGECOIN: Network = {
  messagePrefix: '\x19Dogecoin Signed Message:\n',
  bech32: 'none',
  bip32: BIP32,
  pubKeyHash: 0x1e,
  scriptHash: 0x16,
  wif: 0x9e,
}

const PREFIXES: readonly (readonly [RegExp, Network])[] = [
  [/^bcrt1/, networks.regtest],
  [/^(bc1|[13])/, networks.bitcoin],
  [/^(tb1|[2mn])/, networks.testnet],
  [/^(ltc1|[LM])/, LITECOIN],
  [/^[D9A]/, DOGECOIN],
]

/** Test networks share the prefixes of their older addresses. */
export function networkOf(address: string): Network {
  const found = PREFIXES.find(([prefix]) => prefix.test(address))
  if (found === undefined) throw new Error('an address of no network known here')
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
  const network = networkOf(address)
  return network === DOGECOIN
    ? addresses.toBase58Check(hash, network.pubKeyHash)
    : addresses.toBech32(hash, 0, network.bech32)
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
  const psbt = new Psbt({ network })
  for (const { txid, vout, amount } of transfer.coins)
    psbt.addInput({
      hash: txid,
      index: vout,
      witnessUtxo: { script: output, value: BigInt(amount) },
      tapInternalKey: internalPubkey,
    })
  return pay(psbt, network, transfer, transfer.coins, INPUT_VBYTES)
}

/** Adds the outputs: what is paid, and the rest less the fee. `inputVbytes` is what each coin takes up. */
export function pay(
  psbt: Psbt,
  network: Network,
  { to, change, amount, feeRate }: Payment,
  coins: readonly SampleCoin[],
  inputVbytes: number,
): MadePsbt {
  const scripts = [to, change].map((each) => addresses.toOutputScript(each, network))
  const vbytes =
    OVERHEAD_VBYTES +
    inputVbytes * coins.length +
    scripts.reduce((sum, script) => sum + 9 + script.length, 0)
  const fee = BigInt(Math.ceil(vbytes * feeRate))
  const available = coins.reduce((sum, coin) => sum + BigInt(coin.amount), 0n)
  const rest = available - BigInt(amount) - fee
  if (rest < 0n) throw new Error('the coins do not cover amount and fee')
  psbt.addOutput({ script: scripts[0]!, value: BigInt(amount) })
  psbt.addOutput({ script: scripts[1]!, value: rest })
  return { psbt: psbt.toHex(), fee: String(fee), changeAmount: String(rest) }
}

/**
 * Whether `signedRaw` spends exactly what `psbtUnsigned` says, to exactly the same outputs, with a
 * valid signature for every input under the key in the output that it spends: Schnorr for Taproot,
 * ECDSA with low s for P2WPKH, the same within P2SH, and P2PKH. Both in hex.
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

  const spent = psbt.data.inputs.map(({ witnessUtxo, nonWitnessUtxo }, i) =>
    nonWitnessUtxo === undefined
      ? witnessUtxo
      : Transaction.fromBuffer(nonWitnessUtxo).outs[psbt.txInputs[i]!.index],
  )
  const scripts = spent.map((utxo) => utxo?.script ?? new Uint8Array(0))
  const values = spent.map((utxo) => utxo?.value ?? 0n)
  const inputs = signed.ins.flatMap((_, i): readonly CheckedInput[] => {
    const kind = KINDS[scripts[i]?.length ?? 0] ?? TAPROOT
    const checked = kind.check(signed, i, scripts, values)
    if (checked === undefined) {
      reasons.push(`input ${i} is not a ${kind.name} key spend`)
      return []
    }
    const { message, signature, publicKey, isValid } = checked
    if (!isValid) reasons.push(`the signature of input ${i} does not verify`)
    return [{ message: hex(message), signature: hex(signature), publicKey: hex(publicKey) }]
  })
  return { isValid: reasons.length === 0, reasons, txid: signed.getId(), inputs }
}

type Checked = {
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly publicKey: Uint8Array
  readonly isValid: boolean
}
type SpendKind = {
  readonly name: string
  /** `undefined` for an input that is not of this kind. */
  check(tx: Transaction, i: number, scripts: Uint8Array[], values: bigint[]): Checked | undefined
}

const TAPROOT: SpendKind = {
  name: 'Taproot',
  check(tx, i, scripts, values) {
    const { witness, script } = tx.ins[i]!
    const [witnessed] = witness
    const key = scripts[i]
    if (witness.length !== 1 || witnessed === undefined || script.length > 0 || key?.length !== 34)
      return undefined
    const type = witnessed.length === 65 ? witnessed[64]! : Transaction.SIGHASH_DEFAULT
    const message = tx.hashForWitnessV1(i, scripts, values, type)
    const signature = witnessed.subarray(0, 64)
    const publicKey = key.subarray(2)
    const isValid =
      signature.length === 64 && secp256k1.verifySchnorr(message, publicKey, signature)
    return { message, signature, publicKey, isValid }
  },
}

/** ECDSA under the key that hashes to `keyHash`, with a message made by `hash`. */
function checkEcdsa(
  written: Uint8Array | undefined,
  publicKey: Uint8Array | undefined,
  keyHash: Uint8Array,
  hash: (scriptCode: Uint8Array, type: number) => Uint8Array,
): Checked | undefined {
  if (written === undefined || publicKey === undefined) return undefined
  const { signature, hashType } = signatures.decode(written)
  const message = hash(payments.p2pkh({ hash: keyHash }).output!, hashType)
  const isValid =
    hashType === Transaction.SIGHASH_ALL &&
    hex(crypto.hash160(publicKey)) === hex(keyHash) &&
    secp256k1.verify(message, publicKey, signature, true)
  return { message, signature, publicKey, isValid }
}

const P2WPKH: SpendKind = {
  name: 'P2WPKH',
  check(tx, i, scripts, values) {
    const { witness, script } = tx.ins[i]!
    const [written, publicKey, ...more] = witness
    if (script.length > 0 || more.length > 0) return undefined
    return checkEcdsa(written, publicKey, scripts[i]!.subarray(2), (code, type) =>
      tx.hashForWitnessV0(i, code, values[i]!, type),
    )
  },
}

const NESTED: SpendKind = {
  name: 'P2SH-P2WPKH',
  check(tx, i, scripts, values) {
    const { witness, script } = tx.ins[i]!
    const [written, publicKey, ...more] = witness
    const redeem = script.subarray(1)
    const isProgram = script.length === 23 && hex(script).startsWith('160014')
    const isOurs = hex(crypto.hash160(redeem)) === hex(scripts[i]!.subarray(2, 22))
    if (!isProgram || !isOurs || more.length > 0) return undefined
    return checkEcdsa(written, publicKey, redeem.subarray(2), (code, type) =>
      tx.hashForWitnessV0(i, code, values[i]!, type),
    )
  },
}

const P2PKH: SpendKind = {
  name: 'P2PKH',
  check(tx, i, scripts) {
    const { witness, script } = tx.ins[i]!
    const [written, publicKey, ...more] = scriptTools.decompile(script) ?? []
    if (witness.length > 0 || more.length > 0) return undefined
    if (typeof written === 'number' || typeof publicKey === 'number') return undefined
    return checkEcdsa(written, publicKey, scripts[i]!.subarray(3, 23), (code, type) =>
      tx.hashForSignature(i, code, type),
    )
  },
}

/** By the length of the output script. */
const KINDS: { readonly [length: number]: SpendKind } = { 22: P2WPKH, 23: NESTED, 25: P2PKH }
