/** From a configuration to an open provider, and the one place that says how far each type is trusted. */
import { type Clock, Fault } from '@quorate/base'
import type { Custody, HsmProvider } from './provider.ts'
import { SimulatedHsm } from './simulated/provider.ts'

export type SimulatedConfig = {
  readonly type: 'simulated'
  /** Mode 0700; made where missing. */
  readonly directory: string
  readonly environment: 'development' | 'staging' | 'production'
  /** Without `true` here a simulated HSM is refused in production. */
  readonly allowSimulatedInProduction?: boolean
}

export type HsmConfig = SimulatedConfig

export type OpenHsm = {
  readonly provider: HsmProvider
  /** Out of the table below, never out of the provider's mouth. */
  readonly custody: Custody
}

type ProviderType = {
  readonly custody: Custody
  open(config: HsmConfig, clock: Clock): Promise<HsmProvider>
}

const PROVIDERS: { readonly [T in HsmConfig['type']]: ProviderType } = {
  simulated: {
    // Its device key lies beside the keys: no better than a file.
    custody: 'software',
    open({ directory, environment, allowSimulatedInProduction }, clock) {
      if (environment === 'production' && allowSimulatedInProduction !== true)
        throw new Fault('hsm/simulated-in-production')
      return SimulatedHsm.open(directory, clock)
    },
  },
}

/**
 * The provider that `config` describes, with its custody level.
 * @throws hsm/unknown-type naming the known ones, hsm/simulated-in-production, and what opening the device throws
 */
export async function openHsm(config: HsmConfig, clock: Clock): Promise<OpenHsm> {
  // Configurations come from files, so the type is not to be believed.
  if (!Object.hasOwn(PROVIDERS, config.type))
    throw new Fault('hsm/unknown-type', {
      detail: `known types: ${Object.keys(PROVIDERS).join(', ')}`,
    })
  const { custody, open } = PROVIDERS[config.type]
  return { provider: await open(config, clock), custody }
}
