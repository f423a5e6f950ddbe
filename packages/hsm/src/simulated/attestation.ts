/**
 * Attestations of a simulated HSM. They show the shape and the checks of a real one, and prove
 * nothing about hardware: the level of a verified one is always `simulated`.
 */
import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  oneOf,
  optional,
  record,
  TAGS,
  tagged,
  text,
} from '@quorate/base'
import { verifyEd25519 } from '../ed25519.ts'
import type { Attestation, KeyInfo } from '../provider.ts'
import type { Device } from './device.ts'

export const SIMULATED_FORMAT = 'quorate-simulated'

type Statement = {
  readonly v: 1
  readonly deviceId: Uint8Array
  readonly keyId: string
  readonly algorithm: string
  readonly publicKey?: Uint8Array | undefined
  readonly isExtractable: boolean
  readonly isSensitive: boolean
  readonly nonce: Uint8Array
  readonly time: number
}
const statementCodec: Codec<Statement> = record({
  v: field(0, oneOf(1)),
  deviceId: field(1, bytes(16)),
  keyId: field(2, text(64)),
  algorithm: field(3, text(16)),
  publicKey: optional(4, bytes({ min: 32, max: 33 })),
  isExtractable: field(5, bool),
  isSensitive: field(6, bool),
  nonce: field(7, bytes({ min: 16, max: 64 })),
  time: field(8, int()),
})

const signedCodec: Codec<{ readonly statement: Uint8Array; readonly signature: Uint8Array }> =
  record({
    statement: field(1, bytes({ max: 512 })),
    signature: field(2, bytes(64)),
  })

/** What the device says of `key` at `time`. @throws hsm/bad-argument for a nonce that is not 16 to 64 bytes */
export function attestSimulated(
  device: Device,
  key: KeyInfo,
  nonce: Uint8Array,
  time: number,
): Attestation {
  if (nonce.length < 16 || nonce.length > 64)
    throw new Fault('hsm/bad-argument', { detail: 'a nonce has 16 to 64 bytes' })
  const { id: keyId, algorithm, publicKey, isExtractable, isSensitive } = key
  const value = {
    v: 1,
    deviceId: device.id,
    keyId,
    algorithm,
    publicKey,
    isExtractable,
    isSensitive,
    nonce,
    time,
  } as const
  const statement = encode(statementCodec, value)
  const signature = device.signAttestation(tagged(TAGS.hsmAttestation, statement))
  return { format: SIMULATED_FORMAT, document: encode(signedCodec, { statement, signature }) }
}

export type SimulatedStatement = Statement & { readonly level: 'simulated' }

/**
 * The statement, where it is signed by `root` (32 bytes, pinned by the caller) for `nonce`.
 * @throws hsm/attestation-invalid
 */
export function verifySimulatedAttestation(
  attestation: Attestation,
  { root, nonce }: { readonly root: Uint8Array; readonly nonce: Uint8Array },
): SimulatedStatement {
  const refuse = (detail: string, cause?: unknown): never => {
    throw new Fault('hsm/attestation-invalid', { detail, cause })
  }
  if (attestation.format !== SIMULATED_FORMAT) refuse('not of a simulated HSM')
  try {
    const { statement, signature } = decode(signedCodec, attestation.document, { maxBytes: 1024 })
    if (!verifyEd25519(root, tagged(TAGS.hsmAttestation, statement), signature))
      refuse('wrong signature')
    const value = decode(statementCodec, statement, { maxBytes: 512 })
    if (!equalBytes(value.nonce, nonce)) refuse('made for another nonce')
    return { ...value, level: 'simulated' }
  } catch (error) {
    if (error instanceof Fault && error.code === 'hsm/attestation-invalid') throw error
    return refuse('not in its form', error)
  }
}
