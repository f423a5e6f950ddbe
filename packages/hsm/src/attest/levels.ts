/**
 * How much a verified attestation proves, and the roots from which it follows. The level is a property of
 * the verifier and of the pinned root under which it succeeded; nothing in a document raises it.
 */
import { Fault } from '@quorate/base'
import { fingerprintOf } from './key-info.ts'

/** Least first. */
export const ATTESTATION_LEVELS = ['simulated', 'self-attested', 'hardware'] as const
/**
 * simulated      a device that says of itself that it protects nothing
 * self-attested  whoever was enrolled says so; where its own key lives is not proved
 * hardware       the manufacturer of a certified module says so
 */
export type AttestationLevel = (typeof ATTESTATION_LEVELS)[number]

/** The highest level that each verifier can give, whatever the root. */
export const LEVEL_OF_FORMAT: {
  readonly 'quorate-simulated': 'simulated'
  readonly 'quorate-hsm-key': 'self-attested'
  readonly 'yubihsm-x509': 'hardware'
  readonly 'marvell-hsm': 'hardware'
} = {
  'quorate-simulated': 'simulated',
  'quorate-hsm-key': 'self-attested',
  'yubihsm-x509': 'hardware',
  'marvell-hsm': 'hardware',
}

export type AttestationFormat = keyof typeof LEVEL_OF_FORMAT
export const ATTESTATION_FORMATS: readonly AttestationFormat[] = Object.keys(
  LEVEL_OF_FORMAT,
) as AttestationFormat[]

/** A root that is trusted for one format. */
export type AttestationRoot = {
  readonly format: AttestationFormat
  /** SHA-256 of the certificate in DER, in hex. */
  readonly sha256: string
  /** For people. */
  readonly name: string
  /** Of `marvell-hsm`: who made the module, or who runs it. Both have to vouch. */
  readonly vouches?: 'manufacturer' | 'owner'
}

/**
 * Roots of vendors as they publish them: YubiHSM2/Concepts/yubihsm2-attest-ca-crt.pem of
 * developers.yubico.com; liquid_security_certificate.zip of marvell.com (its own validity has ended; the
 * certificates below it are what is dated); cloudhsm/roots/global_1498867200.pem of gstatic.com.
 */
export const VENDOR_ROOTS: readonly AttestationRoot[] = [
  {
    format: 'yubihsm-x509',
    sha256: '094a3ac493c2bdcd65a54bdf40190f52bb03f7156397a3fc69d8aa9a392fb724',
    name: 'Yubico YubiHSM Root CA',
  },
  {
    format: 'marvell-hsm',
    sha256: '975757f0d76640e03d14760f8fc9e3a55826fa7807b2c392f7801a95bd69cc28',
    name: 'localca.liquidsecurity.cavium.com',
    vouches: 'manufacturer',
  },
  {
    format: 'marvell-hsm',
    sha256: '46b5fd351d56a0721ca0afcd1731c0f7b74e3941eb818bfd0ec36e29df0de095',
    name: 'Hawksbill Root v1 prod',
    vouches: 'owner',
  },
]

/** A root that an administrator pins. @throws hsm/bad-argument */
export function attestationRoot(
  format: AttestationFormat,
  sha256: string,
  name: string,
  vouches?: 'manufacturer' | 'owner',
): AttestationRoot {
  if (format === 'quorate-simulated')
    throw new Fault('hsm/bad-argument', { detail: 'a simulated HSM is pinned by its key' })
  if ((format === 'marvell-hsm') !== (vouches !== undefined))
    throw new Fault('hsm/bad-argument', {
      detail: 'of marvell-hsm, and of it alone, it is said for whom the root vouches',
    })
  return {
    format,
    sha256: fingerprintOf(sha256),
    name,
    ...(vouches !== undefined && { vouches }),
  }
}

/** Whether `level` is at least `demanded`. */
export const isAtLeast = (level: AttestationLevel, demanded: AttestationLevel): boolean =>
  ATTESTATION_LEVELS.indexOf(level) >= ATTESTATION_LEVELS.indexOf(demanded)
