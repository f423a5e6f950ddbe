/**
 * The certificate of a key generation: every party's signature, by its host key, of one transcript
 * (ChillDKG, CertEq). Transcript and certificate together are the recovery data: whoever shows it can
 * convince any party, at any time, that the session succeeded, and a party gets its share back from it
 * and its host secret alone. So a party that has signed must keep its host key even if it saw the
 * session fail: another may have seen it succeed.
 */
import { concatBytes, equalBytes, Fault, isFault, Secret } from '@quorate/base'
import { type Commitment, mod } from '@quorate/math'
import { receivedPads } from './dealing.ts'
import { Reader } from './messages.ts'
import type { DkgOutput } from './outcome.ts'
import {
  type DkgParameters,
  dkgParameters,
  hostScalar,
  indexOfHostKey,
  publicShareFor,
} from './parameters.ts'
import { type DkgSuite, SIGNATURE_LENGTH } from './suite.ts'

/** Party `index`'s signature (64 bytes) of the transcript. Treats the host secret and `aux` (32 bytes) as secret. */
export function signTranscript(
  { suite }: DkgParameters,
  index: number,
  hostSecret: Secret<Uint8Array>,
  transcript: Uint8Array,
  aux: Uint8Array,
): Uint8Array {
  if (aux.length !== 32) throw new Fault('threshold/bad-randomness')
  return suite.sign(
    hostScalar(suite.group, hostSecret.expose()),
    suite.certificateMessage(index, transcript),
    aux,
  )
}

/** Whether party `index` signed the transcript. */
export const didSign = (
  { suite, hostElements }: DkgParameters,
  index: number,
  transcript: Uint8Array,
  signature: Uint8Array,
): boolean =>
  suite.verify(hostElements[index]!, suite.certificateMessage(index, transcript), signature)

/** Indices of the parties whose signature in the certificate does not verify. @throws base/malformed for a wrong length */
export function missingSigners(
  params: DkgParameters,
  transcript: Uint8Array,
  certificate: Uint8Array,
): readonly number[] {
  const n = params.hostKeys.length
  if (certificate.length !== SIGNATURE_LENGTH * n)
    throw new Fault('base/malformed', { detail: 'length of the certificate' })
  const signatureOf = (i: number): Uint8Array =>
    certificate.subarray(SIGNATURE_LENGTH * i, SIGNATURE_LENGTH * (i + 1))
  return params.hostKeys.flatMap((_, i) =>
    didSign(params, i, transcript, signatureOf(i)) ? [] : [i],
  )
}

export const recoveryDataOf = (transcript: Uint8Array, certificate: Uint8Array): Uint8Array =>
  concatBytes(transcript, certificate)

type ParsedRecoveryData = {
  readonly threshold: number
  readonly commitment: Commitment
  readonly hostKeys: readonly Uint8Array[]
  readonly nonces: readonly Uint8Array[]
  readonly encryptedSums: readonly bigint[]
  readonly transcript: Uint8Array
  readonly certificate: Uint8Array
}

/** Reads t ‖ commitment ‖ host keys ‖ nonces ‖ encrypted sums ‖ what is refreshed ‖ certificate. */
function parse({ group }: DkgSuite, data: Uint8Array, refreshes: Uint8Array): ParsedRecoveryData {
  const E = group.elementLength
  const from = new Reader(group, data)
  const threshold = new DataView(from.bytes(4).buffer).getUint32(0)
  const coefficients = refreshes.length === 0 ? threshold : threshold - 1
  const left = data.length - 4 - E * coefficients - refreshes.length
  const n = left / (2 * E + 32 + SIGNATURE_LENGTH)
  if (coefficients < 1 || left < 0 || !Number.isInteger(n))
    throw new Fault('base/malformed', { detail: 'length of the recovery data' })
  const commitment = from.list(coefficients, () => from.element())
  const hostKeys = from.list(n, () => from.bytes(E))
  const nonces = from.list(n, () => from.bytes(E))
  const encryptedSums = from.list(n, () => from.scalar())
  if (!equalBytes(from.bytes(refreshes.length), refreshes))
    throw new Fault('base/malformed', { detail: 'it refreshes another generation' })
  const certificate = from.bytes(SIGNATURE_LENGTH * n)
  const transcript = data.slice(0, data.length - certificate.length)
  return { threshold, commitment, hostKeys, nonces, encryptedSums, certificate, transcript }
}

/**
 * The result of a key generation from its recovery data: for the party whose host secret is given with
 * its share, else without. `refreshes` says which generation it refreshes, if it does: the result is
 * then what a refresh adds. Treats the host secret as such.
 * @throws threshold/bad-recovery-data, and threshold/bad-host-key for a host secret that took no part
 */
export function recover(
  suite: DkgSuite,
  data: Uint8Array,
  hostSecret?: Secret<Uint8Array>,
  refreshes?: Uint8Array,
): { readonly params: DkgParameters; readonly output: DkgOutput } {
  const { group } = suite
  const refusing = <T>(detail: string, read: () => T): T => {
    try {
      return read()
    } catch (cause) {
      if (!isFault(cause)) throw cause
      throw new Fault('threshold/bad-recovery-data', { detail, cause })
    }
  }
  const parsed = refusing('it cannot be read', () =>
    parse(suite, data, refreshes ?? new Uint8Array()),
  )
  const { threshold, commitment, hostKeys, nonces, encryptedSums, transcript, certificate } = parsed
  const params = refusing('its parameters are not allowed', () =>
    dkgParameters({ suite, threshold, hostKeys, ...(refreshes && { refreshes }) }),
  )
  if (missingSigners(params, transcript, certificate).length > 0)
    throw new Fault('threshold/bad-recovery-data', { detail: 'a signature does not verify' })
  const parties = hostKeys.length
  if (hostSecret === undefined) return { params, output: { commitment, parties, share: undefined } }

  const index = indexOfHostKey(params, hostSecret)
  const pads = receivedPads(params, index, hostSecret, nonces)
  const share = pads.reduce((left, pad) => mod(left - pad, group.order), encryptedSums[index]!)
  if (!group.equals(group.mulBase(share), publicShareFor(params, commitment, index)))
    throw new Fault('threshold/bad-recovery-data', {
      detail: 'it does not hold the share of this host key',
    })
  return { params, output: { commitment, parties, share: new Secret(group.encodeScalar(share)) } }
}
