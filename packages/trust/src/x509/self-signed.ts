/**
 * The self-signed leaf certificate (RFC 5280, Ed25519 by RFC 8410) that our TLS servers and clients
 * show. It certifies nothing: peers recognise it by the key or fingerprint they were told, so it
 * carries no host names and no authority. In: key, subject, validity, a signing function. Out: DER.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { compareBytes, Fault } from '@quorate/base'
import {
  DER,
  DerReader,
  der,
  derBitString,
  derExplicit,
  derOctetString,
  derOid,
  derSequence,
  derTime,
  derTrue,
  derUnsigned,
  derUtf8String,
} from '../der.ts'

const ED25519 = derSequence(derOid('1.3.101.112'))
const OID = {
  commonName: derOid('2.5.4.3'),
  subjectKeyIdentifier: derOid('2.5.29.14'),
  keyUsage: derOid('2.5.29.15'),
  basicConstraints: derOid('2.5.29.19'),
  extendedKeyUsage: derOid('2.5.29.37'),
  serverAuth: derOid('1.3.6.1.5.5.7.3.1'),
  clientAuth: derOid('1.3.6.1.5.5.7.3.2'),
}

/** The SubjectPublicKeyInfo (44 bytes) of a 32-byte Ed25519 public key. @throws trust/bad-certificate-field */
export function ed25519Spki(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== 32)
    throw new Fault('trust/bad-certificate-field', { detail: 'an Ed25519 key has 32 bytes' })
  return derSequence(ED25519, derBitString(publicKey))
}

export type SelfSignedLeaf = {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  /** Common name, 1 to 64 characters; a label for people. */
  readonly subject: string
  /** Milliseconds since the epoch; rounded down to seconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** 1 to 19 bytes, read as a positive integer. */
  readonly serial: Uint8Array
  /** The 64-byte Ed25519 signature, by the key above, over exactly the bytes given. */
  sign(tbs: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/**
 * The certificate as DER, for TLS servers and clients alike.
 * @throws trust/bad-certificate-field
 */
export async function selfSignedLeaf(leaf: SelfSignedLeaf): Promise<Uint8Array> {
  const { publicKey, subject, notBefore, notAfter, serial } = leaf
  const spki = ed25519Spki(publicKey)
  if (serial.length < 1 || serial.length > 19 || serial.every((byte) => byte === 0))
    throw new Fault('trust/bad-certificate-field', {
      detail: 'a serial is 1 to 19 bytes, not zero',
    })
  if (subject.length < 1 || subject.length > 64)
    throw new Fault('trust/bad-certificate-field', { detail: 'a subject has 1 to 64 characters' })
  if (!(notBefore < notAfter))
    throw new Fault('trust/bad-certificate-field', { detail: 'the validity ends before it begins' })
  const name = derSequence(der(DER.set, derSequence(OID.commonName, derUtf8String(subject))))
  const tbs = derSequence(
    derExplicit(0, derUnsigned(Uint8Array.of(2))), // version 3
    derUnsigned(serial),
    ED25519,
    name,
    derSequence(derTime(notBefore), derTime(notAfter)),
    name,
    spki,
    derExplicit(3, extensions(publicKey)),
  )
  const signature = await leaf.sign(tbs)
  if (signature.length !== 64)
    throw new Fault('trust/bad-certificate-field', { detail: 'an Ed25519 signature has 64 bytes' })
  return derSequence(tbs, ED25519, derBitString(signature))
}

function extensions(publicKey: Uint8Array): Uint8Array {
  const extension = (oid: Uint8Array, isCritical: boolean, value: Uint8Array): Uint8Array =>
    derSequence(oid, ...(isCritical ? [derTrue] : []), derOctetString(value))
  return derSequence(
    extension(OID.basicConstraints, true, derSequence()),
    extension(OID.keyUsage, true, derBitString(Uint8Array.of(0x80), 7)), // digitalSignature
    extension(OID.extendedKeyUsage, false, derSequence(OID.serverAuth, OID.clientAuth)),
    // RFC 7093, section 2, method 1.
    extension(OID.subjectKeyIdentifier, false, derOctetString(sha256(publicKey).subarray(0, 20))),
  )
}

/**
 * The 32-byte Ed25519 key in a certificate. The signature is not checked: possession of the key is
 * proven by TLS, and whose key it is by what the caller pinned. Variable-time: public inputs only.
 * @throws trust/malformed-der, trust/unsupported-key
 */
export function certificatePublicKey(certificate: Uint8Array): Uint8Array {
  const whole = new DerReader(certificate)
  const parts = whole.enter(DER.sequence)
  whole.end()
  const tbs = parts.enter(DER.sequence)
  parts.read(DER.sequence)
  parts.bitString()
  parts.end()
  tbs.read(0xa0)
  tbs.read(DER.integer)
  for (let skipped = 0; skipped < 4; skipped++) tbs.read(DER.sequence) // algorithm, issuer, validity, subject
  const spki = tbs.enter(DER.sequence)
  const algorithm = spki.read(DER.sequence).raw
  const key = spki.bitString()
  spki.end()
  if (compareBytes(algorithm, ED25519) !== 0 || key.length !== 32)
    throw new Fault('trust/unsupported-key')
  return key.slice()
}
