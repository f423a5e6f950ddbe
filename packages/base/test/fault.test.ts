import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bug, ERRORS, Fault, isFault, isFaultCode } from '#src/index.js'

test('a fault says its sentence, then the detail', () => {
  const { sentence, remedy } = ERRORS['base/bad-id']
  assert.equal(new Fault('base/bad-id').message, sentence)
  const fault = new Fault('base/bad-id', { detail: 'too short', cause: 7 })
  assert.equal(fault.message, `${sentence}: too short`)
  assert.equal(fault.detail, 'too short')
  assert.equal(fault.cause, 7)
  assert.equal(fault.code, 'base/bad-id')
  assert.equal(fault.class, 'InvalidInput')
  assert.equal(fault.retryable, false)
  assert.equal(fault.remedy, remedy)
  assert.equal(fault.name, 'Fault')
})

test('isFault knows faults by code, also those of another copy of the package', () => {
  const fault = new Fault('base/malformed')
  assert.equal(isFault(fault), true)
  assert.equal(isFault(fault, 'base/malformed'), true)
  assert.equal(isFault(fault, 'base/bug'), false)
  const foreign = Object.assign(new Error('x'), { code: 'base/malformed', detail: undefined })
  assert.equal(isFault(foreign, 'base/malformed'), true)
})

test('isFault is not taken in by other errors and values', () => {
  const others: readonly unknown[] = [
    new Error('x'),
    Object.assign(new Error('x'), { code: 'ENOENT', detail: 'x' }),
    Object.assign(new Error('x'), { code: 'toString', detail: 'x' }),
    Object.assign(new Error('x'), { code: 'base/malformed' }),
    Object.assign(new Error('x'), { code: 7, detail: 'x' }),
    { code: 'base/malformed', detail: 'x' },
    'base/malformed',
    null,
    undefined,
  ]
  for (const other of others) assert.equal(isFault(other), false)
})

test('isFaultCode knows the table and nothing inherited', () => {
  assert.equal(isFaultCode('base/bug'), true)
  for (const text of ['', 'base/none', 'toString', '__proto__'])
    assert.equal(isFaultCode(text), false)
})

test('bug throws the internal fault', () => {
  assert.throws(
    () => bug('x is y'),
    (error) => isFault(error, 'base/bug') && error.detail === 'x is y',
  )
})
