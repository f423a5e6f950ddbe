/**
 * The server's certificate: self-signed, made at the first start, kept in the data directory. Clients know it
 * by its fingerprint, which is printed at each start.
 */
import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fromUtf8, utf8 } from '@quorate/base'
import {
  type HttpTls,
  readFile,
  systemClock,
  systemRandom,
  writeFileAtomic,
} from '@quorate/platform'
import { selfSignedLeaf } from '@quorate/trust'

export type ServerLeaf = {
  readonly tls: HttpTls
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string
}

const FILE = 'tls.pem'
const MAX_BYTES = 16_384
const TEN_YEARS_MS: number = 10 * 365 * 24 * 3_600_000
const HOUR_MS = 3_600_000
const CERTIFICATE = /-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/

/** The certificate of the data directory, made where it is missing. */
export async function serverLeaf(directory: string): Promise<ServerLeaf> {
  const path = join(directory, FILE)
  if (!existsSync(path)) writeFileAtomic(path, utf8(await makeLeaf()))
  const pem = fromUtf8(readFile(path, { maxBytes: MAX_BYTES, isSecret: true })) ?? ''
  const der = Buffer.from(CERTIFICATE.exec(pem)?.[1] ?? '', 'base64')
  return {
    tls: { certificate: pem, privateKey: pem, asksForCertificate: true },
    fingerprint: createHash('sha256').update(der).digest('hex'),
  }
}

/** Private key and certificate as PEM, one after the other. */
async function makeLeaf(): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  const signer = createPrivateKey(key)
  const now = systemClock.now()
  const certificate = await selfSignedLeaf({
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
    subject: 'quorate-kms',
    // Clients look at the fingerprint, not at these dates.
    notBefore: now - HOUR_MS,
    notAfter: now + TEN_YEARS_MS,
    serial: systemRandom.bytes(16),
    sign: (tbs) => new Uint8Array(sign(null, tbs, signer)),
  })
  const lines = Buffer.from(certificate).toString('base64').replace(/.{64}/g, '$&\n').trimEnd()
  return `${key}-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}
