/** Checks of how the device behaves: attestations, results, randomness, clock and speed. */
import { type Check, found, foundIf, type Look, together, withFact } from './check.ts'
import type { AttestationFacts, GcmProbe, SigningProbe } from './facts.ts'

const ATTESTATION: { readonly [O in AttestationFacts['outcome']]: string | undefined } = {
  good: undefined,
  missing: 'gives no attestation',
  invalid: 'has an attestation that does not verify',
  'other-key': 'has an attestation of another public key',
}

const attestation: Check = {
  id: 'D20',
  title: 'Origin of a key is not proved',
  severity: 'high',
  fix: 'Do not use the key where its origin matters until a fresh attestation verifies.',
  look: (facts) =>
    withFact(facts.attestations, (all) =>
      found(
        all.flatMap(({ label, outcome }) => {
          const what = ATTESTATION[outcome]
          return what === undefined ? [] : [{ evidence: `"${label}" ${what}` }]
        }),
      ),
    ),
}

const gcm: Check = {
  id: 'D21',
  title: 'Encryption does not do what the profile of the vendor says',
  severity: 'critical',
  fix: 'Stop encrypting with this device; check the vendor profile, its firmware and its FIPS mode.',
  look: (facts) => withFact(facts.gcm, gcmLook),
}

function gcmLook(probe: GcmProbe): Look {
  if ('trouble' in probe)
    return found([{ severity: 'high', evidence: `a trial encryption failed: ${probe.trouble}` }])
  const { ivsDiffer, opens, refusesAltered } = probe
  return together(
    foundIf(!ivsDiffer, { evidence: 'two encryptions have one IV' }),
    foundIf(!opens, { severity: 'high', evidence: 'what was encrypted does not decrypt' }),
    foundIf(!refusesAltered, { evidence: 'an altered ciphertext decrypts' }),
  )
}

const signing: Check = {
  id: 'D22',
  title: 'Signatures do not hold',
  severity: 'critical',
  fix: 'Stop signing with this device: a faulty signature can reveal its key. Have it replaced.',
  look: (facts) =>
    withFact(facts.signing, (probes) => together(...probes.map((probe) => signingLook(probe)))),
}

function signingLook({ algorithm, outcome }: SigningProbe): Look {
  if (outcome === 'good') return found([])
  if (outcome === 'wrong') return found([{ evidence: `a trial signature (${algorithm}) is wrong` }])
  if (outcome === 'high-s')
    return found([
      { severity: 'medium', evidence: `a trial signature (${algorithm}) has s in the upper half` },
    ])
  const { trouble } = outcome
  return found([
    {
      // The layer keeps wrong results back and says that it did.
      severity: trouble === 'hsm/wrong-result' ? 'critical' : 'high',
      evidence: `a trial signature (${algorithm}) failed: ${trouble}`,
    },
  ])
}

const BLOCK_BYTES = 16
/** Standard deviations: the wrong alarm of a good generator is one in 10⁹. */
const SIGMAS = 6.1
const MIN_RANDOM_BYTES = 256

const random: Check = {
  id: 'D23',
  title: 'Random generator repeats itself or is biased',
  severity: 'critical',
  fix: 'Take the device out of use, with every key and IV that it made; have it replaced.',
  look: (facts) => withFact(facts.random, randomLook),
}

/** Gross failures only: no test of outputs shows that a generator is good. */
function randomLook(bytes: Uint8Array): Look {
  if (bytes.length < MIN_RANDOM_BYTES)
    return found([{ evidence: `it gave ${bytes.length} bytes only` }])
  const blocks = new Set<string>()
  for (let at = 0; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES)
    blocks.add(bytes.subarray(at, at + BLOCK_BYTES).join())
  const bits = bytes.length * 8
  let ones = 0
  const counts = new Uint32Array(256)
  for (const byte of bytes) {
    counts[byte] = (counts[byte] ?? 0) + 1
    for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1
  }
  const expected = bytes.length / 256
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  return together(
    foundIf(blocks.size < Math.floor(bytes.length / BLOCK_BYTES), {
      evidence: `a block of ${BLOCK_BYTES} bytes came twice`,
    }),
    foundIf(Math.abs(ones - bits / 2) > (SIGMAS * Math.sqrt(bits)) / 2, {
      evidence: `${ones} of ${bits} bits are one`,
    }),
    // χ² with 255 degrees of freedom: mean 255, variance 510.
    foundIf(chiSquare > 255 + 2 * SIGMAS * Math.sqrt(510), {
      evidence: 'some byte values come far more often than others',
    }),
  )
}

const MAX_SKEW_MS = 30_000

const clock: Check = {
  id: 'D24',
  title: 'Clock is wrong',
  severity: 'medium',
  fix: 'Synchronise the clock of this machine (NTP or PTP).',
  look: (facts) =>
    withFact(facts.clockSkewMs, (skew) =>
      foundIf(Math.abs(skew) > MAX_SKEW_MS, {
        evidence: `${Math.abs(Math.round(skew / 1000))} s ${skew > 0 ? 'ahead' : 'behind'}`,
      }),
    ),
}

const SESSION_SHARE = 0.8
const MAX_P99_MS = 500
const MAX_ERROR_RATE = 0.01

const load: Check = {
  id: 'D25',
  title: 'Device is near its limits',
  severity: 'medium',
  fix: 'Lower the pool size, close sessions of other applications, or add a device.',
  look: ({ token, latency, errorRate }) =>
    together(
      withFact(token, ({ openSessions, maxSessions }) =>
        openSessions === undefined || maxSessions === undefined || maxSessions === 0
          ? found([])
          : foundIf(openSessions >= maxSessions * SESSION_SHARE, {
              evidence: `${openSessions} of ${maxSessions} sessions are open`,
            }),
      ),
      withFact(latency, ({ p99Ms, samples }) =>
        foundIf(p99Ms > MAX_P99_MS, {
          evidence: `1 of 100 signatures takes over ${Math.round(p99Ms)} ms (${samples} were made)`,
        }),
      ),
      withFact(errorRate, (rate) =>
        foundIf(rate > MAX_ERROR_RATE, {
          evidence: `${(rate * 100).toFixed(1)} % of operations failed on the device`,
        }),
      ),
    ),
}

export const PROBE_CHECKS: readonly Check[] = [attestation, gcm, signing, random, clock, load]
