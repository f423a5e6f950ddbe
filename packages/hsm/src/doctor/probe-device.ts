/**
 * Uses the device for a moment, with keys of the doctor's own that are destroyed afterwards. What the
 * device answers is checked here, not by the provider.
 */
import { createHash } from 'node:crypto'
import { bug, type Clock, equalBytes, isFault, utf8 } from '@quorate/base'
import { toLowS, verifyDigest } from '../ecdsa.ts'
import { verifyEd25519 } from '../ed25519.ts'
import type { HsmProvider, KeyAlgorithm, KeyInfo, SigningAlgorithm } from '../provider.ts'
import {
  type DoctorFacts,
  type Fact,
  type GcmProbe,
  known,
  type LatencyFacts,
  type SigningProbe,
  unknown,
} from './facts.ts'

export type DeviceProbes = Pick<DoctorFacts, 'gcm' | 'signing' | 'random' | 'latency'>

const LABEL = 'quorate doctor, for a moment'
const SIGNING: readonly SigningAlgorithm[] = ['ed25519', 'p256', 'secp256k1']
/** Eight trials: a device that does not care gives a high s in all but one of 256. */
const TRIALS = 8
const RANDOM_CALLS = 4
const RANDOM_BYTES = 1024
const MAX_SAMPLES = 100
/** Slow devices are measured less often. */
const MAX_MEASURING_MS = 2_000
const MESSAGE = utf8('quorate/doctor')
const AAD = utf8('quorate/doctor/aad')

const troubleOf = (error: unknown): string => (isFault(error) ? error.code : 'unexpected error')

/** What trial operations give. Leaves no key behind where the device lets it be destroyed. */
export async function probeDevice(provider: HsmProvider, clock: Clock): Promise<DeviceProbes> {
  const { algorithms } = await provider.info()
  const signing: SigningProbe[] = []
  let latency: Fact<LatencyFacts> = unknown('the device makes no signatures')
  for (const algorithm of SIGNING.filter((each) => algorithms.includes(each)))
    try {
      await withKey(provider, algorithm, async (key) => {
        signing.push({ algorithm, outcome: await trySigning(provider, algorithm, key) })
        if ('unknown' in latency) latency = known(await measure(provider, key, clock))
      })
    } catch (error) {
      signing.push({ algorithm, outcome: { trouble: troubleOf(error) } })
    }
  return {
    signing: signing.length > 0 ? known(signing) : unknown('the device makes no signatures'),
    latency,
    gcm: algorithms.includes('aes-256')
      ? known(await tryEncrypting(provider))
      : unknown('the device does not encrypt'),
    random: await drawRandom(provider),
  }
}

async function withKey<T>(
  provider: HsmProvider,
  algorithm: KeyAlgorithm,
  use: (key: KeyInfo) => Promise<T>,
): Promise<T> {
  const key = await provider.generateKey({ label: LABEL, algorithm })
  try {
    return await use(key)
  } finally {
    await provider.destroy(key.id, { label: LABEL })
  }
}

async function trySigning(
  provider: HsmProvider,
  algorithm: SigningAlgorithm,
  { id, publicKey = bug('a signing key has a public key') }: KeyInfo,
): Promise<SigningProbe['outcome']> {
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const message = new Uint8Array([...MESSAGE, trial])
    const signature = await provider.sign(id, { message })
    if (algorithm === 'ed25519') {
      if (!verifyEd25519(publicKey, message, signature)) return 'wrong'
      continue
    }
    const digest = new Uint8Array(createHash('sha256').update(message).digest())
    if (!verifyDigest(algorithm, publicKey, digest, signature)) return 'wrong'
    if (!equalBytes(toLowS(algorithm, signature), signature)) return 'high-s'
  }
  return 'good'
}

async function measure(
  provider: HsmProvider,
  { id }: KeyInfo,
  clock: Clock,
): Promise<LatencyFacts> {
  const times: number[] = []
  const end = clock.monotonic() + MAX_MEASURING_MS
  do {
    const start = clock.monotonic()
    await provider.sign(id, { message: MESSAGE })
    times.push(clock.monotonic() - start)
  } while (times.length < MAX_SAMPLES && clock.monotonic() < end)
  times.sort((a, b) => a - b)
  const p99Ms = times[Math.ceil(times.length * 0.99) - 1] ?? 0
  return { p99Ms, samples: times.length }
}

async function tryEncrypting(provider: HsmProvider): Promise<GcmProbe> {
  try {
    return await withKey(provider, 'aes-256', async ({ id }) => {
      const first = await provider.encrypt(id, MESSAGE, AAD)
      const second = await provider.encrypt(id, MESSAGE, AAD)
      const opened = await provider.decrypt(id, first, AAD)
      const altered = Uint8Array.from(first.ciphertext, (byte, i) => (i === 0 ? byte ^ 1 : byte))
      return {
        ivsDiffer: !equalBytes(first.iv, second.iv),
        opens: equalBytes(opened, MESSAGE),
        refusesAltered: await refuses(() =>
          provider.decrypt(id, { ...first, ciphertext: altered }, AAD),
        ),
      }
    })
  } catch (error) {
    return { trouble: troubleOf(error) }
  }
}

async function refuses(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt()
    return false
  } catch (error) {
    if (isFault(error, 'hsm/cannot-open')) return true
    throw error
  }
}

async function drawRandom(provider: HsmProvider): Promise<Fact<Uint8Array>> {
  const bytes = new Uint8Array(RANDOM_CALLS * RANDOM_BYTES)
  try {
    for (let i = 0; i < RANDOM_CALLS; i += 1)
      bytes.set(await provider.random(RANDOM_BYTES), i * RANDOM_BYTES)
    return known(bytes)
  } catch (error) {
    return unknown(`the device gives no random bytes: ${troubleOf(error)}`)
  }
}
