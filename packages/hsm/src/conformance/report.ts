/** Runs the conformance suite and says what a device can do. */
import { Fault, isFault } from '@quorate/base'
import {
  type Capabilities,
  type HsmProvider,
  hasCapability,
  type KeyAlgorithm,
  type ProviderInfo,
} from '../provider.ts'
import { CONFORMANCE } from './suite.ts'

export type ConformanceResult = {
  readonly name: string
  /** `skipped` where the device has not the algorithm. */
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it failed, or what it needs. */
  readonly detail?: string
}

export type ConformanceReport = {
  readonly info: ProviderInfo
  readonly algorithms: { readonly [A in KeyAlgorithm]: boolean }
  readonly capabilities: { readonly [C in keyof Capabilities]: boolean }
  readonly results: readonly ConformanceResult[]
}

const ALGORITHMS: readonly KeyAlgorithm[] = [
  'ed25519',
  'p256',
  'secp256k1',
  'aes-256',
  'hmac-sha256',
]
const CAPABILITIES: readonly (keyof Capabilities)[] = [
  'wrap',
  'attest',
  'import',
  'derive',
  'tamper',
]

/** Makes and destroys keys, and closes `provider` as its last act. @throws faults of `info` alone */
export async function conformanceOf(
  provider: HsmProvider,
  onCheck: (name: string) => void = () => undefined,
): Promise<ConformanceReport> {
  const info = await provider.info()
  const can = Object.fromEntries(CAPABILITIES.map((each) => [each, hasCapability(provider, each)]))
  const results: ConformanceResult[] = []
  for (const { name, needs, run } of CONFORMANCE) {
    const missing = needs.find((algorithm) => !info.algorithms.includes(algorithm))
    if (missing !== undefined) {
      results.push({ name, outcome: 'skipped', detail: `it has no ${missing}` })
      continue
    }
    onCheck(name)
    try {
      await run(provider)
      results.push({ name, outcome: 'passed' })
    } catch (error) {
      const fault = isFault(error) ? error : new Fault('base/bug', { cause: error })
      results.push({ name, outcome: 'failed', detail: `${fault.message} [${fault.code}]` })
    }
  }
  return {
    info,
    algorithms: Object.fromEntries(
      ALGORITHMS.map((each) => [each, info.algorithms.includes(each)]),
    ) as ConformanceReport['algorithms'],
    capabilities: can as ConformanceReport['capabilities'],
    results,
  }
}
