/** D12: with which weak mechanisms the keys of a token can be used, by what each of them permits. */
import type { ObjectFacts, TokenFacts } from '../device.ts'
import { type Check, found, type Look, together, withFact } from './check.ts'
import type { DoctorFacts } from './facts.ts'

type Weak = {
  /** What a key must permit, any of it. */
  readonly uses: readonly string[]
  readonly keyTypes: readonly string[]
  readonly why: string
}

const CIPHER = ['ENCRYPT', 'DECRYPT']
const SIGN = ['SIGN']
const AES = ['CKK_AES']
const RSA = ['CKK_RSA']
const DES = ['CKK_DES', 'CKK_DES2', 'CKK_DES3']
const SECRET = ['CKK_GENERIC_SECRET', 'CKK_AES']
const ANY_DERIVE = {
  uses: ['DERIVE'],
  keyTypes: SECRET,
  why: 'gives keys that can be guessed bit by bit',
}
const DES_CIPHER = { uses: CIPHER, keyTypes: DES, why: 'is DES' }

const WEAK: { readonly [mechanism: string]: Weak } = {
  CKM_AES_ECB: { uses: CIPHER, keyTypes: AES, why: 'shows equal blocks' },
  CKM_AES_CBC: { uses: ['WRAP'], keyTypes: AES, why: 'wraps without authentication' },
  CKM_AES_CBC_PAD: { uses: ['WRAP'], keyTypes: AES, why: 'wraps without authentication' },
  CKM_DES_ECB: DES_CIPHER,
  CKM_DES_CBC: DES_CIPHER,
  CKM_DES_CBC_PAD: DES_CIPHER,
  CKM_DES3_ECB: DES_CIPHER,
  CKM_DES3_CBC: DES_CIPHER,
  CKM_DES3_CBC_PAD: DES_CIPHER,
  CKM_RSA_PKCS: { uses: ['DECRYPT', 'UNWRAP'], keyTypes: RSA, why: 'has a padding oracle' },
  CKM_RSA_X_509: { uses: [...SIGN, 'DECRYPT'], keyTypes: RSA, why: 'has no padding' },
  CKM_MD5_RSA_PKCS: { uses: SIGN, keyTypes: RSA, why: 'hashes with MD5' },
  CKM_SHA1_RSA_PKCS: { uses: SIGN, keyTypes: RSA, why: 'hashes with SHA-1' },
  CKM_ECDSA_SHA1: { uses: SIGN, keyTypes: ['CKK_EC'], why: 'hashes with SHA-1' },
  CKM_MD5_HMAC: { uses: SIGN, keyTypes: ['CKK_GENERIC_SECRET'], why: 'hashes with MD5' },
  CKM_CONCATENATE_BASE_AND_KEY: ANY_DERIVE,
  CKM_CONCATENATE_BASE_AND_DATA: ANY_DERIVE,
  CKM_CONCATENATE_DATA_AND_BASE: ANY_DERIVE,
  CKM_XOR_BASE_AND_DATA: ANY_DERIVE,
  CKM_EXTRACT_KEY_FROM_KEY: ANY_DERIVE,
  CKM_AES_ECB_ENCRYPT_DATA: { ...ANY_DERIVE, keyTypes: AES },
}

/** Weak mechanisms that the token has and the key neither forbids nor cannot be used with. */
function weakFor(
  { unreliable }: DoctorFacts,
  token: TokenFacts,
  key: ObjectFacts,
): readonly string[] {
  const { allowedMechanisms, keyType, flags } = key
  const isLimited =
    allowedMechanisms !== undefined &&
    allowedMechanisms.length > 0 &&
    !unreliable.includes('ALLOWED_MECHANISMS')
  return token.mechanisms
    .map(({ name }) => name)
    .filter((name) => {
      const weak = WEAK[name]
      if (weak === undefined || !weak.keyTypes.includes(keyType)) return false
      const isAllowed = !isLimited || allowedMechanisms.includes(name)
      return isAllowed && weak.uses.some((use) => flags[use] === true)
    })
}

const weakMechanisms: Check = {
  id: 'D12',
  title: 'Key can be used with a weak mechanism',
  severity: 'low',
  fix: 'Switch the mechanism off in the device, or make a key that allows only what it is for.',
  look: (facts) =>
    withFact(facts.token, (token) =>
      withFact(facts.objects, (objects) =>
        together(...objects.map((key) => lookAt(key, weakFor(facts, token, key)))),
      ),
    ),
}

function lookAt({ class: kind, label, id }: ObjectFacts, weak: readonly string[]): Look {
  if (weak.length === 0 || kind === 'CKO_PUBLIC_KEY') return found([])
  const reasons = weak.map((name) => `${name} ${WEAK[name]?.why}`)
  return found([{ evidence: `"${label}" (id ${id}): ${reasons.join(', ')}` }])
}

export const MECHANISM_CHECKS: readonly Check[] = [weakMechanisms]
