import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { decodeCbor, toHex, utf8 } from '@quorate/base'
import { type SimulatedHsm, verifySimulatedAttestation } from '@quorate/hsm'
import { isCode, NOW, openIn, scratch } from '../kit.ts'

const message = utf8('message')
const fileOf = (directory: string, id: string): string => join(directory, `${id}.key`)

test('keys survive, in private files', async (t) => {
  const directory = scratch(t)
  const first = await openIn(directory)
  const key = await first.generateKey({ label: 'k', algorithm: 'ed25519' })
  const signature = await first.sign(key.id, { message })
  await first.close()
  const second = await openIn(directory)
  assert.ok(await second.verify(key.id, { message }, signature))
  assert.deepEqual(await second.find({ label: 'k' }), key)
  assert.equal(key.createdAt, NOW)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  for (const name of readdirSync(directory))
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name)
})

test('no file but the device key holds a secret, a label or an algorithm in plaintext', async (t) => {
  const directory = scratch(t)
  const provider = await openIn(directory)
  const { id } = await provider.generateKey({ label: 'a-telling-label', algorithm: 'secp256k1' })
  const content = readFileSync(fileOf(directory, id))
  assert.ok(!content.includes('a-telling-label') && !content.includes('secp256k1'))
  const state = decodeCbor(readFileSync(join(directory, 'device.key')), { maxBytes: 256 }) as Map<
    number,
    Uint8Array
  >
  assert.ok(!content.includes(Buffer.from(state.get(2)!)), 'the device key is in the object')
})

describe('attack: an object file that', () => {
  type Attack = (directory: string, one: string, two: string) => void
  const attacks: { readonly [what: string]: Attack } = {
    'was swapped with another': (directory, one, two) => {
      renameSync(fileOf(directory, one), join(directory, 'x.tmp'))
      renameSync(fileOf(directory, two), fileOf(directory, one))
      renameSync(join(directory, 'x.tmp'), fileOf(directory, two))
    },
    'was copied over another': (directory, one, two) =>
      copyFileSync(fileOf(directory, two), fileOf(directory, one)),
    'was truncated': (directory, one) => truncateSync(fileOf(directory, one), 40),
    'is empty': (directory, one) => truncateSync(fileOf(directory, one), 0),
    grew: (directory, one) =>
      writeFileSync(
        fileOf(directory, one),
        Buffer.concat([readFileSync(fileOf(directory, one)), Buffer.of(0)]),
      ),
  }
  for (const [what, attack] of Object.entries(attacks))
    test(what, async (t) => {
      const directory = scratch(t)
      const provider = await openIn(directory)
      const one = await provider.generateKey({ label: 'one', algorithm: 'ed25519' })
      const two = await provider.generateKey({ label: 'two', algorithm: 'ed25519' })
      const three = await provider.generateKey({ label: 'three', algorithm: 'ed25519' })
      attack(directory, one.id, two.id)
      await assert.rejects(provider.sign(one.id, { message }), isCode('hsm/object-damaged'))
      await assert.rejects(provider.list(), isCode('hsm/object-damaged'))
      await assert.rejects(provider.find({ label: 'three' }), isCode('hsm/object-damaged'))
      await provider.sign(three.id, { message })
    })

  test('differs in any byte', async (t) => {
    const directory = scratch(t)
    const provider = await openIn(directory)
    const { id } = await provider.generateKey({ label: 'one', algorithm: 'p256' })
    const content = readFileSync(fileOf(directory, id))
    for (let i = 0; i < content.length; i++) {
      const changed = Buffer.from(content)
      changed[i]! ^= 1
      writeFileSync(fileOf(directory, id), changed)
      await assert.rejects(provider.sign(id, { message }), isCode('hsm/object-damaged'))
    }
    writeFileSync(fileOf(directory, id), content)
    await provider.sign(id, { message })
  })
})

describe('attack: a device key that', () => {
  async function deviceWithKey(
    directory: string,
  ): Promise<{ provider: SimulatedHsm; sign: () => Promise<Uint8Array> }> {
    const provider = await openIn(directory)
    const { id } = await provider.generateKey({ label: 'k', algorithm: 'ed25519' })
    return { provider, sign: () => provider.sign(id, { message }) }
  }

  test('belongs to another device opens nothing', async (t) => {
    const [directory, other] = [scratch(t), scratch(t)]
    const { sign } = await deviceWithKey(directory)
    await openIn(other)
    copyFileSync(join(other, 'device.key'), join(directory, 'device.key'))
    await assert.rejects(sign(), isCode('hsm/object-damaged'))
  })

  test('is gone is not made anew over existing keys', async (t) => {
    const directory = scratch(t)
    const { sign } = await deviceWithKey(directory)
    rmSync(join(directory, 'device.key'))
    await assert.rejects(sign(), isCode('hsm/object-damaged'))
    await assert.rejects(openIn(directory), isCode('hsm/object-damaged'))
    assert.ok(!readdirSync(directory).includes('device.key'))
  })

  test('is truncated is refused', async (t) => {
    const directory = scratch(t)
    const { sign } = await deviceWithKey(directory)
    truncateSync(join(directory, 'device.key'), 20)
    await assert.rejects(sign(), isCode('hsm/object-damaged'))
    await assert.rejects(openIn(directory), isCode('hsm/object-damaged'))
  })

  test('others can read is refused, and so is such a directory', async (t) => {
    const directory = scratch(t)
    const { sign } = await deviceWithKey(directory)
    chmodSync(join(directory, 'device.key'), 0o640)
    await assert.rejects(sign(), isCode('hsm/loose-permissions'))
    chmodSync(join(directory, 'device.key'), 0o600)
    await sign()
    chmodSync(directory, 0o750)
    await assert.rejects(openIn(directory), isCode('platform/directory-mode'))
  })
})

test('a compromise stops every operation, in every process, for good', async (t) => {
  const directory = scratch(t)
  const [one, two] = [await openIn(directory), await openIn(directory)]
  const { id } = await one.generateKey({ label: 'k', algorithm: 'aes-256' })
  await one.simulateCompromise()
  for (const provider of [one, two, await openIn(directory)]) {
    const compromised = isCode('hsm/compromised')
    await assert.rejects(provider.encrypt(id, message, message), compromised)
    await assert.rejects(provider.generateKey({ label: 'n', algorithm: 'ed25519' }), compromised)
    await assert.rejects(provider.list(), compromised)
    await assert.rejects(provider.info(), compromised)
    await assert.rejects(provider.attestKey(id, new Uint8Array(16)), compromised)
    assert.deepEqual(await provider.health(), { state: 'failed', reason: 'hsm/compromised' })
  }
})

test('an attestation shows the key for one nonce, at the level simulated', async (t) => {
  const provider = await openIn(scratch(t))
  const key = await provider.generateKey({ label: 'k', algorithm: 'ed25519' })
  const root = await provider.attestationRoot()
  const nonce = new Uint8Array(32).fill(5)
  const attestation = await provider.attestKey(key.id, nonce)
  const statement = verifySimulatedAttestation(attestation, { root, nonce })
  assert.equal(statement.level, 'simulated')
  assert.equal(statement.keyId, key.id)
  assert.deepEqual(statement.publicKey, key.publicKey)
  assert.equal(toHex(statement.deviceId), (await provider.info()).serial)
  assert.ok(!statement.isExtractable && statement.isSensitive && statement.time === NOW)
  const invalid = isCode('hsm/attestation-invalid')
  assert.throws(
    () => verifySimulatedAttestation(attestation, { root, nonce: new Uint8Array(32) }),
    invalid,
  )
  const other = await openIn(scratch(t))
  const otherRoot = await other.attestationRoot()
  assert.throws(() => verifySimulatedAttestation(attestation, { root: otherRoot, nonce }), invalid)
  assert.throws(
    () => verifySimulatedAttestation({ ...attestation, format: 'yubihsm' }, { root, nonce }),
    invalid,
  )
  for (let i = 0; i < attestation.document.length; i++) {
    const document = attestation.document.slice()
    document[i]! ^= 1
    assert.throws(
      () => verifySimulatedAttestation({ ...attestation, document }, { root, nonce }),
      invalid,
      `byte ${i}`,
    )
  }
  await assert.rejects(provider.attestKey(key.id, new Uint8Array(15)), isCode('hsm/bad-argument'))
})

test('the log names operations, keys and outcomes, holds no secret, and is bounded', async (t) => {
  const provider = await openIn(scratch(t))
  const { id } = await provider.generateKey({ label: 'k', algorithm: 'aes-256' })
  const encrypted = await provider.encrypt(id, utf8('attack at dawn'), utf8('ctx'))
  await assert.rejects(provider.decrypt(id, encrypted, utf8('other')))
  assert.deepEqual(provider.operations(), [
    { time: NOW, operation: 'generateKey', key: id, outcome: 'ok' },
    { time: NOW, operation: 'encrypt', key: id, outcome: 'ok' },
    { time: NOW, operation: 'decrypt', key: id, outcome: 'hsm/cannot-open' },
  ])
  for (let i = 0; i < 1005; i++) await provider.random(1)
  assert.equal(provider.operations().length, 1000)
  assert.equal(provider.operations()[0]!.operation, 'random')
})

test('labels, algorithms and ids are checked', async (t) => {
  const provider = await openIn(scratch(t))
  const bad = isCode('hsm/bad-argument')
  await assert.rejects(provider.generateKey({ label: '', algorithm: 'ed25519' }), bad)
  await assert.rejects(provider.generateKey({ label: 'x'.repeat(129), algorithm: 'ed25519' }), bad)
  await assert.rejects(provider.generateKey({ label: 'x', algorithm: 'des' as never }), bad)
  await assert.rejects(
    provider.generateKey({ label: 'x', algorithm: 'ed25519', id: '../../etc' as never }),
    bad,
  )
  await assert.rejects(provider.sign('../device' as never, { message }), bad)
  await assert.rejects(provider.find({}), bad)
})
