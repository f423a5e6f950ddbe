import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { equalBytes, utf8 } from '@quorate/base'
import { verifyDigest } from '#src/ecdsa.js'
import { verifyEd25519 } from '#src/ed25519.js'
import type { KeyAlgorithm, SigningAlgorithm } from '#src/provider.js'
import { isCode } from '../kit.ts'
import { RawModule } from '../raw/raw-module.ts'
import { deviceFault, freshId, openBench, pinnedOf } from './kit.ts'

const bench = await openBench('softhsm')
const ALGORITHMS: readonly KeyAlgorithm[] = [
  'ed25519',
  'p256',
  'secp256k1',
  'aes-256',
  'hmac-sha256',
]
const DIGEST = new Uint8Array(createHash('sha256').update('message').digest())

if ('skip' in bench) test('a session with SoftHSM', { skip: bench.skip })
else
  describe('a session with SoftHSM', () => {
    const { module, open } = bench
    const session = open()
    const make = (algorithm: KeyAlgorithm, label: string = algorithm) =>
      session.generateKey({ id: freshId(), label, algorithm })

    test('says what the token is and can', () => {
      const token = session.token()
      assert.equal(token.label, module.settings.token.label)
      assert.match(token.slot, /^\d+$/)
      assert.deepEqual(token.algorithms, ALGORITHMS)
      assert.deepEqual(token.capabilities, ['wrap', 'import'])
      assert.ok(token.flags.includes('LOGIN_REQUIRED'))
      const gcm = token.mechanisms.find(({ name }) => name === 'CKM_AES_GCM')
      assert.ok(gcm?.flags.includes('ENCRYPT'))
      assert.equal(gcm?.maxKeySize, 32)
    })

    for (const algorithm of ['ed25519', 'p256', 'secp256k1'] as const)
      test(`makes ${algorithm} keys whose signatures hold`, () => {
        const key = make(algorithm)
        for (let i = 0; i < 8; i++)
          assert.ok(holds(algorithm, key.publicKey, session.sign(pinnedOf(key), DIGEST)))
      })

    test('signs long messages with Ed25519', () => {
      const key = make('ed25519')
      const message = new Uint8Array(100_000).fill(5)
      const signature = session.sign(pinnedOf(key), message)
      assert.ok(verifyEd25519(key.publicKey ?? DIGEST, message, signature))
    })

    test('takes digests of 32 bytes only', () => {
      const key = pinnedOf(make('p256'))
      for (const length of [0, 20, 31, 33, 48, 64])
        assert.throws(() => session.sign(key, new Uint8Array(length)), isCode('hsm/bad-argument'))
    })

    test('opens what it sealed, and nothing else', () => {
      const key = pinnedOf(make('aes-256'))
      const aad = utf8('context')
      for (const length of [0, 1, 15, 16, 17, 4096, 100_000]) {
        const plaintext = new Uint8Array(length).fill(9)
        const sealed = session.encrypt(key, plaintext, aad)
        assert.equal(sealed.iv.length, 12)
        assert.equal(sealed.ciphertext.length, length + 16)
        assert.ok(equalBytes(session.decrypt(key, sealed, aad), plaintext))
        assert.throws(() => session.decrypt(key, sealed, utf8('other')), isCode('hsm/cannot-open'))
      }
      const { iv, ciphertext } = session.encrypt(key, DIGEST, aad)
      for (const wrong of [0, 1, 8, 11, 13, 15, 17, 24])
        assert.throws(
          () => session.decrypt(key, { iv: new Uint8Array(wrong), ciphertext }, aad),
          isCode('hsm/cannot-open'),
        )
      assert.throws(
        () => session.decrypt(key, { iv, ciphertext: ciphertext.subarray(0, 15) }, aad),
        isCode('hsm/cannot-open'),
      )
    })

    test('makes the same MAC as everybody', () => {
      const secret = new Uint8Array(32).fill(7)
      const request = { id: freshId(), label: 'mac', algorithm: 'hmac-sha256' } as const
      const key = session.importKey(request, secret)
      for (const length of [0, 1, 64, 50_000]) {
        const message = new Uint8Array(length).fill(1)
        const expected = createHmac('sha256', secret).update(message).digest()
        assert.ok(equalBytes(session.hmac(pinnedOf(key), message), expected))
      }
    })

    test('gives random bytes of the length asked for', () => {
      assert.equal(session.random(1024).length, 1024)
      assert.ok(!equalBytes(session.random(32), session.random(32)))
      for (const length of [0, 1025, 1.5])
        assert.throws(() => session.random(length), isCode('hsm/bad-argument'))
    })

    test('finds keys by id and label, and never one of two', () => {
      const key = make('p256', 'one of its name')
      assert.deepEqual(session.find({ id: key.id }), key)
      assert.deepEqual(session.find({ label: 'one of its name' }), key)
      assert.throws(
        () => session.find({ id: key.id, label: 'another' }),
        isCode('hsm/key-not-found'),
      )
      assert.throws(() => session.find({}), isCode('hsm/bad-argument'))
      make('ed25519', 'one of its name')
      assert.throws(() => session.find({ label: 'one of its name' }), isCode('hsm/key-ambiguous'))
      assert.ok(session.list().some(({ id }) => id === key.id))
    })

    test('gives an id to one key, and makes no second one', () => {
      const key = make('secp256k1')
      for (const algorithm of ALGORITHMS)
        assert.throws(
          () => session.generateKey({ id: key.id, label: 'second', algorithm }),
          isCode('hsm/key-exists'),
        )
      assert.deepEqual(session.find({ id: key.id }), key)
    })

    test('destroys a key with all of its objects, for the right label', () => {
      const key = make('p256', 'to be destroyed')
      assert.throws(() => session.destroy(key.id, 'other'), isCode('hsm/label-mismatch'))
      session.destroy(key.id, 'to be destroyed')
      assert.throws(() => session.find({ id: key.id }), isCode('hsm/key-not-found'))
      assert.throws(() => session.sign(pinnedOf(key), DIGEST), isCode('hsm/key-not-found'))
      assert.deepEqual(
        session.objects().filter(({ id }) => id === key.id),
        [],
      )
    })

    test('makes keys that serve one purpose and keep their secret', () => {
      const uses = { ed25519: 'SIGN', 'aes-256': 'DECRYPT ENCRYPT', 'hmac-sha256': 'SIGN' } as const
      for (const [algorithm, expected] of Object.entries(uses)) {
        const { id } = make(algorithm as KeyAlgorithm)
        const found = session.objects().find((object) => object.id === id && !object.publicKey)
        const { flags = {}, allowedMechanisms } = found ?? {}
        for (const name of [
          'PRIVATE',
          'SENSITIVE',
          'ALWAYS_SENSITIVE',
          'NEVER_EXTRACTABLE',
          'LOCAL',
        ])
          assert.equal(flags[name], true, name)
        for (const name of ['EXTRACTABLE', 'MODIFIABLE', 'COPYABLE'])
          assert.equal(flags[name], false, name)
        const allowed = Object.keys(flags).filter(
          (name) =>
            flags[name] && /^(SIGN|SIGN_RECOVER|VERIFY|(EN|DE)CRYPT|(UN)?WRAP|DERIVE)$/.test(name),
        )
        assert.equal(allowed.sort().join(' '), expected)
        assert.equal(allowedMechanisms?.length, 1)
      }
    })

    test('lets no key do the work of another', () => {
      const [aes, mac, p256] = [make('aes-256'), make('hmac-sha256'), make('p256')].map(pinnedOf)
      const bad = isCode('hsm/bad-argument')
      const changed = isCode('hsm/key-changed')
      assert.throws(() => session.sign(aes!, DIGEST), bad)
      assert.throws(() => session.encrypt(mac!, DIGEST, DIGEST), bad)
      assert.throws(() => session.hmac(p256!, DIGEST), bad)
      assert.throws(() => session.hmac({ id: aes!.id, algorithm: 'hmac-sha256' }, DIGEST), changed)
      assert.throws(
        () => session.encrypt({ id: mac!.id, algorithm: 'aes-256' }, DIGEST, DIGEST),
        changed,
      )
    })

    test('refuses a key that was replaced under its id', () => {
      const key = make('ed25519', 'stable')
      session.sign(pinnedOf(key), DIGEST)
      const other = open()
      other.destroy(key.id, 'stable')
      other.generateKey({ id: key.id, label: 'stable', algorithm: 'ed25519' })
      assert.throws(() => session.sign(pinnedOf(key), DIGEST), isCode('hsm/key-changed'))
    })

    test('moves wrappable keys under a wrapping key, and those only', () => {
      const wrapping = pinnedOf(
        session.generateKey({ id: freshId(), label: 'kek', algorithm: 'aes-256', use: 'wrapping' }),
      )
      for (const algorithm of ['p256', 'secp256k1', 'aes-256', 'hmac-sha256'] as const) {
        const request = { id: freshId(), label: 'moved', algorithm }
        const key = session.generateKey({ ...request, isWrappable: true })
        assert.equal(key.isExtractable, true)
        const wrapped = session.wrapKey(wrapping, pinnedOf(key))
        session.destroy(key.id, 'moved')
        const back = session.unwrapKey(wrapping, wrapped, request)
        assert.deepEqual(back, { ...key, isExtractable: false })
        const spoiled = wrapped.slice()
        spoiled[spoiled.length - 40]! ^= 1
        assert.throws(
          () => session.unwrapKey(wrapping, spoiled, { ...request, id: freshId() }),
          isCode('hsm/cannot-open'),
        )
        assert.throws(() => session.wrapKey(wrapping, pinnedOf(back)), deviceFault('hsm/forbidden'))
      }
      assert.throws(() => session.encrypt(wrapping, DIGEST, DIGEST), deviceFault('hsm/forbidden'))
    })

    test('imports keys, which do not claim to be born in it', () => {
      const secret = new Uint8Array(32).fill(3)
      for (const algorithm of ALGORITHMS) {
        const key = session.importKey({ id: freshId(), label: 'imported', algorithm }, secret)
        assert.deepEqual([key.isExtractable, key.isSensitive], [false, true])
        const object = session.objects().find(({ id, publicKey }) => id === key.id && !publicKey)
        assert.equal(object?.flags['LOCAL'], false)
        if (isSigning(algorithm))
          assert.ok(holds(algorithm, key.publicKey, session.sign(pinnedOf(key), DIGEST)))
      }
      const request = { id: freshId(), label: 'no key', algorithm: 'p256' } as const
      for (const wrong of [new Uint8Array(32), new Uint8Array(31).fill(1)])
        assert.throws(() => session.importKey(request, wrong), isCode('hsm/bad-argument'))
    })

    test('demands exactly one token', () => {
      const raw = new RawModule(module.library)
      const free = raw.slots().find((slot) => raw.token(slot).label === '')
      raw.initToken(free!, module.soPin, module.settings.token.label ?? '')
      const label = module.settings.token.label ?? ''
      assert.throws(() => open({ token: { label } }), isCode('hsm/slot-ambiguous'))
      assert.throws(() => open({ token: { label: 'nobody' } }), deviceFault('hsm/token-absent'))
      const { serial, slot } = session.token()
      assert.equal(open({ token: { label, serial } }).token().slot, slot)
      assert.equal(open({ token: { slot } }).token().serial, serial)
    })

    test('is closed for good once it is closed', () => {
      const { serial } = session.token()
      const other = open({ token: { serial } })
      other.close()
      other.close()
      assert.throws(() => other.random(1), deviceFault('hsm/closed', { failover: 'never' }))
      session.probe()
    })
  })

const isSigning = (algorithm: KeyAlgorithm): algorithm is SigningAlgorithm =>
  algorithm !== 'aes-256' && algorithm !== 'hmac-sha256'

function holds(
  algorithm: SigningAlgorithm,
  publicKey: Uint8Array | undefined,
  signature: Uint8Array,
): boolean {
  assert.ok(publicKey !== undefined)
  assert.equal(signature.length, 64)
  return algorithm === 'ed25519'
    ? verifyEd25519(publicKey, DIGEST, signature)
    : verifyDigest(algorithm, publicKey, DIGEST, signature)
}
