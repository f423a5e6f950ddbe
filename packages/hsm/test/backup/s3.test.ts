/** Backups in a bucket of a server that is not ours: OpenStack Swift with its S3 interface. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { initBackupKeys, joinBackupKeys } from '@quorate/hsm'
import { openBlobStore, systemRandom } from '@quorate/platform'
import { openSoftwareIn, scratch } from '../kit.ts'
import { machine, makeKeys } from './kit.ts'

type Server = {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  close(): void
}
type Client = { fetch(url: string, init: RequestInit): Promise<Response> }
type Swift = { whyNoSwift(): string | undefined; startSwift(): Promise<Server> }

/** The harness of the platform's own tests. */
const HARNESS = new URL('../../../../platform/dist/test/blob/swift.js', import.meta.url)

test('what went to a bucket comes back from it', async (t) => {
  if (!existsSync(HARNESS)) return t.skip('the tests of platform are not built')
  const { whyNoSwift, startSwift } = (await import(pathToFileURL(HARNESS.pathname).href)) as Swift
  const reason = whyNoSwift()
  if (reason !== undefined) return t.skip(reason)
  const server = await startSwift()
  t.after(() => server.close())
  // The client that signs requests is one of platform's dependencies, not of this package.
  const signing = pathToFileURL(createRequire(HARNESS).resolve('aws4fetch')).href
  const { AwsClient } = (await import(signing)) as { readonly AwsClient: new (o: object) => Client }
  const client = new AwsClient({ ...server, service: 's3' })
  const made = await client.fetch(`${server.endpoint}/keys`, { method: 'PUT' })
  assert.equal(made.status, 200, await made.text())
  const { accessKeyId, secretAccessKey, region, endpoint } = server
  const place = await openBlobStore(`s3://keys/hsm?region=${region}&endpoint=${endpoint}`, {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  })
  const [first, second] = [await openSoftwareIn(scratch(t)), await openSoftwareIn(scratch(t))]
  const { shares } = await initBackupKeys(first, { threshold: 2, members: 2 }, systemRandom)
  const keys = await makeKeys(first)
  const { backups } = machine(first, place, { kept: 2 })
  for (let i = 0; i < 3; i++) await backups.make()
  assert.deepEqual(
    (await backups.list()).map(({ number }) => number),
    [2, 3],
  )
  await backups.drill()
  await joinBackupKeys(second, shares)
  await machine(second, place).backups.restore()
  assert.deepEqual(await second.publicKey(keys.p256.id), keys.p256.publicKey)
})
