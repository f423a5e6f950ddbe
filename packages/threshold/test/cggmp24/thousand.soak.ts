/**
 * A thousand signatures at 128 bits, each from a presignature of its own, over several keys, sets of
 * signers and paths: every one verifies, and the heap stays where it was. With QUORATE_SOAK_REPORT
 * set, what was seen is written to that file.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { chooseBackends } from '@quorate/math/native'
import { LEVELS } from '#src/cggmp24/level.js'
import { beginPresign } from '#src/cggmp24/presign/rounds.js'
import type { Message } from '#src/cggmp24/sign/message.js'
import { beginOnlineSigning } from '#src/cggmp24/sign/online.js'
import { type PartyId, partyId } from '#src/session/party.js'
import {
  outputsOf,
  presignOptions,
  runSessions,
  seededRandom,
  testWallet,
} from '#src/testing/index.js'
import { headOf } from './report.js'
import { assertSigns, keyAt } from './signatures.js'

const LEVEL = LEVELS['CGGMP24-secp256k1-SHA256-128-v1']
const SIGNATURES = 1000
const SHAPES = [
  { threshold: 2, parties: 2, signers: [[1, 2]] },
  {
    threshold: 2,
    parties: 3,
    signers: [
      [1, 2],
      [1, 3],
      [2, 3],
    ],
  },
] as const
const PATHS: readonly (readonly number[])[] = [[], [0], [44, 60, 0, 0, 7]]
const HASHES = ['sha256', 'sha256d', 'keccak256'] as const

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const heapAfterCollection = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

test(`${SIGNATURES} signatures at 128 bits`, async () => {
  await chooseBackends()
  const random = seededRandom(`soak/${process.pid}/${Date.now()}`)
  const wallets = SHAPES.map((shape, i) => ({
    ...shape,
    wallet: testWallet(LEVEL, shape.threshold, shape.parties, `soak/${i}`),
  }))
  const cpuMs: number[] = []
  const heap: number[] = []
  const recoveries = [0, 0, 0, 0]
  const start = performance.now()
  for (let i = 0; i < SIGNATURES; i++) {
    const { wallet, signers: sets } = wallets[i % wallets.length]!
    const signers = sets[Math.floor(i / wallets.length) % sets.length]!.map(partyId)
    const path = PATHS[i % PATHS.length]!
    const message: Message = {
      kind: 'message',
      bytes: random.bytes(1 + (i % 300)),
      hash: HASHES[i % HASHES.length]!,
    }
    const before = process.cpuUsage()
    const signature = signOnce(wallet, signers, path, message, random)
    const { user, system } = process.cpuUsage(before)
    cpuMs.push((user + system) / 1000 / signers.length)
    recoveries[signature.recovery]!++
    assertSigns(keyAt(wallet.key, path), message, signature)
    if (i % 50 === 49) heap.push(heapAfterCollection())
  }
  // The first readings still see caches fill.
  const [early, late] = [heap[1]!, heap.at(-1)!]
  assert.ok(late < early * 1.2 + 4e6, `the heap grew from ${early} to ${late} bytes`)
  report({ cpuMs, heap, recoveries, seconds: (performance.now() - start) / 1000 })
})

function signOnce(
  wallet: ReturnType<typeof testWallet>,
  signers: readonly PartyId[],
  path: readonly number[],
  message: Message,
  random: ReturnType<typeof seededRandom>,
) {
  const sid = random.bytes(32)
  const made = outputsOf(
    runSessions({
      parties: signers,
      sid,
      make: (self) =>
        beginPresign({
          ...presignOptions(wallet, self, { sid, signers, items: [{ path }] }),
          random,
        }),
    }),
  )
  const online = random.bytes(32)
  const signatures = outputsOf(
    runSessions({
      parties: signers,
      sid: online,
      make: (self) =>
        beginOnlineSigning({
          sid: online,
          self,
          signers,
          items: [{ kind: 'bound', presignature: made.get(self)![0]!, message }],
        }),
    }),
  )
  const [first, ...others] = [...signatures.values()].map(([signature]) => signature!)
  for (const other of others) assert.deepEqual(other, first)
  return first!
}

function report(seen: {
  readonly cpuMs: readonly number[]
  readonly heap: readonly number[]
  readonly recoveries: readonly number[]
  readonly seconds: number
}): void {
  const file = process.env['QUORATE_SOAK_REPORT']
  if (file === undefined) return
  const sorted = seen.cpuMs.toSorted((a, b) => a - b)
  const lines = [
    '# A thousand threshold ECDSA signatures',
    '',
    'Written by `npm run soak -- thousand` with `QUORATE_SOAK_REPORT` set to this file.',
    '',
    ...headOf(LEVEL.id),
    `- ${seen.cpuMs.length} signatures, 2-of-2 and 2-of-3, every set of signers, paths ${PATHS.map((path) => ['m', ...path].join('/')).join(', ')}; each from a presignature of its own`,
    '- Each verified by noble with low s, its key recovered with the recovery id; those over SHA-256 by OpenSSL too. No failure.',
    `- Recovery ids 0 to 3: ${seen.recoveries.join(', ')}`,
    `- Processor time of one signer for presigning and signing, ms: median ${sorted[sorted.length >> 1]!.toFixed(0)}, least ${sorted[0]!.toFixed(0)}, most ${sorted.at(-1)!.toFixed(0)}`,
    `- Heap after garbage collection, every 50 signatures, MB: ${seen.heap.map((bytes) => (bytes / 1e6).toFixed(1)).join(' ')}`,
    `- The whole run: ${(seen.seconds / 60).toFixed(1)} minutes, all signers on one thread`,
    '',
  ]
  writeFileSync(file, lines.join('\n'))
}
