/** Native memory: what lies in it stays while a call may need it, and is gone afterwards. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { equalBytes, utf8 } from '@quorate/base'
import { Arena } from '#src/pkcs11/arena.js'
import { isCode } from '../kit.ts'
import { freshId, openBench, pinnedOf } from './kit.ts'

const bench = await openBench('softhsm')

describe('an arena', () => {
  const arena = new Arena()

  test('gives zeroed, aligned memory, also after others used it', () => {
    for (let round = 0; round < 3; round++)
      arena.scope(() => {
        for (const length of [0, 1, 7, 8, 100, 50_000]) {
          const address = arena.reserve(length)
          assert.equal(address % 8, 0)
          assert.ok(arena.read(address, length).every((byte) => byte === 0))
          arena.fill(address, length, 0xff)
        }
      })
  })

  test('wipes what a scope held when it ends, also by an error', () => {
    let address = 0
    const use = (): void => {
      address = arena.put(utf8('a secret'))
      throw new Error('half way')
    }
    assert.throws(() => arena.scope(use), /half way/)
    assert.deepEqual(arena.read(address, 8), new Uint8Array(8))
  })

  test('keeps what an outer scope holds', () => {
    arena.scope(() => {
      const [small, large] = [arena.put(utf8('outer')), arena.put(new Uint8Array(40_000).fill(1))]
      arena.scope(() => [arena.put(utf8('inner')), arena.put(new Uint8Array(40_000).fill(2))])
      assert.deepEqual(arena.read(small, 5), utf8('outer'))
      assert.ok(arena.read(large, 40_000).every((byte) => byte === 1))
    })
  })

  test('refuses addresses that are not its own', () => {
    const address = arena.scope(() => arena.put(new Uint8Array(40_000)))
    for (const foreign of [address, 0, 4096])
      assert.throws(() => arena.read(foreign, 8), isCode('base/bug'))
    const other = new Arena()
    other.free()
    other.free()
    assert.throws(() => other.reserve(8), isCode('base/bug'))
  })

  test('holds a CK_ULONG in full', () => {
    arena.scope(() => {
      const values = [0n, 1n, 2305843009213693953n, 0xffff_ffff_ffff_ffffn]
      const address = arena.putUlongs(...values)
      assert.deepEqual(
        values.map((_, i) => arena.readUlong(address + 8 * i)),
        values,
      )
      assert.deepEqual(
        [1, 2].map((i) => arena.readCount(address + 8 * i)),
        [1, undefined],
      )
    })
  })
})

if ('skip' in bench) test('under pressure of the collector', { skip: bench.skip })
else
  test('nothing is lost or changed under pressure of the collector', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const session = bench.open()
    const key = pinnedOf(session.generateKey({ id: freshId(), label: 'gc', algorithm: 'aes-256' }))
    const aad = utf8('context')
    for (let round = 0; round < 40; round++) {
      const plaintext = new Uint8Array(round % 2 === 0 ? 64 : 1 << 20).fill(round)
      const sealed = session.encrypt(key, plaintext, aad)
      collect()
      const rubbish = Array.from({ length: 50 }, () => new Uint8Array(1 << 14).fill(0x55))
      assert.ok(equalBytes(session.decrypt(key, sealed, aad), plaintext))
      assert.ok(rubbish.every((bytes) => bytes[0] === 0x55))
    }
  })
