/**
 * Wallets that sign with ECDSA. One key has up to three addresses (BIP-84, BIP-49 and BIP-44 without
 * their derivations): P2WPKH, the same program within P2SH, and P2PKH. The wallet signs for coins of
 * all of them, and change may go to any.
 *
 * None of these signatures commits to the amounts of all coins; a legacy one not even to that of its
 * own. Whoever makes the PSBT could lie about amounts, in two PSBTs in turn, and put a transaction
 * with an enormous fee together. So each own input must bring the whole transaction that it spends,
 * whose id the signature does cover; and where an input of others does not, the fee is but a claim.
 *
 * The one type that leaves nothing open only: SIGHASH_ALL, on Bitcoin Cash with SIGHASH_FORKID.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, equalBytes, Fault, toHex, utf8 } from '@quorate/base'
import type { AddressVerifier, KeyRef } from '../adapter.ts'
import { compressedKey, ECDSA_SUITES, recoverKeys, recoveryIdOf, verifyEcdsa } from '../ecdsa.ts'
import { pushOf, sized } from './encode.ts'
import type { OwnCoin, Spender, WalletKind } from './form.ts'
import type { BitcoinRules, EcdsaFormName } from './networks.ts'
import { INPUT, u32Of } from './psbt-fields.ts'
import { entriesIn, entryOf, type PsbtMap, valueIn } from './psbt-maps.ts'
import type { Unlocking } from './raw-transaction.ts'
import { hash160, type ScriptKind, scriptOf, standardScript } from './script.ts'

const SCHEME = 'ecdsa-secp256k1'
const HASH = 'sha256d'
const FORKID = 0x40
/** In DER, with low s and its type. */
const MAX_SIGNATURE_BYTES = 72
/** Of BIP-143: nine fields of fixed length and the script code of a key. */
const SEGWIT_MESSAGE_BYTES = 182

type Form = {
  readonly name: EcdsaFormName
  readonly kind: ScriptKind
  /** Whether the output holds the hash of a script that is the witness program (BIP-16). */
  readonly isNested: boolean
}

const FORMS: { readonly [Name in EcdsaFormName]: Form } = {
  p2wpkh: { name: 'p2wpkh', kind: 'p2wpkh', isNested: false },
  'p2sh-p2wpkh': { name: 'p2sh-p2wpkh', kind: 'p2sh', isNested: true },
  p2pkh: { name: 'p2pkh', kind: 'p2pkh', isNested: false },
}

const witnessProgram = (keyHash: Uint8Array): Uint8Array => scriptOf('p2wpkh', keyHash)

const outputScript = ({ kind, isNested }: Form, keyHash: Uint8Array): Uint8Array =>
  scriptOf(kind, isNested ? hash160(witnessProgram(keyHash)) : keyHash)

const walletKey = (key: KeyRef): Uint8Array => compressedKey(key, SCHEME)

export const ECDSA: WalletKind = {
  scheme: SCHEME,
  suites: ECDSA_SUITES,
  spender: (key, rules) => spenderOf(walletKey(key), rules),
  addressItem: (key, message, { messagePrefix }) => ({
    id: 'address',
    scheme: SCHEME,
    publicKey: walletKey(key),
    message: concatBytes(sized(utf8(messagePrefix)), sized(message)),
    hash: HASH,
  }),
  addressKey() {
    throw new Fault('chains/no-key-in-address')
  },
  addressVerifier,
  verifySignature: (publicKey, message, signature) =>
    verifyEcdsa(publicKey, HASH, message, signature),
}

/** A hash names no key, so the keys that fit the signature are tried for one that has the address. */
function addressVerifier(
  script: Uint8Array,
  { ecdsaForms }: BitcoinRules,
): AddressVerifier | undefined {
  const kind = standardScript(script)?.kind
  const form = ecdsaForms.map((name) => FORMS[name]).find((each) => each.kind === kind)
  if (form === undefined) return undefined
  return (message, signature) =>
    recoverKeys(HASH, message, signature).some(({ publicKey }) =>
      equalBytes(outputScript(form, hash160(publicKey)), script),
    )
}

function spenderOf(publicKey: Uint8Array, rules: BitcoinRules): Spender {
  const keyHash = hash160(publicKey)
  const formOf = (name: EcdsaFormName) => ({
    form: name,
    script: outputScript(FORMS[name], keyHash),
  })
  const [usual, ...others] = rules.ecdsaForms
  const scripts = [formOf(usual), ...others.map(formOf)] as const
  return {
    scripts,
    covered: [INPUT.sighashType, INPUT.redeemScript],
    commitsToAllCoins: false,
    isSizeExact: false,
    own(map, script, i) {
      const found = scripts.find((each) => equalBytes(each.script, script))
      if (found === undefined) {
        refuseDisguise(map, publicKey, i)
        return undefined
      }
      const form = FORMS[found.form]
      const redeemScript = form.isNested ? witnessProgram(keyHash) : undefined
      checkInput(map, redeemScript, rules.sighashType, i)
      return ownCoin(form, publicKey, redeemScript, rules.sighashType)
    },
  }
}

/** An input that names our key, yet spends what another script guards. */
function refuseDisguise(map: PsbtMap, publicKey: Uint8Array, i: number): void {
  if (entriesIn(map, INPUT.origin).some(({ key }) => equalBytes(key, publicKey)))
    throw new Fault('chains/key-mismatch', { detail: `input ${i}` })
  const scripts = [valueIn(map, INPUT.witnessScript), valueIn(map, INPUT.redeemScript)]
  if (scripts.some((script) => script !== undefined && toHex(script).includes(toHex(publicKey))))
    throw new Fault('chains/script-path', { detail: `input ${i}` })
}

function checkInput(
  map: PsbtMap,
  redeemScript: Uint8Array | undefined,
  type: number,
  i: number,
): void {
  const given = valueIn(map, INPUT.redeemScript)
  if (
    valueIn(map, INPUT.witnessScript) !== undefined ||
    (given !== undefined && (redeemScript === undefined || !equalBytes(given, redeemScript)))
  )
    throw new Fault('chains/script-path', { detail: `input ${i}` })
  if (valueIn(map, INPUT.previousTx) === undefined)
    throw new Fault('chains/missing-previous-transaction', { detail: `input ${i}` })
  const asked = valueIn(map, INPUT.sighashType)
  if (asked !== undefined && u32Of(asked) !== type)
    throw new Fault('chains/sighash-type', { detail: `input ${i} asks for type ${u32Of(asked)}` })
  if (entriesIn(map, INPUT.partialSig).length > 0)
    throw new Fault('chains/already-signed', { detail: `input ${i}` })
}

function ownCoin(
  form: Form,
  publicKey: Uint8Array,
  redeemScript: Uint8Array | undefined,
  type: BitcoinRules['sighashType'],
): OwnCoin {
  const known = redeemScript === undefined ? [] : [entryOf(INPUT.redeemScript, redeemScript)]
  const isSegwit = form.kind !== 'p2pkh'
  // BIP-143: that of P2PKH, whatever the output is.
  const scriptCode = scriptOf('p2pkh', hash160(publicKey))
  const isSegwitHash = isSegwit || (type & FORKID) !== 0
  /** As it stands in a script or a witness: DER (SEC 1 §C.5) and the type. */
  const written = (signature: Uint8Array): Uint8Array =>
    concatBytes(
      secp256k1.Signature.fromBytes(signature, 'compact').toBytes('der'),
      Uint8Array.of(type),
    )
  const unlockWith = (signature: Uint8Array): Unlocking =>
    isSegwit
      ? {
          scriptSig: redeemScript === undefined ? new Uint8Array(0) : pushOf(redeemScript),
          witness: [signature, publicKey],
        }
      : { scriptSig: concatBytes(pushOf(signature), pushOf(publicKey)), witness: [] }
  return {
    form: form.name,
    hasScripts: false,
    messageBytes: (stripped) =>
      isSegwitHash ? SEGWIT_MESSAGE_BYTES : stripped + scriptCode.length + 4,
    item(i, preimages, coins) {
      const message = isSegwitHash
        ? preimages.segwit(i, scriptCode, coins[i]!.amount, type)
        : preimages.legacy(i, scriptCode, type)
      return { id: `input-${i}`, scheme: SCHEME, publicKey, message, hash: HASH }
    },
    flawOf({ message }, signature) {
      const id = recoveryIdOf(publicKey, HASH, message, signature)
      return typeof id === 'string' ? id : undefined
    },
    known,
    fields: (signature) => [entryOf(INPUT.partialSig, written(signature), publicKey), ...known],
    unlock: (signature) => unlockWith(written(signature)),
    readFields(map) {
      const ours = entriesIn(map, INPUT.partialSig).find(({ key }) => equalBytes(key, publicKey))
      return ours === undefined ? undefined : readDer(ours.value, written)
    },
    readUnlocking({ scriptSig, witness }) {
      if (scriptSig.length === 0 && witness.length === 0) return undefined
      const found = isSegwit ? witness[0] : scriptSig.slice(1, 1 + (scriptSig[0] ?? 0))
      const signature = readDer(found ?? new Uint8Array(0), written)
      const isExact = signature.length > 0 && isSame(unlockWith(found!), { scriptSig, witness })
      return isExact ? signature : new Uint8Array(0)
    },
    longest: unlockWith(new Uint8Array(MAX_SIGNATURE_BYTES)),
  }
}

const isSame = (a: Unlocking, b: Unlocking): boolean =>
  equalBytes(a.scriptSig, b.scriptSig) &&
  a.witness.length === b.witness.length &&
  a.witness.every((item, i) => equalBytes(item, b.witness[i]!))

/** The 64 bytes of what `written` writes; no bytes for anything else. */
function readDer(found: Uint8Array, written: (signature: Uint8Array) => Uint8Array): Uint8Array {
  try {
    const signature = secp256k1.Signature.fromBytes(found.slice(0, -1), 'der').toBytes('compact')
    if (equalBytes(written(signature), found)) return signature
  } catch {
    // Not DER.
  }
  return new Uint8Array(0)
}
