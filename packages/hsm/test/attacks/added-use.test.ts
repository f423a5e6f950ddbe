/** A key that may only wrap is given DECRYPT, or one that may only decrypt is given WRAP, when it is already there. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Template } from '#src/pkcs11/attributes.js'
import { CBC, isRefused, isValueOf, makeOurKeys, openStage, rawAes } from './stage.ts'

const stage = await openStage()
const skip = 'absent' in stage ? stage.absent : false

const RELAXATIONS: readonly Template[] = [
  { DECRYPT: true },
  { ENCRYPT: true },
  { WRAP: true },
  { UNWRAP: true },
  { SIGN: true },
  { DERIVE: true },
  { MODIFIABLE: true },
  { SENSITIVE: false },
  { EXTRACTABLE: true },
  { TRUSTED: true },
  { ALLOWED_MECHANISMS: ['AES_ECB', 'AES_CBC', 'AES_KEY_WRAP'] },
  { UNWRAP_TEMPLATE: {} },
]

describe('a use that is added to a finished key', { skip }, () => {
  if ('absent' in stage) return
  const { raw } = stage

  test('takes a key out of a stock token', () => {
    const wrapping = rawAes(raw, { WRAP: true, DECRYPT: false })
    const victim = rawAes(raw, { EXTRACTABLE: true, ENCRYPT: true })
    const wrapped = raw.wrap(CBC, wrapping, victim)
    assert.throws(() => raw.decrypt(CBC, wrapping, wrapped), isRefused)
    raw.set(wrapping, { DECRYPT: true })
    assert.ok(isValueOf(raw, victim, raw.decrypt(CBC, wrapping, wrapped)))
  })

  test('is refused for every key that our layer makes, and in every copy of one', () => {
    for (const key of Object.values(makeOurKeys(stage)))
      for (const relaxation of RELAXATIONS) {
        assert.throws(() => raw.set(key, relaxation), isRefused)
        assert.throws(() => raw.copy(key, relaxation), isRefused)
      }
  })
})
