import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isFault } from '@quorate/base'
import { openBlobStore } from '#src/blob/open.js'
import type { BlobStore } from '#src/blob/port.js'
import { type S3Server, startSwift, whyNoSwift } from './swift.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const limits = { maxBytes: 1 << 20 }

let server: S3Server | undefined
const reason = whyNoSwift()
const skip = { skip: reason ?? false }
const KEYS = { AWS_ACCESS_KEY_ID: 'test:tester', AWS_SECRET_ACCESS_KEY: 'testing' }

const root = mkdtempSync(join(tmpdir(), 'quorate-'))
const scratchDirectory = (): string => mkdtempSync(join(root, 'd-'))
before(async () => {
  if (reason !== undefined) return
  server = await startSwift()
  const { AwsClient } = await import('aws4fetch')
  const client = new AwsClient({ ...server, service: 's3' })
  for (const bucket of ['backups', 'paged']) {
    const made = await client.fetch(`${server.endpoint}/${bucket}`, { method: 'PUT' })
    assert.equal(made.status, 200, await made.text())
  }
})
after(() => {
  server?.close()
  rmSync(root, { recursive: true, force: true })
})

const s3 = (bucket: string, env: object = KEYS): Promise<BlobStore> =>
  openBlobStore(`s3://${bucket}/nodes/1?region=us-east-1&endpoint=${server?.endpoint}`, { ...env })

const ENGINES: readonly (readonly [string, object, () => Promise<BlobStore>])[] = [
  ['a directory', {}, () => openBlobStore(join(scratchDirectory(), 'backups'), {})],
  ['s3', skip, () => s3('backups')],
]

for (const [name, options, open] of ENGINES)
  describe(`blobs in ${name}`, options, () => {
    test('what is put is got, listed and replaced', async () => {
      const store = await open()
      const large = new Uint8Array(300_000).map((_, i) => i * 7)
      await store.put('a/0001.enc', bytesOf('one'))
      await store.put('a/0002.enc', large)
      await store.put('b.enc', bytesOf('b'))
      assert.deepEqual(await store.get('a/0002.enc', limits), large)
      assert.deepEqual(await store.list('a/'), [
        { key: 'a/0001.enc', size: 3 },
        { key: 'a/0002.enc', size: 300_000 },
      ])
      await store.put('a/0001.enc', bytesOf('another'))
      assert.deepEqual(await store.get('a/0001.enc', limits), bytesOf('another'))
      assert.equal((await store.list('')).length, 3)
    })

    test('what is deleted or never was is missed by name', async () => {
      const store = await open()
      await store.put('gone.enc', bytesOf('x'))
      await store.delete('gone.enc')
      await store.delete('gone.enc')
      await assert.rejects(store.get('gone.enc', limits), (e) => isFault(e, 'platform/no-blob'))
      assert.deepEqual(await store.list('gone'), [])
    })

    test('no more is read than is wanted', async () => {
      const store = await open()
      await store.put('large.enc', new Uint8Array(1000))
      const wanted = store.get('large.enc', { maxBytes: 999 })
      await assert.rejects(wanted, (e) => isFault(e, 'platform/file-too-large'))
    })

    for (const key of [
      '',
      '../x',
      'a/../b',
      '/a',
      'a//b',
      '.hidden',
      'a b',
      'a/',
      'ä',
      'x'.repeat(513),
    ])
      test(`"${key.slice(0, 12)}" is no key`, async () => {
        const store = await open()
        for (const ask of [store.put(key, bytesOf('x')), store.get(key, limits), store.delete(key)])
          await assert.rejects(ask, (e) => isFault(e, 'platform/bad-blob-key'))
      })
  })

test('a list longer than a page is whole', skip, async () => {
  const store = await s3('paged')
  const keys = Array.from({ length: 1005 }, (_, i) => `k${String(i).padStart(4, '0')}`)
  for (let at = 0; at < keys.length; at += 100)
    await Promise.all(keys.slice(at, at + 100).map((key) => store.put(key, bytesOf('x'))))
  assert.deepEqual(
    (await store.list('k')).map(({ key }) => key),
    keys,
  )
})

test('a wrong secret, a missing bucket and a server that is gone are said', skip, async () => {
  const stores = [
    await s3('backups', { ...KEYS, AWS_SECRET_ACCESS_KEY: 'wrong' }),
    await s3('nowhere'),
    await openBlobStore('s3://backups?region=x&endpoint=http://127.0.0.1:1', KEYS),
  ]
  for (const store of stores)
    await assert.rejects(store.put('a', bytesOf('x')), (e) =>
      isFault(e, 'platform/blob-store-failed'),
    )
})

test('an answer that is cut off or redirects is a failure', async () => {
  let answer: (response: import('node:http').ServerResponse) => void = () => undefined
  const liar: Server = createServer((request, response) => {
    request.resume()
    answer(response)
  })
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve))
  const { port } = liar.address() as AddressInfo
  const store = await openBlobStore(`s3://backups?region=x&endpoint=http://127.0.0.1:${port}`, KEYS)
  answer = (response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half')
    setImmediate(() => response.destroy())
  }
  await assert.rejects(store.get('a', limits), (e) => isFault(e, 'platform/blob-store-failed'))
  answer = (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
  await assert.rejects(store.get('a', limits), (e) => isFault(e, 'platform/blob-store-failed'))
  liar.closeAllConnections()
  await new Promise((resolve) => liar.close(resolve))
})

for (const [address, env] of [
  ['s3://backups?region=x', {}],
  ['s3://backups', KEYS],
  ['s3://Backups?region=x', KEYS],
  ['s3://backups?region=x&secret=y', KEYS],
  ['s3://backups?region=x&endpoint=http://s3.example', KEYS],
  ['ftp://backups', KEYS],
] as const)
  test(`${address} is no place for backups`, async () => {
    await assert.rejects(openBlobStore(address, env), (e) => isFault(e, 'platform/bad-blob-store'))
  })

test('a directory is made private, and one that is open to others refused', async () => {
  const root = scratchDirectory()
  const store = await openBlobStore(join(root, 'backups'), {})
  await store.put('n/1.enc', bytesOf('x'))
  assert.equal(statSync(join(root, 'backups/n/1.enc')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(root, 'backups/n')), ['1.enc'])
  mkdirSync(join(root, 'open'), { mode: 0o755 })
  await assert.rejects(openBlobStore(join(root, 'open'), {}), (e) =>
    isFault(e, 'platform/directory-mode'),
  )
  writeFileSync(join(root, 'file'), '')
  await assert.rejects(openBlobStore(join(root, 'file'), {}), (e) =>
    isFault(e, 'platform/no-directory'),
  )
})
