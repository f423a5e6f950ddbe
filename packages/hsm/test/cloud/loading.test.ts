/** The clients of the services are loaded by whoever configures them, and need not be there for others. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { HsmConfig } from '#src/config/model.js'
import { awsBench, scratchIn } from './kit.ts'

const hooks = new URL('./loading/hooks.js', import.meta.url).href
const program = fileURLToPath(new URL('./loading/open.js', import.meta.url))
const register = `data:text/javascript,import{register}from"node:module";register(${JSON.stringify(hooks)})`

/** What a process that opens these HSMs says: for each the clients that it asked for, then how it ended. */
function said(
  configs: readonly HsmConfig[],
  env: { readonly [name: string]: string } = {},
): readonly string[] {
  const args = ['--import', register, program, JSON.stringify(configs)]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  assert.equal(status, 0, stderr)
  return stdout.trim().split('\n')
}

const CLOUDS: readonly (readonly [HsmConfig, ...clients: readonly string[]])[] = [
  [
    { type: 'aws-kms', environment: 'development', cloud: { region: 'eu-central-1' } },
    '@aws-sdk/client-kms',
  ],
  [
    {
      type: 'azure-hsm',
      environment: 'development',
      cloud: { vaultUrl: 'https://quorate.managedhsm.azure.net' },
    },
    '@azure/keyvault-keys',
    '@azure/identity',
  ],
  [
    {
      type: 'google-hsm',
      environment: 'development',
      cloud: { project: 'p', location: 'l', keyRing: 'r' },
    },
    '@google-cloud/kms',
  ],
]

test('nothing of any service is loaded for other devices', (t) => {
  const directory = join(scratchIn(t), 'hsm')
  assert.deepEqual(said([{ type: 'simulated', environment: 'development', directory }]), [
    'opened simulated',
  ])
})

test('each service loads its own client', () => {
  for (const [config, ...clients] of CLOUDS) {
    const lines = said([config])
    assert.equal(lines.at(-1), `opened ${config.type}`)
    for (const client of clients) assert.ok(lines.includes(client), lines.join())
    for (const [other, ...others] of CLOUDS)
      if (other !== config)
        for (const client of others) assert.ok(!lines.includes(client), lines.join())
  }
})

test('a client that is not installed is named', () => {
  assert.deepEqual(
    said(
      CLOUDS.map(([config]) => config),
      { QUORATE_MISSING: '1' },
    ),
    CLOUDS.flatMap(([, client]) => [client, `hsm/client-missing: npm install ${client}`]),
  )
})

test('a process that signs once lives until it has signed, and then ends', async (t) => {
  const { config: cloud } = await awsBench(t)
  const config: HsmConfig = { type: 'aws-kms', environment: 'development', cloud }
  const signer = fileURLToPath(new URL('./loading/sign.js', import.meta.url))
  // Not waited for in one step: the service answers in this process.
  const child = spawn(process.execPath, [signer, JSON.stringify(config)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let written = ''
  child.stdout.on('data', (chunk: Buffer) => {
    written += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  assert.deepEqual([written, code], ['signed true\n', 0])
})
