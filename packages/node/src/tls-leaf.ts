/** The certificate with which this node meets the others: self-signed, delegated by the epoch record. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { Clock, Random } from '@quorate/base'
import type { TlsIdentity } from '@quorate/platform'
import { selfSignedLeaf } from '@quorate/trust'

export type TlsLeaf = TlsIdentity & {
  /** SHA-256 of the certificate. */
  readonly fingerprint: Uint8Array
}

/** A key made now and kept in memory: a restart shows another certificate, which its next epoch record names. */
export async function makeTlsLeaf(subject: string, clock: Clock, random: Random): Promise<TlsLeaf> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const now = clock.now()
  const certificate = await selfSignedLeaf({
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
    subject,
    // Peers look at the epoch record, not at these dates; clocks may differ a little.
    notBefore: now - 3_600_000,
    notAfter: now + 400 * 24 * 3_600_000,
    serial: random.bytes(16),
    sign: (tbs: Uint8Array) => new Uint8Array(sign(null, tbs, privateKey)),
  })
  return {
    certificate,
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    fingerprint: new Uint8Array(createHash('sha256').update(certificate).digest()),
  }
}
