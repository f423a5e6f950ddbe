import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { loadConfig } from '@quorate/platform'
import { TRANSPORT_SETTINGS, transportConfig } from '#src/transport-config.js'

const load = (env: { readonly [name: string]: string }) =>
  transportConfig(loadConfig(TRANSPORT_SETTINGS, { env: { ...env } }))

test('the mesh with configured peers is what there is without settings', () => {
  assert.deepEqual(load({}), { bus: 'mesh', discovery: 'static', advertise: undefined })
})

test('names of other programs are understood', () => {
  const { nats, consul } = load({
    NATS_URL: 'nats://127.0.0.1:4222,tls://nats.example:4222',
    CONSUL_ADDRESS: '127.0.0.1:8500',
  })
  assert.deepEqual(nats?.urls, ['nats://127.0.0.1:4222', 'tls://nats.example:4222'])
  assert.deepEqual([nats?.prefix, nats?.queue], ['mpc', { keygen: 2, sign: 20 }])
  assert.equal(consul?.address, 'http://127.0.0.1:8500')
})

test('a bus or discovery without its server, or with secrets in the address, is refused', () => {
  for (const env of [
    { QUORATE_BUS: 'nats' },
    { QUORATE_DISCOVERY: 'nats' },
    { QUORATE_DISCOVERY: 'consul' },
  ])
    assert.throws(
      () => load(env),
      (error) => isFault(error, 'platform/missing-setting'),
    )
  for (const env of [
    { NATS_URL: 'nats://user:password@127.0.0.1:4222' },
    { NATS_URL: 'http://127.0.0.1' },
    { CONSUL_ADDRESS: 'http://127.0.0.1:8500/v1' },
    { QUORATE_NATS_PREFIX: 'mpc.>' },
    { QUORATE_NATS_PREFIX: 'a.*.b' },
  ])
    assert.throws(
      () => load({ NATS_URL: 'nats://127.0.0.1', ...env }),
      (error) => isFault(error, 'platform/bad-setting'),
    )
})
