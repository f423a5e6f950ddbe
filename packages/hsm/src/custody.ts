/** How far each type of device is trusted with a key. Nothing that a device says of itself raises it. */
import { Fault } from '@quorate/base'
import { isForeignService } from './cloud/hosts.ts'
import type { HsmConfig, HsmType } from './config/model.ts'
import type { Custody } from './provider.ts'

export const CUSTODY: { readonly [T in HsmType]: Custody } = {
  // Certified modules, which the administrator named as such.
  'aws-cloudhsm': 'hardware',
  nshield: 'hardware',
  luna: 'hardware',
  'luna-cloud': 'hardware',
  fortanix: 'hardware',
  utimaco: 'hardware',
  yubihsm2: 'hardware',
  // No manufacturer vouches for its keys to a stranger: attestations of it stay self-attested.
  zymbit: 'hardware',
  // Their keys are made in certified modules, where the service itself is asked and not somebody else.
  'aws-kms': 'hardware',
  'azure-hsm': 'hardware',
  'google-hsm': 'hardware',
  // Its keys lie on the disk, readable by the chip alone; whether that is a chip nobody can tell from here.
  tpm2: 'sealed',
  // Tokens in files, and tokens that may be.
  softhsm: 'software',
  nss: 'software',
  opencryptoki: 'software',
  pkcs11: 'software',
  software: 'software',
  // Its device key lies beside the keys: no better than a file.
  simulated: 'software',
}

const LEVELS: readonly Custody[] = ['software', 'sealed', 'hardware']

/** Whether `level` is at least `demanded`. */
export const reaches = (level: Custody, demanded: Custody): boolean =>
  LEVELS.indexOf(level) >= LEVELS.indexOf(demanded)

/** The lower of two levels. */
export const weaker = (a: Custody, b: Custody): Custody => (reaches(a, b) ? b : a)

/** How the configuration itself calls a device a simulator, in the environment of its library. */
const SIMULATED: { readonly [T in HsmType]?: RegExp } = {
  tpm2: /^TPM2_PKCS11_TCTI=.*(swtpm|mssim|libtpms)/,
  zymbit: /^QUORATE_ZYMBIT_SIMULATOR=/,
}

const isSimulator = ({ type, env = [] }: HsmConfig): boolean =>
  env.some((each) => SIMULATED[type]?.test(each) === true)

/** The level of the device that `config` describes. */
export const custodyOf = (config: HsmConfig): Custody =>
  isSimulator(config) || isForeignService(config) ? 'software' : CUSTODY[config.type]

/**
 * Refuses a device that the environment or the configuration itself does not allow, before it is opened.
 * @throws hsm/weak-custody, hsm/simulated-in-production, hsm/software-in-production
 */
export function checkCustody(config: HsmConfig): Custody {
  const custody = custodyOf(config)
  const { type, environment, requireCustody } = config
  if (requireCustody !== undefined && !reaches(custody, requireCustody))
    throw new Fault('hsm/weak-custody', {
      detail: `${type} is ${custody}, ${requireCustody} is demanded`,
    })
  if (environment !== 'production' || custody !== 'software') return custody
  // Configurations come from files, so only the value itself counts as the permission.
  if (type === 'simulated') {
    if (config.allowSimulatedInProduction !== true) throw new Fault('hsm/simulated-in-production')
  } else if (config.allowSoftwareInProduction !== true)
    throw new Fault('hsm/software-in-production', { detail: `type ${type}` })
  return custody
}
