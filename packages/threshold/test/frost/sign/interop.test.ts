/** Our signers and those of noble's FROST in one and the same session. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ed25519_FROST } from '@noble/curves/ed25519.js'
import { schnorr_FROST } from '@noble/curves/secp256k1.js'
import { concatBytes, fromHex, Secret, toHex, utf8 } from '@quorate/base'
import { commit, decodeNonceCommitment } from '#src/frost/nonces.js'
import { type GroupKey, SigningKey } from '#src/frost/sign/key.js'
import { SigningSession } from '#src/frost/sign/session.js'
import { SignerSet } from '#src/frost/sign/signer-set.js'
import { type FrostSuite, verifySignature } from '#src/frost/suite.js'
import { frostSuites } from '#src/frost/suites/table.js'
import type { Tweak } from '#src/frost/tweak.js'
import { type PartyId, partyId } from '#src/session/party.js'
import { dealt, random } from './fixtures.ts'

type NobleFrost = typeof ed25519_FROST
const cases: readonly [FrostSuite, NobleFrost, readonly Tweak[]][] = [
  [frostSuites['FROST-ED25519-SHA512-v1'], ed25519_FROST, []],
  [frostSuites['FROST-secp256k1-SHA256-TR-v1'], schnorr_FROST, []],
  [frostSuites['FROST-secp256k1-SHA256-TR-v1'], schnorr_FROST, [{ kind: 'taproot' }]],
  [
    frostSuites['FROST-secp256k1-SHA256-TR-v1'],
    schnorr_FROST,
    [{ kind: 'taproot', merkleRoot: new Uint8Array(32).fill(5) }],
  ],
]

for (const [suite, noble, tweaks] of cases) {
  const { group } = suite
  const name = (party: PartyId): string => noble.Identifier.fromNumber(party)

  describe(`${suite.id}${tweaks.map(({ merkleRoot }) => (merkleRoot ? ' with script root' : ' tweaked')).join()}`, () => {
    // Several keys, so that odd and even keys and group commitments are met.
    for (let round = 0; round < 4; round++) {
      test(`a mixed session, key ${round}`, () => {
        const { key, shares, commitment } = dealt(suite, 3, 5)
        const signingKey = new SigningKey(key, tweaks)
        const message = concatBytes(utf8('mixed session '), random.bytes(20))
        // noble knows no list of tweaks: it is given the key and the shares that they lead to.
        const movedShare = (party: PartyId): Uint8Array =>
          group.encodeScalar(
            signingKey.secretShare(group.decodeScalar(shares.get(party)!.expose())),
          )
        const pub = {
          signers: { min: 3, max: 5 },
          commitments: [signingKey.element, ...commitment.slice(1)].map((e) => group.encode(e)),
          verifyingShares: Object.fromEntries(
            [...shares.keys()].map((party) => [
              name(party),
              group.encode(signingKey.verifyingShare(party)),
            ]),
          ),
        }
        const secretOf = (party: PartyId): { identifier: string; signingShare: Uint8Array } => ({
          identifier: name(party),
          signingShare: movedShare(party),
        })

        const [ours, theirs, alsoOurs] = [partyId(1), partyId(2), partyId(5)]
        const signers = [ours, theirs, alsoOurs]
        const nobleNonces = noble.commit(secretOf(theirs))
        const ourNonces = new Map(
          [ours, alsoOurs].map((party) => [party, commit(suite, shares.get(party)!, random)]),
        )
        const encoded = new Map<PartyId, Uint8Array>([
          ...[...ourNonces].map(
            ([
              party,
              {
                commitment: { encoded },
              },
            ]): [PartyId, Uint8Array] => [party, encoded],
          ),
          [theirs, concatBytes(nobleNonces.commitments.hiding, nobleNonces.commitments.binding)],
        ])
        const list = signers.map((party) => ({
          identifier: name(party),
          hiding: encoded.get(party)!.slice(0, group.elementLength),
          binding: encoded.get(party)!.slice(group.elementLength),
        }))
        const session = new SigningSession({
          key: signingKey,
          signers: new SignerSet(key, signers),
          message,
          commitments: new Map(
            [...encoded].map(([party, bytes]) => [party, decodeNonceCommitment(suite, bytes)]),
          ),
        })

        const all = new Map<PartyId, Uint8Array>([
          [theirs, noble.signShare(secretOf(theirs), pub, nobleNonces.nonces, list, message)],
        ])
        for (const [party, nonces] of ourNonces)
          all.set(party, session.sign(party, shares.get(party)!, nonces))

        for (const party of signers) {
          assert.ok(session.isValidShare(party, all.get(party)!), `we accept the share of ${party}`)
          assert.ok(
            noble.verifyShare(pub, list, message, name(party), all.get(party)!),
            `noble accepts ${party}`,
          )
        }
        const signature = session.aggregate(all)
        const byNoble = noble.aggregate(
          pub,
          list,
          message,
          Object.fromEntries(signers.map((party) => [name(party), all.get(party)!])),
        )
        assert.equal(toHex(signature), toHex(byNoble))
        assert.ok(verifySignature(suite, signingKey.publicKey, message, signature))
        assert.ok(noble.verify(signature, message, group.encode(signingKey.element)))
      })
    }
  })

  test(`${suite.id}: shares of noble's dealer sign with us`, () => {
    const deal = noble.trustedDealer({ min: 2, max: 3 })
    const parties = [1, 2, 3].map(partyId)
    const key: GroupKey = {
      suite,
      threshold: 2,
      groupKey: group.decode(deal.public.commitments[0]!),
      verifyingShares: new Map(
        parties.map((p) => [p, group.decode(deal.public.verifyingShares[name(p)]!)]),
      ),
    }
    const message = fromHex('00ff')
    const signers = new SignerSet(key, [partyId(3), partyId(1)])
    const made = signers.parties.map((party) => {
      const share = new Secret(deal.secretShares[name(party)]!.signingShare.slice())
      return { party, share, nonces: commit(suite, share, random) }
    })
    const session = new SigningSession({
      key: new SigningKey(key, tweaks),
      signers,
      message,
      commitments: new Map(made.map(({ party, nonces }) => [party, nonces.commitment])),
    })
    const shares = new Map(
      made.map(({ party, share, nonces }) => [party, session.sign(party, share, nonces)]),
    )
    const { publicKey } = new SigningKey(key, tweaks)
    assert.ok(verifySignature(suite, publicKey, message, session.aggregate(shares)))
  })
}
