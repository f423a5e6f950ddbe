import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attributes, Template } from '#src/pkcs11/attributes.js'
import { profileById } from '#src/pkcs11/profiles/find.js'
import {
  dataKey,
  expectedOf,
  hmacKey,
  ladderOf,
  signingKey,
  weaknesses,
  wrappingKey,
} from '#src/pkcs11/templates.js'
import { parseKeyId } from '#src/provider.js'

const GENERIC = profileById('generic')
const TODAY = '2026-11-21'
const request = { id: parseKeyId('01'), label: 'key', algorithm: 'aes-256' } as const
const TEMPLATES: { readonly [name: string]: Template } = {
  signing: signingKey(GENERIC, 'p256', request, TODAY).privateTemplate,
  data: dataKey(GENERIC, request, TODAY, 'AES_GCM').template,
  hmac: hmacKey(GENERIC, request, TODAY).template,
  wrapping: wrappingKey(GENERIC, request, TODAY).template,
}

test('no template combines uses that break a key', () => {
  for (const template of Object.values(TEMPLATES)) {
    const { WRAP, UNWRAP, ENCRYPT, DECRYPT, SIGN, DERIVE, ...guards } = template
    assert.ok(!((WRAP || UNWRAP) && (ENCRYPT || DECRYPT)))
    assert.ok(!(SIGN && (DECRYPT || DERIVE || UNWRAP)))
    assert.deepEqual(
      [guards.PRIVATE, guards.SENSITIVE, guards.EXTRACTABLE, guards.MODIFIABLE],
      [true, true, false, false],
    )
    assert.ok((guards.ALLOWED_MECHANISMS?.length ?? 0) > 0)
  }
  assert.deepEqual(TEMPLATES['wrapping']?.UNWRAP_TEMPLATE, { SENSITIVE: true, EXTRACTABLE: false })
})

/** What an honest token tells of a key that it made by `asked`. */
const honest = (asked: Template): Attributes => ({
  ...(Object.fromEntries(
    Object.entries(asked).filter(([, value]) => typeof value === 'boolean'),
  ) as Attributes),
  LOCAL: true,
  ALWAYS_SENSITIVE: true,
  NEVER_EXTRACTABLE: true,
  UNWRAP_TEMPLATE: asked.UNWRAP_TEMPLATE !== undefined,
})

test('a key as it was asked for has no weakness, and any other attribute is one', () => {
  for (const asked of Object.values(TEMPLATES)) {
    const expected = expectedOf(GENERIC, asked, false)
    assert.deepEqual(weaknesses(expected, honest(asked)), [])
    for (const [name, value] of Object.entries(honest(asked))) {
      if (name === 'COPYABLE' || !(name in expected)) continue
      assert.deepEqual(weaknesses(expected, { ...honest(asked), [name]: !value }), [name])
    }
  }
})

test('a token must tell whether the secret can leave it', () => {
  const expected = expectedOf(GENERIC, TEMPLATES['data'] ?? {}, false)
  const { SENSITIVE: _s, EXTRACTABLE: _e, DERIVE: _d, ...told } = honest(TEMPLATES['data'] ?? {})
  assert.deepEqual([...weaknesses(expected, told)].sort(), ['EXTRACTABLE', 'SENSITIVE'])
})

test('a mechanism that was not asked for is a weakness', () => {
  const asked = TEMPLATES['data'] ?? {}
  const expected = expectedOf(GENERIC, asked, false)
  const told = (...ALLOWED_MECHANISMS: bigint[]) => ({ ...honest(asked), ALLOWED_MECHANISMS })
  assert.deepEqual(weaknesses(expected, told(0x1087n)), [])
  assert.deepEqual(weaknesses(expected, told(0x1087n, 0x1081n)), ['ALLOWED_MECHANISMS'])
})

test('an imported key has a history, a wrappable one a way out, and both all other guards', () => {
  const asked = TEMPLATES['hmac'] ?? {}
  const past = { LOCAL: false, ALWAYS_SENSITIVE: false, NEVER_EXTRACTABLE: false }
  const told = { ...honest(asked), ...past }
  assert.deepEqual(weaknesses(expectedOf(GENERIC, asked, true), told), [])
  assert.equal(weaknesses(expectedOf(GENERIC, asked, false), told).length, 3)
  const wrappable = hmacKey(GENERIC, { ...request, isWrappable: true }, TODAY).template
  const expected = expectedOf(GENERIC, wrappable, false)
  assert.deepEqual(weaknesses(expected, { ...honest(wrappable), NEVER_EXTRACTABLE: false }), [])
  assert.deepEqual(weaknesses(expected, { ...honest(wrappable), LOCAL: false }), ['LOCAL'])
})

test('what a profile denies is neither asked nor judged; what is only unsaid is judged', () => {
  const nss = profileById('nss')
  const { template } = dataKey(nss, request, TODAY, 'AES_GCM')
  assert.ok(!('COPYABLE' in template) && !('ALLOWED_MECHANISMS' in template))
  assert.deepEqual(
    weaknesses(expectedOf(nss, template, false), { ...honest(template), LOCAL: false }),
    [],
  )
  const tpm2 = profileById('tpm2')
  const { privateTemplate } = signingKey(tpm2, 'p256', request, TODAY)
  const [first] = ladderOf(tpm2)
  assert.ok(!('SIGN_RECOVER' in first(privateTemplate)) && first(privateTemplate).SIGN)
  assert.deepEqual(
    weaknesses(expectedOf(tpm2, privateTemplate, false), {
      ...honest(privateTemplate),
      SIGN_RECOVER: true,
    }),
    ['SIGN_RECOVER'],
  )
})

test('however little a token lets itself be told, secrecy is always said', () => {
  for (const template of Object.values(TEMPLATES))
    for (const rung of ladderOf(GENERIC)) {
      const { SENSITIVE, EXTRACTABLE, PRIVATE, TOKEN, UNWRAP_TEMPLATE } = rung(template)
      assert.deepEqual([SENSITIVE, EXTRACTABLE, PRIVATE, TOKEN], [true, false, true, true])
      assert.deepEqual(UNWRAP_TEMPLATE, template.UNWRAP_TEMPLATE)
    }
})
