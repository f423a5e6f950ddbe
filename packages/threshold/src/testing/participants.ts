/** Identities for test sessions: epoch keys for envelopes, all from one seed. */
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { concatBytes, equalBytes, Secret } from '@quorate/base'
import type { KeyLookup } from '../session/envelope.ts'
import { type EnvelopeCrypto, nobleEnvelopeCrypto } from '../session/envelope-crypto.ts'
import type { PartyId } from '../session/party.ts'
import { seededRandom } from './random.ts'

export type Participant = {
  readonly party: PartyId
  /** Id of its epoch key, 16 bytes. */
  readonly epoch: Uint8Array
  /** Ed25519 public key, 32 bytes. */
  readonly signingKey: Uint8Array
  /** X25519 public key, 32 bytes. */
  readonly prekey: Uint8Array
  readonly crypto: EnvelopeCrypto
}

export const participants = (parties: readonly PartyId[], seed: string): readonly Participant[] =>
  parties.map((party) => {
    const random = seededRandom(`${seed}/${party}`)
    const [signing, sealing] = [random.bytes(32), random.bytes(32)]
    return {
      party,
      epoch: concatBytes(new Uint8Array(15), Uint8Array.of(party)),
      signingKey: ed25519.getPublicKey(signing),
      prekey: x25519.getPublicKey(sealing),
      crypto: nobleEnvelopeCrypto(
        { signingKey: new Secret(signing), sealingKey: new Secret(sealing) },
        random,
      ),
    }
  })

/** The epoch keys of all of them. */
export const keysOf = (all: readonly Participant[]): KeyLookup => ({
  epochKey: (from, epoch) =>
    all.find((each) => each.party === from && equalBytes(each.epoch, epoch))?.signingKey,
})
