/** What devices do differently: forms of points, signatures and IVs, and keys weaker than asked for. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { equalBytes, toHex, utf8 } from '@quorate/base'
import { verifyDigest } from '#src/ecdsa.js'
import { type CKA, CKR } from '#src/pkcs11/constants.js'
import { isCode } from '../kit.ts'
import { RawModule } from '../raw/raw-module.ts'
import { deviceFault, freshId, openBench, pinnedOf } from './kit.ts'

const bench = await openBench('softhsm')
const DIGEST = new Uint8Array(32).fill(4)
const AAD = utf8('context')

if ('skip' in bench) test('a device', { skip: bench.skip })
else
  describe('a device', () => {
    const { module, shim, open } = bench
    // Logs the process in, so that the PINs of the others need only their vendor's form.
    open()
    const as = (profile: keyof typeof PINS) => open({ profile }, PINS[profile])

    for (const point of ['raw', 'der'] as const)
      test(`may give its points as ${point}`, (t) => {
        t.after(() => shim.clear())
        const session = open()
        for (const algorithm of ['p256', 'secp256k1', 'ed25519'] as const) {
          const request = { id: freshId(), label: 'point', algorithm }
          const { publicKey } = session.generateKey(request)
          shim.set({ point })
          assert.deepEqual(session.find({ id: request.id }).publicKey, publicKey)
          shim.clear()
        }
      })

    test('may give its signatures as DER', (t) => {
      t.after(() => shim.clear())
      const session = open()
      shim.set({ derSignatures: true })
      for (const algorithm of ['p256', 'secp256k1'] as const) {
        const key = session.generateKey({ id: freshId(), label: 'der', algorithm })
        for (let i = 0; i < 32; i++) {
          const signature = session.sign(pinnedOf(key), DIGEST)
          assert.ok(verifyDigest(algorithm, key.publicKey ?? AAD, DIGEST, signature))
        }
      }
    })

    for (const [profile, gcm, ivBytes] of [
      ['softhsm', 'plain', 12],
      ['aws-cloudhsm', 'cloudhsm', 12],
      ['luna', 'luna-fips', 16],
      ['yubihsm2', 'plain', 16],
    ] as const)
      test(`encrypts in the way of ${profile}`, (t) => {
        t.after(() => shim.clear())
        const session = as(profile)
        const key = pinnedOf(
          session.generateKey({ id: freshId(), label: 'gcm', algorithm: 'aes-256' }),
        )
        shim.set({ gcm })
        const ivs = new Set<string>()
        for (const length of [0, 1, 16, 33, 5000]) {
          const plaintext = new Uint8Array(length).fill(6)
          const sealed = session.encrypt(key, plaintext, AAD)
          assert.equal(sealed.iv.length, ivBytes)
          ivs.add(toHex(sealed.iv))
          assert.ok(equalBytes(session.decrypt(key, sealed, AAD), plaintext))
          for (const at of [0, sealed.ciphertext.length - 1]) {
            const ciphertext = sealed.ciphertext.slice()
            ciphertext[at]! ^= 1
            assert.throws(
              () => session.decrypt(key, { iv: sealed.iv, ciphertext }, AAD),
              isCode('hsm/cannot-open'),
            )
          }
          const iv = sealed.iv.slice()
          iv[0]! ^= 1
          assert.throws(
            () => session.decrypt(key, { iv, ciphertext: sealed.ciphertext }, AAD),
            isCode('hsm/cannot-open'),
          )
          assert.throws(() => session.decrypt(key, sealed, utf8('x')), isCode('hsm/cannot-open'))
        }
        assert.equal(ivs.size, 5)
      })

    test('that makes no IV where its profile says so is not used', (t) => {
      t.after(() => shim.clear())
      const [cloudhsm, luna] = [as('aws-cloudhsm'), as('luna')]
      const key = pinnedOf(luna.generateKey({ id: freshId(), label: 'iv', algorithm: 'aes-256' }))
      assert.throws(() => cloudhsm.encrypt(key, DIGEST, AAD), deviceFault('hsm/unsupported'))
      assert.throws(() => luna.encrypt(key, DIGEST, AAD), isDeviceFault)
    })

    test('has a limit for one plaintext', () => {
      const session = as('aws-cloudhsm')
      const key = pinnedOf(session.generateKey({ id: freshId(), label: 'l', algorithm: 'aes-256' }))
      assert.throws(
        () => session.encrypt(key, new Uint8Array(20_000), AAD),
        isCode('hsm/bad-argument'),
      )
    })

    test('without AES-GCM gets a second key for MACs, which nobody else can use', () => {
      const session = as('yubihsm2')
      const { id } = session.generateKey({ id: freshId(), label: 'two', algorithm: 'aes-256' })
      const objects = session.objects().filter((object) => object.id === id)
      assert.deepEqual(objects.map(({ keyType }) => keyType).sort(), [
        'CKK_AES',
        'CKK_GENERIC_SECRET',
      ])
      assert.throws(
        () => session.hmac({ id, algorithm: 'hmac-sha256' }, AAD),
        isCode('hsm/key-changed'),
      )
      session.destroy(id, 'two')
      assert.ok(!session.objects().some((object) => object.id === id))
    })

    test('that died between the two keys gets the missing one, and keeps the other', (t) => {
      t.after(() => shim.clear())
      const session = as('yubihsm2')
      const request = { id: freshId(), label: 'half', algorithm: 'aes-256' } as const
      shim.fail('C_GenerateKey', { when: { every: 2 }, kind: 'answer', rv: 'DEVICE_ERROR' })
      shim.fail('C_DestroyObject', { kind: 'answer', rv: 'DEVICE_ERROR' })
      assert.throws(() => session.generateKey(request), deviceFault('hsm/unavailable'))
      shim.clear()
      const half = pinnedOf(session.find({ id: request.id }))
      assert.throws(() => session.encrypt(half, DIGEST, AAD), isCode('hsm/bad-argument'))
      assert.throws(
        () => session.generateKey({ ...request, label: 'other' }),
        isCode('hsm/key-exists'),
      )
      const key = pinnedOf(session.generateKey(request))
      const sealed = session.encrypt(key, DIGEST, AAD)
      assert.ok(equalBytes(session.decrypt(key, sealed, AAD), DIGEST))
      assert.throws(() => session.generateKey(request), isCode('hsm/key-exists'))
    })

    for (const rv of ['GENERAL_ERROR', 'FUNCTION_FAILED', 'DEVICE_ERROR'] as const)
      test(`that says ${rv} when it decrypts is asked whether it can decrypt at all`, (t) => {
        t.after(() => shim.clear())
        const session = as('yubihsm2')
        const key = pinnedOf(
          session.generateKey({ id: freshId(), label: 'doubt', algorithm: 'aes-256' }),
        )
        const sealed = session.encrypt(key, DIGEST, AAD)
        shim.fail('C_Decrypt', { when: { next: 1 }, kind: 'answer', rv })
        assert.throws(() => session.decrypt(key, sealed, AAD), isCode('hsm/cannot-open'))
        shim.fail('C_Decrypt', { kind: 'answer', rv })
        assert.throws(
          () => session.decrypt(key, sealed, AAD),
          deviceFault('hsm/unavailable', { ckr: CKR[rv] }),
        )
        shim.clear()
        assert.ok(equalBytes(session.decrypt(key, sealed, AAD), DIGEST))
      })

    for (const weak of [
      { EXTRACTABLE: true },
      { SENSITIVE: false },
      { DERIVE: true },
      { MODIFIABLE: true },
      { LOCAL: false },
      { ALWAYS_SENSITIVE: false },
      { NEVER_EXTRACTABLE: false },
      { PRIVATE: false },
    ] as readonly { readonly [name in keyof typeof CKA]?: boolean }[])
      test(`that answers ${JSON.stringify(weak)} gets its new key destroyed`, (t) => {
        t.after(() => shim.clear())
        const session = open()
        for (const algorithm of ['p256', 'ed25519', 'aes-256', 'hmac-sha256'] as const) {
          const id = freshId()
          shim.set({ attributes: weak })
          assert.throws(
            () => session.generateKey({ id, label: 'weak', algorithm }),
            deviceFault('hsm/weak-key', { failover: 'never' }),
          )
          shim.clear()
          assert.deepEqual(
            session.objects().filter((object) => object.id === id),
            [],
          )
        }
      })

    test('may hold what is not ours, or broken, without hiding our keys', () => {
      const session = open()
      const ours = session.generateKey({ id: freshId(), label: 'ours', algorithm: 'p256' })
      const raw = new RawModule(shim.settings.library)
      const other = raw.open(raw.slotOf(module.settings.token.label ?? ''))
      const id = utf8('orphan')
      other.generateKey('AES_KEY_GEN', { TOKEN: true, VALUE_LEN: 16, ID: utf8('short') })
      other.generateKey('AES_KEY_GEN', { TOKEN: true, VALUE_LEN: 32, LABEL: 'no id' })
      const { publicKey } = other.generatePair(
        'EC_KEY_PAIR_GEN',
        { TOKEN: true, ID: id, EC_PARAMS: P256 },
        { TOKEN: true, ID: id },
      )
      other.destroy(publicKey)
      const listed = session.list()
      assert.ok(listed.some((key) => key.id === ours.id))
      assert.ok(!listed.some((key) => [toHex(id), toHex(utf8('short'))].includes(key.id)))
      assert.throws(
        () => session.find({ id: toHex(id) as typeof ours.id }),
        deviceFault('hsm/object-damaged'),
      )
    })
  })

/** In the form of each vendor. */
const PINS = {
  softhsm: 'correct-horse-7',
  luna: 'correct-horse-7',
  'aws-cloudhsm': 'user:password',
  yubihsm2: '0001password',
} as const

const P256 = Uint8Array.from([6, 8, 42, 134, 72, 206, 61, 3, 1, 7])

const isDeviceFault = (error: unknown): boolean =>
  isCode('hsm/unsupported')(error) || isCode('hsm/bad-argument')(error)
