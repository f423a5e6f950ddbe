import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { fromHex, utf8 } from '@quorate/base'
import { Arena } from '#src/pkcs11/arena.js'
import { putTemplate, readAttributes } from '#src/pkcs11/attributes.js'
import { type AttributeName, CKA, CKM, CKR } from '#src/pkcs11/constants.js'
import { CkrError, type Cryptoki } from '#src/pkcs11/cryptoki.js'

const arena = new Arena()
after(() => arena.free())

/** The CK_ATTRIBUTE array at an address, as a module sees it. */
const seen = (address: number, count: number): readonly (readonly [bigint, Uint8Array])[] =>
  Array.from({ length: count }, (_, i) => {
    const [code, value, length] = [0, 8, 16].map((at) => arena.readUlong(address + 24 * i + at))
    return [code ?? 0n, arena.read(Number(value), Number(length))]
  })

test('a template is laid out as Cryptoki wants it, also inside of another', () => {
  arena.scope(() => {
    const [address, count] = putTemplate(arena, {
      CLASS: 4,
      LABEL: 'é',
      ID: fromHex('00ff'),
      TOKEN: true,
      SENSITIVE: false,
      START_DATE: '2026-11-21',
      ALLOWED_MECHANISMS: ['AES_GCM', 'EDDSA'],
      UNWRAP_TEMPLATE: { EXTRACTABLE: false, LABEL: 'in' },
    })
    const rows = seen(address, count)
    assert.deepEqual(
      rows.map(([code]) => Number(code)),
      [0, 3, 0x102, 1, 0x103, 0x110, 0x40000600, 0x40000212],
    )
    const values = rows.map(([, value]) => Buffer.from(value))
    assert.equal(values[0]?.readBigUInt64LE(), 4n)
    assert.deepEqual(values[1], Buffer.from('é'))
    assert.deepEqual(
      values.slice(2, 5).map((value) => value.toString('hex')),
      ['00ff', '01', '00'],
    )
    assert.equal(values[5]?.toString(), '20261121')
    assert.equal(values[6]?.readBigUInt64LE(8), BigInt(CKM.EDDSA))
    const inner = values[7]!
    assert.equal(inner.length, 48)
    assert.equal(inner.readBigUInt64LE(0), 0x162n)
    assert.deepEqual(arena.read(Number(inner.readBigUInt64LE(32)), 2), utf8('in'))
  })
})

/** How tokens answer C_GetAttributeValue for several attributes at once. */
type Manner = 'as it should' | 'stops at the first' | 'fails for all' | 'writes nothing'

/** A module whose one object has these attributes, by name. */
function token(
  attributes: { readonly [N in AttributeName]?: Uint8Array },
  manner: Manner = 'as it should',
): Cryptoki {
  const byCode = new Map<number, Uint8Array>(
    Object.entries(attributes).map(([name, value]) => [CKA[name as AttributeName].code, value]),
  )
  const answer = (at: number): number => {
    const value = byCode.get(Number(arena.readUlong(at)))
    const [buffer, room] = [Number(arena.readUlong(at + 8)), Number(arena.readUlong(at + 16))]
    const untold = value === undefined ? CKR.ATTRIBUTE_TYPE_INVALID : CKR.BUFFER_TOO_SMALL
    if (value === undefined || (buffer !== 0 && room < value.length)) {
      arena.writeUlong(at + 16, 0xffff_ffff_ffff_ffffn)
      return untold
    }
    for (const [i, byte] of value.entries()) if (buffer !== 0) arena.fill(buffer + i, 1, byte)
    arena.writeUlong(at + 16, value.length)
    return CKR.OK
  }
  return {
    C_GetAttributeValue: (_session: bigint, _object: bigint, template: number, count: number) => {
      let worst: number = CKR.OK
      if (count > 1 && manner === 'fails for all')
        throw new CkrError(CKR.FUNCTION_FAILED, 'C_GetAttributeValue')
      for (let i = 0; i < count; i++) {
        if (count > 1 && manner === 'writes nothing') break
        const rv = answer(template + 24 * i)
        if (rv !== CKR.OK) worst = rv
        if (rv !== CKR.OK && count > 1 && manner === 'stops at the first') break
      }
      if (worst !== CKR.OK) throw new CkrError(worst, 'C_GetAttributeValue')
    },
  } as unknown as Cryptoki
}

const NAMES = [
  'TRUSTED',
  'SENSITIVE',
  'EXTRACTABLE',
  'KEY_TYPE',
  'LABEL',
  'ID',
  'VALUE_LEN',
  'START_DATE',
  'ALLOWED_MECHANISMS',
] as const
const HELD = {
  SENSITIVE: Uint8Array.of(1),
  EXTRACTABLE: Uint8Array.of(0),
  KEY_TYPE: Uint8Array.of(0x1f, 0, 0, 0, 0, 0, 0, 0),
  LABEL: utf8('a label of a key  '),
  ID: new Uint8Array(300).fill(0xff),
  START_DATE: utf8('20261121'),
  ALLOWED_MECHANISMS: Uint8Array.of(0x87, 0x10, 0, 0, 0, 0, 0, 0),
}
const TOLD = {
  SENSITIVE: true,
  EXTRACTABLE: false,
  KEY_TYPE: 0x1f,
  LABEL: 'a label of a key',
  ID: HELD.ID,
  START_DATE: '2026-11-21',
  ALLOWED_MECHANISMS: [0x1087n],
}

describe('attributes are read from a token that', () => {
  for (const manner of [
    'as it should',
    'stops at the first',
    'fails for all',
    'writes nothing',
  ] as const)
    test(`answers ${manner}`, () => {
      assert.deepEqual(readAttributes(token(HELD, manner), arena, 1n, 1n, NAMES), TOLD)
    })

  test('keeps all of them, and values that are none, to itself', () => {
    assert.deepEqual(readAttributes(token({}), arena, 1n, 1n, NAMES), {})
    const strange = token({
      SENSITIVE: Uint8Array.of(1, 1),
      KEY_TYPE: Uint8Array.of(1),
      START_DATE: utf8('tomorrow'),
      LABEL: Uint8Array.of(0xff, 0xfe),
    })
    const read = readAttributes(strange, arena, 1n, 1n, NAMES)
    assert.deepEqual(
      Object.entries(read).filter(([, value]) => value !== undefined),
      [['LABEL', '']],
    )
  })

  test('has array attributes, whether they are set or not', () => {
    const read = readAttributes(
      token({ UNWRAP_TEMPLATE: new Uint8Array(48), WRAP_TEMPLATE: new Uint8Array() }),
      arena,
      1n,
      1n,
      ['UNWRAP_TEMPLATE', 'WRAP_TEMPLATE'],
    )
    assert.deepEqual(read, { UNWRAP_TEMPLATE: true, WRAP_TEMPLATE: false })
  })

  test('is gone, which no attribute excuses', () => {
    const gone = {
      C_GetAttributeValue: () => {
        throw new CkrError(CKR.OBJECT_HANDLE_INVALID, 'C_GetAttributeValue')
      },
    } as unknown as Cryptoki
    assert.throws(
      () => readAttributes(gone, arena, 1n, 1n, NAMES),
      (error) => error instanceof CkrError && error.ckr === CKR.OBJECT_HANDLE_INVALID,
    )
  })
})
