import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { fromHex, isFault } from '@quorate/base'
import { DER, der, derBitString, derOctetString, derUnsigned, derUtf8String } from '@quorate/trust'
import fc from 'fast-check'
import { verifyYubiHsm } from '#src/attest/yubihsm.js'
import { isCode, NOW } from '../kit.ts'
import { flipped, issue, newKeys, type Plan } from './pki.ts'

const invalid = isCode('hsm/attestation-invalid')
const ARC = '1.3.6.1.4.1.41482.4'
export const keys = {
  root: newKeys('rsa'),
  sub: newKeys(),
  device: newKeys(),
  key: newKeys('ed25519'),
  user: newKeys(),
}

type Claims = { readonly [claim: number]: Uint8Array | undefined }
/** As a YubiHSM 2 with firmware 2.4.1 encodes them. */
const CLAIMS: Claims = {
  1: derOctetString(Uint8Array.of(2, 4, 1)),
  2: derUnsigned(fromHex('020bd9fd')),
  3: derBitString(Uint8Array.of(1)),
  4: derBitString(Uint8Array.of(0, 1)),
  5: derBitString(fromHex('0000000000000100')),
  6: derUnsigned(Uint8Array.of(3)),
  9: derUtf8String(''),
}

const withClaims = (claims: Claims): NonNullable<Plan['extensions']> =>
  Object.entries({ ...CLAIMS, ...claims }).flatMap(([claim, value]) =>
    value === undefined ? [] : [[`${ARC}.${claim}`, value] as const],
  )

const root = issue({ subject: 'Root CA', keys: keys.root, isCa: true, pathLength: 2 })
const sub = issue({
  subject: 'Sub-CA',
  keys: keys.sub,
  issuer: { name: 'Root CA', keys: keys.root },
  isCa: true,
  pathLength: 1,
})
const device = issue({
  subject: 'YubiHSM Attestation (34331133)',
  keys: keys.device,
  issuer: { name: 'Sub-CA', keys: keys.sub },
  isCa: true,
  pathLength: 0,
})
const byDevice = { name: 'YubiHSM Attestation (34331133)', keys: keys.device }
const leaf = (claims: Claims = {}, plan: Partial<Plan> = {}): Uint8Array =>
  issue({
    subject: 'YubiHSM Attestation id:0x0003',
    keys: keys.key,
    issuer: byDevice,
    extensions: withClaims(claims),
    ...plan,
  })

const sha256 = createHash('sha256').update(root).digest('hex')
const verify = (chain: readonly Uint8Array[], pinned = sha256): ReturnType<typeof verifyYubiHsm> =>
  verifyYubiHsm(chain, NOW, (found) => found.sha256 === pinned)

test('an attested key is shown with its device', () => {
  const shown = verify([leaf(), device, sub, root])
  const { algorithm, device: serial, firmware, objectId, label } = shown
  assert.deepEqual(
    { algorithm, serial, firmware, objectId, label },
    { algorithm: 'ed25519', serial: '34331133', firmware: '2.4.1', objectId: 3, label: '' },
  )
  const jwk = keys.key.open.export({ format: 'jwk' })
  assert.deepEqual(shown.publicKey, new Uint8Array(Buffer.from(jwk.x ?? '', 'base64url')))
})

describe('an attestation is refused', () => {
  const bits = (hex: string): Uint8Array => derBitString(fromHex(hex))
  const refusals: readonly (readonly [string, Claims])[] = [
    ['of an imported key', { 3: bits('02') }],
    ['of a key imported under another', { 3: bits('10') }],
    ['of a key that was generated and imported', { 3: bits('03') }],
    ['of a key without origin', { 3: bits('00') }],
    ['of a key that can be exported under another', { 5: bits('0000000000010100') }],
    ['with capabilities in another length', { 5: bits('0100') }],
    ['with capabilities in bits', { 5: derBitString(fromHex('0000000000000100'), 3) }],
    ['with the origin as another type', { 3: derUtf8String('generated') }],
    ...[1, 2, 3, 4, 5, 6, 9].map(
      (claim) => [`without claim ${claim}`, { [claim]: undefined }] as const,
    ),
    ['with a negative serial number', { 2: der(DER.integer, Uint8Array.of(0x80)) }],
  ]
  for (const [what, claims] of refusals)
    test(what, () => {
      assert.throws(() => verify([leaf(claims), device, sub, root]), invalid)
    })

  test('under a root that is not pinned', () => {
    assert.throws(() => verify([leaf(), device, sub, root], '00'.repeat(32)), invalid)
  })

  test('that was made by oneself, with the names of the real ones', () => {
    const own = newKeys()
    const ownRoot = issue({ subject: 'Root CA', keys: own, isCa: true })
    const ownSub = issue({
      subject: 'Sub-CA',
      keys: own,
      issuer: { name: 'Root CA', keys: own },
      isCa: true,
    })
    const ownDevice = issue({
      ...byDevice,
      subject: byDevice.name,
      keys: own,
      issuer: { name: 'Sub-CA', keys: own },
      isCa: true,
    })
    const ownLeaf = leaf({}, { issuer: { name: byDevice.name, keys: own } })
    assert.throws(() => verify([ownLeaf, ownDevice, ownSub, ownRoot]), invalid)
    assert.throws(() => verify([ownLeaf, ownDevice, ownSub, root]), invalid)
    assert.throws(() => verify([ownLeaf, device, sub, root]), invalid)
  })

  test('that a key of a user has signed instead of the device', () => {
    // A user can give a key of his own a template that makes its certificate one of a CA.
    const wide = issue({ subject: 'Root CA', keys: keys.root, isCa: true })
    const wideSub = issue({
      subject: 'Sub-CA',
      keys: keys.sub,
      issuer: { name: 'Root CA', keys: keys.root },
      isCa: true,
    })
    const wideDevice = issue({
      subject: byDevice.name,
      keys: keys.device,
      issuer: { name: 'Sub-CA', keys: keys.sub },
      isCa: true,
    })
    const user = issue({
      subject: 'user',
      keys: keys.user,
      issuer: byDevice,
      isCa: true,
      extensions: withClaims({}),
    })
    const forged = leaf({}, { issuer: { name: 'user', keys: keys.user } })
    const pinned = createHash('sha256').update(wide).digest('hex')
    verify([leaf(), wideDevice, wideSub, wide], pinned)
    assert.throws(() => verify([forged, user, wideDevice, wideSub, wide], pinned), invalid)
    assert.throws(() => verify([forged, user, device, sub, root]), invalid)
  })

  test('without its device, or with too many certificates', () => {
    assert.throws(() => verify([leaf(), root]), invalid)
    assert.throws(() => verify([leaf(), device, sub, sub, sub, root]), invalid)
    assert.throws(() => verify([root]), invalid)
    assert.throws(() => verify([]), invalid)
  })

  test('once a single bit of any certificate is another', () => {
    const chain = [leaf(), device, sub, root]
    fc.assert(
      fc.property(fc.nat(3), fc.nat(), fc.nat(7), (which, place, bit) => {
        const given = chain.map((each, i) =>
          i === which ? flipped(each, place % each.length, 1 << bit) : each,
        )
        try {
          verify(given)
          return false
        } catch (error) {
          return isFault(error, 'hsm/attestation-invalid')
        }
      }),
      { numRuns: 300 },
    )
  })
})
