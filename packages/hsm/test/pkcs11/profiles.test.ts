import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@quorate/base'
import { PROFILES, profileById, profileFor } from '#src/pkcs11/profiles/find.js'
import { checkPin } from '#src/pkcs11/profiles/pin.js'
import { isCode } from '../kit.ts'

test('every vendor has one profile, and is known by its usual libraries', () => {
  const ids = PROFILES.map(({ id }) => id)
  assert.deepEqual(ids, [...new Set(ids)])
  for (const id of [
    'nshield',
    'luna',
    'luna-cloud',
    'aws-cloudhsm',
    'fortanix',
    'utimaco',
    'yubihsm2',
    'softhsm',
    'tpm2',
    'nss',
    'opencryptoki',
    'generic',
  ])
    assert.equal(profileById(id).id, id)
  for (const profile of PROFILES)
    for (const library of profile.libraries) {
      assert.match(library, /^\/.*\.so(\.\d+)?$/)
      // Luna's own client and that of its cloud service have one library.
      const expected = profile.id === 'luna-cloud' && !/dpod/.test(library) ? 'luna' : profile.id
      assert.equal(profileFor({ library }).id, expected)
    }
})

test('the libraries that the field names are known', () => {
  for (const [library, id] of [
    ['/opt/nfast/toolkits/pkcs11/libcknfast.so', 'nshield'],
    ['/opt/cloudhsm/lib/libcloudhsm_pkcs11.so', 'aws-cloudhsm'],
    ['/usr/safenet/lunaclient/lib/libCryptoki2_64.so', 'luna'],
    ['/usr/safenet/lunaclient/libs/64/libCryptoki2.so', 'luna'],
    ['/opt/fortanix/pkcs11/fortanix_pkcs11_4.37.2554.so', 'fortanix'],
    ['/opt/utimaco/lib/libcs_pkcs11_R2.so', 'utimaco'],
    ['/usr/local/lib/pkcs11/yubihsm_pkcs11.so', 'yubihsm2'],
    ['/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so', 'softhsm'],
    ['/usr/lib/softhsm/libsofthsm2.so', 'softhsm'],
    ['/usr/lib/libsomething.so', 'generic'],
  ] as const)
    assert.equal(profileFor({ library }).id, id)
})

test('the maker tells where the file name does not', () => {
  for (const [manufacturer, id] of [
    ['SafeNet', 'luna'],
    ['nCipher Corp. Ltd', 'nshield'],
    ['Yubico (www.yubico.com)', 'yubihsm2'],
    ['SoftHSM project', 'softhsm'],
    ['Mozilla Foundation', 'nss'],
    ['Nobody', 'generic'],
  ] as const)
    assert.equal(profileFor({ library: '/opt/module.so', manufacturer }).id, id)
  const both = { library: '/usr/lib/libtpm2_pkcs11.so.1', manufacturer: 'IBM' }
  assert.equal(profileFor(both).id, 'tpm2')
})

test('an unknown profile is refused with the names of the known', () => {
  assert.throws(
    () => profileById('nosuch'),
    (error) => isCode('hsm/unknown-profile')(error) && /softhsm.*generic/.test(String(error)),
  )
})

test('a PIN has the form of its vendor, and a refusal teaches that form only', () => {
  const cases: {
    readonly [id: string]: readonly [good: readonly string[], bad: readonly string[]]
  } = {
    softhsm: [
      ['1234', 'a b', 'ä'],
      ['', 'hunter2\n', 'hunter2\0'],
    ],
    'aws-cloudhsm': [
      ['alice:hunter2', 'alice:hun:ter2'],
      ['hunter2', ':hunter2', 'alice:'],
    ],
    yubihsm2: [
      ['0001hunter2hunter2', '@0001hunter2hunter2', 'label#00ffhunter2hunter2'],
      ['hunter2hunter2', '0001hunter', '00g1hunter2hunter2'],
    ],
    fortanix: [
      ['Zm9vYmFyYmF6cXV4', 'file:///etc/fortanix/key'],
      ['hunter2', 'file://'],
    ],
  }
  for (const [id, [good, bad]] of Object.entries(cases)) {
    for (const pin of good) checkPin(profileById(id), utf8(pin))
    for (const pin of bad)
      assert.throws(
        () => checkPin(profileById(id), utf8(pin)),
        (error) => isCode('hsm/bad-pin')(error) && !/hunter/.test(String(error)),
      )
  }
})
