import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@quorate/base'
import { type HsmProvider, hsmSealer, hsmSigner } from '@quorate/hsm'
import { isCode, openIn, scratch } from './kit.ts'

test('what was sealed opens under its key and context only, and never says why not', async (t) => {
  const provider = await openIn(scratch(t))
  const [one, two] = [
    await provider.generateKey({ label: 'kek-1', algorithm: 'aes-256' }),
    await provider.generateKey({ label: 'kek-2', algorithm: 'aes-256' }),
  ]
  const sealer = hsmSealer(provider, one.id)
  const secret = utf8('share of party 2')
  const sealed = await sealer.seal(secret, utf8('wallet 1'))
  assert.deepEqual(await sealer.open(sealed, utf8('wallet 1')), secret)
  assert.notDeepEqual(await sealer.seal(secret, utf8('wallet 1')), sealed)
  assert.ok(!Buffer.from(sealed).includes(Buffer.from(secret)))
  const messages = new Set<string>()
  const mustNotOpen = (open: Promise<Uint8Array>): Promise<void> =>
    assert.rejects(open, (error: Error) => {
      messages.add(error.message)
      return isCode('hsm/cannot-open')(error)
    })
  await mustNotOpen(sealer.open(sealed, utf8('wallet 2')))
  await mustNotOpen(hsmSealer(provider, two.id).open(sealed, utf8('wallet 1')))
  await mustNotOpen(sealer.open(new Uint8Array(), utf8('wallet 1')))
  for (let i = 0; i < sealed.length; i++) {
    const changed = sealed.slice()
    changed[i]! ^= 1
    await mustNotOpen(sealer.open(changed, utf8('wallet 1')))
  }
  assert.equal(messages.size, 1)
})

test('a fault of the device stays one', async (t) => {
  const provider = await openIn(scratch(t))
  const { id } = await provider.generateKey({ label: 'kek', algorithm: 'aes-256' })
  const sealer = hsmSealer(provider, id)
  const sealed = await sealer.seal(utf8('x'), utf8('c'))
  await provider.simulateCompromise()
  await assert.rejects(sealer.open(sealed, utf8('c')), isCode('hsm/compromised'))
})

test('a signer pins its key: a replaced one, or a wrong signature, never leaves', async (t) => {
  const provider = await openIn(scratch(t))
  const first = await provider.generateKey({ label: 'identity', algorithm: 'ed25519' })
  const signer = await hsmSigner(provider, first.id, first.publicKey)
  assert.deepEqual(signer.publicKey, first.publicKey)
  const message = utf8('epoch')
  assert.ok(await provider.verify(first.id, { message }, await signer.sign(message)))
  await provider.destroy(first.id, { label: 'identity' })
  await provider.generateKey({ label: 'identity', algorithm: 'ed25519', id: first.id })
  await assert.rejects(signer.sign(message), isCode('hsm/key-changed'))
  await assert.rejects(hsmSigner(provider, first.id, first.publicKey), isCode('hsm/key-changed'))
  const faulty: HsmProvider = Object.assign(Object.create(provider) as HsmProvider, {
    find: () => provider.find({ id: first.id }),
    sign: () => Promise.resolve(new Uint8Array(64)),
  })
  await assert.rejects((await hsmSigner(faulty, first.id)).sign(message), isCode('hsm/key-changed'))
  const { id } = await provider.generateKey({ label: 'kek', algorithm: 'aes-256' })
  await assert.rejects(hsmSigner(provider, id), isCode('hsm/bad-argument'))
})
