/**
 * The certificate of the API on TCP. It is self-signed and made at the first start: clients know it by
 * its fingerprint, which the log and the status of the node show, and which stays the same from then on.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, Fault, fromUtf8, type Random, utf8 } from '@quorate/base'
import { type HttpTls, readFile, writeFileAtomic } from '@quorate/platform'
import { makeTlsLeaf } from '../tls-leaf.ts'

export type ApiTls = HttpTls & {
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string
}

const FILE = 'api-tls.pem'
const MAX_FILE_BYTES = 16 * 1024

/**
 * The certificate in the data directory, made there where there is none.
 * @throws node/bad-api-certificate for a file that holds none, platform/…
 */
export async function apiTls(
  directory: string,
  nodeId: string,
  clock: Clock,
  random: Random,
): Promise<ApiTls> {
  const path = join(directory, FILE)
  if (!existsSync(path)) {
    const { certificate, privateKey } = await makeTlsLeaf(nodeId, clock, random)
    writeFileAtomic(path, utf8(`${privateKey.trim()}\n${pemOf(certificate)}`))
  }
  return read(readFile(path, { maxBytes: MAX_FILE_BYTES, isSecret: true }))
}

function read(file: Uint8Array): ApiTls {
  const text = fromUtf8(file) ?? ''
  file.fill(0)
  const [privateKey] =
    /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text) ?? []
  const [certificate] =
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text) ?? []
  if (privateKey === undefined || certificate === undefined)
    throw new Fault('node/bad-api-certificate')
  const { raw } = new X509Certificate(certificate)
  const fingerprint = createHash('sha256').update(raw).digest('hex')
  return { privateKey, certificate, fingerprint, asksForCertificate: true }
}

function pemOf(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
