/**
 * Client certificates, taken from the TLS socket itself and never from a header. The authority that
 * issued the certificate has to be one of the configured ones; there is no path building, so an
 * intermediate authority is configured like any other, and its constraints bind nobody by surprise.
 */
import { X509Certificate } from 'node:crypto'
import { type Clock, Fault } from '@quorate/base'
import { namePattern } from '../access/glob.ts'
import type { TlsSettings } from './model.ts'
import { parseCertificates } from './settings.ts'

/** Extended key usage: TLS client (RFC 5280, section 4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** The fingerprint (SHA-256, hex) of a certificate that may sign in. @throws kms/unauthenticated */
export function checkTls(
  settings: TlsSettings,
  certificate: Uint8Array | undefined,
  clock: Clock,
): string {
  const leaf = parse(certificate)
  const now = clock.now()
  const isTrusted = parseCertificates(settings.caCertificates).some(
    (authority) =>
      authority.ca &&
      isCurrent(authority, now) &&
      leaf.checkIssued(authority) &&
      leaf.verify(authority.publicKey),
  )
  // Node's type says string[]; a certificate without the extension has none.
  const usage = leaf.keyUsage as readonly string[] | undefined
  const isForClients = usage === undefined || usage.includes(CLIENT_AUTH)
  const isRevoked = settings.revokedSerials.includes(leaf.serialNumber.toUpperCase())
  if (!isTrusted || !isCurrent(leaf, now) || leaf.ca || !isForClients || isRevoked) refuse()
  const { commonNames, dnsNames, uris, organizationalUnits } = settings
  const { CN, OU } = leaf.toLegacyObject().subject as { CN?: Values; OU?: Values }
  const alternative = alternativeNames(leaf.subjectAltName ?? '')
  check(commonNames, list(CN))
  check(organizationalUnits, list(OU))
  check(dnsNames, alternative('DNS'))
  check(uris, alternative('URI'))
  return leaf.fingerprint256.replaceAll(':', '').toLowerCase()
}

type Values = string | readonly string[]
const list = (values: Values | undefined): readonly string[] =>
  values === undefined ? [] : typeof values === 'string' ? [values] : values

function parse(certificate: Uint8Array | undefined): X509Certificate {
  if (certificate === undefined) refuse()
  try {
    return new X509Certificate(certificate)
  } catch {
    return refuse()
  }
}

const isCurrent = ({ validFrom, validTo }: X509Certificate, now: number): boolean =>
  Date.parse(validFrom) <= now && now <= Date.parse(validTo)

function check(patterns: readonly string[] | undefined, values: readonly string[]): void {
  if (patterns === undefined) return
  if (!patterns.some((text) => values.some((value) => namePattern(text).matches(value)))) refuse()
}

/**
 * The values of one kind in Node's text of the extension: `DNS:a.example, URI:"x, y"`; a value with
 * special characters stands in quotes as JSON.
 */
function alternativeNames(text: string): (kind: string) => readonly string[] {
  const found = [...text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g)]
  return (kind) =>
    found.flatMap(([, name, value = '']) =>
      name !== kind ? [] : [value.startsWith('"') ? (JSON.parse(value) as string) : value],
    )
}

function refuse(): never {
  throw new Fault('kms/unauthenticated')
}
