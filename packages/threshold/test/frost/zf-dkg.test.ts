/** The key generation vectors of ZF FROST: polynomials, commitments, shares and proofs as ours compute them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '@quorate/base'
import { addCommitments, commitTo, type Element, evaluate, isShareOf, mod } from '@quorate/math'
import { groupKeyOf } from '#src/frost/dealer.js'
import { ed25519Dkg } from '#src/frost/keygen/ed25519-dkg.js'
import { safeTweaks } from '#src/frost/keygen/keygen.js'
import { SigningKey } from '#src/frost/sign/key.js'
import { frostSuite } from '#src/frost/suites/table.js'
import { partiesUpTo, partyId } from '#src/session/party.js'
import { readVectors, withVectors } from '../vectors.js'

type Participant = {
  identifier: number
  signing_key: string
  coefficient: string
  vss_commitments: string[]
  proof_of_knowledge: string
  signing_shares: Record<string, string>
  verifying_share: string
  signing_share: string
}
type File = { inputs: Record<string, Participant> & { verifying_key: string } }

for (const [id, directory] of [
  ['FROST-ED25519-SHA512-v1', 'frost-ed25519'],
  ['FROST-secp256k1-SHA256-TR-v1', 'frost-secp256k1-tr'],
] as const) {
  const path = `zf-frost/${directory}/tests/helpers/vectors_dkg.json`
  test(`${id}: ZF FROST key generation`, withVectors(path), () => {
    const { inputs } = readVectors<File>(path)
    const suite = frostSuite(id)
    const { group } = suite
    const hex = (e: Element): string => toHex(group.encode(e))
    const scalar = (text: string): bigint => group.decodeScalar(fromHex(text))
    const dealers = [1, 2, 3].map((i) => inputs[i]!)
    const polynomials = dealers.map((each) => [scalar(each.signing_key), scalar(each.coefficient)])
    const commitments = polynomials.map((each) => commitTo(group, each))

    dealers.forEach((dealer, i) => {
      assert.deepEqual(commitments[i]!.map(hex), dealer.vss_commitments)
      // `signing_shares` of a participant are those it received, by their dealer.
      for (const [from, share] of Object.entries(dealer.signing_shares)) {
        const dealt = evaluate(
          polynomials[Number(from) - 1]!,
          BigInt(dealer.identifier),
          group.order,
        )
        assert.equal(toHex(group.encodeScalar(dealt)), share)
        assert.ok(
          isShareOf(
            group,
            commitments[Number(from) - 1]!,
            BigInt(dealer.identifier),
            scalar(share),
          ),
        )
      }
    })
    const joint = addCommitments(group, commitments)
    const key = groupKeyOf(suite, joint, partiesUpTo(3))
    const shares = dealers.map(({ identifier }) =>
      polynomials.reduce(
        (sum, each) => mod(sum + evaluate(each, BigInt(identifier), group.order), group.order),
        0n,
      ),
    )
    // ZF FROST hands out BIP-340 keys with a Taproot tweak applied, ours apply it when signing; and ZF
    // FROST leaves y as it comes, where a signing key of ours has the even one.
    const signing = new SigningKey(key, safeTweaks(id))
    const isNegated = id === 'FROST-secp256k1-SHA256-TR-v1' && inputs.verifying_key.startsWith('03')
    const turned = (e: Element): Element => (isNegated ? group.negate(e) : e)
    assert.equal(hex(turned(signing.element)), inputs.verifying_key)
    dealers.forEach((dealer, i) => {
      const share = signing.secretShare(shares[i]!)
      assert.equal(toHex(group.encodeScalar(isNegated ? -share : share)), dealer.signing_share)
      assert.equal(hex(turned(signing.verifyingShare(partyId(i + 1)))), dealer.verifying_share)
      if (id === 'FROST-ED25519-SHA512-v1')
        assert.ok(
          ed25519Dkg.verifyPossession(commitments[i]![0]!, i, fromHex(dealer.proof_of_knowledge)),
        )
    })
  })
}
