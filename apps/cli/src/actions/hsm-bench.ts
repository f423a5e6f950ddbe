/** hsm bench: signatures a second, and how long one takes. */
import { randomBytes } from 'node:crypto'
import { Fault } from '@quorate/base'
import type { HsmProvider, KeyId, SigningAlgorithm } from '@quorate/hsm'
import type { Run } from '../command.ts'
import { withHsm } from '../hsm-open.ts'
import { table } from '../output.ts'

const SIGNING: readonly SigningAlgorithm[] = ['ed25519', 'p256', 'secp256k1']

export const bench: Run = (given, output) => {
  const seconds = given.integer('seconds', 1, 3600) ?? 5
  const concurrency = given.integer('concurrency', 1, 256) ?? 8
  const asked = given.text('algorithm')
  if (asked !== undefined && !SIGNING.some((each) => each === asked))
    throw new Fault('cli/bad-value', { detail: `--algorithm takes one of ${SIGNING.join(', ')}` })
  return withHsm(given, output, async ({ provider, custody }) => {
    const { algorithms, name } = await provider.info()
    const algorithm = SIGNING.find((each) => algorithms.includes(each) && (asked ?? each) === each)
    if (algorithm === undefined)
      throw new Fault('hsm/unsupported', { detail: asked ?? 'no algorithm that signs' })
    const label = `quorate-bench-${randomBytes(4).toString('hex')}`
    const { id } = await provider.generateKey({ label, algorithm })
    try {
      output.progress(`signing for ${seconds} s`)
      const figures = await measure(provider, id, seconds * 1000, concurrency)
      output.result({ name, custody, algorithm, concurrency, seconds, ...figures }, () =>
        table([
          ['  device', name],
          ['  algorithm', algorithm],
          ['  at once', String(concurrency)],
          ['  signatures', String(figures.signatures)],
          ['  per second', figures.perSecond.toFixed(0)],
          ['  median', `${figures.medianMs.toFixed(2)} ms`],
          ['  p99', `${figures.p99Ms.toFixed(2)} ms`],
        ]),
      )
    } finally {
      await provider.destroy(id, { label })
    }
  })
}

type Figures = {
  readonly signatures: number
  readonly perSecond: number
  readonly medianMs: number
  readonly p99Ms: number
}

async function measure(
  provider: HsmProvider,
  id: KeyId,
  ms: number,
  concurrency: number,
): Promise<Figures> {
  const times: number[] = []
  const begin = performance.now()
  const sign = async (): Promise<void> => {
    while (performance.now() - begin < ms) {
      const message = new Uint8Array(randomBytes(32))
      const from = performance.now()
      await provider.sign(id, { message })
      times.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, sign))
  const elapsed = performance.now() - begin
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? 0
  return {
    signatures: times.length,
    perSecond: (times.length * 1000) / elapsed,
    medianMs: at(0.5),
    p99Ms: at(0.99),
  }
}
