/**
 * Our own attestation of a key, for devices whose makers have none: canonical CBOR, signed by an attestation
 * key that was enrolled or that a certificate chain vouches for. It proves that whoever was enrolled says
 * this, now, to the verifier who drew the nonce; never that the key lives in hardware.
 *
 *   statement = { version, device, key id, algorithm, public key, extractable, sensitive, policy, nonce, time, boot }
 *   document  = { statement, chain of the attestation key, its public key, signature over tag ‖ statement }
 *
 * `boot` counts the starts of the attester, durably: one that was put back to an earlier state is found out
 * by whoever has seen a later start. Variable-time: public inputs only.
 */
import {
  array,
  bool,
  bytes,
  type Clock,
  type Codec,
  decode,
  encode,
  Fault,
  field,
  int,
  oneOf,
  record,
  TAGS,
  tagged,
  text,
} from '@quorate/base'
import type { Attestation, Attester, HsmProvider, KeyId, SigningAlgorithm } from '../provider.ts'
import type { HsmState } from '../state/store.ts'
import { MAX_CERTIFICATE_BYTES, refused, refusing } from './certificate.ts'
import { type AttestedKey, holdsUnder } from './key-info.ts'

export const DOCUMENT_FORMAT = 'quorate-hsm-key'

/** What policy says of the key, e.g. role and production mode; shown to the verifier as it is. */
export type PolicyAttribute = { readonly name: string; readonly value: string }

export type KeyStatement = {
  readonly v: 1
  /** Serial number or name of the device. */
  readonly device: string
  readonly keyId: string
  readonly algorithm: SigningAlgorithm
  readonly publicKey: Uint8Array
  readonly isExtractable: boolean
  readonly isSensitive: boolean
  readonly policy: readonly PolicyAttribute[]
  readonly nonce: Uint8Array
  /** Milliseconds since the epoch. */
  readonly time: number
  /** Starts of the attester so far, from 1. */
  readonly boot: number
}

const ALGORITHMS = ['ed25519', 'p256', 'secp256k1'] as const
const MAX_CHAIN = 4
export const MAX_DOCUMENT_BYTES: number = MAX_CHAIN * MAX_CERTIFICATE_BYTES + (1 << 14)
const publicKey = bytes({ min: 32, max: 33 })

export const statementCodec: Codec<KeyStatement> = record({
  v: field(0, oneOf(1)),
  device: field(1, text(200)),
  keyId: field(2, text(64)),
  algorithm: field(3, oneOf(...ALGORITHMS)),
  publicKey: field(4, publicKey),
  isExtractable: field(5, bool),
  isSensitive: field(6, bool),
  policy: field(
    7,
    array(record({ name: field(0, text(64)), value: field(1, text(200)) }), { max: 32 }),
  ),
  nonce: field(8, bytes({ min: 16, max: 64 })),
  time: field(9, int()),
  boot: field(10, int(1)),
})

type SignedDocument = {
  readonly statement: Uint8Array
  /** DER, that of the attestation key first, the root last; empty for one that was enrolled. */
  readonly chain: readonly Uint8Array[]
  readonly algorithm: SigningAlgorithm
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}
const documentCodec: Codec<SignedDocument> = record({
  statement: field(1, bytes({ max: 1 << 14 })),
  chain: field(2, array(bytes({ max: MAX_CERTIFICATE_BYTES }), { max: MAX_CHAIN })),
  algorithm: field(3, oneOf(...ALGORITHMS)),
  publicKey: field(4, publicKey),
  signature: field(5, bytes(64)),
})

const messageOf = (statement: Uint8Array): Uint8Array => tagged(TAGS.hsmKeyStatement, statement)

/** What signs statements: a key of a device, with the certificates that vouch for it. */
export type AttestationSigner = AttestedKey & {
  /** DER, its own first, the root last; empty where verifiers have enrolled the key itself. */
  readonly chain: readonly Uint8Array[]
  /** 64 bytes; ECDSA over the SHA-256 of the message. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** A key of `provider` as the attestation key. @throws hsm/key-not-found, hsm/bad-argument for one that signs nothing */
export async function attestationSigner(
  provider: HsmProvider,
  id: KeyId,
  chain: readonly Uint8Array[] = [],
): Promise<AttestationSigner> {
  const { algorithm, publicKey: own } = await provider.find({ id })
  const found = ALGORITHMS.find((each) => each === algorithm)
  if (found === undefined || own === undefined)
    throw new Fault('hsm/bad-argument', { detail: 'an attestation key signs' })
  return {
    algorithm: found,
    publicKey: own,
    chain,
    sign: (message) => provider.sign(id, { message }),
  }
}

export type AttesterOptions = {
  readonly provider: HsmProvider
  readonly signer: AttestationSigner
  readonly device: string
  readonly clock: Clock
  readonly boot: number
  readonly policyOf?: (id: KeyId) => readonly PolicyAttribute[]
}

/** Attests keys of a device in our own format, whatever its maker offers. */
export const documentAttester = (options: AttesterOptions): Attester => ({
  async attestKey(id, nonce) {
    if (nonce.length < 16 || nonce.length > 64)
      throw new Fault('hsm/bad-argument', { detail: 'a nonce has 16 to 64 bytes' })
    const { provider, signer, device, clock, boot, policyOf } = options
    const info = await provider.find({ id })
    const algorithm = ALGORITHMS.find((each) => each === info.algorithm)
    if (algorithm === undefined || info.publicKey === undefined)
      throw new Fault('hsm/bad-argument', { detail: 'only a key that signs is attested' })
    const statement = encode(statementCodec, {
      v: 1,
      device: device.normalize('NFC'),
      keyId: id,
      algorithm,
      publicKey: info.publicKey,
      isExtractable: info.isExtractable,
      isSensitive: info.isSensitive,
      policy: policyOf?.(id) ?? [],
      nonce,
      time: clock.now(),
      boot,
    })
    const document = encode(documentCodec, {
      statement,
      chain: signer.chain,
      algorithm: signer.algorithm,
      publicKey: signer.publicKey,
      signature: await signer.sign(messageOf(statement)),
    })
    return { format: DOCUMENT_FORMAT, document } satisfies Attestation
  },
})

export type OpenedDocument = {
  readonly statement: KeyStatement
  /** The key that signed it; whose it is, is for the verifier to find out. */
  readonly signedBy: AttestedKey
  readonly chain: readonly Uint8Array[]
}

/** The statement, where the signature holds under the key that the document names. @throws hsm/attestation-invalid */
export const openDocument = (document: Uint8Array): OpenedDocument =>
  refusing('a malformed document', () => {
    const { statement, chain, algorithm, publicKey, signature } = decode(documentCodec, document, {
      maxBytes: MAX_DOCUMENT_BYTES,
    })
    const signedBy = { algorithm, publicKey }
    if (!holdsUnder(signedBy, messageOf(statement), signature)) refused('a wrong signature')
    return {
      statement: decode(statementCodec, statement, { maxBytes: 1 << 14 }),
      signedBy,
      chain,
    }
  })

const counter: Codec<number> = int()

/** The number of this start of the attester, durable before it is used. */
export const countBoot = (state: HsmState): Promise<number> =>
  state.update('attest/boot', counter, (old = 0) => old + 1)
