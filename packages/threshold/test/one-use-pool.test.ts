import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFault } from '@quorate/base'
import fc from 'fast-check'
import { SigningNonces } from '#src/frost/nonces.js'
import type { PreprocessedNonces } from '#src/frost/sign/commit-round.js'
import { frostSuites } from '#src/frost/suites/table.js'
import { NoncePool, type PoolKey } from '#src/one-use-pool.js'
import { partyId } from '#src/session/party.js'

const suite = frostSuites['FROST-ED25519-SHA512-v1']
const unused = (): PreprocessedNonces => {
  const nonces = new SigningNonces(suite, new Uint8Array(64).fill(1))
  return { nonces, commitments: new Map([[partyId(1), nonces.commitment]]) }
}
const made = (count: number): readonly PreprocessedNonces[] => Array.from({ length: count }, unused)
const keyOf = (...boots: readonly string[]): PoolKey => ({
  wallet: 'w',
  generation: 0,
  bootIds: new Map(boots.map((boot, i) => [partyId(i + 1), boot])),
})

describe('the nonce pool', () => {
  test('free, reserved, spent', () => {
    const pool = new NoncePool(10)
    const key = keyOf('a', 'b')
    const nonces = made(3)
    pool.add(key, 'p', nonces)
    assert.deepEqual(pool.free(key), ['p/0', 'p/1', 'p/2'])
    pool.reserve(key, ['p/2', 'p/0'], 's')
    assert.deepEqual(pool.free(key), ['p/1'])
    assert.equal(pool.size, 3)
    assert.deepEqual(pool.spend(key, ['p/2', 'p/0'], 's'), [nonces[2], nonces[0]])
    assert.equal(pool.size, 1)
    assert.ok(!nonces[0]!.nonces.isUsed)
    assert.throws(() => pool.spend(key, ['p/2', 'p/0'], 's'), {
      code: 'threshold/nonce-unavailable',
    })
  })

  test('picked, aged and dropped by key and time', () => {
    const pool = new NoncePool(10)
    const [key, other] = [keyOf('a', 'b'), { ...keyOf('a', 'b'), use: 'of 2' }]
    pool.add(key, 'p', made(2), 100)
    pool.add(key, 'q', made(2), 200)
    pool.add(other, 'r', made(1), 100)
    assert.deepEqual(pool.pick(key, 3), ['p/0', 'p/1', 'q/0'])
    assert.deepEqual(
      pool.pick(key, 2, (name) => name !== 'p/0'),
      ['p/1', 'q/0'],
    )
    assert.equal(pool.pick(key, 5), undefined)
    pool.reserve(key, ['p/1'], 's')
    assert.deepEqual(
      pool
        .report()
        .map(({ key: { use }, free, reserved, oldest }) => ({ use, free, reserved, oldest })),
      [
        { use: undefined, free: 3, reserved: 1, oldest: 100 },
        { use: 'of 2', free: 1, reserved: 0, oldest: 100 },
      ],
    )
    pool.expire(200, ({ use }) => use === undefined)
    // What is reserved is about to be spent, and the other key was not meant.
    assert.deepEqual(pool.free(key), ['q/0', 'q/1'])
    assert.equal(pool.size, 4)
    pool.dropFree(key)
    assert.equal(pool.size, 2)
    assert.equal(pool.spend(key, ['p/1'], 's').length, 1)
    pool.dropWallet('w', 0)
    assert.equal(pool.size, 1)
    pool.dropWallet('w', 1)
    assert.equal(pool.size, 0)
  })

  test('all or none are reserved, and only by one session', () => {
    const pool = new NoncePool(10)
    const key = keyOf('a', 'b')
    pool.add(key, 'p', made(2))
    const unavailable = { code: 'threshold/nonce-unavailable' }
    pool.reserve(key, ['p/0'], 's')
    for (const names of [
      ['p/1', 'p/0'],
      ['p/1', 'p/1'],
      ['p/1', 'p/9'],
    ])
      assert.throws(() => pool.reserve(key, names, 't'), unavailable)
    assert.deepEqual(pool.free(key), ['p/1'])
    for (const [names, session] of [
      [['p/0'], 't'],
      [['p/1'], 's'],
      [['p/0', 'p/0'], 's'],
    ] as const)
      assert.throws(() => pool.spend(key, names, session), unavailable)
    assert.equal(pool.spend(key, ['p/0'], 's').length, 1)
  })

  test('another wallet, generation, signer set or boot id sees nothing of it', () => {
    const pool = new NoncePool(10)
    pool.add(keyOf('a', 'b'), 'p', made(1))
    const others: readonly PoolKey[] = [
      { ...keyOf('a', 'b'), wallet: 'v' },
      { ...keyOf('a', 'b'), generation: 1 },
      keyOf('a', 'c'),
      keyOf('a'),
      keyOf('a', 'b', 'c'),
      keyOf('b', 'a'),
    ]
    for (const key of others) {
      assert.deepEqual(pool.free(key), [])
      assert.throws(() => pool.reserve(key, ['p/0'], 's'), { code: 'threshold/nonce-unavailable' })
    }
    const sameInOtherOrder = {
      ...keyOf(),
      bootIds: new Map([...keyOf('a', 'b').bootIds].reverse()),
    }
    assert.deepEqual(pool.free(sameInOtherOrder), ['p/0'])
  })

  test('a restart of any signer wipes what was made with it, reserved or not', () => {
    const pool = new NoncePool(10)
    const [key, other] = [keyOf('a', 'b'), keyOf('a')]
    const [nonces, kept] = [made(2), made(1)]
    pool.add(key, 'p', nonces)
    pool.add(other, 'q', kept)
    pool.reserve(key, ['p/1'], 's')
    pool.partyStarted(partyId(2), 'b')
    assert.equal(pool.size, 3)
    pool.partyStarted(partyId(2), 'b2')
    assert.equal(pool.size, 1)
    assert.ok(nonces.every((each) => each.nonces.isUsed))
    assert.ok(!kept[0]!.nonces.isUsed)
    const unavailable = { code: 'threshold/nonce-unavailable' }
    assert.throws(() => pool.spend(key, ['p/1'], 's'), unavailable)
    // What a preprocessing session of before the restart yields comes too late.
    const late = made(1)
    assert.throws(() => pool.add(key, 'late', late), unavailable)
    assert.ok(late[0]!.nonces.isUsed)
    pool.add(keyOf('a', 'b2'), 'new', made(1))
    assert.deepEqual(pool.free(keyOf('a', 'b2')), ['new/0'])
  })

  test('abandoned, dropped and overflowing nonces are wiped', () => {
    const pool = new NoncePool(3)
    const key = keyOf('a', 'b')
    const nonces = made(3)
    pool.add(key, 'p', nonces)
    const extra = made(1)
    assert.throws(() => pool.add(key, 'q', extra), { code: 'threshold/pool-full' })
    assert.ok(extra[0]!.nonces.isUsed)
    pool.reserve(key, ['p/0'], 's')
    pool.abandon('s')
    assert.deepEqual(
      nonces.map((each) => each.nonces.isUsed),
      [true, false, false],
    )
    pool.dropWallet('other')
    assert.equal(pool.size, 2)
    pool.dropWallet('w')
    assert.equal(pool.size, 0)
    pool.add(key, 'r', made(2))
    pool.dropAll()
    assert.equal(pool.size, 0)
    assert.deepEqual(pool.free(key), [])
  })

  test('one session is not added twice', () => {
    const pool = new NoncePool(10)
    pool.add(keyOf('a'), 'p', made(1))
    assert.throws(() => pool.add(keyOf('a'), 'p', made(1)), { code: 'threshold/bad-parameters' })
  })
})

type Operation =
  | { readonly kind: 'add'; readonly count: number }
  | {
      readonly kind: 'reserve' | 'spend' | 'abandon'
      readonly slots: readonly number[]
      readonly session: number
    }
  | { readonly kind: 'restart'; readonly party: 1 | 2 }
  | { readonly kind: 'dropAll' }

const some = fc.record({
  slots: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }),
  session: fc.nat(1),
})
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  ...(['reserve', 'spend', 'abandon'] as const).map((kind) => ({
    weight: kind === 'abandon' ? 1 : 4,
    arbitrary: some.map((each) => ({ kind, ...each })),
  })),
  {
    weight: 1,
    arbitrary: fc.constantFrom<1 | 2>(1, 2).map((party) => ({ kind: 'restart' as const, party })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'dropAll' as const }) },
)

test('in any order of operations no nonce is given out twice, by chance, or after a restart', () => {
  let given = 0
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 10, maxLength: 60, size: 'max' }),
      (operations) => {
        const capacity = 8
        const pool = new NoncePool(capacity)
        const boots = [0, 0]
        const epochOf = new Map<PreprocessedNonces, string>()
        const out = new Set<PreprocessedNonces>()
        let session = 0
        const key = (): PoolKey => keyOf(`a${boots[0]}`, `b${boots[1]}`)
        // Names of slots that exist or existed, so that operations often meet real ones.
        const names: string[] = []
        const reserved = new Map<number, readonly string[]>()
        const pick = (slots: readonly number[]): readonly string[] =>
          slots.map((i) => names.at(-1 - i) ?? 'none/0')

        const apply = (each: Operation): void => {
          switch (each.kind) {
            case 'add': {
              const fresh = made(each.count)
              for (const one of fresh) epochOf.set(one, boots.join())
              const name = `p${session++}`
              pool.add(key(), name, fresh)
              names.push(...fresh.map((_, i) => `${name}/${i}`))
              return
            }
            case 'reserve': {
              const chosen = pick(each.slots)
              pool.reserve(key(), chosen, `s${each.session}`)
              reserved.set(each.session, chosen)
              return
            }
            case 'spend': {
              // Mostly what the session did reserve, perhaps long ago; else any slots at all.
              const chosen = each.slots[0] === 0 ? pick(each.slots) : reserved.get(each.session)
              for (const one of pool.spend(key(), chosen ?? [], `s${each.session}`)) {
                assert.ok(!out.has(one), 'given out twice')
                assert.ok(!one.nonces.isUsed, 'given out wiped')
                assert.equal(epochOf.get(one), boots.join(), 'given out after a restart')
                out.add(one)
                given++
              }
              return
            }
            case 'abandon':
              pool.abandon(`s${each.session}`)
              return
            case 'restart':
              boots[each.party - 1]! += 1
              pool.partyStarted(
                partyId(each.party),
                `${each.party === 1 ? 'a' : 'b'}${boots[each.party - 1]}`,
              )
              return
            case 'dropAll':
              pool.dropAll()
          }
        }
        for (const each of operations) {
          try {
            apply(each)
          } catch (error) {
            if (!isFault(error)) throw error
          }
          assert.ok(pool.size <= capacity)
          const alive = [...epochOf.keys()].filter((one) => !out.has(one) && !one.nonces.isUsed)
          assert.equal(alive.length, pool.size, 'what left the pool unspent is wiped')
        }
      },
    ),
    { numRuns: 150 },
  )
  assert.ok(given > 20, 'the property met nonces that were spent')
})
