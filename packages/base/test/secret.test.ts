import assert from 'node:assert/strict'
import { test } from 'node:test'
import { format, inspect } from 'node:util'
import { isFault, Secret, wipe } from '#src/index.js'

const WORDS = 'correct horse battery staple'

test('no way of printing shows the value', () => {
  const secret = new Secret(WORDS)
  const holder = { secret, list: [secret], map: new Map([['k', secret]]) }
  const printed = [
    // oxlint-disable-next-line restrict-template-expressions -- what careless code would do
    `${secret}`,
    String(secret),
    secret.toString(),
    JSON.stringify(secret),
    JSON.stringify(holder),
    // oxlint-disable-next-line no-misused-spread -- what careless code would do
    JSON.stringify({ ...secret }),
    inspect(secret),
    inspect(holder, { depth: 9, showHidden: true }),
    inspect(secret, { customInspect: false, showHidden: true, getters: true }),
    ...['%s', '%o', '%O', '%j', '%d'].map((how) => format(how, secret)),
    Object.values(secret).join(),
    Object.getOwnPropertyNames(secret).join(),
    inspect(structuredClone({ ...holder, map: undefined })),
  ]
  for (const text of printed) assert.ok(!text.includes('horse'), text)
  assert.equal(String(secret), '[secret]')
  assert.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}')
  assert.equal(inspect({ secret }), '{ secret: [secret] }')
})

test('expose gives the value itself, until it is disposed of', () => {
  const value = Uint8Array.of(1, 2, 3)
  const secret = new Secret(value)
  assert.equal(secret.expose(), value)
  assert.equal(secret.isWiped, false)
  secret[Symbol.dispose]()
  assert.equal(secret.isWiped, true)
  assert.deepEqual(value, new Uint8Array(3))
  assert.throws(
    () => secret.expose(),
    (error) => isFault(error, 'base/wiped'),
  )
  secret[Symbol.dispose]()
})

test('disposal of a value that is no byte array drops it', () => {
  const secret = new Secret(123n)
  secret[Symbol.dispose]()
  assert.throws(
    () => secret.expose(),
    (error) => isFault(error, 'base/wiped'),
  )
})

test('wipe zeroes each array and passes over absent ones', () => {
  const a = Uint8Array.of(1)
  const b = Uint8Array.of(2, 3)
  wipe(a, undefined, b)
  assert.deepEqual([a, b], [new Uint8Array(1), new Uint8Array(2)])
})
