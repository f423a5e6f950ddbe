/**
 * P2WPKH: segwit version 0, ECDSA (BIP-141, BIP-143, BIP-84 addresses without their derivation).
 *
 * A segwit v0 signature commits to the amount of its own input only. Whoever makes the PSBT could lie
 * about the other amounts in two PSBTs in turn, and put a transaction with an enormous fee together from
 * one signature of each. So each own input must bring the whole transaction that it spends, whose id the
 * signature does cover; and where an input of others does not, the fee is but a claim.
 *
 * SIGHASH_ALL only: other types leave inputs or outputs open.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, Fault, toHex } from '@quorate/base'
import { SigHash } from '@scure/btc-signer'
import type { TransactionInput } from '@scure/btc-signer/psbt.js'
import type { KeyRef } from '../adapter.ts'
import { compressedKey, ECDSA_SUITES, recoverKeys, recoveryIdOf, verifyEcdsa } from '../ecdsa.ts'
import { preimagesOf, signedMessage } from './bip143.ts'
import type { AddressForm, OwnCoin, Spender } from './form.ts'
import { refuse } from './script.ts'

const SCHEME = 'ecdsa-secp256k1'
const HASH = 'sha256d'
/** With count and lengths: a low-S signature in DER takes up to 71 bytes, its type one more, the key 33. */
const MAX_WITNESS_BYTES = 1 + (1 + 72) + (1 + 33)

const hash160 = (publicKey: Uint8Array): Uint8Array => ripemd160(sha256(publicKey))

/** OP_0 and a push of the key's hash. */
const witnessScript = (keyHash: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(0x00, 0x14), keyHash)

/** BIP-143: that of P2PKH. */
const scriptCode = (keyHash: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(0x76, 0xa9, 0x14), keyHash, Uint8Array.of(0x88, 0xac))

const walletKey = (key: KeyRef): Uint8Array => compressedKey(key, SCHEME)

export const P2WPKH: AddressForm = {
  scheme: SCHEME,
  suites: ECDSA_SUITES,
  spender: (key) => witnessSpender(walletKey(key)),
  addressItem: (key, message) => ({
    id: 'address',
    scheme: SCHEME,
    publicKey: walletKey(key),
    message: signedMessage(message),
    hash: HASH,
  }),
  addressKey() {
    throw new Fault('chains/no-key-in-address')
  },
  addressVerifier: (address) =>
    address.type === 'wpkh'
      ? (message, signature) =>
          recoverKeys(HASH, message, signature).some(({ publicKey }) =>
            equalBytes(hash160(publicKey), address.hash),
          )
      : undefined,
  verifySignature: (publicKey, message, signature) =>
    verifyEcdsa(publicKey, HASH, message, signature),
}

function witnessSpender(publicKey: Uint8Array): Spender {
  const keyHash = hash160(publicKey)
  const script = witnessScript(keyHash)
  return {
    script,
    covered: ['sighashType'],
    commitsToAllCoins: false,
    isSizeExact: false,
    own: (input, spent, i) => ownCoin(input, equalBytes(spent, script), i, publicKey),
    items(tx, coins) {
      const preimage = preimagesOf(tx)
      const code = scriptCode(keyHash)
      return new Map(
        coins.flatMap(({ own, amount }, i) => {
          if (own === undefined) return []
          const message = preimage(i, code, amount)
          return [
            [i, { id: `input-${i}`, scheme: SCHEME, publicKey, message, hash: HASH }] as const,
          ]
        }),
      )
    },
    witnessBytes: () => MAX_WITNESS_BYTES,
    flawOf({ message }, signature) {
      const id = recoveryIdOf(publicKey, HASH, message, signature)
      return typeof id === 'string' ? id : undefined
    },
    place: (_, signature) => ({ partialSig: [[publicKey, encodeDer(signature)]] }),
    read: (_, input) => readSignature(input, publicKey),
  }
}

function ownCoin(
  input: TransactionInput,
  isOurs: boolean,
  i: number,
  publicKey: Uint8Array,
): OwnCoin | undefined {
  const { bip32Derivation, redeemScript, witnessScript: script, partialSig } = input
  if (!isOurs) {
    if (bip32Derivation?.some(([key]) => equalBytes(key, publicKey)))
      refuse('chains/key-mismatch', `input ${i}`)
    if (script !== undefined && toHex(script).includes(toHex(publicKey)))
      refuse('chains/script-path', `input ${i}`)
    return undefined
  }
  if (redeemScript !== undefined || script !== undefined) refuse('chains/script-path', `input ${i}`)
  if (input.witnessUtxo === undefined) refuse('chains/missing-utxo', `input ${i}`)
  if (input.nonWitnessUtxo === undefined)
    refuse('chains/missing-previous-transaction', `input ${i}`)
  const type = input.sighashType ?? SigHash.ALL
  if (type !== SigHash.ALL) return refuse('chains/sighash-type', `input ${i} asks for type ${type}`)
  if (partialSig !== undefined) refuse('chains/already-signed', `input ${i}`)
  return { publicKey, merkleRoot: undefined, type }
}

/** DER (SEC 1 §C.5) and the type byte, as they stand in a witness. */
const encodeDer = (signature: Uint8Array): Uint8Array =>
  concatBytes(
    secp256k1.Signature.fromBytes(signature, 'compact').toBytes('der'),
    Uint8Array.of(SigHash.ALL),
  )

function readSignature(
  { finalScriptSig, finalScriptWitness, partialSig }: TransactionInput,
  publicKey: Uint8Array,
): Uint8Array | undefined {
  const ours = partialSig?.find(([key]) => equalBytes(key, publicKey))
  const [found, key, ...more] = finalScriptWitness ?? ours?.toReversed() ?? []
  if (found === undefined) return undefined
  const hasRightForm =
    more.length === 0 &&
    key !== undefined &&
    equalBytes(key, publicKey) &&
    (finalScriptSig ?? []).length === 0
  const signature = hasRightForm ? decodeDer(found) : undefined
  return signature ?? new Uint8Array(0)
}

/** The 64 bytes of what `encodeDer` has written; `undefined` for anything else. */
function decodeDer(found: Uint8Array): Uint8Array | undefined {
  try {
    const signature = secp256k1.Signature.fromBytes(found.slice(0, -1), 'der').toBytes('compact')
    return equalBytes(encodeDer(signature), found) ? signature : undefined
  } catch {
    return undefined
  }
}
