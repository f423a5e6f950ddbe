import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, isFault, toHex } from '@quorate/base'
import { deriveChild, type Element, secp256k1, toBytesBe } from '@quorate/math'
import fc from 'fast-check'
import { stepDown } from '#src/hd/derive.js'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Key and chain code of an xpub: base 58 with a checksum around 78 bytes (BIP-32). */
function readXpub(text: string): { readonly publicKey: Element; readonly chainCode: Uint8Array } {
  let value = 0n
  for (const letter of text) value = value * 58n + BigInt(ALPHABET.indexOf(letter))
  const bytes = Uint8Array.from(Buffer.from(value.toString(16).padStart(164, '0'), 'hex'))
  const body = bytes.slice(0, 78)
  assert.ok(equalBytes(sha256(sha256(body)).slice(0, 4), bytes.slice(78)), 'checksum')
  return { publicKey: secp256k1.decode(body.slice(45)), chainCode: body.slice(13, 45) }
}

/** BIP-32, test vectors 1 and 2 (https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki): every step that is not hardened. */
const VECTORS: readonly (readonly [parent: string, index: number, child: string])[] = [
  [
    'xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw',
    1,
    'xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ',
  ],
  [
    'xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5',
    2,
    'xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV',
  ],
  [
    'xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV',
    1_000_000_000,
    'xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy',
  ],
  [
    'xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB',
    0,
    'xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH',
  ],
  [
    'xpub6ASAVgeehLbnwdqV6UKMHVzgqAG8Gr6riv3Fxxpj8ksbH9ebxaEyBLZ85ySDhKiLDBrQSARLq1uNRts8RuJiHjaDMBU4Zn9h8LZNnBC5y4a',
    1,
    'xpub6DF8uhdarytz3FWdA8TvFSvvAh8dP3283MY7p2V4SeE2wyWmG5mg5EwVvmdMVCQcoNJxGoWaU9DCWh89LojfZ537wTfunKau47EL2dhHKon',
  ],
  [
    'xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL',
    2,
    'xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3emM2rnY5agb9rXpVGyy3bdW6EEgAtqt',
  ],
]

test('every public step of the BIP-32 test vectors', () => {
  for (const [from, index, to] of VECTORS) {
    const [parent, expected] = [readXpub(from), readXpub(to)]
    const child = deriveChild(parent.publicKey, parent.chainCode, [index])
    assert.ok(secp256k1.equals(child.publicKey, expected.publicKey))
    assert.deepEqual(child.chainCode, expected.chainCode)
  }
})

test('two steps of vector 1 at once', () => {
  const [parent, expected] = [readXpub(VECTORS[1]![0]), readXpub(VECTORS[2]![2])]
  const child = deriveChild(parent.publicKey, parent.chainCode, [2, 1_000_000_000])
  assert.ok(secp256k1.equals(child.publicKey, expected.publicKey))
  assert.deepEqual(child.chainCode, expected.chainCode)
})

const { Fn } = noble.Point
const secretKeys = fc.bigInt({ min: 1n, max: secp256k1.order - 1n })
const paths = fc.array(fc.integer({ min: 0, max: 0x7fffffff }), { maxLength: 4 })
const chainCodes = fc.uint8Array({ minLength: 32, maxLength: 32 })

/** BIP-32 CKDpriv for indices that are not hardened, with noble alone. */
function derivePrivately(secretKey: bigint, chainCode: Uint8Array, path: readonly number[]) {
  let [key, code] = [secretKey, chainCode]
  for (const index of path) {
    const at = Buffer.alloc(4)
    at.writeUInt32BE(index)
    const output = hmac(
      sha512,
      code,
      concatBytes(noble.getPublicKey(Fn.toBytes(key), true), Uint8Array.from(at)),
    )
    key = Fn.add(key, Fn.fromBytes(output.slice(0, 32)))
    code = output.slice(32)
  }
  return { key, code }
}

test('the private key plus the tweak is the private key of the child', () => {
  fc.assert(
    fc.property(secretKeys, chainCodes, paths, (secretKey, chainCode, path) => {
      const publicKey = secp256k1.mulBase(secretKey)
      const child = deriveChild(publicKey, chainCode, path)
      const { key, code } = derivePrivately(secretKey, chainCode, path)
      assert.equal(Fn.create(secretKey + child.tweak), key)
      assert.equal(
        toHex(secp256k1.encode(child.publicKey)),
        toHex(noble.getPublicKey(Fn.toBytes(key), true)),
      )
      assert.deepEqual(child.chainCode, code)
    }),
    { numRuns: 25 },
  )
})

test('no step is the parent itself, in a copy', () => {
  const parent = readXpub(VECTORS[0]![0])
  const { tweak, publicKey, chainCode } = deriveChild(parent.publicKey, parent.chainCode, [])
  assert.equal(tweak, 0n)
  assert.equal(publicKey, parent.publicKey)
  assert.deepEqual(chainCode, parent.chainCode)
  assert.notEqual(chainCode, parent.chainCode)
})

test('hardened, impossible and malformed steps are refused', () => {
  const { publicKey, chainCode } = readXpub(VECTORS[0]![0])
  const refuses = (code: Uint8Array, path: readonly number[], expected: string): void => {
    assert.throws(
      () => deriveChild(publicKey, code, path),
      (error) => isFault(error) && error.code === expected,
    )
  }
  refuses(chainCode, [0, 0x80000000], 'math/hardened-path')
  for (const index of [-1, 0.5, Number.NaN, 2 ** 53]) refuses(chainCode, [index], 'math/bad-path')
  refuses(
    chainCode,
    Array.from({ length: 256 }, () => 0),
    'math/bad-path',
  )
  for (const length of [0, 31, 33]) refuses(new Uint8Array(length), [0], 'math/bad-chain-code')
})

test('the two outputs that BIP-32 says to skip are refused', () => {
  const parent = { tweak: 5n, publicKey: secp256k1.mulBase(7n), chainCode: new Uint8Array(32) }
  const output = (left: bigint): Uint8Array => concatBytes(toBytesBe(left), new Uint8Array(32))
  const none = (error: unknown): boolean => isFault(error, 'math/no-child')
  assert.throws(() => stepDown(parent, output(secp256k1.order)), none)
  assert.throws(() => stepDown(parent, output(2n ** 256n - 1n)), none)
  assert.throws(() => stepDown(parent, output(secp256k1.order - 7n)), none)
  assert.equal(stepDown(parent, output(secp256k1.order - 1n)).tweak, 4n)
})
