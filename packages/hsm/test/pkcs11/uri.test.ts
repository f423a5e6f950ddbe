import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromHex, utf8 } from '@quorate/base'
import fc from 'fast-check'
import { formatPkcs11Uri, type Pkcs11Uri, parsePkcs11Uri } from '#src/pkcs11/uri.js'
import { isCode } from '../kit.ts'

/** RFC 7512, §3. */
const EXAMPLES: { readonly [uri: string]: Pkcs11Uri } = {
  'pkcs11:': {},
  'pkcs11:object=my-pubkey;type=public': { object: 'my-pubkey', type: 'public' },
  'pkcs11:object=my-key;type=private?pin-source=file:/etc/token': {
    object: 'my-key',
    type: 'private',
    pinSource: 'file:/etc/token',
  },
  'pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin':
    {
      token: 'The Software PKCS#11 Softtoken',
      manufacturer: 'Snake Oil, Inc.',
      model: '1.0',
      object: 'my-certificate',
      type: 'cert',
      id: fromHex('69953e5cf4bdec91'),
      serial: '',
      pinSource: 'file:/etc/token_pin',
    },
  'pkcs11:object=my-sign-key;type=private?module-name=mypkcs11': {
    object: 'my-sign-key',
    type: 'private',
    moduleName: 'mypkcs11',
  },
  'pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1': {
    object: 'my-sign-key',
    type: 'private',
    modulePath: '/mnt/libmypkcs11.so.1',
  },
  'pkcs11:slot-description=Sun%20Metaslot': { slotDescription: 'Sun Metaslot' },
  'pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-version=1.23':
    {
      libraryManufacturer: 'Snake Oil, Inc.',
      libraryDescription: 'Soft Token Library',
      libraryVersion: '1.23',
    },
  'pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;id=%01%02%03%Ba%dd%Ca%fe%04%05%06':
    {
      token: 'My token% created by Joe',
      libraryVersion: '3',
      id: fromHex('010203baddcafe040506'),
    },
  'pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert': {
    token: 'A name with a substring %;',
    object: 'my-certificate',
    type: 'cert',
  },
  'pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert':
    { token: 'Name with a small A with acute: á', object: 'my-certificate', type: 'cert' },
  'pkcs11:token=my-token;object=my-certificate;type=cert;vendor-aaa=value-a?pin-source=file:/etc/token_pin&vendor-bbb=value-b':
    {
      token: 'my-token',
      object: 'my-certificate',
      type: 'cert',
      vendorPath: [{ name: 'vendor-aaa', value: 'value-a' }],
      pinSource: 'file:/etc/token_pin',
      vendorQuery: [{ name: 'vendor-bbb', value: 'value-b' }],
    },
}

describe('the examples of RFC 7512', () => {
  for (const [uri, expected] of Object.entries(EXAMPLES))
    test(uri, () => {
      assert.deepEqual(parsePkcs11Uri(uri), expected)
      assert.deepEqual(parsePkcs11Uri(formatPkcs11Uri(expected)), expected)
    })
})

test('a PIN in a URI is refused with the way out, and not repeated', () => {
  const uri =
    'pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-value=the-pin'
  for (const text of [uri, 'pkcs11:pin-value=the-pin', 'pkcs11:?pin-value=the%2dpin'])
    assert.throws(
      () => parsePkcs11Uri(text),
      (error) =>
        isCode('hsm/pin-in-uri')(error) &&
        /pin-source/.test((error as { remedy: string }).remedy) &&
        !/the-pin|the%2d/.test(String(error)),
    )
})

describe('refused is', () => {
  const cases: { readonly [what: string]: string } = {
    'another scheme': 'pkcs12:token=a',
    'no scheme': 'token=a',
    'an attribute without value': 'pkcs11:token',
    'an attribute without name': 'pkcs11:=a',
    'an attribute twice': 'pkcs11:token=a;token=a',
    'a vendor attribute of the path twice': 'pkcs11:x-a=1;x-a=2',
    'an empty attribute': 'pkcs11:token=a;;object=b',
    'a blank': 'pkcs11:token=a b',
    'a fragment': 'pkcs11:token=a#b',
    'half an escape': 'pkcs11:token=a%2',
    'an escape that is none': 'pkcs11:token=a%zz',
    'a slash in the path': 'pkcs11:token=a/b',
    'bytes that are no UTF-8': 'pkcs11:token=%ff',
    'an unknown type': 'pkcs11:type=key',
    'a slot that is no number': 'pkcs11:slot-id=0x1',
    'a version that is none': 'pkcs11:library-version=1.2.3',
    'a relative module-path': 'pkcs11:?module-path=lib.so',
    'a module-name with a path': 'pkcs11:?module-name=../x',
    'a name with other characters': 'pkcs11:t%6fken=a',
    'letters that are not ASCII': 'pkcs11:token=á',
    'too long': `pkcs11:token=${'a'.repeat(5000)}`,
  }
  for (const [what, uri] of Object.entries(cases))
    test(what, () => assert.throws(() => parsePkcs11Uri(uri), isCode('hsm/bad-uri')))
})

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const vendor = fc.uniqueArray(
  fc.record(
    { name: fc.stringMatching(/^x-[a-z0-9_-]{1,8}$/), value: text },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 3, selector: ({ name }) => name },
)
const uris: fc.Arbitrary<Pkcs11Uri> = fc.record(
  {
    token: text,
    manufacturer: text,
    serial: text,
    model: text,
    libraryManufacturer: text,
    libraryDescription: text,
    libraryVersion: fc.stringMatching(/^[0-9]{1,3}(\.[0-9]{1,3})?$/),
    slotManufacturer: text,
    slotDescription: text,
    slotId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    object: text,
    type: fc.constantFrom('public', 'private', 'cert', 'secret-key', 'data'),
    id: fc.uint8Array({ maxLength: 40 }),
    modulePath: text.map((path) => `/${path}`),
    moduleName: fc.stringMatching(/^[a-z0-9._-]{1,12}$/),
    pinSource: text,
    vendorPath: vendor,
    vendorQuery: vendor,
  },
  { requiredKeys: [], noNullPrototype: true },
)

test('what is formatted is read back as it was', () => {
  fc.assert(
    fc.property(uris, (uri) => {
      const formatted = formatPkcs11Uri(uri)
      assert.match(formatted, /^pkcs11:[!-~]*$/)
      assert.deepEqual(parsePkcs11Uri(formatted), uri)
      assert.equal(formatPkcs11Uri(parsePkcs11Uri(formatted)), formatted)
    }),
  )
})

test('any text is a URI or a refusal', () => {
  const noise = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom('pkcs11:', 'token', '=', ';', '?', '&', '%', '41', 'id', 'á'), {
      maxLength: 20,
    }),
  )
  fc.assert(
    fc.property(noise, (parts) => {
      const uri = `pkcs11:${typeof parts === 'string' ? parts : parts.join('')}`
      try {
        formatPkcs11Uri(parsePkcs11Uri(uri))
      } catch (error) {
        assert.ok(isCode('hsm/bad-uri')(error) || isCode('hsm/pin-in-uri')(error), String(error))
      }
    }),
  )
})

test('formatting refuses what no URI can hold', () => {
  for (const uri of [{ slotId: 'one' }, { modulePath: 'lib.so' }, { token: 'x'.repeat(5000) }])
    assert.throws(() => formatPkcs11Uri(uri), isCode('hsm/bad-uri'))
  assert.equal(formatPkcs11Uri({ id: utf8('A') }), 'pkcs11:id=%41')
})
