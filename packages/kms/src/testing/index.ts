/** A KMS for tests: development, simulated HSM, its own directory. */
import { join } from 'node:path'
import { type Clock, type Logger, type Random, Secret, utf8 } from '@quorate/base'
import { systemClock, systemRandom } from '@quorate/platform'
import type { KmsConfig } from '../config.ts'
import { ACCESS_DEFAULTS } from '../domains/access/service.ts'
import { Kms, type MakeModule } from '../kms.ts'

const SILENT: Logger = { log: () => undefined, with: () => SILENT }

export type TestKmsOptions = {
  /** The data directory; made where missing. */
  readonly directory: string
  readonly modules?: readonly MakeModule[]
  readonly config?: Partial<KmsConfig>
  /** PostgreSQL instead of SQLite. */
  readonly databaseUri?: string | undefined
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
}

/** What a development server would be configured with in that directory. */
export const testConfig = (directory: string, databaseUri?: string): KmsConfig => ({
  environment: 'development',
  directory,
  siteUrl: undefined,
  http: {
    socketPath: join(directory, 'kms.sock'),
    address: { host: '127.0.0.1', port: 0 },
    isTls: false,
    hosts: [],
  },
  databaseUri: databaseUri === undefined ? undefined : new Secret(utf8(databaseUri)),
  encryptionKey: undefined,
  hsm: {
    config: { type: 'simulated', environment: 'development', directory: join(directory, 'hsm') },
    keyLabel: undefined,
    identityLabel: undefined,
    pin: undefined,
    sections: new Map(),
  },
  keyLabels: { key: 'kms-root', mac: 'kms-root-hmac' },
  secondHsm: undefined,
  anchorFile: undefined,
  sinks: { file: undefined, syslog: undefined, http: undefined, backlog: 10_000 },
  access: ACCESS_DEFAULTS,
  notes: [],
})

export const openTestKms = (options: TestKmsOptions): Promise<Kms> =>
  Kms.open({
    config: { ...testConfig(options.directory, options.databaseUri), ...options.config },
    modules: options.modules ?? [],
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger: options.logger ?? SILENT,
  })
