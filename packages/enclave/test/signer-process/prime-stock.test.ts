import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Fault, Secret } from '@quorate/base'
import { systemRandom } from '@quorate/platform'
import { LEVELS } from '@quorate/threshold'
import type { Change, PrimesRow } from '#src/channel/rows.js'
import { type MakePrimes, makePrimes } from '#src/signer-process/prime-maker.js'
import { PrimeStock } from '#src/signer-process/prime-stock.js'
import type { Vault } from '#src/signer-process/vault.js'

// Threads of a pool do not keep this process alive: something must.
const alive = setInterval(() => undefined, 1_000)
after(() => clearInterval(alive))

const level = LEVELS['CGGMP24-secp256k1-SHA256-112-v1']
const order = { signal: new AbortController().signal, onProgress: () => undefined }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Seals by turning every bit. */
const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff)
const vault = { seal: flip, open: flip } as unknown as Vault

function stockOf(o: { rows?: readonly PrimesRow[]; ahead?: number; make?: MakePrimes } = {}) {
  const changes: Change[] = []
  const events: string[] = []
  let made = 0
  const stock = new PrimeStock({
    vault,
    ports: {
      random: systemRandom,
      persist: async (more) => void changes.push(...more),
      logger: {
        log: (_, event) => void events.push(event),
        with() {
          return this
        },
      },
    },
    make: o.make ?? (async () => new Secret(Uint8Array.of(++made))),
    ahead: o.ahead ?? 1,
    rows: o.rows ?? [],
  })
  return { stock, changes, events, made: () => made }
}

const rowOf = (byte: number): PrimesRow => ({
  id: new Uint8Array(16).fill(byte),
  level: level.id,
  sealed: flip(Uint8Array.of(byte)),
})

test('a set that is in store is taken with the change that removes it, and by nobody else', async () => {
  const { stock, made } = stockOf({ rows: [rowOf(7), rowOf(8)] })
  for (const byte of [7, 8]) {
    const { changes, primes } = stock.take(level)
    assert.deepEqual(changes, [{ kind: 'takePrimes', value: { id: rowOf(byte).id } }])
    assert.deepEqual((await primes(order)).expose(), Uint8Array.of(byte))
  }
  const { changes, primes } = stock.take(level)
  assert.deepEqual(changes, [])
  assert.deepEqual((await primes(order)).expose(), Uint8Array.of(1))
  assert.equal(made(), 1)
})

test('sets of another level are left alone', () => {
  const { stock } = stockOf({ rows: [{ ...rowOf(7), level: 'another' }] })
  assert.deepEqual(stock.take(level).changes, [])
})

test('the stock is filled up to its number, one refill at a time', async () => {
  const { stock, changes, made } = stockOf({ ahead: 3, rows: [rowOf(7)] })
  stock.refill([level.id])
  stock.refill([level.id])
  for (let n = 0; n < 20; n++) await turn()
  assert.equal(made(), 2)
  assert.deepEqual(
    changes.map(({ kind }) => kind),
    ['putPrimes', 'putPrimes'],
  )
  stock.refill([])
  stock.refill([level.id])
  await turn()
  assert.equal(made(), 2)
})

test('a stop gives up what is being made, and says nothing', async () => {
  let hears: AbortSignal | undefined
  const make: MakePrimes = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      hears = signal
      signal.addEventListener('abort', () => reject(new Fault('platform/job-cancelled')))
    })
  const { stock, changes, events } = stockOf({ make })
  stock.refill([level.id])
  await turn()
  stock.stop()
  for (let n = 0; n < 5; n++) await turn()
  assert.equal(hears?.aborted, true)
  assert.deepEqual([changes, events], [[], []])
})

test('primes that cannot be made are a warning', async () => {
  const make: MakePrimes = () => Promise.reject(new Fault('platform/worker-died'))
  const { stock, events } = stockOf({ make })
  stock.refill([level.id])
  for (let n = 0; n < 5; n++) await turn()
  assert.deepEqual(events, ['primes.failed'])
})

test('threads make four safe primes, or none if they are told to stop', async () => {
  const small = { ...level, primeBits: 256 }
  const progress: number[] = []
  using made = await makePrimes(small, { ...order, onProgress: (done) => progress.push(done) })
  assert.deepEqual(progress, [0, 1, 2, 3, 4])
  const bytes = made.expose()
  assert.equal(bytes.length, 4 * 32)
  const primes = [0, 1, 2, 3].map((i) =>
    Buffer.from(bytes.subarray(32 * i, 32 * i + 32)).toString('hex'),
  )
  assert.equal(new Set(primes).size, 4)
  // Both top bits are set, and p ≡ 3 modulo 4.
  for (const prime of primes) assert.match(prime, /^[c-f].*[37bf]$/)
  const stopping = new AbortController()
  const stopped = makePrimes(level, { ...order, signal: stopping.signal })
  stopping.abort()
  await assert.rejects(stopped, { code: 'platform/job-cancelled' })
})
