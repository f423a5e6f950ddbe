/** Clulow 2003, §2.3: one key that wraps and decrypts turns every key that may be wrapped into plaintext. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RawMechanism } from '../raw/raw-module.ts'
import { CBC, isRefused, isValueOf, makeOurKeys, openStage, rawAes } from './stage.ts'

const stage = await openStage()
const skip = 'absent' in stage ? stage.absent : false

const MECHANISMS: readonly RawMechanism[] = [
  CBC,
  { ...CBC, name: 'AES_CBC_PAD' },
  { name: 'AES_ECB' },
  { name: 'AES_KEY_WRAP' },
  { name: 'AES_KEY_WRAP_PAD' },
]

/** What `attempt` gives, or undefined where the token refuses. Any other failure fails the test. */
function unlessRefused(attempt: () => Uint8Array): Uint8Array | undefined {
  try {
    return attempt()
  } catch (error) {
    assert.ok(isRefused(error), String(error))
    return undefined
  }
}

describe('wrap, then decrypt', { skip }, () => {
  if ('absent' in stage) return
  const { raw } = stage

  test('takes a key out of a stock token', () => {
    const wrapping = rawAes(raw, { WRAP: true, DECRYPT: true })
    const victim = rawAes(raw, { EXTRACTABLE: true, ENCRYPT: true })
    const plaintext = raw.decrypt(CBC, wrapping, raw.wrap(CBC, wrapping, victim))
    assert.ok(isValueOf(raw, victim, plaintext))
  })

  test('takes none of the keys that our layer makes, by whichever two keys and mechanisms', () => {
    const keys = makeOurKeys(stage)
    const { data, wrappableData, wrapping } = keys
    const aesKeys = [data, wrappableData, wrapping]
    let wraps = 0
    for (const by of aesKeys)
      for (const victim of Object.values(keys))
        for (const mechanism of MECHANISMS) {
          const wrapped: Uint8Array | undefined = unlessRefused(() =>
            raw.wrap(mechanism, by, victim),
          )
          if (wrapped === undefined) continue
          wraps += 1
          for (const key of aesKeys)
            for (const other of MECHANISMS)
              assert.equal(
                unlessRefused(() => raw.decrypt(other, key, wrapped)),
                undefined,
              )
        }
    // The one that is meant to be: the wrappable key under the wrapping key, by its one mechanism.
    assert.equal(wraps, 1)
  })
})
