/** Providers over SIMULATED services of ours, by the official clients and their own ways to find credentials. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock, Logger } from '@quorate/base'
import { selfSignedLeaf } from '@quorate/trust'
import { type CallPorts, DEFAULT_TIMEOUT_MS } from '#src/cloud/calls.js'
import { openCloud } from '#src/cloud/open.js'
import type { CloudConfig, CloudType } from '#src/config/model.js'
import type { HsmProvider } from '#src/provider.js'
import { REGION, SimulatedAwsKms } from './simulator/aws-kms.ts'
import { SimulatedAzureHsm, SimulatedIdentity } from './simulator/azure-hsm.ts'
import { SimulatedGoogleKms } from './simulator/google-kms.ts'
import { type Service, SimulatedServer } from './simulator/server.ts'

export const NOW = 1_767_225_600_000
const clock: Clock = { now: () => NOW, monotonic: () => 0 }

export type Scope = { readonly after: (stop: () => void | Promise<void>) => void }

/** What is in the credentials of the simulated accounts, and must be in no error. */
export const SECRETS: readonly string[] = [
  'simulated-secret-key',
  'simulated-token',
  'PRIVATE KEY',
  'Bearer',
  'secret-of-the-service',
]

/** Pauses pass at once and are written down; deadlines come when the test says so. */
export class TestCalls implements CallPorts {
  readonly pauses: number[] = []
  readonly #deadlines = new Set<() => void>()

  readonly timers: CallPorts['timers'] = {
    after: (delayMs, run) => {
      if (delayMs >= DEFAULT_TIMEOUT_MS) {
        this.#deadlines.add(run)
        return () => this.#deadlines.delete(run)
      }
      this.pauses.push(delayMs)
      const pause = setImmediate(run)
      return () => clearImmediate(pause)
    },
  }

  readonly draw: CallPorts['draw'] = (below) => below - 1

  /** The time of all requests under way is up. */
  passDeadlines(): void {
    for (const run of new Set(this.#deadlines)) run()
    this.#deadlines.clear()
  }
}

export type Bench<S extends Service> = {
  readonly type: CloudType
  readonly config: CloudConfig
  readonly server: SimulatedServer
  readonly service: S
  readonly calls: TestCalls
  /** What was logged. */
  readonly logged: (readonly [event: string, fields: unknown])[]
  open(more?: Partial<CloudConfig>): Promise<HsmProvider>
}

/** Sets variables for as long as the scope lasts; tests of one file run one after the other. */
export function setEnvironment(scope: Scope, values: { readonly [name: string]: string }): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name]
    process.env[name] = value
    scope.after(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
}

export function scratchIn(scope: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-cloud-'))
  scope.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function benchOf<S extends Service>(
  scope: Scope,
  type: CloudType,
  config: CloudConfig,
  server: SimulatedServer,
  service: S,
): Bench<S> {
  const calls = new TestCalls()
  const logged: (readonly [string, unknown])[] = []
  const logger: Logger = {
    log: (_level, event, fields) => {
      logged.push([event, fields])
    },
    with: () => logger,
  }
  return {
    type,
    config,
    server,
    service,
    calls,
    logged,
    async open(more = {}) {
      const provider = await openCloud(type, { ...config, ...more }, { clock, logger, calls })
      scope.after(() => provider.close())
      return provider
    },
  }
}

export async function awsBench(scope: Scope): Promise<Bench<SimulatedAwsKms>> {
  setEnvironment(scope, {
    AWS_ACCESS_KEY_ID: 'AKIASIMULATED',
    AWS_SECRET_ACCESS_KEY: 'simulated-secret-key',
    AWS_EC2_METADATA_DISABLED: 'true',
  })
  const service = new SimulatedAwsKms()
  const server = await SimulatedServer.start(service)
  scope.after(() => server.close())
  return benchOf(scope, 'aws-kms', { region: REGION, endpoint: server.url }, server, service)
}

/** A self-signed certificate in PEM with its key. */
async function certificateOf(
  subject: string,
): Promise<{ readonly key: string; readonly cert: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const leaf = await selfSignedLeaf({
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
    subject,
    notBefore: Date.now() - 3_600_000,
    notAfter: Date.now() + 86_400_000,
    serial: Uint8Array.of(1),
    sign: (tbs) => new Uint8Array(sign(null, tbs, privateKey)),
  })
  const base64 = Buffer.from(leaf).toString('base64')
  return {
    key: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  }
}

export async function azureBench(scope: Scope): Promise<Bench<SimulatedAzureHsm>> {
  const { key, cert } = await certificateOf('localhost')
  const caFile = join(scratchIn(scope), 'ca.pem')
  writeFileSync(caFile, cert)
  const service = new SimulatedAzureHsm()
  const server = await SimulatedServer.start(service, { key, cert })
  scope.after(() => server.close())
  service.url = server.url
  const identity = new SimulatedIdentity()
  const identityServer = await SimulatedServer.start(identity)
  scope.after(() => identityServer.close())
  setEnvironment(scope, {
    IDENTITY_ENDPOINT: `${identityServer.url}/msi/token`,
    IDENTITY_HEADER: identity.header,
  })
  return benchOf(scope, 'azure-hsm', { vaultUrl: server.url, caFile }, server, service)
}

const accountKey = String(
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    format: 'pem',
    type: 'pkcs8',
  }),
)

export async function googleBench(scope: Scope): Promise<Bench<SimulatedGoogleKms>> {
  const account = {
    type: 'service_account',
    project_id: 'simulated',
    private_key_id: 'simulated',
    private_key: accountKey,
    client_email: 'quorate@simulated.iam.gserviceaccount.com',
  }
  const path = join(scratchIn(scope), 'account.json')
  writeFileSync(path, JSON.stringify(account), { mode: 0o600 })
  setEnvironment(scope, { GOOGLE_APPLICATION_CREDENTIALS: path })
  const service = new SimulatedGoogleKms()
  const names = ['module', 'card', 'partition']
  service.certificates = (await Promise.all(names.map(certificateOf))).map(({ cert }) => cert)
  const server = await SimulatedServer.start(service)
  scope.after(() => server.close())
  const place = { project: 'simulated', location: 'europe-west3', keyRing: 'quorate' }
  return benchOf(scope, 'google-hsm', { ...place, endpoint: server.url }, server, service)
}

export const BENCHES: {
  readonly [T in CloudType]: (scope: Scope) => Promise<Bench<Service>>
} = { 'aws-kms': awsBench, 'azure-hsm': azureBench, 'google-hsm': googleBench }
