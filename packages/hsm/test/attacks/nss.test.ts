/**
 * NSS softokn keeps attributes that it does not hold to: a copy may be less secret than its original,
 * and an unwrap template binds nobody. So no template protects a key in it from whoever has the PIN:
 * it is software, and is to be treated as a file.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseKeyId } from '@quorate/hsm'
import { CKK, CKO } from '#src/pkcs11/constants.js'
import { CBC, cbcDecrypt, isValueOf, knownAes, openStage, rawAes } from './stage.ts'

const stage = await openStage('nss')
const skip = 'absent' in stage ? stage.absent : false

describe('NSS softokn', { skip }, () => {
  if ('absent' in stage) return
  const { raw, device } = stage

  test('copies a key that may not leave into one that may, also one of ours', () => {
    const known = new Uint8Array(32).fill(5)
    const wrapping = knownAes(raw, known, { WRAP: true })
    const id = parseKeyId('c0')
    const info = device.generateKey({ id, label: 'data', algorithm: 'aes-256' })
    assert.equal(info.isExtractable, false)
    const [key = assert.fail()] = raw.find({ CLASS: CKO.SECRET_KEY, ID: Buffer.from(id, 'hex') })
    const copy = raw.copy(key, { TOKEN: false, EXTRACTABLE: true })
    assert.ok(isValueOf(raw, key, cbcDecrypt(known, raw.wrap(CBC, wrapping, copy))))
  })

  test('unwraps into a weaker key than the unwrap template demands', () => {
    const wrapping = rawAes(raw, {
      WRAP: true,
      UNWRAP: true,
      UNWRAP_TEMPLATE: { SENSITIVE: true, EXTRACTABLE: false },
    })
    const victim = rawAes(raw, { EXTRACTABLE: true, ENCRYPT: true })
    const mechanism = { name: 'AES_KEY_WRAP_KWP' } as const
    const weaker = raw.unwrap(mechanism, wrapping, raw.wrap(mechanism, wrapping, victim), {
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: CKK.GENERIC_SECRET,
      SENSITIVE: false,
      EXTRACTABLE: true,
    })
    assert.ok(isValueOf(raw, victim, raw.get(weaker, 'VALUE')))
  })
})
