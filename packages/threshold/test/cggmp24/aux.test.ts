import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFault } from '@quorate/base'
import {
  auxDigest,
  decodeAuxInfo,
  decodeAuxKeys,
  encodeAuxInfo,
  encodeAuxKeys,
} from '#src/cggmp24/aux/aux-info.js'
import { outputsOf, testPrimes } from '#src/testing/index.js'
import { auxScene, idsOf, play, TESTED } from './stage.js'

const made = outputsOf(play(auxScene(TESTED, 2, 'aux')))
const [first] = idsOf(1) as [(typeof infos)[number]['self']]
const infos = [...made.values()]

describe('auxiliary information', () => {
  test('is the same for all, and each holds the factors of its own moduli', () => {
    for (const { self, own, keys, digest } of infos) {
      assert.deepEqual(digest, infos[0]!.digest)
      const [p, q, pHat, qHat] = testPrimes(TESTED).slice(4 * self - 4, 4 * self)
      assert.equal(own.paillier.n, p! * q!)
      assert.equal(own.parameters.n, pHat! * qHat!)
      for (const { keys: theirs } of infos)
        assert.equal(theirs.get(self)!.paillier.n, keys.get(self)!.paillier.n)
    }
    assert.deepEqual(auxDigest(TESTED, infos[0]!.keys), infos[0]!.digest)
  })

  test('comes back from its stored form', () => {
    const info = made.get(first)!
    const read = decodeAuxInfo(encodeAuxInfo(info).expose())
    assert.deepEqual(read.digest, info.digest)
    assert.equal(read.self, info.self)
    assert.equal(read.own.parameters.lambda, info.own.parameters.lambda)
    const { level, keys } = decodeAuxKeys(encodeAuxKeys(TESTED, info.keys))
    assert.equal(level, TESTED)
    assert.deepEqual(auxDigest(level, keys), info.digest)
  })

  test('of one party does not fit the secrets of another', () => {
    const [one, two] = infos
    assert.throws(
      () => decodeAuxInfo(encodeAuxInfo({ ...one!, own: two!.own }).expose()),
      (error) => isFault(error, 'threshold/inconsistent-share'),
    )
  })
})
