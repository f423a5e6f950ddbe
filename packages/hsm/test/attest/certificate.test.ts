import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFault } from '@quorate/base'
import { derOctetString } from '@quorate/trust'
import fc from 'fast-check'
import { certificatesIn, parseCertificate, verifyChain } from '#src/attest/certificate.js'
import { keyOfSpki } from '#src/attest/key-info.js'
import { isCode, NOW } from '../kit.ts'
import { flipped, issue, newKeys, type Plan, spkiOf } from './pki.ts'

const invalid = isCode('hsm/attestation-invalid')
const keys = { root: newKeys(), middle: newKeys(), leaf: newKeys('secp256k1'), other: newKeys() }
const byRoot = { name: 'root', keys: keys.root }
const byMiddle = { name: 'middle', keys: keys.middle }

const root = (plan: Partial<Plan> = {}): Uint8Array =>
  issue({ subject: 'root', keys: keys.root, isCa: true, ...plan })
const middle = (plan: Partial<Plan> = {}): Uint8Array =>
  issue({ subject: 'middle', keys: keys.middle, issuer: byRoot, isCa: true, usage: 6, ...plan })
const leaf = (plan: Partial<Plan> = {}): Uint8Array =>
  issue({ subject: 'leaf', keys: keys.leaf, issuer: byMiddle, ...plan })

const check = (chain: readonly Uint8Array[], top = root(), needsCa = true): void =>
  verifyChain(chain.map(parseCertificate), parseCertificate(top), { now: NOW, needsCa })

test('a chain leads from the leaf to its root', () => {
  check([leaf(), middle()])
  check([leaf({ issuer: byRoot })])
  check([leaf(), middle({ pathLength: 0 })], root({ pathLength: 1 }))
})

describe('a chain is refused', () => {
  const refusals: readonly (readonly [string, readonly Uint8Array[], Uint8Array?])[] = [
    ['without certificates', []],
    ['over an issuer that is no CA', [leaf(), middle({ isCa: false })]],
    [
      'over an issuer without constraints',
      [leaf(), issue({ subject: 'middle', keys: keys.middle, issuer: byRoot })],
    ],
    ['over an issuer whose key signs no certificates', [leaf(), middle({ usage: 0x80 })]],
    ['with an expired certificate', [leaf({ notAfter: NOW - 1000 }), middle()]],
    ['with one that is not valid yet', [leaf(), middle({ notBefore: NOW + 1000 })]],
    [
      'with an issuer of another name',
      [leaf({ issuer: { name: 'else', keys: keys.middle } }), middle()],
    ],
    ['signed by another key', [leaf({ issuer: { name: 'middle', keys: keys.other } }), middle()]],
    ['of another root with the same name', [leaf(), middle()], root({ keys: keys.other })],
    ['that is longer than the root allows', [leaf(), middle()], root({ pathLength: 0 })],
    ['in the wrong order', [middle(), leaf()]],
  ]
  for (const [what, chain, top] of refusals)
    test(what, () => {
      assert.throws(() => check(chain, top), invalid)
    })
})

test('where the depth is fixed, issuers need no mark of a CA', () => {
  check([leaf(), middle({ isCa: false })], root(), false)
})

test('a certificate is refused whose extensions are not clear', () => {
  const value = derOctetString(Uint8Array.of(1))
  const strange = ['1.2.3.4', value, true] as const
  assert.throws(() => parseCertificate(leaf({ extensions: [strange] })), invalid)
  const twice = ['1.2.3.4', value] as const
  assert.throws(() => parseCertificate(leaf({ extensions: [twice, twice] })), invalid)
  assert.ok(parseCertificate(leaf({ extensions: [twice] })).extension('1.2.3.4'))
})

test('whatever bytes come, they are a certificate or refused', () => {
  const good = leaf()
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, bit) => {
      try {
        const parsed = parseCertificate(flipped(good, at, bit))
        verifyChain([parsed, parseCertificate(middle())], parseCertificate(root()), {
          now: NOW,
          needsCa: true,
        })
        // What is not signed may differ: nothing here is.
        return false
      } catch (error) {
        return isFault(error, 'hsm/attestation-invalid')
      }
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.throws(() => parseCertificate(bytes), invalid)
    }),
  )
  assert.throws(() => parseCertificate(new Uint8Array(8193)), invalid)
  assert.throws(() => parseCertificate(Buffer.concat([good, Uint8Array.of(0)])), invalid)
})

test('keys of certificates are those of the rest of the layer', () => {
  for (const kind of ['p256', 'secp256k1', 'ed25519'] as const) {
    const { algorithm, publicKey } = keyOfSpki(spkiOf(newKeys(kind).open))
    assert.equal(algorithm, kind)
    assert.equal(publicKey.length, kind === 'ed25519' ? 32 : 33)
  }
  assert.throws(() => keyOfSpki(spkiOf(newKeys('rsa').open)), invalid)
})

test('certificates come as DER or in one PEM text', () => {
  const all = [leaf(), middle(), root()]
  const pem = all
    .map((der) =>
      Buffer.from(der)
        .toString('base64')
        .match(/.{1,64}/g)
        ?.join('\n'),
    )
    .map((body) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`)
  assert.deepEqual(
    certificatesIn(Buffer.from(`text before\n${pem.join('')}`)).map(({ der }) => der),
    all,
  )
  assert.equal(certificatesIn(all[0]!).length, 1)
  assert.throws(() => certificatesIn(Buffer.from(pem[0]!.replace('M', '%'))), invalid)
})
