/** Backup keys in a real token: what an imported wrapping key may do, and what it must never. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromHex } from '@quorate/base'
import { parseKeyId } from '@quorate/hsm'
import { CKO } from '#src/pkcs11/constants.js'
import { isRefused, openStage, rawAes } from '../attacks/stage.ts'
import { isCode } from '../kit.ts'

const stage = await openStage()
const skip = 'absent' in stage ? stage.absent : false
const KEK = { id: parseKeyId('e1'), label: 'kek', algorithm: 'aes-256', use: 'wrapping' } as const
const SECRET = new Uint8Array(32).map((_, i) => 7 * i + 1)

describe('a wrapping key that was imported', { skip }, async () => {
  if ('absent' in stage) return
  const { raw, device } = stage
  device.importKey(KEK, SECRET)
  const victim = { id: parseKeyId('a9'), label: 'v', algorithm: 'p256', isWrappable: true } as const
  const { publicKey } = device.generateKey(victim)
  const handle = (id: string, CLASS: number = CKO.SECRET_KEY): bigint =>
    raw.find({ CLASS, ID: fromHex(id) })[0]!
  const pin = { id: KEK.id, algorithm: KEK.algorithm } as const
  const target = { id: victim.id, algorithm: victim.algorithm, publicKey: publicKey! } as const
  const facts = (id: string) => device.objects().find((object) => object.id === id)

  test('wraps and unwraps, and has no other use, for ever', () => {
    const { flags = {}, hasUnwrapTemplate, hasWrapTemplate } = facts('e1') ?? {}
    for (const is of ['WRAP', 'UNWRAP', 'SENSITIVE', 'PRIVATE'] as const)
      assert.equal(flags[is], true, is)
    const never = ['ENCRYPT', 'DECRYPT', 'SIGN', 'VERIFY', 'DERIVE', 'EXTRACTABLE', 'MODIFIABLE']
    for (const is of never) assert.equal(flags[is], false, is)
    assert.ok(hasUnwrapTemplate === true && hasWrapTemplate === true)
  })

  test('tells by its attributes that it was outside', () => {
    const { flags = {} } = facts('e1') ?? {}
    assert.deepEqual([flags['LOCAL'], flags['NEVER_EXTRACTABLE']], [false, false])
  })

  test('gives out what another token with the same secret takes in, as the same key', () => {
    const wrapped = device.wrapKey(pin, target)
    const again = { id: parseKeyId('aa'), label: 'again', algorithm: 'p256' } as const
    const made = device.unwrapKey(pin, wrapped, again)
    assert.deepEqual([made.publicKey, made.isExtractable], [publicKey, false])
    const private_ = device
      .objects()
      .find(({ id, class: kind }) => id === 'aa' && kind === 'CKO_PRIVATE_KEY')
    assert.deepEqual(
      [private_?.flags['NEVER_EXTRACTABLE'], private_?.flags['SENSITIVE']],
      [false, true],
    )
    assert.throws(
      () => device.wrapKey(pin, { id: made.id, algorithm: 'p256', publicKey: publicKey! }),
      isCode('hsm/forbidden'),
    )
  })

  test('attack: it decrypts nothing that it wrapped', () => {
    const kek = handle('e1')
    assert.throws(() => raw.set(kek, { DECRYPT: true }), isRefused)
    assert.throws(
      () => raw.encrypt({ name: 'AES_CBC', param: new Uint8Array(16) }, kek, new Uint8Array(32)),
      isRefused,
    )
  })

  test('attack: it unwraps into nothing that tells its value', () => {
    const data = rawAes(raw, { EXTRACTABLE: true, ENCRYPT: true })
    const wrapped = raw.wrap({ name: 'AES_KEY_WRAP_PAD' }, handle('e1'), data)
    const weaker = { CLASS: CKO.SECRET_KEY, KEY_TYPE: 0x10, SENSITIVE: false, EXTRACTABLE: true }
    assert.throws(
      () => raw.unwrap({ name: 'AES_KEY_WRAP_PAD' }, handle('e1'), wrapped, weaker),
      isRefused,
    )
  })

  test('a key that is wrapped under trusted keys only goes under no other', () => {
    const request = { id: parseKeyId('ab'), label: 't', algorithm: 'p256' } as const
    const made = device.generateKey({ ...request, isWrappable: true, withTrusted: true })
    const { flags = {} } =
      device.objects().find(({ id, class: kind }) => id === 'ab' && kind === 'CKO_PRIVATE_KEY') ??
      {}
    assert.equal(flags['WRAP_WITH_TRUSTED'], true)
    const pinned = { id: made.id, algorithm: 'p256', publicKey: made.publicKey! } as const
    assert.throws(() => device.wrapKey(pin, pinned), isCode('hsm/forbidden'))
  })

  test('what makes no sense is refused before the token is asked', () => {
    const id = parseKeyId('ac')
    const bad = isCode('hsm/bad-argument')
    assert.throws(() => device.importKey({ ...KEK, id, algorithm: 'p256' }, SECRET), bad)
    assert.throws(() => device.importKey({ ...KEK, id }, SECRET.subarray(1)), bad)
    assert.throws(() => device.importKey({ ...KEK, id, isWrappable: true }, SECRET), bad)
    assert.throws(() => device.generateKey({ ...KEK, id, isWrappable: true }), bad)
    const lone = { id, label: 'l', algorithm: 'p256', withTrusted: true } as const
    assert.throws(() => device.generateKey(lone), bad)
  })
})
