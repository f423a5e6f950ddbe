/** What the client software of single vendors is told, as its files and variables say. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Fact, known, unknown, type VendorFacts } from './facts.ts'
import { unreadable } from './local-facts.ts'

/** Where vendors keep their configuration. */
export type VendorPaths = { readonly cloudHsm: string; readonly nshield: string }
const PATHS: VendorPaths = {
  cloudHsm: '/opt/cloudhsm/etc/cloudhsm-pkcs11.cfg',
  nshield: '/opt/nfast/cknfastrc',
}

/** `env`: of the process that loads the module. Only what belongs to `type` is looked at. */
export function vendorFacts(
  type: string,
  env: { readonly [name: string]: string | undefined },
  paths: VendorPaths = PATHS,
): Omit<VendorFacts, 'zymbit'> {
  const only = <T>(types: readonly string[], look: () => Fact<T>): Fact<T> =>
    types.includes(type) ? look() : unknown('another vendor')
  const lunaFile = join(env['ChrystokiConfigurationPath'] ?? '/etc', 'Chrystoki.conf')
  return {
    cloudHsm: only(['aws-cloudhsm'], () => parsed(paths.cloudHsm, parseCloudHsm)),
    nshield: only(['nshield'], () => {
      const file = existsSync(paths.nshield) ? parsed(paths.nshield, parseVariables) : known({})
      return 'value' in file ? known(nshieldFacts({ ...file.value, ...env })) : file
    }),
    luna: only(['luna', 'luna-cloud'], () => parsed(lunaFile, parseChrystoki)),
  }
}

function parsed<T>(path: string, parse: (text: string) => T): Fact<T> {
  try {
    return known(parse(readFileSync(path, 'utf8')))
  } catch (error) {
    return unreadable(path, error)
  }
}

/** cloudhsm-pkcs11.cfg of client SDK 5, which is JSON. @throws SyntaxError, TypeError */
function parseCloudHsm(text: string): { servers: number; isAvailabilityCheckOff: boolean } {
  const { clusters } = JSON.parse(text) as {
    clusters: readonly {
      cluster: {
        servers?: readonly { enable?: boolean }[]
        options?: { disable_key_availability_check?: boolean }
        disable_key_availability_check?: boolean
      }
    }[]
  }
  const all = clusters.map(({ cluster }) => cluster)
  return {
    servers: Math.min(
      ...all.map(({ servers = [] }) => servers.filter(({ enable }) => enable !== false).length),
    ),
    isAvailabilityCheckOff: all.some(
      (cluster) =>
        cluster.disable_key_availability_check === true ||
        cluster.options?.disable_key_availability_check === true,
    ),
  }
}

/** Lines of NAME=VALUE; # begins a comment. */
const parseVariables = (text: string): { readonly [name: string]: string } =>
  Object.fromEntries(
    text
      .split('\n')
      .map((line) => /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line))
      .flatMap((match): [string, string][] => (match === null ? [] : [[match[1]!, match[2]!]])),
  )

const isOn = (value: string | undefined): boolean =>
  value !== undefined && /^(1|y|yes|true|on)$/i.test(value)

const nshieldFacts = (env: {
  readonly [name: string]: string | undefined
}): { isLoadSharing: boolean; isPooled: boolean } => ({
  isLoadSharing: isOn(env['CKNFAST_LOADSHARING']),
  isPooled: isOn(env['CKNFAST_HSM_POOL']),
})

/** Chrystoki.conf: sections `Name = { setting = value; … }`. */
function parseChrystoki(text: string): {
  hasGroup: boolean
  reconnectAttempts: number | undefined
} {
  const section = (name: string): string =>
    new RegExp(`^\\s*${name}\\s*=\\s*\\{([^}]*)\\}`, 'm').exec(text)?.[1] ?? ''
  const attempts = /\breconnAtt\s*=\s*(-?\d+)/.exec(section('HAConfiguration'))?.[1]
  return {
    hasGroup: /\bVirtualToken\d+Members\s*=/.test(section('VirtualToken')),
    reconnectAttempts: attempts === undefined ? undefined : Number(attempts),
  }
}
