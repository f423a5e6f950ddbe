/**
 * X.509 certificates (RFC 5280) as attestations use them: read by our strict DER reader, their signatures
 * checked by the platform's library. In: DER from strangers. Out: the parts that a verifier judges.
 * Variable-time: public inputs only.
 */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { equalBytes, Fault, fromBase64, fromUtf8, isFault, toHex } from '@quorate/base'
import { DER, DerReader, derOid } from '@quorate/trust'

export type Extension = { readonly isCritical: boolean; readonly value: Uint8Array }

export type Certificate = {
  readonly der: Uint8Array
  /** Of the DER, in lower-case hex. */
  readonly sha256: string
  /** Names and SubjectPublicKeyInfo as they are encoded. */
  readonly subject: Uint8Array
  readonly issuer: Uint8Array
  readonly spki: Uint8Array
  readonly key: KeyObject
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  readonly isCa: boolean
  /** How many CA certificates may follow below; absent without a bound. */
  readonly pathLength?: number
  /** Absent where the certificate does not say what its key is for. */
  readonly maySignCertificates?: boolean
  extension(oid: string): Extension | undefined
  isSignedBy(issuer: Certificate): boolean
}

/** No certificate of an attestation comes near it. */
export const MAX_CERTIFICATE_BYTES = 8192
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
/** Those whose meaning is judged here; any other critical one means something that is not. */
const UNDERSTOOD: readonly string[] = [BASIC_CONSTRAINTS, KEY_USAGE]
const CERT_SIGN = 0x04

export function refused(detail: string, cause?: unknown): never {
  throw new Fault('hsm/attestation-invalid', { detail, cause })
}

/** What `action` gives; whatever it throws refuses the attestation for `detail`, unless that was refused already. */
export function refusing<T>(detail: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (isFault(error, 'hsm/attestation-invalid')) throw error
    return refused(detail, error)
  }
}

const keyOf = (oid: string): string => toHex(derOid(oid))

/** @throws hsm/attestation-invalid */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) refused('a certificate that is too long')
  return refusing('a malformed certificate', () => parse(der))
}

function parse(der: Uint8Array): Certificate {
  const whole = new DerReader(der)
  const parts = whole.enter(DER.sequence)
  whole.end()
  const tbs = parts.enter(DER.sequence)
  const outerAlgorithm = parts.read(DER.sequence).raw
  parts.bitString()
  parts.end()
  if (tbs.nextTag === 0xa0) tbs.read(0xa0)
  tbs.read(DER.integer)
  if (!equalBytes(tbs.read(DER.sequence).raw, outerAlgorithm))
    refused('a certificate with two signature algorithms')
  const issuer = tbs.read(DER.sequence).raw
  const validity = tbs.enter(DER.sequence)
  const [notBefore, notAfter] = [timeOf(validity), timeOf(validity)]
  validity.end()
  const subject = tbs.read(DER.sequence).raw
  const spki = tbs.read(DER.sequence).raw
  // Unique identifiers, which nobody uses any more.
  for (const tag of [0x81, 0x82]) if (tbs.nextTag === tag) tbs.read(tag)
  const extensions = tbs.isAtEnd ? new Map<string, Extension>() : extensionsOf(tbs.enter(0xa3))
  tbs.end()
  const x509 = new X509Certificate(der)
  return {
    der,
    sha256: createHash('sha256').update(der).digest('hex'),
    subject,
    issuer,
    spki,
    key: x509.publicKey,
    notBefore,
    notAfter,
    ...constraintsOf(extensions.get(keyOf(BASIC_CONSTRAINTS))),
    ...usageOf(extensions.get(keyOf(KEY_USAGE))),
    extension: (oid) => extensions.get(keyOf(oid)),
    isSignedBy: (other) => x509.verify(other.key),
  }
}

function extensionsOf(outer: DerReader): ReadonlyMap<string, Extension> {
  const list = outer.enter(DER.sequence)
  outer.end()
  const understood = new Set(UNDERSTOOD.map(keyOf))
  const extensions = new Map<string, Extension>()
  while (!list.isAtEnd) {
    const extension = list.enter(DER.sequence)
    const oid = toHex(extension.read(DER.oid).raw)
    const isCritical =
      extension.nextTag === DER.boolean && extension.read(DER.boolean).content[0] === 0xff
    const value = extension.read(DER.octetString).content
    extension.end()
    if (extensions.has(oid)) refused('a certificate with one extension twice')
    if (isCritical && !understood.has(oid))
      refused('a certificate with a critical extension that is not understood')
    extensions.set(oid, { isCritical, value })
  }
  return extensions
}

function constraintsOf(found: Extension | undefined): Pick<Certificate, 'isCa' | 'pathLength'> {
  if (found === undefined) return { isCa: false }
  const outer = new DerReader(found.value)
  const fields = outer.enter(DER.sequence)
  outer.end()
  const isCa = fields.nextTag === DER.boolean && fields.read(DER.boolean).content[0] === 0xff
  if (fields.isAtEnd) return { isCa }
  const { content } = fields.read(DER.integer)
  fields.end()
  if (content.length !== 1 || content[0]! > 0x7f) refused('a path length')
  return { isCa, pathLength: content[0]! }
}

function usageOf(found: Extension | undefined): Pick<Certificate, 'maySignCertificates'> {
  if (found === undefined) return {}
  const outer = new DerReader(found.value)
  const { content } = outer.read(DER.bitString)
  outer.end()
  return { maySignCertificates: ((content[1] ?? 0) & CERT_SIGN) !== 0 }
}

/** UTCTime or GeneralizedTime to the second, in UTC (RFC 5280, section 4.1.2.5). */
function timeOf(reader: DerReader): number {
  const tag = reader.nextTag === DER.utcTime ? DER.utcTime : DER.generalizedTime
  const text = fromUtf8(reader.read(tag).content) ?? ''
  const [, year = '', rest = ''] =
    (tag === DER.utcTime ? /^(\d\d)(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text) ?? []
  const [month, day, hour, minute, second] = (rest.match(/\d\d/g) ?? []).map(Number)
  if (second === undefined) return refused('the validity of a certificate')
  const full = tag === DER.utcTime ? Number(year) + (Number(year) < 50 ? 2000 : 1900) : Number(year)
  return Date.UTC(full, month! - 1, day, hour, minute, second)
}

export type ChainRules = {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Whether every issuer below the root must be marked as a CA. */
  readonly needsCa: boolean
}

/**
 * Checks that `chain`, leaf first and without the root, leads to `root`, which is trusted as it is: its own
 * validity and constraints say how far, not whether. @throws hsm/attestation-invalid
 */
export function verifyChain(
  chain: readonly Certificate[],
  root: Certificate,
  { now, needsCa }: ChainRules,
): void {
  if (chain.length === 0) refused('no certificate')
  chain.forEach((certificate, i) => {
    const issuer = chain[i + 1] ?? root
    if (now < certificate.notBefore || now > certificate.notAfter)
      refused('a certificate outside of its validity')
    if (!equalBytes(certificate.issuer, issuer.subject) || !certificate.isSignedBy(issuer))
      refused('a certificate that its issuer has not signed')
    if (issuer.pathLength !== undefined && i > issuer.pathLength)
      refused('a chain that is longer than an issuer allows')
    if (issuer === root || !needsCa) return
    if (!issuer.isCa || issuer.maySignCertificates === false)
      refused('a certificate of an issuer that is no CA')
  })
}

/** The certificates of a PEM text, or the one of a DER file. @throws hsm/attestation-invalid */
export function certificatesIn(content: Uint8Array): readonly Certificate[] {
  const text = fromUtf8(content)
  if (text === undefined || !text.includes('-----BEGIN')) return [parseCertificate(content)]
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)
  return [...blocks].map(([, body = '']) =>
    refusing('a malformed certificate', () =>
      parseCertificate(fromBase64(body.replace(/\s/g, ''))),
    ),
  )
}
