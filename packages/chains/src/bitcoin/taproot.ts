/**
 * Taproot, key path only (BIP-340, BIP-341, BIP-86).
 *
 * A Taproot signature commits to the amounts and scripts of *all* inputs (BIP-341), so with
 * SIGHASH_DEFAULT or SIGHASH_ALL nothing that the PSBT says is a mere claim: were a previous output
 * other than it says, the signature would be worthless. Both types cover the same things and ALL
 * costs one byte more; every other type leaves inputs or outputs open and is refused.
 */
import { schnorr } from '@noble/curves/secp256k1.js'
import { concatBytes, equalBytes, Fault, toHex } from '@quorate/base'
import { SigHash } from '@scure/btc-signer'
import type { TransactionInput } from '@scure/btc-signer/psbt.js'
import type { KeyRef, SignItem } from '../adapter.ts'
import { compressedKey } from '../ecdsa.ts'
import type { AddressForm, OwnCoin, SignatureType, Spender } from './form.ts'
import { refuse, taprootScript, tweakedKey } from './script.ts'

const SCHEME = 'bip340-secp256k1'

/** Whether `signature` (64 bytes) verifies as BIP-340 says. Never throws. */
function verifySchnorr(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  return schnorr.verify(signature, message, publicKey)
}

/** A wallet's key, checked and tweaked once. */
type TaprootKey = {
  /** The untweaked key, x-only, 32 bytes. */
  readonly internalKey: Uint8Array
  /** The key of the plain address, without scripts: x-only, 32 bytes. */
  readonly outputKey: Uint8Array
}

function taprootKey(key: KeyRef): TaprootKey {
  const internalKey = compressedKey(key, SCHEME).slice(1)
  return { internalKey, outputKey: tweakedKey(internalKey) }
}

export const TAPROOT: AddressForm = {
  scheme: SCHEME,
  suites: ['FROST-secp256k1-SHA256-TR-v1'],
  spender: (key) => taprootSpender(taprootKey(key)),
  addressItem: (key, message) => ({
    id: 'address',
    scheme: SCHEME,
    publicKey: taprootKey(key).outputKey,
    message,
    tweak: { kind: 'taproot' },
  }),
  addressKey(address) {
    if (address.type !== 'tr') throw new Fault('chains/no-key-in-address')
    return address.pubkey
  },
  addressVerifier: (address) =>
    address.type === 'tr'
      ? (message, signature) => verifySchnorr(address.pubkey, message, signature)
      : undefined,
  verifySignature: verifySchnorr,
}

const taprootSpender = (key: TaprootKey): Spender => ({
  script: taprootScript(key.outputKey),
  covered: ['tapInternalKey', 'tapMerkleRoot', 'sighashType'],
  commitsToAllCoins: true,
  isSizeExact: true,
  own: (input, script, i) => ownCoin(input, script, i, key),
  items(tx, coins) {
    const scripts = coins.map(({ script }) => script)
    const amounts = coins.map(({ amount }) => amount)
    return new Map(
      coins.flatMap(({ own }, i) =>
        own === undefined
          ? []
          : [[i, itemFor(own, i, tx.preimageWitnessV1(i, scripts, own.type, amounts))] as const],
      ),
    )
  },
  witnessBytes: ({ type }) => 2 + (type === SigHash.DEFAULT ? 64 : 65),
  flawOf: ({ publicKey, message }, signature) =>
    verifySchnorr(publicKey, message, signature)
      ? undefined
      : 'it is not one of this key over this message',
  place: ({ type }, signature) => ({ tapKeySig: withType(signature, type) }),
  read({ type }, { finalScriptSig, finalScriptWitness, tapKeySig }) {
    const found = finalScriptWitness?.length === 1 ? finalScriptWitness[0] : tapKeySig
    if (found === undefined) return undefined
    const signature = found.slice(0, 64)
    const isExact =
      (finalScriptSig ?? []).length === 0 && equalBytes(withType(signature, type), found)
    return isExact ? signature : new Uint8Array(0)
  },
})

const itemFor = ({ publicKey, merkleRoot }: OwnCoin, i: number, message: Uint8Array): SignItem => ({
  id: `input-${i}`,
  scheme: SCHEME,
  publicKey,
  message,
  tweak: merkleRoot === undefined ? { kind: 'taproot' } : { kind: 'taproot', merkleRoot },
})

/** BIP-341: the type byte follows the signature unless it is SIGHASH_DEFAULT. */
const withType = (signature: Uint8Array, type: SignatureType): Uint8Array =>
  type === SigHash.DEFAULT ? signature : concatBytes(signature, Uint8Array.of(type))

function ownCoin(
  input: TransactionInput,
  script: Uint8Array,
  i: number,
  { internalKey, outputKey: plainKey }: TaprootKey,
): OwnCoin | undefined {
  const merkleRoot = input.tapMerkleRoot
  const outputKey = merkleRoot === undefined ? plainKey : tweakedKey(internalKey, merkleRoot)
  const namesUs =
    input.tapInternalKey !== undefined && equalBytes(input.tapInternalKey, internalKey)
  if (!equalBytes(script, taprootScript(outputKey))) {
    if (namesUs) refuse('chains/key-mismatch', `input ${i}`)
    if (input.tapLeafScript?.some(([, leaf]) => includes(leaf, internalKey)))
      refuse('chains/script-path', `input ${i}`)
    return undefined
  }
  if (input.tapInternalKey !== undefined && !namesUs) refuse('chains/key-mismatch', `input ${i}`)
  if (input.tapLeafScript !== undefined || input.tapScriptSig !== undefined)
    refuse('chains/script-path', `input ${i}`)
  const type = input.sighashType ?? SigHash.DEFAULT
  if (type !== SigHash.DEFAULT && type !== SigHash.ALL)
    return refuse('chains/sighash-type', `input ${i} asks for type ${type}`)
  if (input.tapKeySig !== undefined) refuse('chains/already-signed', `input ${i}`)
  return { publicKey: outputKey, merkleRoot, type }
}

const includes = (haystack: Uint8Array, needle: Uint8Array): boolean =>
  toHex(haystack).includes(toHex(needle))
