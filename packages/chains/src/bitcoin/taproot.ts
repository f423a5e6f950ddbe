/**
 * Taproot wallets, key path only (BIP-340, BIP-341, BIP-86).
 *
 * A Taproot signature commits to the amounts and scripts of *all* inputs (BIP-341), so with
 * SIGHASH_DEFAULT or SIGHASH_ALL nothing that the PSBT says is a mere claim: were a previous output
 * other than it says, the signature would be worthless. Both types cover the same things and ALL
 * costs one byte more; every other type leaves inputs or outputs open and is refused.
 */
import { schnorr } from '@noble/curves/secp256k1.js'
import { concatBytes, equalBytes, Fault, toHex } from '@quorate/base'
import type { KeyRef } from '../adapter.ts'
import { compressedKey } from '../ecdsa.ts'
import type { OwnCoin, WalletKind } from './form.ts'
import { INPUT, u32Of } from './psbt-fields.ts'
import { entriesIn, entryOf, type PsbtMap, valueIn } from './psbt-maps.ts'
import { scriptOf, standardScript, tweakedKey } from './script.ts'

const SCHEME = 'bip340-secp256k1'
const DEFAULT = 0x00
const ALL = 0x01
/** The fixed fields of BIP-341 are hashed before they are signed. */
const MESSAGE_BYTES = 32

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

/** The key in a Taproot output; `undefined` for any other. */
function outputKeyOf(script: Uint8Array): Uint8Array | undefined {
  const standard = standardScript(script)
  return standard?.kind === 'p2tr' ? standard.payload : undefined
}

export const TAPROOT: WalletKind = {
  scheme: SCHEME,
  suites: ['FROST-secp256k1-SHA256-TR-v1'],
  spender(key) {
    const ours = taprootKey(key)
    return {
      scripts: [{ form: 'p2tr', script: scriptOf('p2tr', ours.outputKey) }],
      covered: [INPUT.tapInternalKey, INPUT.tapMerkleRoot, INPUT.sighashType],
      commitsToAllCoins: true,
      isSizeExact: true,
      own: (map, script, i) => ownInput(map, script, i, ours),
    }
  },
  addressItem: (key, message) => ({
    id: 'address',
    scheme: SCHEME,
    publicKey: taprootKey(key).outputKey,
    message,
    tweak: { kind: 'taproot' },
  }),
  addressKey(script) {
    const key = outputKeyOf(script)
    if (key === undefined) throw new Fault('chains/no-key-in-address')
    return key
  },
  addressVerifier(script) {
    const key = outputKeyOf(script)
    return key && ((message, signature) => verifySchnorr(key, message, signature))
  },
  verifySignature: verifySchnorr,
}

function ownInput(
  map: PsbtMap,
  script: Uint8Array,
  i: number,
  { internalKey, outputKey: plainKey }: TaprootKey,
): OwnCoin | undefined {
  const merkleRoot = valueIn(map, INPUT.tapMerkleRoot)
  const outputKey = merkleRoot === undefined ? plainKey : tweakedKey(internalKey, merkleRoot)
  const named = valueIn(map, INPUT.tapInternalKey)
  const namesUs = named !== undefined && equalBytes(named, internalKey)
  const leaves = entriesIn(map, INPUT.tapLeafScript)
  const refuse = (code: 'chains/key-mismatch' | 'chains/script-path'): never => {
    throw new Fault(code, { detail: `input ${i}` })
  }
  if (!equalBytes(script, scriptOf('p2tr', outputKey))) {
    if (namesUs) refuse('chains/key-mismatch')
    if (leaves.some(({ value }) => toHex(value).includes(toHex(internalKey))))
      refuse('chains/script-path')
    return undefined
  }
  if (named !== undefined && !namesUs) refuse('chains/key-mismatch')
  if (leaves.length > 0 || entriesIn(map, INPUT.tapScriptSig).length > 0)
    refuse('chains/script-path')
  const asked = valueIn(map, INPUT.sighashType)
  const type = asked === undefined ? DEFAULT : u32Of(asked)
  if (type !== DEFAULT && type !== ALL)
    throw new Fault('chains/sighash-type', { detail: `input ${i} asks for type ${type}` })
  if (valueIn(map, INPUT.tapKeySig) !== undefined)
    throw new Fault('chains/already-signed', { detail: `input ${i}` })
  return ownCoin(internalKey, outputKey, merkleRoot, type)
}

function ownCoin(
  internalKey: Uint8Array,
  publicKey: Uint8Array,
  merkleRoot: Uint8Array | undefined,
  type: typeof DEFAULT | typeof ALL,
): OwnCoin {
  /** BIP-341: the type follows the signature unless it is the default. */
  const written = (signature: Uint8Array): Uint8Array =>
    type === DEFAULT ? signature : concatBytes(signature, Uint8Array.of(type))
  const read = (found: Uint8Array): Uint8Array => {
    const signature = found.slice(0, 64)
    return equalBytes(written(signature), found) ? signature : new Uint8Array(0)
  }
  const unlock = (signature: Uint8Array) => ({
    scriptSig: new Uint8Array(0),
    witness: [written(signature)],
  })
  return {
    form: 'p2tr',
    hasScripts: merkleRoot !== undefined,
    messageBytes: () => MESSAGE_BYTES,
    item: (i, preimages, coins) => ({
      id: `input-${i}`,
      scheme: SCHEME,
      publicKey,
      message: preimages.taproot(i, coins, type),
      tweak: merkleRoot === undefined ? { kind: 'taproot' } : { kind: 'taproot', merkleRoot },
    }),
    flawOf: ({ message }, signature) =>
      verifySchnorr(publicKey, message, signature)
        ? undefined
        : 'it is not one of this key over this message',
    known: [entryOf(INPUT.tapInternalKey, internalKey)],
    fields: (signature) => [entryOf(INPUT.tapKeySig, written(signature))],
    unlock,
    readFields(map) {
      const found = valueIn(map, INPUT.tapKeySig)
      return found && read(found)
    },
    readUnlocking({ scriptSig, witness }) {
      if (scriptSig.length === 0 && witness.length === 0) return undefined
      return scriptSig.length === 0 && witness.length === 1 ? read(witness[0]!) : new Uint8Array(0)
    },
    longest: unlock(new Uint8Array(64)),
  }
}
