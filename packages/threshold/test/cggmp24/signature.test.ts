import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { fromHex } from '@quorate/base'
import { verifyEcdsa } from '#src/cggmp24/sign/signature.js'
import { readVectors, withVectors } from '../vectors.js'

const FILE = 'wycheproof/testvectors_v1/ecdsa_secp256k1_sha256_p1363_test.json'

type Group = {
  readonly publicKey: { readonly uncompressed: string }
  readonly tests: readonly {
    readonly tcId: number
    readonly msg: string
    readonly sig: string
    readonly result: 'valid' | 'invalid' | 'acceptable'
  }[]
}

test('the verifier says what Wycheproof says, but for a high s', withVectors(FILE), () => {
  const { testGroups } = readVectors<{ readonly testGroups: readonly Group[] }>(FILE)
  const seen = { valid: 0, high: 0, invalid: 0 }
  for (const { publicKey, tests } of testGroups) {
    const key = noble.Point.fromHex(publicKey.uncompressed).toBytes(true)
    for (const { tcId, msg, sig, result } of tests) {
      const digest = createHash('sha256').update(fromHex(msg)).digest()
      const signature = fromHex(sig)
      const isHigh = result === 'valid' && noble.Signature.fromBytes(signature).hasHighS()
      const accepted = verifyEcdsa(key, digest, signature)
      assert.equal(accepted, result === 'valid' && !isHigh, `case ${tcId}`)
      // The same with the low s is good, and shows that nothing but its height was refused.
      if (isHigh) {
        const { r, s } = noble.Signature.fromBytes(signature)
        const low = new noble.Signature(r, noble.Point.Fn.neg(s)).toBytes()
        assert.ok(verifyEcdsa(key, digest, low), `case ${tcId}, low s`)
      }
      seen[isHigh ? 'high' : result === 'valid' ? 'valid' : 'invalid']++
    }
  }
  assert.ok(seen.valid > 50 && seen.high > 10 && seen.invalid > 50, JSON.stringify(seen))
})
