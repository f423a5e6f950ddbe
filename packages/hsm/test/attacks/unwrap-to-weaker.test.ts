/** A wrapped key says nothing of what it was, so it can be unwrapped into a key that tells its value. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Template } from '#src/pkcs11/attributes.js'
import { CKK, CKO } from '#src/pkcs11/constants.js'
import { type RawMechanism, type RawSession, refusedWith } from '../raw/raw-module.ts'
import { isValueOf, makeOurKeys, openStage, rawAes } from './stage.ts'

const stage = await openStage()
const skip = 'absent' in stage ? stage.absent : false

const WEAKER: readonly Template[] = [
  { SENSITIVE: false, EXTRACTABLE: true },
  { SENSITIVE: true, EXTRACTABLE: true },
  { SENSITIVE: false, EXTRACTABLE: false },
]

function unwrapAs(
  raw: RawSession,
  mechanism: RawMechanism,
  [wrapping, victim]: readonly [bigint, bigint],
  weaker: Template,
): Uint8Array {
  const wrapped = raw.wrap(mechanism, wrapping, victim)
  const copy = raw.unwrap(mechanism, wrapping, wrapped, {
    CLASS: CKO.SECRET_KEY,
    KEY_TYPE: CKK.GENERIC_SECRET,
    ...weaker,
  })
  return raw.get(copy, 'VALUE')
}

describe('unwrapping into a weaker key', { skip }, () => {
  if ('absent' in stage) return
  const { raw } = stage

  test('tells the value of a key of a stock token', () => {
    const wrapping = rawAes(raw, { WRAP: true, UNWRAP: true })
    const victim = rawAes(raw, { EXTRACTABLE: true, ENCRYPT: true })
    const weaker = { SENSITIVE: false, EXTRACTABLE: true }
    const value = unwrapAs(raw, { name: 'AES_KEY_WRAP' }, [wrapping, victim], weaker)
    assert.ok(isValueOf(raw, victim, value))
  })

  test('is refused by a wrapping key that our layer makes', () => {
    const { wrapping, wrappableData } = makeOurKeys(stage)
    const mechanism = { name: 'AES_KEY_WRAP_PAD' } as const
    assert.ok(raw.wrap(mechanism, wrapping, wrappableData).length > 32, 'it does wrap')
    for (const weaker of WEAKER)
      assert.throws(
        () => unwrapAs(raw, mechanism, [wrapping, wrappableData], weaker),
        refusedWith('TEMPLATE_INCONSISTENT'),
      )
  })
})
