import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromHex, Secret, toHex } from '@quorate/base'
import { evaluate } from '@quorate/math'
import { commit, decodeNonceCommitment, SigningNonces } from '#src/frost/nonces.js'
import { type GroupKey, SigningKey } from '#src/frost/sign/key.js'
import { SigningSession } from '#src/frost/sign/session.js'
import { SignerSet } from '#src/frost/sign/signer-set.js'
import { type FrostSuite, verifySignature } from '#src/frost/suite.js'
import { frostSuites } from '#src/frost/suites/table.js'
import { partyId } from '#src/session/party.js'
import { readVectors, withVectors } from '../../vectors.ts'
import { replay } from './fixtures.ts'

type Vectors = {
  readonly config: { readonly MIN_PARTICIPANTS: string }
  readonly inputs: {
    readonly participant_list: readonly number[]
    readonly group_secret_key: string
    readonly group_public_key?: string
    readonly verifying_key_key?: string
    readonly message: string
    readonly share_polynomial_coefficients: readonly string[]
    readonly participant_shares: readonly {
      readonly identifier: number
      readonly participant_share: string
    }[]
  }
  readonly round_one_outputs: {
    readonly outputs: readonly {
      readonly identifier: number
      readonly hiding_nonce_randomness: string
      readonly binding_nonce_randomness: string
      readonly hiding_nonce: string
      readonly binding_nonce: string
      readonly hiding_nonce_commitment: string
      readonly binding_nonce_commitment: string
      readonly binding_factor_input: string
      readonly binding_factor: string
    }[]
  }
  readonly round_two_outputs: {
    readonly outputs: readonly { readonly identifier: number; readonly sig_share: string }[]
  }
  readonly final_output: { readonly sig: string }
}

const cases: readonly [file: string, suite: FrostSuite][] = [
  ['rfc9591/poc/frost-ed25519-sha512.json', frostSuites['FROST-ED25519-SHA512-v1']],
  ['zf-frost/frost-ed25519/tests/helpers/vectors.json', frostSuites['FROST-ED25519-SHA512-v1']],
  [
    'zf-frost/frost-secp256k1-tr/tests/helpers/vectors.json',
    frostSuites['FROST-secp256k1-SHA256-TR-v1'],
  ],
]

for (const [file, suite] of cases) {
  describe(file, withVectors(file), () => {
    const { config, inputs, round_one_outputs, round_two_outputs, final_output } =
      readVectors<Vectors>(file)
    const { group } = suite
    const scalar = (hex: string): bigint => group.decodeScalar(fromHex(hex))
    const secret = scalar(inputs.group_secret_key)
    const key: GroupKey = {
      suite,
      threshold: Number(config.MIN_PARTICIPANTS),
      groupKey: group.mulBase(secret),
      verifyingShares: new Map(
        inputs.participant_shares.map(({ identifier, participant_share }) => [
          partyId(identifier),
          group.mulBase(scalar(participant_share)),
        ]),
      ),
    }
    const message = fromHex(inputs.message)
    const shareOf = (identifier: number): Secret<Uint8Array> =>
      new Secret(
        fromHex(
          inputs.participant_shares.find((each) => each.identifier === identifier)!
            .participant_share,
        ),
      )

    test('the dealer: key and shares', () => {
      const encoded = toHex(group.encode(key.groupKey))
      assert.equal(encoded, inputs.group_public_key ?? inputs.verifying_key_key)
      const polynomial = [secret, ...inputs.share_polynomial_coefficients.map(scalar)]
      for (const { identifier, participant_share } of inputs.participant_shares)
        assert.equal(
          toHex(group.encodeScalar(evaluate(polynomial, BigInt(identifier), group.order))),
          participant_share,
        )
    })

    test('round one: nonces from the given randomness', () => {
      for (const output of round_one_outputs.outputs) {
        const draws = [output.hiding_nonce_randomness, output.binding_nonce_randomness].map(fromHex)
        const nonces = commit(suite, shareOf(output.identifier), replay(...draws))
        assert.equal(
          toHex(nonces.commitment.encoded),
          output.hiding_nonce_commitment + output.binding_nonce_commitment,
        )
        const { hiding, binding } = nonces.take()
        assert.equal(toHex(group.encodeScalar(hiding)), output.hiding_nonce)
        assert.equal(toHex(group.encodeScalar(binding)), output.binding_nonce)
      }
    })

    test('the binding factors', () => {
      for (const { binding_factor_input, binding_factor } of round_one_outputs.outputs)
        assert.equal(suite.H1(fromHex(binding_factor_input)), scalar(binding_factor))
    })

    test('round two and aggregation', () => {
      const signers = new SignerSet(key, inputs.participant_list.map(partyId))
      const session = new SigningSession({
        key: new SigningKey(key),
        signers,
        message,
        commitments: new Map(
          round_one_outputs.outputs.map(
            ({ identifier, hiding_nonce_commitment, binding_nonce_commitment }) => [
              partyId(identifier),
              decodeNonceCommitment(
                suite,
                fromHex(hiding_nonce_commitment + binding_nonce_commitment),
              ),
            ],
          ),
        ),
      })
      const shares = new Map(
        round_one_outputs.outputs.map(({ identifier, hiding_nonce, binding_nonce }) => {
          const nonces = new SigningNonces(suite, fromHex(hiding_nonce + binding_nonce))
          return [
            partyId(identifier),
            session.sign(partyId(identifier), shareOf(identifier), nonces),
          ]
        }),
      )
      for (const { identifier, sig_share } of round_two_outputs.outputs)
        assert.equal(toHex(shares.get(partyId(identifier))!), sig_share)
      const signature = session.aggregate(shares)
      assert.equal(toHex(signature), final_output.sig)
      assert.ok(verifySignature(suite, new SigningKey(key).publicKey, message, signature))
    })
  })
}
