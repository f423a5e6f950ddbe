/** Making and destroying keys where answers are lost, others are faster, or the service keeps names. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { CLOUD_TYPES, type CloudType } from '#src/config/model.js'
import { failoverOf } from '#src/errors.js'
import { type KeyAlgorithm, parseKeyId } from '#src/provider.js'
import { isCode } from '../kit.ts'
import { awsBench, azureBench, BENCHES, type Bench, googleBench, NOW } from './kit.ts'
import type { Service } from './simulator/server.ts'

const CREATE: { readonly [T in CloudType]: string } = {
  'aws-kms': 'CreateKey',
  'azure-hsm': 'create',
  'google-hsm': 'create',
}
const DESTROY: { readonly [T in CloudType]: string } = {
  'aws-kms': 'ScheduleKeyDeletion',
  'azure-hsm': 'delete',
  'google-hsm': 'destroy',
}
const id = parseKeyId('0a'.repeat(32))
const request = { id, label: 'Größe #1 (main)', algorithm: 'p256' } as const

/** How many keys the service really has. */
function keysIn({ service }: Bench<Service>): number {
  const { keys } = service as unknown as { keys: Map<string, unknown> }
  return [...keys.values()].reduce<number>(
    (sum, each) => sum + (Array.isArray(each) ? each.length : 1),
    0,
  )
}

for (const type of CLOUD_TYPES)
  describe(`${type}:`, () => {
    test('a lost answer makes no second key', async (t) => {
      const bench = await BENCHES[type](t)
      const provider = await bench.open()
      bench.server.plan(CREATE[type], { kind: 'lost-answer' })
      const key = await provider.generateKey(request)
      assert.equal(key.id, id)
      assert.equal(keysIn(bench), 1)
      assert.equal(bench.server.count(CREATE[type]), 1)
      assert.deepEqual(await (await bench.open()).find({ label: request.label }), key)
    })

    test('a request that was not carried out is sent again', async (t) => {
      const bench = await BENCHES[type](t)
      const provider = await bench.open()
      bench.server.plan(CREATE[type], { kind: 'drop' })
      await provider.generateKey(request)
      assert.equal(keysIn(bench), 1)
      assert.equal(bench.server.count(CREATE[type]), 2)
    })

    test('an id is one key, for every process', async (t) => {
      const bench = await BENCHES[type](t)
      const [one, other] = [await bench.open(), await bench.open()]
      const key = await one.generateKey(request)
      await assert.rejects(other.generateKey(request), isCode('hsm/key-exists'))
      assert.deepEqual(await other.find({ id }), key)
      assert.equal(keysIn(bench), 1)
    })

    test('of two makers at once one wins, and both find its key', async (t) => {
      const bench = await BENCHES[type](t)
      const both = [await bench.open(), await bench.open()]
      const ends = await Promise.allSettled(both.map((each) => each.generateKey(request)))
      const [made, ...more] = ends.flatMap((end) => (end.status === 'fulfilled' ? end.value : []))
      assert.ok(made !== undefined && more.length === 0)
      for (const end of ends)
        if (end.status === 'rejected') assert.ok(isCode('hsm/key-exists')(end.reason))
      for (const each of [...both, await bench.open()]) {
        assert.deepEqual(await each.find({ id }), made)
        assert.equal((await each.sign(id, { message: utf8('x') })).length, 64)
      }
    })

    test('a label and an id of any form come back, page for page', async (t) => {
      const bench = await BENCHES[type](t)
      const provider = await bench.open()
      const labels = ['plain-label', 'Ünïcode', 'x'.repeat(128), '€'.repeat(128), 'a b:c/d']
      const made = []
      for (const [i, label] of labels.entries())
        made.push(
          await provider.generateKey({
            label,
            algorithm: 'p256',
            id: parseKeyId(`${i}f`.repeat(i + 1)),
          }),
        )
      const fresh = await bench.open()
      const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id)
      assert.deepEqual([...(await fresh.list())].sort(byId), [...made].sort(byId))
      for (const { label, id: each } of made) assert.equal((await fresh.find({ label })).id, each)
    })

    test('a destroyed key is gone everywhere, and what brings it back is said', async (t) => {
      const bench = await BENCHES[type](t)
      const [one, other] = [await bench.open(), await bench.open()]
      await one.generateKey(request)
      // The other knows the key.
      await other.sign(id, { message: utf8('x') })
      await assert.rejects(one.destroy(id, { label: 'main' }), isCode('hsm/label-mismatch'))
      await one.destroy(id, { label: request.label })
      const [event, fields] = bench.logged.at(-1) ?? []
      assert.equal(event, 'hsm/key-recoverable')
      const { until } = fields as { until: string }
      assert.ok(Date.parse(until) > NOW, until)
      for (const provider of [one, other])
        await assert.rejects(provider.sign(id, { message: utf8('x') }), isCode('hsm/key-not-found'))
      assert.deepEqual(await other.list(), [])
    })

    test('a key is destroyed once, whichever answer is lost', async (t) => {
      const bench = await BENCHES[type](t)
      const provider = await bench.open()
      await provider.generateKey(request)
      bench.server.plan(DESTROY[type], { kind: 'lost-answer' })
      await provider.destroy(id, { label: request.label })
      assert.equal(bench.server.count(DESTROY[type]), 2)
      const [event, fields] = bench.logged.at(-1) ?? []
      assert.equal(event, 'hsm/key-recoverable')
      assert.ok(Date.parse((fields as { until: string }).until) > NOW)
      await assert.rejects(provider.find({ id }), isCode('hsm/key-not-found'))
    })

    test('an algorithm that it has not is refused before it is asked', async (t) => {
      const bench = await BENCHES[type](t)
      const provider = await bench.open()
      const { algorithms } = await provider.info()
      const all: readonly KeyAlgorithm[] = ['ed25519', 'hmac-sha256', 'p256']
      for (const algorithm of all)
        if (!algorithms.includes(algorithm))
          await assert.rejects(
            provider.generateKey({ label: 'x', algorithm }),
            isCode('hsm/unsupported'),
          )
      await assert.rejects(
        provider.generateKey({ label: 'x'.repeat(129), algorithm: 'p256' }),
        isCode('hsm/bad-argument'),
      )
      assert.deepEqual(bench.server.asked, [])
    })

    test('bytes in the middle of a buffer are the bytes that are meant', async (t) => {
      const bench = await BENCHES[type](t)
      const provider = await bench.open()
      const part = new Uint8Array([9, 9, 9, ...utf8('what is meant'), 9]).subarray(3, 16)
      const { id: sealing } = await provider.generateKey({ label: 's', algorithm: 'aes-256' })
      const sealed = await provider.encrypt(sealing, part, part)
      assert.deepEqual(
        Buffer.from(await provider.decrypt(sealing, sealed, part.slice())).toString(),
        'what is meant',
      )
      const { id: signing } = await provider.generateKey({ label: 'k', algorithm: 'p256' })
      const digest = new Uint8Array(40).fill(7).subarray(5, 37)
      const signature = await provider.sign(signing, { digest })
      assert.ok(await provider.verify(signing, { digest: digest.slice() }, signature))
    })

    test('more than the service takes at once is refused before it is asked', async (t) => {
      const bench = await BENCHES[type](t)
      const provider = await bench.open()
      const key = await provider.generateKey({ label: 's', algorithm: 'aes-256' })
      bench.server.asked.length = 0
      await assert.rejects(
        provider.encrypt(key.id, new Uint8Array(70_000), new Uint8Array()),
        isCode('hsm/bad-argument'),
      )
      assert.deepEqual(bench.server.asked, [])
    })
  })

describe('AWS KMS:', () => {
  test('a key whose alias was not made any more is completed, not made again', async (t) => {
    const bench = await awsBench(t)
    const provider = await bench.open()
    // As if the process had died between key and alias.
    bench.server.plan('CreateAlias', { kind: 'error', status: 400, code: 'AccessDeniedException' })
    await assert.rejects(provider.generateKey(request), isCode('hsm/forbidden'))
    assert.equal(bench.service.aliases.size, 0)
    await assert.rejects(provider.generateKey(request), isCode('hsm/key-exists'))
    assert.equal(keysIn(bench), 1)
    assert.equal((await provider.find({ id })).label, request.label)
    const digest = new Uint8Array(32).fill(1)
    assert.equal((await provider.sign(id, { digest })).length, 64)
  })

  test('an alias whose making was lost is not made again either', async (t) => {
    const bench = await awsBench(t)
    const provider = await bench.open()
    bench.server.plan('CreateAlias', { kind: 'lost-answer' })
    await provider.generateKey(request)
    assert.equal(keysIn(bench), 1)
  })

  test('a new key is found before its alias is known everywhere', async (t) => {
    const bench = await awsBench(t)
    const provider = await bench.open()
    const made = await provider.generateKey(request)
    bench.server.plan('DescribeKey', { kind: 'error', status: 400, code: 'NotFoundException' })
    assert.deepEqual(await provider.find({ id }), made)
  })

  test('an alias that was moved to the key of another id is refused', async (t) => {
    const bench = await awsBench(t)
    const provider = await bench.open()
    await provider.generateKey(request)
    const other = await provider.generateKey({ label: 'other', algorithm: 'p256' })
    const target = bench.service.aliases.get(`alias/quorate/${other.id}`) ?? ''
    bench.service.aliases.set(`alias/quorate/${id}`, target)
    for (const each of [provider, await bench.open()])
      await assert.rejects(each.find({ id }), isCode('hsm/key-changed'))
  })

  test('an account that may have no more keys is full, and nothing is made elsewhere', async (t) => {
    const bench = await awsBench(t)
    const provider = await bench.open()
    bench.server.plan('CreateKey', { kind: 'error', status: 400, code: 'LimitExceededException' })
    await assert.rejects(
      provider.generateKey(request),
      (error) => isCode('hsm/device-full')(error) && failoverOf(error) === 'never',
    )
    assert.equal(bench.server.count('CreateKey'), 1)
  })

  test('two prefixes are two devices', async (t) => {
    const bench = await awsBench(t)
    await (await bench.open()).generateKey(request)
    const other = await bench.open({ keyPrefix: 'staging' })
    assert.deepEqual(await other.list(), [])
    await other.generateKey(request)
    assert.equal(keysIn(bench), 2)
  })

  test('an id may be used again once its key is being destroyed', async (t) => {
    const bench = await awsBench(t)
    const provider = await bench.open()
    const first = await provider.generateKey(request)
    // The alias stays, as after a crash.
    bench.server.plan('DeleteAlias', { kind: 'error', status: 400, code: 'AccessDeniedException' })
    await assert.rejects(provider.destroy(id, { label: request.label }), isCode('hsm/forbidden'))
    const second = await (await bench.open()).generateKey(request)
    assert.notDeepEqual(second.publicKey, first.publicKey)
    // Whoever knew the first one does not take the second for it.
    await assert.rejects(provider.find({ id }), isCode('hsm/key-changed'))
    await assert.rejects(provider.sign(id, { message: utf8('x') }), isCode('hsm/key-not-found'))
  })

  test('the context of what is encrypted is no text that logs would show', async (t) => {
    const bench = await awsBench(t)
    const provider = await bench.open()
    const key = await provider.generateKey({ label: 's', algorithm: 'aes-256' })
    await provider.encrypt(key.id, utf8('share'), utf8('wallet of alice'))
    const { body } = bench.server.requests.at(-1)!
    assert.match(
      JSON.stringify(body['EncryptionContext']),
      /^\{"quorate-aad-sha256":"[0-9a-f]{64}"\}$/,
    )
  })
})

describe('Azure Managed HSM:', () => {
  test('a destroyed key keeps its name, unless it is purged', async (t) => {
    const bench = await azureBench(t)
    const provider = await bench.open()
    await provider.generateKey(request)
    await provider.destroy(id, { label: request.label })
    await assert.rejects(provider.generateKey(request), isCode('hsm/key-exists'))
    bench.service.deleted.clear()
    const purging = await bench.open({ purge: true })
    await purging.generateKey(request)
    bench.logged.length = 0
    await purging.destroy(id, { label: request.label })
    assert.equal(bench.service.deleted.size, 0)
    assert.deepEqual(bench.logged, [])
    await purging.generateKey(request)
  })

  test('a purge that the HSM forbids is said, and the key is destroyed all the same', async (t) => {
    const bench = await azureBench(t)
    bench.service.hasPurgeProtection = true
    const provider = await bench.open({ purge: true })
    await provider.generateKey(request)
    await assert.rejects(provider.destroy(id, { label: request.label }), isCode('hsm/forbidden'))
    await assert.rejects(provider.find({ id }), isCode('hsm/key-not-found'))
  })
})

describe('Google Cloud HSM:', () => {
  test('a key that is being made is waited for', async (t) => {
    const bench = await googleBench(t)
    bench.service.making = 3
    const provider = await bench.open()
    const key = await provider.generateKey(request)
    assert.equal(key.publicKey?.length, 33)
    assert.deepEqual(bench.calls.pauses, [100, 200, 400])
  })

  test('a destroyed key keeps its name for ever', async (t) => {
    const bench = await googleBench(t)
    const provider = await bench.open()
    await provider.generateKey(request)
    await provider.destroy(id, { label: request.label })
    await assert.rejects(provider.generateKey(request), isCode('hsm/key-exists'))
  })

  test('an algorithm that the location has no modules for is unsupported', async (t) => {
    const bench = await googleBench(t)
    const provider = await bench.open()
    bench.server.plan('create', { kind: 'error', status: 400, code: 'INVALID_ARGUMENT' })
    await assert.rejects(provider.generateKey({ label: 'x', algorithm: 'ed25519' }), (error) =>
      isFault(error, 'hsm/unsupported'),
    )
  })
})
