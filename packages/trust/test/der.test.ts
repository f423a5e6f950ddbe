import assert from 'node:assert/strict'
import test from 'node:test'
import { fromHex, isFault, toHex } from '@quorate/base'
import fc from 'fast-check'
import { DER, DerReader, der, derBitString, derOid, derTime, derUnsigned } from '#src/der.js'

const isMalformed = (error: unknown): boolean => isFault(error, 'trust/malformed-der')
const text = (element: Uint8Array): string => new TextDecoder().decode(element.subarray(2))

test('object identifiers have their published encodings', () => {
  assert.equal(toHex(derOid('1.3.101.112')), '06032b6570')
  assert.equal(toHex(derOid('2.5.29.15')), '0603551d0f')
  assert.equal(toHex(derOid('1.2.840.113549.1.1.11')), '06092a864886f70d01010b')
  for (const wrong of ['', '1', '3.1', '1.40', '1.2.', '1.02', '1.2.a'])
    assert.throws(() => derOid(wrong), isMalformed)
})

test('integers are shortest and never negative', () => {
  assert.equal(toHex(derUnsigned(fromHex('00'))), '020100')
  assert.equal(toHex(derUnsigned(fromHex('007f'))), '02017f')
  assert.equal(toHex(derUnsigned(fromHex('80'))), '02020080')
  assert.equal(toHex(derUnsigned(new Uint8Array())), '020100')
})

test('bit strings refuse unused bits that are set', () => {
  assert.equal(toHex(derBitString(Uint8Array.of(0x80), 7)), '03020780')
  assert.throws(() => derBitString(Uint8Array.of(0x81), 7), isMalformed)
  assert.throws(() => derBitString(new Uint8Array(), 1), isMalformed)
})

test('times agree with the calendar, to the second, in both forms', () => {
  assert.equal(text(derTime(Date.UTC(2049, 11, 31, 23, 59, 59))), '491231235959Z')
  assert.equal(text(derTime(Date.UTC(2050, 0, 1))), '20500101000000Z')
  assert.equal(text(derTime(Date.UTC(2024, 1, 29, 1, 2, 3, 999))), '240229010203Z')
  assert.throws(() => derTime(Date.UTC(1949, 0, 1)), isMalformed)
  assert.throws(() => derTime(Number.NaN), isMalformed)
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1950-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
      (date) => {
        const digits = date
          .toISOString()
          .replace(/\.\d+Z$/, '')
          .replace(/\D/g, '')
        assert.equal(
          text(derTime(date.getTime())),
          `${date.getUTCFullYear() < 2050 ? digits.slice(2) : digits}Z`,
        )
      },
    ),
  )
})

test('what is written is read back, at every length form', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65535]) {
    const content = new Uint8Array(length).fill(7)
    const reader = new DerReader(der(DER.octetString, content))
    assert.deepEqual(reader.read(DER.octetString).content, content)
    reader.end()
  }
  assert.throws(() => der(DER.octetString, new Uint8Array(65536)), isMalformed)
})

test('everything that is not DER is refused', () => {
  const wrong = {
    'wrong tag': '0500',
    'no length': '04',
    'content cut off': '040201',
    'indefinite length': '04800000',
    'long form where short does': '04810101',
    'two bytes where one does': `048200ff${'00'.repeat(255)}`,
    'three bytes of length': '0483000001ff',
    empty: '',
  }
  for (const [name, hex] of Object.entries(wrong))
    assert.throws(() => new DerReader(fromHex(hex)).read(DER.octetString), isMalformed, name)
  assert.throws(() => new DerReader(fromHex('040100ff')).end(), isMalformed)
  assert.throws(() => new DerReader(fromHex('03020780')).bitString(), isMalformed)
  assert.throws(() => new DerReader(fromHex('0c01ff')).utf8String(), isMalformed)
})
