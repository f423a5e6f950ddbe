import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultCode, isFault, type Signer, toHex } from '@quorate/base'
import {
  bury,
  type Charge,
  chargeAgainst,
  checkBudget,
  decodeEntry,
  decodeLedger,
  encodeEntry,
  encodeLedger,
  HIGH_WATER_SLACK_MS,
  type LedgerEntry,
  openEntry,
  raiseHighWater,
  recoverLedger,
  releaseEntry,
  retained,
  tombstoneMessage,
  uniteLedgers,
  withTombstones,
} from '@quorate/policy'
import { NOW } from './sample.ts'

const HOUR = 3_600_000
const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)
const fill = (n: number, length = 32): Uint8Array => new Uint8Array(length).fill(n)

const entry = (n: number, change: Partial<LedgerEntry> = {}): LedgerEntry => ({
  session: fill(n),
  request: fill(n),
  wallet: 'wal_a',
  time: NOW,
  signers: [1, 2],
  charges: [{ limit: 'daily', asset: 'BTC', amount: 100n }],
  state: 'released',
  tombstones: [],
  ...change,
})
const tomb = (signer: number) => ({ signer, signature: fill(signer, 64) })
const charge = (change: Partial<Charge> = {}): Charge => ({
  limit: 'daily',
  asset: 'BTC',
  amount: 100n,
  windowMs: HOUR,
  cap: 300n,
  ...change,
})
const union = { self: 1, liars: 0, verify: () => true }

test('entries and ledgers come back from their bytes, whatever order they are given in', () => {
  const full = entry(3, {
    charges: [
      { limit: 'daily', amount: 1n },
      { limit: 'daily', asset: 'BTC', recipient: 'alice', amount: 2n ** 256n - 1n },
    ],
    state: 'burnt',
    tombstones: [tomb(1), tomb(2)],
  })
  assert.deepEqual(decodeEntry(encodeEntry(full)), full)
  const ledger = [full, entry(1), entry(2, { state: 'open' })]
  assert.deepEqual(decodeLedger(encodeLedger(ledger)), [
    entry(1),
    entry(2, { state: 'open' }),
    full,
  ])
  assert.equal(toHex(encodeLedger(ledger)), toHex(encodeLedger(ledger.toReversed())))
})

test('what contradicts itself has no encoding', () => {
  const wrong: readonly LedgerEntry[] = [
    entry(1, { signers: [2, 1] }),
    entry(1, { signers: [1, 1] }),
    entry(1, { state: 'burnt' }),
    entry(1, { tombstones: [tomb(3)] }),
    entry(1, { tombstones: [tomb(2), tomb(1)] }),
  ]
  for (const each of wrong) assert.throws(() => encodeEntry(each), fails('policy/bad-ledger'))
  const twice = encodeLedger([entry(1), entry(1)])
  assert.throws(() => decodeLedger(twice), fails('policy/bad-ledger'))
})

test('a window holds what is less than its length ago, and whatever is later', () => {
  const at = (time: number): bigint => chargeAgainst([entry(1, { time })], charge(), NOW).spent
  assert.equal(at(NOW - HOUR), 0n)
  assert.equal(at(NOW - HOUR + 1), 100n)
  assert.equal(at(NOW + 10 * HOUR), 100n)
})

test('a charge counts against its own account only, and not its own session', () => {
  const one = [entry(1)]
  const spent = (change: Partial<Charge>, own?: Uint8Array): bigint =>
    chargeAgainst(one, charge(change), NOW, own).spent
  assert.deepEqual(
    [
      spent({}),
      spent({ limit: 'weekly' }),
      spent({ asset: 'SOL' }),
      spent({ asset: undefined }),
      spent({ recipient: 'alice' }),
      spent({}, fill(1)),
      spent({}, fill(2)),
    ],
    [100n, 0n, 0n, 0n, 0n, 0n, 100n],
  )
})

test('the cap itself may be reached, and nothing more', () => {
  const spent = [entry(1), entry(2)]
  checkBudget(spent, [charge({ amount: 100n })], NOW, fill(9))
  assert.throws(
    () => checkBudget(spent, [charge(), charge({ amount: 101n })], NOW, fill(9)),
    (error) => isFault(error, 'policy/over-limit') && error.detail === 'daily',
  )
})

test('the union counts each session once, with the most that anybody says of it', () => {
  const low = entry(1, { time: 0, charges: [{ limit: 'daily', asset: 'BTC', amount: 0n }] })
  const more = entry(1, { charges: [{ limit: 'daily', amount: 1n }] })
  const united = uniteLedgers(
    [
      { signer: 1, entries: [low] },
      { signer: 2, entries: [entry(1), entry(2)] },
      { signer: 2, entries: [more] },
    ],
    union,
  )
  assert.equal(united.length, 2)
  assert.equal(chargeAgainst(united, charge(), NOW).spent, 200n)
  assert.equal(chargeAgainst(united, charge({ asset: undefined }), NOW).spent, 1n)
})

test('nobody shows entries of sessions that he is no signer of', () => {
  const foreign = entry(1, { signers: [2, 3] })
  assert.deepEqual(uniteLedgers([{ signer: 1, entries: [foreign] }], union), [])
})

test('tombstones free a session: our own, or those of more than may lie', () => {
  const burnt = (...signers: number[]) =>
    entry(1, { signers: [1, 2, 3], tombstones: signers.map(tomb), state: 'burnt' })
  const counts = (liars: number, self: number, each: LedgerEntry, isGood = true): boolean =>
    uniteLedgers([{ signer: 3, entries: [each] }], { self, liars, verify: () => isGood }).length > 0
  assert.equal(counts(0, 1, burnt(2)), false)
  assert.equal(counts(1, 1, burnt(2)), true)
  assert.equal(counts(1, 2, burnt(2)), false)
  assert.equal(counts(1, 1, burnt(2, 3)), false)
  assert.equal(counts(0, 1, burnt(2), false), true)
})

test('a tombstone is signed over the cluster and the session, and never for what was released', async () => {
  const signed: Uint8Array[] = []
  const signer: Signer = {
    scheme: 'ed25519',
    publicKey: fill(1),
    sign: (message) => {
      signed.push(message)
      return Promise.resolve(fill(2, 64))
    },
  }
  const buried = await bury(entry(1, { state: 'open' }), fill(7), 2, signer)
  assert.deepEqual([buried.state, buried.tombstones], ['burnt', [tomb(2)]])
  assert.deepEqual(signed, [tombstoneMessage(fill(7), fill(1))])
  assert.notDeepEqual(tombstoneMessage(fill(7), fill(1)), tombstoneMessage(fill(1), fill(7)))
  await assert.rejects(bury(entry(1), fill(7), 2, signer), fails('policy/bad-ledger'))
  assert.throws(() => withTombstones(entry(1), [tomb(3)]), fails('policy/bad-ledger'))
  assert.deepEqual(withTombstones(entry(1), [tomb(2), tomb(1)]).tombstones, [tomb(1), tomb(2)])
})

test('a session is opened once, and no earlier than the high-water time', () => {
  const own = { signer: 1, entries: [entry(1)], highWater: NOW }
  const opened = openEntry(own, entry(2, { state: 'open', time: NOW + 5 }))
  assert.deepEqual([opened.entries.length, opened.highWater], [2, NOW + 5])
  assert.throws(() => openEntry(own, entry(1)), fails('policy/bad-ledger'))
  const late = entry(2, { time: NOW - HIGH_WATER_SLACK_MS - 1 })
  assert.throws(() => openEntry(own, late), fails('policy/clock-set-back'))
  assert.equal(raiseHighWater(NOW, NOW - HIGH_WATER_SLACK_MS), NOW)
})

test('a session is released from an open entry, with one ledger of each signer', () => {
  const options = { charges: [charge()], liars: 0, verify: () => true }
  const own = (change: Partial<LedgerEntry>, highWater = NOW) => ({
    signer: 1,
    entries: [entry(1, { state: 'open', ...change })],
    highWater,
  })
  const other = { signer: 2, entries: [entry(2), entry(3)] }
  assert.equal(releaseEntry(own({}), [other], fill(1), options).state, 'released')
  const full = { signer: 2, entries: [entry(2), entry(3), entry(4)] }
  const refused: readonly (readonly [FaultCode, () => unknown])[] = [
    ['policy/bad-ledger', () => releaseEntry(own({}), [other], fill(2), options)],
    ['policy/bad-ledger', () => releaseEntry(own({}), [], fill(1), options)],
    ['policy/bad-ledger', () => releaseEntry(own({}), [other, other], fill(1), options)],
    [
      'policy/bad-ledger',
      () => releaseEntry(own({ state: 'burnt', tombstones: [tomb(1)] }), [other], fill(1), options),
    ],
    ['policy/over-limit', () => releaseEntry(own({}), [full], fill(1), options)],
    ['policy/clock-set-back', () => releaseEntry(own({}, NOW + HOUR), [other], fill(1), options)],
  ]
  for (const [code, act] of refused) assert.throws(act, fails(code))
})

test('only what no window can hold any more is let go of', () => {
  const edge = NOW - HIGH_WATER_SLACK_MS - HOUR
  const kept = retained([entry(1, { time: edge }), entry(2, { time: edge + 1 })], NOW, HOUR)
  assert.deepEqual(
    kept.map(({ session }) => session[0]),
    [2],
  )
})

test('a node that was put back takes what it signed from the others, as released', () => {
  const own = { signer: 1, entries: [entry(1, { state: 'burnt', tombstones: [tomb(1)] })] }
  const others = [
    { signer: 2, entries: [entry(1), entry(2, { state: 'open' })], highWater: NOW - 5 },
    { signer: 3, entries: [entry(3, { signers: [2, 3] })], highWater: NOW + HOUR },
  ]
  const { entries, highWater } = recoverLedger(own, others, NOW)
  assert.deepEqual(
    entries.map(({ session, state }) => [session[0], state]),
    [
      [1, 'burnt'],
      [2, 'released'],
    ],
  )
  assert.equal(highWater, NOW)
})
