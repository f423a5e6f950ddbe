/**
 * One party's part in the joint secret: a polynomial, the commitment to it, the proof of knowing its
 * first coefficient, and everybody's share encrypted to their host keys (ChillDKG, EncPedPop).
 * Encryption is additive, c = share + pad, so that a coordinator can add up ciphertexts; pads come
 * from a fresh nonce and the host keys, hashed with the receiver's index and all host keys.
 */
import { concatBytes, Fault, isFault, Secret, wipe } from '@quorate/base'
import { commitTo, type Element, mod } from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import { partyId } from '../../session/party.ts'
import { type DealerMessage, encodeDealerMessage } from './messages.ts'
import { type DkgParameters, hostScalar, shareFor } from './parameters.ts'
import { uint32 } from './suite.ts'

export type Dealing = {
  readonly message: DealerMessage
  readonly encoded: Uint8Array
  /** The discrete logarithm of the message's nonce, encoded. */
  readonly nonceSecret: Secret<Uint8Array>
}

/**
 * The dealing of party `index`. All of it follows from the host secret and `random` (32 fresh bytes), so
 * different shares are never encrypted with the same pads. Treats both as secret.
 * @throws threshold/bad-randomness
 */
export function deal(
  params: DkgParameters,
  index: number,
  hostSecret: Secret<Uint8Array>,
  random: Uint8Array,
): Dealing {
  if (random.length !== 32 || random.every((byte) => byte === 0))
    throw new Fault('threshold/bad-randomness')
  const { suite, hostElements, hostKeys, coefficients } = params
  const { group } = suite
  const seedInput = concatBytes(hostSecret.expose(), random, params.context)
  const seed = suite.hash('seed', seedInput)
  const aux = suite.hash('proof randomness', seed)
  const r = suite.encryptionNonce(seed)
  const nonce = group.encode(group.mulBase(r))
  const polynomial = Array.from({ length: coefficients }, (_, k) => suite.coefficient(seed, k))
  const encryptedShares = hostKeys.map((hostKey, receiver) => {
    const pad =
      receiver === index
        ? suite.selfPad(hostSecret.expose(), nonce, padContext(params, index))
        : suite.pad(
            group.mulSecret(r, hostElements[receiver]!),
            nonce,
            hostKey,
            padContext(params, receiver),
          )
    return mod(shareFor(params, polynomial, receiver) + pad, group.order)
  })
  const commitment = commitTo(group, polynomial)
  const message = {
    commitment,
    proof: suite.provePossession(polynomial[0]!, index, aux),
    nonce,
    encryptedShares,
  }
  wipe(seedInput, seed, aux)
  return {
    message,
    encoded: encodeDealerMessage(params, message),
    nonceSecret: new Secret(group.encodeScalar(r)),
  }
}

/** What a pad for party `receiver` is bound to. */
export const padContext = (params: DkgParameters, receiver: number): Uint8Array =>
  concatBytes(uint32(receiver), params.context)

/**
 * The pads that all dealers used for party `index`. Treats the host secret as such.
 * @throws Abort threshold/malformed-message naming a dealer whose nonce is no element
 */
export function receivedPads(
  params: DkgParameters,
  index: number,
  hostSecret: Secret<Uint8Array>,
  nonces: readonly Uint8Array[],
): readonly bigint[] {
  const { suite, hostKeys } = params
  const { group } = suite
  const d = hostScalar(group, hostSecret.expose())
  const context = padContext(params, index)
  return nonces.map((nonce, dealer) =>
    dealer === index
      ? suite.selfPad(hostSecret.expose(), nonce, context)
      : suite.pad(
          group.mulSecret(d, decodeNonce(params, dealer, nonce)),
          nonce,
          hostKeys[index]!,
          context,
        ),
  )
}

/** The nonce of a dealer. @throws Abort threshold/malformed-message naming the dealer */
export function decodeNonce({ suite }: DkgParameters, dealer: number, nonce: Uint8Array): Element {
  try {
    return suite.group.decode(nonce)
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Abort('threshold/malformed-message', {
      culprits: [partyId(dealer + 1)],
      detail: 'public nonce',
      cause,
    })
  }
}
