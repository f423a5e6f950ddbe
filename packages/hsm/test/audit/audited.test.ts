import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  audited,
  type HsmAuditRecord,
  type HsmProvider,
  hasCapability,
  type KeyId,
  SimulatedHsm,
} from '@quorate/hsm'
import { isCode } from '../host/kit.ts'
import { clock, openIn, scratch } from '../kit.ts'

/** A sink whose records wait until they are confirmed or refused. */
class Sink {
  readonly records: HsmAuditRecord[] = []
  fails = false

  async append(record: HsmAuditRecord): Promise<void> {
    this.records.push(record)
    if (this.fails) throw new Error('disk full')
  }
}

const BY = { clock, device: 'dev', role: 'validator', user: 'usr_1', source: '10.0.0.7' }
const WRITTEN = {
  time: clock.now(),
  device: 'dev',
  role: 'validator',
  user: 'usr_1',
  source: '10.0.0.7',
}
const MESSAGE = Uint8Array.of(1, 2, 3)

async function opened(t: Parameters<typeof scratch>[0]): Promise<[HsmProvider, Sink, HsmProvider]> {
  const sink = new Sink()
  const provider: HsmProvider = await openIn(scratch(t))
  return [audited(provider, sink, BY), sink, provider]
}

test('every operation is written down, with time, key, role, user, source and what became of it', async (t) => {
  const [hsm, { records }] = await opened(t)
  const { id } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519' })
  const signature = await hsm.sign(id, { message: MESSAGE })
  await hsm.verify(id, { message: MESSAGE }, signature)
  await hsm.find({ label: 'k' })
  await hsm.list()
  await hsm.random(8)
  await assert.rejects(hsm.hmac(id, MESSAGE), isCode('hsm/bad-argument'))
  await assert.rejects(hsm.find({ id: 'ff' as KeyId }), isCode('hsm/key-not-found'))
  await hsm.destroy(id, { label: 'k' })
  await hsm.health()
  await hsm.info()
  await hsm.close()
  const done = (operation: string, key?: KeyId): HsmAuditRecord => ({
    ...WRITTEN,
    operation,
    ...(key === undefined ? {} : { key }),
    result: 'done',
  })
  assert.deepEqual(records, [
    done('generateKey', id),
    done('sign', id),
    done('verify', id),
    done('find', id),
    done('list'),
    done('random'),
    { ...WRITTEN, operation: 'hmac', key: id, result: 'failed', code: 'hsm/bad-argument' },
    { ...WRITTEN, operation: 'find', key: 'ff', result: 'failed', code: 'hsm/key-not-found' },
    done('destroy', id),
  ])
})

test('a result waits for its record', async (t) => {
  const provider: HsmProvider = await openIn(scratch(t))
  const confirmations: (() => void)[] = []
  const append = (): Promise<void> => new Promise((resolve) => confirmations.push(resolve))
  const hsm = audited(provider, { append }, BY)
  let isDone = false
  const bytes = hsm.random(8).then((result) => {
    isDone = true
    return result
  })
  while (confirmations.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isDone, false)
  confirmations[0]?.()
  assert.equal((await bytes).length, 8)
})

describe('without a record there is no result', () => {
  test('and what there was is wiped', async (t) => {
    const [, sink, provider] = await opened(t)
    const { id } = await provider.generateKey({ label: 'k', algorithm: 'aes-256' })
    const encrypted = await provider.encrypt(id, MESSAGE, MESSAGE)
    const results: unknown[] = []
    const kept = (name: 'decrypt' | 'encrypt' | 'random') => ({
      [name]: async (...args: never[]) => {
        const result = await (provider[name] as (...all: never[]) => Promise<unknown>)(...args)
        results.push(result)
        return result
      },
    })
    const spied = new Proxy(provider, {
      get: (target, name) =>
        ({ ...kept('decrypt'), ...kept('encrypt'), ...kept('random') })[name as string] ??
        (Reflect.get(target, name) as unknown),
    })
    for (const name of ['decrypt', 'encrypt', 'random'] as const)
      Object.assign(provider, { [name]: provider[name].bind(provider) })
    sink.fails = true
    const hsm = audited(spied, sink, BY)
    const unavailable = isCode('hsm/audit-unavailable')
    await assert.rejects(hsm.decrypt(id, encrypted, MESSAGE), unavailable)
    await assert.rejects(hsm.encrypt(id, MESSAGE, MESSAGE), unavailable)
    await assert.rejects(hsm.random(4), unavailable)
    assert.deepEqual(results, [
      new Uint8Array(3),
      { iv: new Uint8Array(12), ciphertext: new Uint8Array(19) },
      new Uint8Array(4),
    ])
  })

  test('nor a fault, which could tell as much', async (t) => {
    const [hsm, sink] = await opened(t)
    sink.fails = true
    await assert.rejects(hsm.find({ id: 'ff' as KeyId }), isCode('hsm/audit-unavailable'))
  })
})

test('capabilities stay, and are audited', async (t) => {
  const sink = new Sink()
  const hsm = audited(await SimulatedHsm.open(scratch(t), clock), sink, BY)
  assert.deepEqual([hasCapability(hsm, 'attest'), hasCapability(hsm, 'tamper')], [true, false])
  const { id } = await hsm.generateKey({ label: 'k', algorithm: 'p256' })
  await hsm.attestKey(id, new Uint8Array(16))
  assert.deepEqual(sink.records.at(-1), {
    ...WRITTEN,
    operation: 'attestKey',
    key: id,
    result: 'done',
  })
  // What belongs to this provider alone is there too.
  assert.equal((await hsm.attestationRoot()).length, 32)
})
