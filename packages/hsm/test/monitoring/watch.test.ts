import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  HsmWatch,
  type HsmWatchPorts,
  type MonitoringConfig,
  memoryHsmState,
  type OpenHsm,
  queryHsmAudit,
  RoleCustody,
  type TamperEvent,
} from '@quorate/hsm'
import { ManualTime, Registry, systemRandom } from '@quorate/platform'
import { custodyPolicyFromPlain } from '@quorate/policy'
import { place, settle, until } from '../audit/kit.ts'
import { isCode, NOW, openIn, scratch } from '../kit.ts'
import { Lines } from './kit.ts'

class Stage {
  readonly time = new ManualTime(NOW)
  readonly lines = new Lines()
  readonly root: string
  readonly ports: HsmWatchPorts
  readonly #t: TestContext

  constructor(t: TestContext) {
    this.#t = t
    this.root = place(t)
    const { time, lines: logger, root } = this
    this.ports = {
      state: memoryHsmState(),
      clock: time,
      timers: time,
      random: systemRandom,
      logger,
      auditDirectory: join(root, 'audit'),
    }
  }

  async open(config: Partial<MonitoringConfig> = {}): Promise<HsmWatch> {
    const watch = await HsmWatch.open(
      { limits: {}, alerting: {}, audit: {}, ...config },
      this.ports,
    )
    this.#t.after(() => watch.close())
    return watch
  }

  async device(): Promise<
    OpenHsm & { readonly tamper: (event: TamperEvent) => void; compromise(): Promise<void> }
  > {
    const provider = await openIn(scratch(this.#t))
    let tell: (event: TamperEvent) => void = () => undefined
    Object.assign(provider, {
      tamperEvents: () => Promise.resolve([]),
      onTamper: (listener: typeof tell) => {
        tell = listener
        return () => undefined
      },
    })
    return {
      provider,
      custody: 'software',
      hosted: undefined,
      close: () => provider.close(),
      tamper: (event) => tell(event),
      compromise: () => provider.simulateCompromise(),
    }
  }
}

test('a device that is lost raises an alert that a webhook hears of, and figures that Prometheus reads', async (t) => {
  const stage = new Stage(t)
  const bodies: string[] = []
  const server = createServer((request: IncomingMessage, response) => {
    request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()))
    request.on('end', () => response.writeHead(204).end())
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const secretFile = join(stage.root, 'secret')
  writeFileSync(secretFile, 'whsec_c2VjcmV0IG9mIHNpeHRlZW4gYnl0ZXM=\n', { mode: 0o600 })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const watch = await stage.open({
    limits: { healthCheckMs: 5000 },
    metricsPrefix: 'my_',
    alerting: { webhook: { url, secretFile } },
  })
  const registry = new Registry('my_')
  const stop = watch.addMetrics(registry)
  const device = await stage.device()
  await watch.add(device, 'sim-1', { lock: () => Promise.resolve() })
  assert.match(watch.renderMetrics(), /^my_hsm_component_health\{component="sim-1"\} 1$/m)
  await device.compromise()
  stage.time.advance(5000)
  await until(() => bodies.length === 1)
  assert.match(watch.renderMetrics(), /^my_hsm_component_health\{component="sim-1"\} 0$/m)
  const { type, data } = JSON.parse(bodies[0] ?? '') as {
    type: string
    data: { event: string; reason: string }
  }
  assert.deepEqual(
    [type, data.event, data.reason],
    ['hsm.alert.raised', 'health.lost', 'hsm/compromised'],
  )
  await watch.settled()
  const text = registry.render()
  assert.match(text, /^my_hsm_events_total\{kind="health.lost",severity="critical"\} 1$/m)
  assert.match(text, /^my_hsm_alerts\{severity="critical",state="open"\} 1$/m)
  assert.match(text, /^my_hsm_audit_records_total 0$/m)
  watch.events.emit({
    kind: 'failover.switched',
    component: 'a',
    time: NOW,
    from: 'a',
    to: 'b',
    reason: 'hsm/unavailable',
  })
  watch.events.emit({
    kind: 'fallback.used',
    component: 'software',
    time: NOW,
    role: 'validator',
    left: 9,
  })
  stop()
  watch.events.emit({
    kind: 'fallback.used',
    component: 'software',
    time: NOW,
    role: 'validator',
    left: 8,
  })
  assert.match(registry.render(), /^my_hsm_failovers_total\{from="a",to="b"\} 1$/m)
  assert.match(registry.render(), /^my_hsm_fallback_operations_total\{role="validator"\} 1$/m)
})

test('a breach reaches lock, alert and audit log', async (t) => {
  const stage = new Stage(t)
  const watch = await stage.open()
  const device = await stage.device()
  const locks: string[] = []
  await watch.add(device, 'zymbit-1', { lock: async (reason) => void locks.push(reason) })
  device.tamper({ time: NOW, what: 'perimeter channel 1 was breached', channel: 1 })
  assert.equal(locks.length, 1)
  await watch.settled()
  assert.deepEqual(
    watch.alerts?.list().map(({ kind, severity }) => [kind, severity]),
    [['tamper.detected', 'critical']],
  )
  const { records } = queryHsmAudit(stage.ports.auditDirectory, {})
  assert.deepEqual(
    records.map(({ operation, device: name }) => [operation, name]),
    [['tamper.detected', 'zymbit-1']],
  )
})

test('devices of a custody are watched from when they are opened, and a breach stops its roles', async (t) => {
  const stage = new Stage(t)
  const watch = await stage.open()
  const device = await stage.device()
  let opened = 0
  const slot = {
    name: 'main',
    place: 'primary',
    maxRetries: 0,
    retryIntervalMs: 1000,
    custody: 'software',
    open: async () => {
      opened++
      return device
    },
  } as const
  const { audit, events } = watch
  const custody = await RoleCustody.open(
    {
      name: 'hsm',
      environment: 'development',
      policy: custodyPolicyFromPlain({}),
      devices: [slot],
    },
    { ...stage.ports, audit, events, watch },
  )
  t.after(() => custody.close())
  assert.deepEqual([opened, watch.reports.length], [0, 0])
  await custody.makeKey('transaction_signer', { label: 'tx', algorithm: 'ed25519' })
  assert.deepEqual([opened, watch.reports.length], [1, 1])
  const signer = custody.signer('transaction_signer')
  await signer.sign({ message: new Uint8Array(3) })
  device.tamper({ time: NOW, what: 'perimeter channel 0 was breached', channel: 0 })
  await assert.rejects(signer.sign({ message: new Uint8Array(3) }), isCode('hsm/signing-locked'))
})

test('alerting can be switched off, and what is wrong is found before anything runs', async (t) => {
  const stage = new Stage(t)
  const watch = await stage.open({ alerting: undefined })
  assert.equal(watch.alerts, undefined)
  watch.events.emit({ kind: 'health.lost', component: 'x', time: NOW, reason: 'y' })
  await settle()
  await watch.close()
  const secretFile = join(stage.root, 'secret')
  writeFileSync(secretFile, 'short\n', { mode: 0o600 })
  const webhook = { url: 'https://example.org', secretFile }
  await assert.rejects(stage.open({ alerting: { webhook } }), isCode('hsm/bad-config'))
  writeFileSync(secretFile, 'x'.repeat(40), { mode: 0o600 })
  const placed = { syslog: 'nowhere' }
  await assert.rejects(stage.open({ audit: placed }), isCode('hsm/bad-config'))
  await (await stage.open({ alerting: { webhook } })).close()
})
