import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SignedRequest } from '@quorate/api'
import { Fault, type Logger } from '@quorate/base'
import type { AuditDraft } from '@quorate/enclave'
import { ManualTime, Registry } from '@quorate/platform'
import { Watch } from '#src/watch.js'

function stage() {
  const time = new ManualTime()
  const registry = new Registry('q_')
  const lines: string[] = []
  const logger: Logger = {
    log: (level, event, fields) => lines.push(`${level} ${event} ${String(fields?.['code'])}`),
    with: () => logger,
  }
  const watch = new Watch({ registry, tracer: undefined, clock: time, logger, index: () => 1 })
  const has = (line: string): boolean => registry.render().split('\n').includes(line)
  return { time, watch, lines, has }
}

const draft = (
  sid: number,
  outcome: AuditDraft['outcome'],
  more: Partial<AuditDraft> = {},
): AuditDraft => ({
  actor: 'cli',
  action: 'tx.sign',
  resource: 'wal',
  requestId: `req-${sid}`,
  decision: 'allow',
  sid: new Uint8Array(32).fill(sid),
  outcome,
  fields: [],
  ...more,
})

test('sessions and their phases are timed from record to record', () => {
  const { time, watch, has } = stage()
  watch.audited([draft(1, 'begun')])
  watch.progressed('req-1', 'agreeing')
  time.advance(200)
  watch.progressed('req-1', 'agreeing')
  watch.progressed('req-1', 'signing')
  time.advance(800)
  watch.progressed('nobody', 'signing')
  watch.audited([draft(1, 'done'), draft(1, 'done')])
  assert.ok(has('q_sessions_total{action="tx.sign",outcome="done"} 1'))
  assert.ok(has('q_session_seconds_sum{action="tx.sign"} 1'))
  assert.ok(has('q_session_phase_seconds_sum{phase="agreeing"} 0.2'))
  assert.ok(has('q_session_phase_seconds_sum{phase="signing"} 0.8'))
  time.advance(5_000)
  assert.ok(has('q_last_signature_age_seconds 5'))
})

test('one that is over in a single write is counted and not timed, and a failure has its code', () => {
  const { watch, has } = stage()
  watch.audited([draft(1, 'begun'), draft(1, 'done')])
  watch.audited([draft(2, 'begun')])
  watch.audited([draft(2, 'failed', { reason: 'threshold/timeout' })])
  watch.audited([
    draft(3, 'failed', { decision: 'deny', reason: 'policy/denied', action: 'tx.sign' }),
  ])
  assert.ok(has('q_sessions_total{action="tx.sign",outcome="done"} 1'))
  assert.ok(has('q_session_failures_total{action="tx.sign",code="threshold/timeout"} 1'))
  assert.ok(has('q_decisions_total{action="tx.sign",decision="deny"} 1'))
  assert.ok(!has('q_session_failures_total{action="tx.sign",code="policy/denied"} 1'))
})

test('requests are counted by what they came to, and a failure is logged with its code', async () => {
  const { time, watch, lines, has } = stage()
  const request = {
    body: { kind: 'sign', value: { requestId: 'req-1' } },
  } as unknown as SignedRequest
  const reached = { result: { kind: 'sign', attempts: 2 } } as never
  await watch.running(() => {
    time.advance(30)
    return Promise.resolve(reached)
  })(request)
  await watch.running(() => Promise.resolve({ waiting: {} as never }))(request)
  await assert.rejects(watch.running(() => Promise.reject(new Fault('policy/denied')))(request))
  await assert.rejects(watch.running(() => Promise.reject(new Error('odd')))(request))
  assert.ok(has('q_requests_total{kind="sign",outcome="done"} 1'))
  assert.ok(has('q_requests_total{kind="sign",outcome="waiting"} 1'))
  assert.ok(has('q_requests_total{kind="sign",outcome="failed"} 2'))
  assert.ok(has('q_request_seconds_sum{kind="sign"} 0.03'))
  assert.ok(has('q_signing_attempts_sum 2'))
  assert.ok(has('q_request_failures_total{kind="sign",code="node/internal"} 1'))
  assert.deepEqual(lines, [
    'warn request.failed policy/denied',
    'warn request.failed node/internal',
  ])
})
