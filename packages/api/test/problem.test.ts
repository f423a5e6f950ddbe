import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromProblem, toProblem } from '@quorate/api'
import { ERRORS, Fault, type FaultCode } from '@quorate/base'

const codes = Object.keys(ERRORS) as readonly FaultCode[]

test('every code of the table goes to a problem document and back', () => {
  for (const code of codes) {
    const problem = toProblem(new Fault(code, { detail: 'a detail' }), 'r1')
    const { class: kind, http, sentence, remedy, retryable } = ERRORS[code]
    const shown = kind === 'Bug' ? 'api/internal' : code
    assert.equal(problem.code, shown)
    assert.equal(fromProblem(JSON.parse(JSON.stringify(problem)), problem.status).code, shown)
    if (kind === 'Bug') continue
    assert.deepEqual(problem, {
      type: `urn:quorate:problem:${code}`,
      title: sentence,
      status: http,
      code,
      detail: 'a detail',
      requestId: 'r1',
      retryable,
      remedy,
    })
  }
})

test('our own mistakes and unknown errors show nothing of themselves', () => {
  for (const error of [
    new Error('hunter2'),
    new Fault('base/bug', { detail: 'hunter2' }),
    'hunter2',
    null,
  ]) {
    const problem = toProblem(error, 'r1')
    assert.deepEqual([problem.status, problem.code], [500, 'api/internal'])
    assert.ok(!JSON.stringify(problem).includes('hunter2'))
  }
})

test('a code that this version does not know keeps its kind and its detail', () => {
  const body = { code: 'later/thing', title: 'a title', detail: 'a detail' }
  assert.equal(fromProblem(body, 409).code, 'api/refused')
  assert.equal(fromProblem(body, 503).code, 'api/failed')
  assert.equal(fromProblem(body, 409).detail, 'a detail')
})

test('any body at all gives a Fault', () => {
  for (const body of [null, undefined, 'text', 7, [], {}, { code: 7 }, { code: '__proto__' }])
    assert.equal(fromProblem(body, 502).code, 'api/failed')
})

test('text of a server cannot drive a terminal', () => {
  const fault = fromProblem(
    { code: 'base/malformed', detail: `\u001b[2Ja\nb\u202e${'x'.repeat(999)}` },
    400,
  )
  assert.match(fault.detail!, /^\[2Ja b x+$/)
  assert.equal(fault.detail!.length, 500)
})
