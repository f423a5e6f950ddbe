/** Real tokens behind real hosts: the same key on two of them, another one under its name on a third. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { type Logger, toHex, utf8 } from '@quorate/base'
import { memoryHsmState } from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import { custodyPolicyFromPlain } from '@quorate/policy'
import type { HsmAuditRecord } from '#src/audit/record.js'
import type { FailoverSlot } from '#src/failover/options.js'
import { HostedHsm } from '#src/host/hosted-hsm.js'
import { RoleCustody } from '#src/roles/custody.js'
import { openModule } from '../modules/modules.ts'
import { buildShim, FaultShim } from '../shim/shim.ts'

const ROLE = 'transaction_signer'
const LABEL = 'payments'
const RETRY_MS = 20
const SECRETS = { right: new Uint8Array(32).fill(5), other: new Uint8Array(32).fill(6) } as const
const PUBLIC_KEY = secp256k1.getPublicKey(SECRETS.right, true)
const SILENT: Logger = { log: () => undefined, with: () => SILENT }

type Token = { readonly shim: FaultShim; readonly slot: FailoverSlot }

/** A token of its own with the key in it, behind the shim; or why there is none. */
async function token(
  t: TestContext,
  name: string,
  place: FailoverSlot['place'],
  secret: Uint8Array,
): Promise<Token | string> {
  const module = await openModule('softhsm', t)
  const built = buildShim()
  if (!module.available) return module.reason
  if (built.reason !== undefined) return built.reason
  const shim = new FaultShim(module.settings, t)
  const open = (): Promise<HostedHsm> =>
    HostedHsm.open({
      settings: shim.settings,
      readPin: async () => utf8(module.pin),
      logger: SILENT,
      pool: { size: 2, maxOverflow: 2 },
      breaker: { maxFailures: 2, pauseMs: 10, maxPauseMs: 20, openMs: 50, maxOpenMs: 100 },
    })
  const first = await open()
  const key = await first.importKey?.({ label: LABEL, algorithm: 'secp256k1' }, secret.slice())
  await first.close()
  if (key === undefined) return 'the token takes no keys'
  const slot: FailoverSlot = {
    name,
    place,
    maxRetries: 1,
    retryIntervalMs: RETRY_MS,
    custody: 'hardware',
    open: async () => {
      const provider = await open()
      return { provider, custody: 'hardware', close: () => provider.close() }
    },
  }
  return { shim, slot }
}

async function custodyOver(
  t: TestContext,
  slots: readonly FailoverSlot[],
): Promise<{ readonly custody: RoleCustody; readonly records: readonly HsmAuditRecord[] }> {
  const records: HsmAuditRecord[] = []
  const custody = await RoleCustody.open(
    {
      name: 'tokens',
      environment: 'production',
      policy: custodyPolicyFromPlain({
        maxSigningRate: 100_000,
        keyGeneration: { sensitive: true },
      }),
      devices: slots,
    },
    {
      clock: systemClock,
      state: memoryHsmState(),
      audit: { append: async (record) => void records.push(record) },
    },
  )
  t.after(() => custody.close())
  await custody.bindKey(ROLE, slots[0]!.name, { label: LABEL })
  return { custody, records }
}

/** A host that starts anew takes its time where the machine is busy. */
async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 90_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`never came: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const digestOf = (n: number): Uint8Array => {
  const digest = new Uint8Array(32).fill(1)
  new DataView(digest.buffer).setUint32(0, n)
  return digest
}

describe('two tokens with one key', () => {
  test('fail over and back under load, with one right result for each request', async (t) => {
    const [main, backup] = [
      await token(t, 'main', 'primary', SECRETS.right),
      await token(t, 'backup', 'secondary', SECRETS.right),
    ]
    if (typeof main === 'string') return t.skip(main)
    if (typeof backup === 'string') return t.skip(backup)
    const { custody, records } = await custodyOver(t, [main.slot, backup.slot])
    const signer = custody.signer(ROLE)
    const activeIs = (name: string) => () => custody.failover.status().active === name

    let next = 0
    let isStopped = false
    const results = new Map<number, Uint8Array[]>()
    const load = Array.from({ length: 6 }, async () => {
      while (!isStopped) {
        const n = next++
        const signature = await signer.sign({ digest: digestOf(n) })
        results.set(n, [...(results.get(n) ?? []), signature])
      }
    })
    const signedSince = (n: number) => () => results.size >= n
    await until(signedSince(20), 'signatures of the first token')
    for (let round = 1; round <= 2; round++) {
      main.shim.unplug()
      await until(activeIs('backup'), 'the second token')
      await until(signedSince(results.size + 20), 'signatures of the second token')
      main.shim.plugIn()
      await until(activeIs('main'), 'the first token again')
      await until(signedSince(results.size + 20), 'signatures of the first token again')
    }
    isStopped = true
    await Promise.all(load)

    assert.equal(results.size, next)
    for (const [n, [signature, ...more]] of results) {
      assert.deepEqual(more, [])
      assert.ok(secp256k1.verify(signature!, digestOf(n), PUBLIC_KEY, { prehash: false }))
    }
    const used = [main, backup].map(({ shim }) => shim.calls().C_Sign ?? 0)
    assert.ok(used.every((calls) => calls > 20))
    const done = records.filter(
      ({ operation, result }) => operation === 'sign' && result === 'done',
    )
    assert.equal(done.length, next)
    const switches = records.filter(({ operation }) => operation.startsWith('failover.'))
    assert.deepEqual(switches.map(({ operation, source }) => [operation, source]).slice(0, 4), [
      ['failover.switched', 'main to backup'],
      ['failover.returned', 'backup to main'],
      ['failover.switched', 'main to backup'],
      ['failover.returned', 'backup to main'],
    ])
  })

  test('refuse a third that has another key under the same label', async (t) => {
    const [main, impostor] = [
      await token(t, 'main', 'primary', SECRETS.right),
      await token(t, 'impostor', 'secondary', SECRETS.other),
    ]
    if (typeof main === 'string') return t.skip(main)
    if (typeof impostor === 'string') return t.skip(impostor)
    const { custody } = await custodyOver(t, [main.slot, impostor.slot])
    const signer = custody.signer(ROLE)
    assert.equal(toHex(signer.publicKey), toHex(PUBLIC_KEY))
    await signer.sign({ digest: digestOf(0) })
    const before = impostor.shim.calls().C_Sign ?? 0
    main.shim.unplug()
    await assert.rejects(signer.sign({ digest: digestOf(1) }), { code: 'hsm/key-changed' })
    assert.equal(impostor.shim.calls().C_Sign ?? 0, before)
    main.shim.plugIn()
    await until(() => custody.failover.status().active === 'main', 'the first token again')
    await signer.sign({ digest: digestOf(2) })
  })
})
