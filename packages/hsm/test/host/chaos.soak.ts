/**
 * Thirty-two signers for a minute, while every second the module crashes, hangs or loses its token:
 * every signature holds, no acknowledged key is lost, no request is stuck, the event loop of the caller
 * is never held up, and afterwards everything is as fast as before. With QUORATE_SOAK_REPORT set,
 * what was seen is written to that file.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFault, type Logger, utf8 } from '@quorate/base'
import { hsmSigner, type KeyInfo, type SignInput } from '@quorate/hsm'
import { HostedHsm } from '#src/host/hosted-hsm.js'
import { openModule } from '../modules/modules.ts'
import { buildShim, FaultShim } from '../shim/shim.ts'

const SIGNERS = 32
const FAULTS = 60
const EVERY_MS = 1000
const UNPLUGGED_MS = 100
const CALM_MS = 5000
const KINDS = ['crash', 'hang', 'unplug'] as const
type Kind = (typeof KINDS)[number]

const SILENT: Logger = { log: () => undefined, with: () => SILENT }
const module = await openModule('softhsm', { after })
const built = buildShim()
const skip = !module.available ? module.reason : (built.reason ?? false)

test('a minute of faults', { skip }, async (t) => {
  assert.ok(module.available)
  const shim = new FaultShim(module.settings, t)
  const hsm = await HostedHsm.open({
    settings: shim.settings,
    readPin: () => Promise.resolve(utf8(module.pin)),
    logger: SILENT,
    // A signature takes this token a millisecond: after a hundred it hangs.
    times: { sign: { callMs: 100 } },
  })
  let isOver = false
  t.after(() => {
    isOver = true
    return hsm.close()
  })
  const signers = await Promise.all(
    Array.from({ length: SIGNERS }, (_, i) => signerOf(hsm, i % 4 === 3 ? 'secp256k1' : 'ed25519')),
  )
  const seen = { done: 0, wrong: 0, failed: new Map<string, number>(), longestMs: 0 }
  const successes: number[] = []
  const loops = signers.map(async (sign, i) => {
    for (let n = 0; !isOver; n++) {
      const start = performance.now()
      try {
        const isRight = await sign(Uint8Array.of(i, n & 255, (n >> 8) & 255))
        if (!isRight) seen.wrong++
        seen.done++
        successes.push(performance.now())
      } catch (error) {
        const code = isFault(error) ? error.code : String(error)
        seen.failed.set(code, (seen.failed.get(code) ?? 0) + 1)
      }
      seen.longestMs = Math.max(seen.longestMs, performance.now() - start)
    }
  })
  const rate = async (): Promise<number> => {
    const before = seen.done
    await sleep(CALM_MS)
    return ((seen.done - before) / CALM_MS) * 1000
  }
  await sleep(1000)
  const rateBefore = await rate()

  const loop = longestRuns()
  const keys: KeyInfo[] = []
  const recoveries = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]))
  for (let n = 0; n < FAULTS; n++) {
    const kind = KINDS[n % KINDS.length]!
    const next = performance.now() + EVERY_MS
    if (n % 5 === 0) keys.push(await hsm.generateKey({ label: `made ${n}`, algorithm: 'p256' }))
    if (kind === 'unplug') {
      shim.unplug()
      await sleep(UNPLUGGED_MS)
      shim.plugIn()
    } else shim.fail('C_Sign', { kind, when: { next: 1 } })
    const since = performance.now()
    await sleep(Math.max(next - since, 600))
    shim.clear()
    recoveries.get(kind)!.push(longestGap(successes, since))
    successes.length = 0
  }
  const longestRunMs = loop.stop()
  await sleep(1000)
  const rateAfter = await rate()
  isOver = true
  await Promise.all(loops)

  const all = [...recoveries.values()].flat().sort((a, b) => a - b)
  const p99 = all[Math.ceil(all.length * 0.99) - 1]!
  report({ recoveries, p99, longestRunMs, rateBefore, rateAfter, ...seen, keys: keys.length })
  assert.equal(seen.wrong, 0)
  assert.deepEqual([...seen.failed], [])
  for (const key of keys) assert.deepEqual(await hsm.find({ id: key.id }), key)
  assert.ok(p99 < 500, `p99 of recovery: ${p99} ms`)
  assert.ok(longestRunMs <= 20, `the event loop ran ${longestRunMs} ms in one go`)
  assert.ok(rateAfter > rateBefore * 0.7, `${rateBefore} a second before, ${rateAfter} after`)
})

/** Signs with a key of its own, and says whether the signature holds. */
async function signerOf(
  hsm: HostedHsm,
  algorithm: 'ed25519' | 'secp256k1',
): Promise<(message: Uint8Array) => Promise<boolean>> {
  const { id } = await hsm.generateKey({ label: 'signer', algorithm })
  const signer = algorithm === 'ed25519' ? await hsmSigner(hsm, id) : undefined
  return async (message) => {
    const input: SignInput = { message }
    const signature = await (signer?.sign(message) ?? hsm.sign(id, input))
    return hsm.verify(id, input, signature)
  }
}

/** The longest time without a success after that moment. */
function longestGap(successes: readonly number[], since: number): number {
  const times = [since, ...successes.filter((time) => time >= since)]
  return Math.max(...times.map((time, i) => (times[i + 1] ?? performance.now()) - time))
}

/** The longest that this thread computed between two turns of its event loop: not what others took from it. */
function longestRuns(): { stop(): number } {
  const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
  const text = Buffer.alloc(64)
  const ranMs = (): number =>
    Number(text.toString('latin1', 0, readSync(file, text, 0, 64, 0)).split(' ')[0]) / 1e6
  let last = ranMs()
  let longest = 0
  let isRunning = true
  const turn = (): void => {
    if (!isRunning) return
    const now = ranMs()
    longest = Math.max(longest, now - last)
    last = now
    setImmediate(turn)
  }
  setImmediate(turn)
  return {
    stop() {
      isRunning = false
      closeSync(file)
      return longest
    },
  }
}

function report(seen: {
  readonly recoveries: ReadonlyMap<Kind, readonly number[]>
  readonly p99: number
  readonly longestRunMs: number
  readonly rateBefore: number
  readonly rateAfter: number
  readonly done: number
  readonly wrong: number
  readonly failed: ReadonlyMap<string, number>
  readonly longestMs: number
  readonly keys: number
}): void {
  const file = process.env['QUORATE_SOAK_REPORT']
  if (file === undefined) return
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const all = cpus()
  const ms = (value: number): string => `${value.toFixed(0)} ms`
  const median = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[values.length >> 1]!
  const failures = [...seen.failed].map(([code, count]) => `${count} of ${code}`).join(', ')
  writeFileSync(
    file,
    [
      '# A minute of faults under an HSM',
      '',
      'Written by `npm run soak -- chaos` with `QUORATE_SOAK_REPORT` set to this file.',
      '',
      `- Date: ${new Date().toISOString().slice(0, 10)}; commit ${commit}`,
      `- Machine: ${all.length} x ${all[0]?.model ?? 'unknown'}, Node ${process.version}`,
      `- ${SIGNERS} signers, three quarters Ed25519 and one quarter secp256k1; ${FAULTS} faults, one every ${EVERY_MS} ms, on SoftHSM behind the shim`,
      `- ${seen.done} signatures, ${seen.wrong} wrong; failed requests: ${failures || 'none'}; the longest took ${ms(seen.longestMs)}`,
      `- ${seen.keys} keys made meanwhile`,
      ...[...seen.recoveries].map(
        ([kind, times]) =>
          `- ${kind}: longest time without a signature, median ${ms(median(times))}, most ${ms(Math.max(...times))}`,
      ),
      `- p99 of all: ${ms(seen.p99)}`,
      `- The event loop of the caller computed at most ${seen.longestRunMs.toFixed(1)} ms in one go`,
      `- Signatures a second before the faults ${seen.rateBefore.toFixed(0)}, after them ${seen.rateAfter.toFixed(0)}`,
      '',
    ].join('\n'),
  )
}
