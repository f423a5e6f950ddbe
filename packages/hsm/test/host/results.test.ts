import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { type HsmProvider, hasCapability, hsmSigner, type KeyId, toLowS } from '@quorate/hsm'
import { recoveryId } from '#src/host/recovery-id.js'
import { Bench, isCode } from './kit.ts'

const MESSAGE = Uint8Array.of(1, 2, 3)
const DIGEST = new Uint8Array(createHash('sha256').update(MESSAGE).digest())

describe('a signature that does not hold is kept back', () => {
  for (const algorithm of ['p256', 'secp256k1'] as const)
    test(algorithm, async (t) => {
      const bench = new Bench(t)
      const hsm = await bench.open()
      const { id } = await hsm.generateKey({ label: 'k', algorithm })
      for (const input of [{ message: MESSAGE }, { digest: DIGEST }]) {
        bench.plan('sign', { kind: 'wrong' })
        await assert.rejects(hsm.sign(id, input), isCode('hsm/wrong-result'))
        const signature = await hsm.sign(id, input)
        assert.ok(await hsm.verify(id, input, signature))
      }
      const { wrongResults, lastFault } = hsm.status()
      assert.equal(wrongResults, 2)
      assert.equal(lastFault?.code, 'hsm/wrong-result')
    })

  test('ed25519, by the signer over the provider', async (t) => {
    const bench = new Bench(t)
    const hsm = await bench.open()
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519' })
    const signer = await hsmSigner(hsm, id)
    bench.plan('sign', { kind: 'wrong' })
    await assert.rejects(signer.sign(MESSAGE), isCode('hsm/key-changed'))
    assert.ok(await hsm.verify(id, { message: MESSAGE }, await signer.sign(MESSAGE)))
  })
})

test('every ECDSA signature has a low s and a recovery id', async (t) => {
  const hsm = await new Bench(t).open()
  const { id } = await hsm.generateKey({ label: 'k', algorithm: 'secp256k1' })
  const publicKey = await hsm.publicKey(id)
  for (let i = 0; i < 8; i++) {
    const signature = await hsm.sign(id, { digest: DIGEST })
    assert.deepEqual(toLowS('secp256k1', signature), signature)
    const found = secp256k1.Signature.fromBytes(signature)
      .addRecoveryBit(recoveryId(publicKey, DIGEST, signature))
      .recoverPublicKey(DIGEST)
    assert.deepEqual(found.toBytes(true), publicKey)
  }
})

test('a recovery id is refused for what does not hold', () => {
  const { secretKey, publicKey } = secp256k1.keygen()
  const signature = secp256k1.sign(DIGEST, secretKey, { prehash: false })
  assert.ok(recoveryId(publicKey, DIGEST, signature) < 2)
  const refused = isCode('hsm/bad-argument')
  assert.throws(() => recoveryId(publicKey, new Uint8Array(32), signature), refused)
  assert.throws(() => recoveryId(publicKey, DIGEST.subarray(1), signature), refused)
  assert.throws(() => recoveryId(publicKey, DIGEST, new Uint8Array(64)), refused)
  assert.throws(() => recoveryId(publicKey.subarray(1), DIGEST, signature), refused)
  assert.throws(() => recoveryId(secp256k1.keygen().publicKey, DIGEST, signature), refused)
})

describe('a key is pinned', () => {
  test('by its first use: another under its id does not answer', async (t) => {
    const bench = new Bench(t)
    const [hsm, other] = [await bench.open(), await bench.open()]
    const id = 'aa' as KeyId
    const { publicKey } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519', id })
    await other.destroy(id, { label: 'k' })
    await other.generateKey({ label: 'k', algorithm: 'ed25519', id })
    const changed = isCode('hsm/key-changed')
    await assert.rejects(hsm.sign(id, { message: MESSAGE }), changed)
    await assert.rejects(hsm.find({ id }), changed)
    await assert.rejects(hsm.list(), changed)
    assert.deepEqual(await hsm.publicKey(id), publicKey)
  })

  test('by the caller, before its first use', async (t) => {
    const bench = new Bench(t)
    const first = await bench.open()
    const key = await first.generateKey({ label: 'k', algorithm: 'ed25519' })
    const stranger = { ...key, publicKey: new Uint8Array(32).fill(1) }
    const hsm = await bench.open({ pins: [stranger] })
    await assert.rejects(hsm.sign(key.id, { message: MESSAGE }), isCode('hsm/key-changed'))
    assert.throws(() => hsm.pin(key), isCode('hsm/key-changed'))
    first.pin(key)
    const noKey = { ...key, id: 'ab' as KeyId, publicKey: new Uint8Array(31) }
    assert.throws(() => first.pin(noKey), isCode('hsm/bad-argument'))
  })

  test('until it is destroyed', async (t) => {
    const hsm = await new Bench(t).open()
    const id = 'aa' as KeyId
    for (const algorithm of ['ed25519', 'p256'] as const) {
      await hsm.generateKey({ label: 'k', algorithm, id })
      await hsm.sign(id, { message: MESSAGE })
      await hsm.destroy(id, { label: 'k' })
      await assert.rejects(hsm.sign(id, { message: MESSAGE }), isCode('hsm/key-not-found'))
    }
  })
})

test('a public key is given out as a copy', async (t) => {
  const hsm = await new Bench(t).open()
  const { id } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519' })
  ;(await hsm.publicKey(id)).fill(0)
  await hsm.sign(id, { message: MESSAGE })
})

test('capabilities are there only where the token has them', async (t) => {
  const without: HsmProvider = await new Bench(t).open()
  assert.deepEqual(
    [hasCapability(without, 'wrap'), hasCapability(without, 'import')],
    [false, false],
  )
  const hsm: HsmProvider = await new Bench(t).open({ env: { FAKE_CAPABILITIES: 'all' } })
  assert.ok(hasCapability(hsm, 'wrap') && hasCapability(hsm, 'import'))
  const kek = await hsm.generateKey({ label: 'kek', algorithm: 'aes-256' })
  const secret = new Uint8Array(32).fill(5)
  const key = await hsm.importKey({ label: 'mac', algorithm: 'hmac-sha256' }, secret)
  const copy = await hsm.unwrapKey(kek.id, await hsm.wrapKey(kek.id, key.id), {
    label: 'copy',
    algorithm: 'hmac-sha256',
  })
  assert.deepEqual(await hsm.hmac(copy.id, MESSAGE), await hsm.hmac(key.id, MESSAGE))
})

test('facts and objects of the token come as the device tells them', async (t) => {
  const hsm = await new Bench(t).open()
  assert.equal((await hsm.token()).slot, '18446744073709551615')
  assert.deepEqual(await hsm.objects(), [
    {
      class: 'CKO_SECRET_KEY',
      keyType: 'CKK_AES',
      label: 'e\u0301',
      id: '',
      flags: { SENSITIVE: true, EXTRACTABLE: false },
      allowedMechanisms: [],
    },
  ])
  assert.deepEqual(await hsm.info(), {
    type: 'pkcs11',
    name: 'Quorate fake',
    serial: '0001',
    algorithms: ['ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256'],
  })
})
