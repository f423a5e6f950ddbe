import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { ed25519 as noble } from '@noble/curves/ed25519.js'
import { secp256k1 as nobleEcdsa } from '@noble/curves/secp256k1.js'
import { fromHex, toHex } from '@quorate/base'
import {
  ed25519,
  type Group,
  installBackend,
  isVouchedFor,
  type PointBackend,
  removeBackend,
  secp256k1,
} from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import { isEcdsaVouchedFor } from '#src/group/secp256k1.js'
import { random } from '../random.ts'

/** A right backend by way of the group itself, to be broken in one place. Raw points only where the curve has them compressed. */
const honest = (group: Group): Required<PointBackend> => ({
  name: 'honest',
  mulBase: (k) => group.encode(group.mulBase(group.decodeScalar(k))),
  mulSecret: (k, p) => group.encode(group.mulSecret(group.decodeScalar(k), group.decode(p))),
  mul: (k, p) => group.encode(group.mul(group.decodeScalar(k), group.decode(p))),
  add: (a, b) => {
    const sum = group.add(group.decode(a), group.decode(b))
    return group.isIdentity(sum) ? undefined : group.encode(sum)
  },
  decode: (bytes) => {
    try {
      return group.encode(group.decode(bytes))
    } catch {
      return undefined
    }
  },
  verifies: (publicKey, message, signature) =>
    noble.verify(signature, message, publicKey, { zip215: false }),
})

const SIGNED = {
  publicKey: fromHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'),
  message: fromHex('72'),
  signature: fromHex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ),
} as const

const flip = (bytes: Uint8Array): Uint8Array => {
  const other = ed25519.add(ed25519.decode(bytes), ed25519.generator)
  return ed25519.isIdentity(other) ? bytes : ed25519.encode(other)
}

describe('a backend is installed only if it agrees with noble', () => {
  afterEach(() => {
    removeBackend(ed25519)
    removeBackend(secp256k1)
  })
  const right = honest(ed25519)
  const shared = new Uint8Array(32)
  const wrong: { readonly [what: string]: Partial<PointBackend> } = {
    'mulBase gives another result': { mulBase: (k) => flip(right.mulBase(k)) },
    'mul gives another result': { mul: (k, p) => flip(right.mul(k, p)) },
    'mulSecret gives another result': { mulSecret: (k, p) => flip(right.mulSecret(k, p)) },
    'add gives another result': { add: (a, b) => flip(right.add(a, b) ?? a) },
    'add fails': {
      add: () => {
        throw new Error('no doubling')
      },
    },
    'decode gives another result': {
      decode: (bytes) => {
        const raw = right.decode(bytes)
        return raw && flip(raw)
      },
    },
    'decode accepts an invalid point': { decode: (bytes) => bytes.slice() },
    'decode fails': { decode: () => undefined },
    'verifies gives another result': { verifies: () => true },
  }
  for (const [reason, part] of Object.entries(wrong)) {
    test(reason, () => {
      // Noble serves the group while the candidate, which uses the group itself, is examined.
      const choice = installBackend(ed25519, { ...right, ...part, name: 'wrong' }, random)
      assert.deepEqual(choice, { backend: 'noble', reason: `wrong was refused: ${reason}` })
    })
  }

  test('one buffer for all results', () => {
    const reused = (k: Uint8Array): Uint8Array => {
      shared.set(right.mulBase(k))
      return shared
    }
    assert.equal(installBackend(ed25519, { ...right, mulBase: reused }, random).backend, 'noble')
  })

  test('a compressed result where the curve wants an uncompressed one', () => {
    const { mulBase } = honest(secp256k1)
    assert.equal(installBackend(secp256k1, { name: 'short', mulBase }, random).backend, 'noble')
  })

  test('one that vouches for nothing, leaves out a part of the signature, or fails', () => {
    const { verifies } = right
    const half = (signature: Uint8Array): Uint8Array =>
      new Uint8Array([...signature.subarray(0, 32), ...SIGNED.signature.subarray(32)])
    const wrongs: readonly NonNullable<PointBackend['verifies']>[] = [
      () => false,
      (key, message, signature) => verifies(key, message, half(signature)),
      (_, message, signature) => verifies(SIGNED.publicKey, message, signature),
      (key, _, signature) => verifies(key, SIGNED.message, signature),
      () => {
        throw new Error('no signatures')
      },
    ]
    for (const wrong of wrongs)
      assert.equal(installBackend(ed25519, { ...right, verifies: wrong }, random).backend, 'noble')
  })

  test('signatures are vouched for by what is installed, and by nothing else', () => {
    const { publicKey, message, signature } = SIGNED
    assert.equal(isVouchedFor(publicKey, message, signature), false)
    installBackend(ed25519, right, random)
    assert.equal(isVouchedFor(publicKey, message, signature), true)
    assert.equal(isVouchedFor(publicKey, new Uint8Array(1), signature), false)
    assert.equal(isVouchedFor(publicKey, message, signature.subarray(1)), false)
  })

  test('a right one is taken', () => {
    assert.equal(installBackend(ed25519, right, random).backend, 'honest')
  })
})

test('ECDSA is vouched for where it verifies with a low s, and never throws', async (t) => {
  t.after(() => removeBackend(secp256k1))
  const [secret, digest] = [random.bytes(32), random.bytes(32)]
  const publicKey = nobleEcdsa.getPublicKey(secret)
  const signature = nobleEcdsa.sign(digest, secret, { prehash: false })
  assert.equal(isEcdsaVouchedFor(publicKey, digest, signature), false, 'noble vouches for nothing')
  const { secp256k1: choice } = await chooseBackends()
  if (choice.backend === 'noble') return t.skip(choice.reason)
  assert.equal(isEcdsaVouchedFor(publicKey, digest, signature), true)
  const order = secp256k1.order
  const s = BigInt(`0x${toHex(signature.subarray(32))}`)
  const parts = (r: bigint, other: bigint): Uint8Array =>
    fromHex([r, other].map((each) => each.toString(16).padStart(64, '0')).join(''))
  const r = BigInt(`0x${toHex(signature.subarray(0, 32))}`)
  for (const wrong of [
    parts(r, order - s),
    parts(0n, s),
    parts(r, 0n),
    parts(order, s),
    parts(r, order),
    parts(2n ** 256n - 1n, 2n ** 256n - 1n),
    parts(s, r),
    signature.subarray(1),
  ])
    assert.equal(isEcdsaVouchedFor(publicKey, digest, wrong), false, toHex(wrong))
  const off = fromHex(`02${'00'.repeat(31)}05`)
  for (const key of [off, new Uint8Array(33), publicKey.with(0, 4), publicKey.subarray(1)])
    assert.equal(isEcdsaVouchedFor(key, digest, signature), false, toHex(key))
  assert.equal(isEcdsaVouchedFor(publicKey, digest.with(0, digest[0]! ^ 1), signature), false)
  assert.equal(isEcdsaVouchedFor(publicKey, digest, signature), true, 'none of it broke the module')
})

test('chooseBackends names a backend and a reason for every group', async () => {
  const fastest = await chooseBackends()
  for (const { backend, reason } of Object.values(fastest)) {
    assert.match(backend, /^(noble|sodium-native|tiny-secp256k1|bigint|openssl)$/)
    assert.match(reason, /^[\w ,-]+$/)
  }
  assert.deepEqual(await chooseBackends({ only: 'noble' }), {
    ed25519: { backend: 'noble', reason: 'noble was asked for' },
    secp256k1: { backend: 'noble', reason: 'noble was asked for' },
    integers: {
      backend: 'bigint',
      reason: 'noble was asked for, so nothing native is used',
    },
  })
})
