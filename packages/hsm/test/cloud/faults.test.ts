/** What each service's failures become: how often it is tried, the code, and where failover goes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { type FaultCode, isFault, utf8 } from '@quorate/base'
import { MAX_ATTEMPTS } from '#src/cloud/calls.js'
import { CLOUD_TYPES, type CloudType } from '#src/config/model.js'
import { DeviceFault, type Failover, failoverOf } from '#src/errors.js'
import type { HsmProvider, KeyInfo } from '#src/provider.js'
import { BENCHES, type Bench, SECRETS } from './kit.ts'
import type { Service } from './simulator/server.ts'

type Row = readonly [
  status: number,
  code: string,
  fault: FaultCode,
  failover: Failover,
  attempts: number,
]
const busy = ['hsm/busy', 'same', MAX_ATTEMPTS] as const
const unavailable = ['hsm/unavailable', 'same', MAX_ATTEMPTS] as const
const forbidden = ['hsm/forbidden', 'never', 1] as const

/** Of the operation that signs. */
const TABLE: { readonly [T in CloudType]: readonly Row[] } = {
  'aws-kms': [
    [400, 'ThrottlingException', ...busy],
    [429, 'TooManyRequestsException', ...busy],
    [400, 'RequestLimitExceeded', ...busy],
    [500, 'KMSInternalException', ...unavailable],
    [503, 'DependencyTimeoutException', ...unavailable],
    [400, 'KeyUnavailableException', ...unavailable],
    [502, 'SomethingOfAGateway', ...unavailable],
    [400, 'AccessDeniedException', ...forbidden],
    [403, 'UnrecognizedClientException', ...forbidden],
    [400, 'ExpiredTokenException', ...forbidden],
    [400, 'DisabledException', ...forbidden],
    [400, 'NotFoundException', 'hsm/key-not-found', 'never', 1],
    [400, 'UnsupportedOperationException', 'hsm/unsupported', 'never', 1],
    [400, 'ValidationException', 'hsm/bad-argument', 'never', 1],
    [400, 'SomethingNew', 'hsm/bad-argument', 'never', 1],
  ],
  'azure-hsm': [
    [429, 'Throttled', ...busy],
    [500, 'InternalServerError', ...unavailable],
    [503, 'ServiceUnavailable', ...unavailable],
    [408, 'RequestTimeout', ...unavailable],
    [403, 'Forbidden', ...forbidden],
    [403, 'KeyDisabled', ...forbidden],
    [404, 'KeyNotFound', 'hsm/key-not-found', 'never', 1],
    [400, 'BadParameter', 'hsm/bad-argument', 'never', 1],
  ],
  'google-hsm': [
    [429, 'RESOURCE_EXHAUSTED', ...busy],
    [500, 'INTERNAL', ...unavailable],
    [503, 'UNAVAILABLE', ...unavailable],
    [504, 'DEADLINE_EXCEEDED', ...unavailable],
    [409, 'ABORTED', ...unavailable],
    [403, 'PERMISSION_DENIED', ...forbidden],
    [400, 'FAILED_PRECONDITION', ...forbidden],
    [404, 'NOT_FOUND', 'hsm/key-not-found', 'never', 1],
    [501, 'UNIMPLEMENTED', 'hsm/unsupported', 'never', 1],
    [400, 'INVALID_ARGUMENT', 'hsm/bad-argument', 'never', 1],
  ],
}
const SIGN: { readonly [T in CloudType]: string } = {
  'aws-kms': 'Sign',
  'azure-hsm': 'sign',
  'google-hsm': 'asymmetricSign',
}

const input = { message: utf8('pay 5 to bob') }

async function ready(
  bench: Bench<Service>,
): Promise<{ readonly provider: HsmProvider; readonly key: KeyInfo }> {
  const provider = await bench.open()
  const key = await provider.generateKey({ label: 'main', algorithm: 'secp256k1' })
  // The first request of a client may be a challenge.
  await provider.sign(key.id, input)
  bench.server.asked.length = 0
  bench.calls.pauses.length = 0
  return { provider, key }
}

/** The fault of `action`, which shows no secret anywhere. */
async function faultOf(action: Promise<unknown>): Promise<Error> {
  const error = await action.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Error)
  const shown = inspect(error, { depth: null, showHidden: true })
  for (const secret of [...SECRETS, 'pay 5 to bob', Buffer.from(input.message).toString('base64')])
    assert.ok(!shown.includes(secret), `${secret} in ${shown}`)
  return error
}

for (const type of CLOUD_TYPES)
  describe(`${type}:`, () => {
    test('each failure of the service has its code, its attempts and its failover', async (t) => {
      const bench = await BENCHES[type](t)
      const { provider, key } = await ready(bench)
      for (const [status, code, fault, failover, attempts] of TABLE[type]) {
        bench.server.asked.length = 0
        bench.server.plan(SIGN[type], { kind: 'error', status, code }, attempts)
        const error = await faultOf(provider.sign(key.id, input))
        assert.ok(isFault(error, fault), `${code}: ${String(error)}`)
        assert.equal(failoverOf(error), failover, code)
        assert.equal(bench.server.count(SIGN[type]), attempts, code)
      }
      await provider.sign(key.id, input)
    })

    test('pauses grow, and what passes is not seen outside', async (t) => {
      const bench = await BENCHES[type](t)
      const { provider, key } = await ready(bench)
      const [throttled, failed] = TABLE[type].filter(([, , , , attempts]) => attempts > 1)
      for (const [status, code] of [throttled!, failed!])
        bench.server.plan(SIGN[type], { kind: 'error', status, code })
      bench.server.plan(SIGN[type], { kind: 'drop' })
      assert.equal((await provider.sign(key.id, input)).length, 64)
      assert.deepEqual(bench.calls.pauses, [100, 200, 400])
    })

    test('silence ends at the deadline, and is tried again', async (t) => {
      const bench = await BENCHES[type](t)
      const { provider, key } = await ready(bench)
      bench.server.plan(SIGN[type], { kind: 'silence' }, MAX_ATTEMPTS)
      const pending = faultOf(provider.sign(key.id, input))
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        while (bench.server.count(SIGN[type]) < attempt) await new Promise(setImmediate)
        bench.calls.passDeadlines()
      }
      const error = await pending
      assert.ok(isFault(error, 'hsm/unavailable'))
      assert.equal(failoverOf(error), 'same')
      assert.equal(bench.server.count(SIGN[type]), MAX_ATTEMPTS)
    })

    test('closing ends what is under way', async (t) => {
      const bench = await BENCHES[type](t)
      const { provider, key } = await ready(bench)
      bench.server.plan(SIGN[type], { kind: 'silence' })
      const pending = faultOf(provider.sign(key.id, input))
      while (bench.server.count(SIGN[type]) === 0) await new Promise(setImmediate)
      await provider.close()
      assert.ok(isFault(await pending, 'hsm/closed'))
    })

    test('a service that is not there sends failover on', async (t) => {
      const bench = await BENCHES[type](t)
      const { provider, key } = await ready(bench)
      await bench.server.close()
      for (const action of [() => provider.sign(key.id, input), () => provider.random(8)]) {
        const error = await faultOf(action())
        assert.ok(error instanceof DeviceFault && error.code === 'hsm/unavailable', String(error))
        assert.ok(['next', 'same'].includes(error.failover))
      }
      assert.deepEqual(await provider.health(), { state: 'failed', reason: 'hsm/unavailable' })
      const fresh = await bench.open()
      const error = await faultOf(fresh.random(8))
      assert.equal(failoverOf(error), 'next', String(error))
    })
  })

test('without credentials nothing is asked, and failover goes on', async (t) => {
  for (const type of CLOUD_TYPES) {
    const bench = await BENCHES[type](t)
    const before = { ...process.env }
    for (const name of Object.keys(process.env))
      if (/^(AWS|GOOGLE|IDENTITY|AZURE)_/.test(name)) delete process.env[name]
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      METADATA_SERVER_DETECTION: 'none',
      AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
      HOME: '/nonexistent',
    })
    try {
      const provider = await bench.open()
      const error = await faultOf(provider.random(8))
      assert.ok(isFault(error, 'hsm/unavailable'), `${type}: ${String(error)}`)
      assert.match(error.message, /credentials/)
      assert.equal(failoverOf(error), 'next')
      assert.ok(!bench.server.asked.some((each) => /random|rng/i.test(each)))
    } finally {
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
      Object.assign(process.env, before)
    }
  }
})

test('a certificate that nobody vouches for is no connection', async (t) => {
  const bench = await BENCHES['azure-hsm'](t)
  const provider = await bench.open({ caFile: undefined })
  assert.equal(failoverOf(await faultOf(provider.random(8))), 'next')
  assert.deepEqual(bench.server.asked, [])
})
