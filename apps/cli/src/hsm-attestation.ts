/** Attestations in files, and whom the options of a command trust to make them. */
import { Fault, fromBase64, fromHex, toBase64, toHex } from '@quorate/base'
import {
  ATTESTATION_FORMATS,
  type Attestation,
  type AttestationTrust,
  type AttestedKey,
  attestationRoot,
  certificatesIn,
  DOCUMENT_FORMAT,
  type EnrolledKey,
  type StoredAttestation,
  VENDOR_ROOTS,
} from '@quorate/hsm'
import type { Given } from './command.ts'
import { readBytes, readJson } from './files.ts'

/** What a root of each option is good for, and nothing else: a CA of one's own must not pass for a maker. */
const ROOTS = [
  ['root', DOCUMENT_FORMAT, undefined],
  ['yubihsm-root', 'yubihsm-x509', undefined],
  ['marvell-root', 'marvell-hsm', 'manufacturer'],
  ['owner-root', 'marvell-hsm', 'owner'],
] as const

const ALGORITHMS = ['ed25519', 'p256', 'secp256k1'] as const

/** @throws cli/bad-value */
export function hexValue(what: string, text: string, min: number, max: number): Uint8Array {
  if (/^([0-9a-fA-F]{2})*$/.test(text) && text.length >= 2 * min && text.length <= 2 * max)
    return fromHex(text.toLowerCase())
  const bytes = min === max ? `${min}` : `${min} to ${max}`
  throw new Fault('cli/bad-value', { detail: `${what} takes ${bytes} bytes in hex` })
}

/** A key as `algorithm:hex`. @throws cli/bad-value */
export function keyValue(what: string, text: string): AttestedKey {
  const [name, hex = ''] = text.split(':')
  const algorithm = ALGORITHMS.find((each) => each === name)
  if (algorithm === undefined)
    throw new Fault('cli/bad-value', {
      detail: `${what} takes ${ALGORITHMS.join(', ')}, then a colon and the public key in hex`,
    })
  const length = algorithm === 'ed25519' ? 32 : 33
  return { algorithm, publicKey: hexValue(what, hex, length, length) }
}

function enrolledKey(text: string): EnrolledKey {
  const at = text.lastIndexOf('=')
  if (at < 1) throw new Fault('cli/bad-value', { detail: '--enrolled takes DEVICE=ALGORITHM:HEX' })
  return { device: text.slice(0, at), ...keyValue('--enrolled', text.slice(at + 1)) }
}

/** Whom the options trust for attestations. @throws cli/bad-value, cli/file-not-found, hsm/attestation-invalid */
export const trustOf = (given: Given): AttestationTrust => ({
  roots: [
    ...VENDOR_ROOTS,
    ...ROOTS.flatMap(([option, format, vouches]) =>
      given
        .list(option)
        .flatMap((path) =>
          certificatesIn(readBytes(path)).map(({ sha256 }) =>
            attestationRoot(format, sha256, path, vouches),
          ),
        ),
    ),
  ],
  enrolled: given.list('enrolled').map(enrolledKey),
  simulated: given.list('simulated-root').map((text) => hexValue('--simulated-root', text, 32, 32)),
})

export type AttestationFile = {
  readonly format: string
  /** Base64. */
  readonly document: string
  readonly nonce: string
  readonly key: { readonly algorithm: string; readonly publicKey: string }
}

export const attestationJson = (
  { format, document }: Attestation,
  nonce: Uint8Array,
  key: AttestedKey,
): AttestationFile => ({
  format,
  document: toBase64(document),
  nonce: toHex(nonce),
  key: { algorithm: key.algorithm, publicKey: toHex(key.publicKey) },
})

/** The attestation in a file that `hsm attest make` wrote, and the nonce in it. @throws cli/bad-file, cli/file-not-found */
export function readAttestation(path: string): StoredAttestation {
  const { format, document, nonce } = (readJson(path) ?? {}) as Partial<AttestationFile>
  const isKnown = ATTESTATION_FORMATS.some((each) => each === format)
  try {
    if (isKnown && format !== undefined && typeof document === 'string')
      return {
        attestation: { format, document: fromBase64(document) },
        nonce: hexValue('nonce', nonce ?? '', 16, 64),
      }
  } catch (cause) {
    throw new Fault('cli/bad-file', { detail: `${path} is no attestation`, cause })
  }
  throw new Fault('cli/bad-file', { detail: `${path} is no attestation` })
}
