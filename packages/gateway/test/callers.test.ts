import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { newToken, readCallers } from '@quorate/gateway'
import { systemRandom } from '@quorate/platform'
import { callerOf } from '#src/callers.js'

const shop = newToken('shop', systemRandom)
const till = newToken('till', systemRandom)
const callers = readCallers(`# callers\r\n\r\n${shop.line}\n  ${till.line}  \n`)

const named = (headers: { readonly [name: string]: string }, isOpen = false): string =>
  callerOf((name) => headers[name], callers, isOpen)
const refused = (error: unknown): boolean => isFault(error, 'gateway/unauthenticated')

test('a caller is known by its token, in either header', () => {
  assert.equal(named({ authorization: `Bearer ${shop.token}` }), 'shop')
  assert.equal(named({ 'x-api-key': till.token }), 'till')
  assert.notEqual(shop.token, newToken('shop', systemRandom).token)
  // The file that the gateway reads does not hold what a caller sends.
  assert.ok(!shop.line.includes(shop.token))
})

test('without a token of the list nobody is served, but on an open loopback who sends none', () => {
  for (const headers of [
    {},
    { authorization: '' },
    { authorization: 'Bearer ' },
    { authorization: `Bearer ${shop.token}x` },
    { authorization: `bearer ${shop.token}` },
    { 'x-api-key': shop.line },
  ])
    assert.throws(() => named(headers), refused)
  assert.equal(named({}, true), 'loopback')
  assert.throws(() => named({ authorization: 'Bearer wrong' }, true), refused)
  assert.throws(() => named({ authorization: `Basic ${shop.token}` }, true), refused)
})

test('a file with anything else in it is refused, and the line named', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['shop', 'line 1'],
    [`\n${shop.line} more`, 'line 2'],
    [shop.line.replace('sha256', 'md5'), 'line 1'],
    [shop.line.replace('shop', '../shop'), 'line 1'],
    [`${shop.line}\n${shop.line}`, 'a name appears twice'],
  ]
  for (const [text, detail] of cases)
    assert.throws(
      () => readCallers(text),
      (error) => isFault(error, 'gateway/bad-tokens') && error.detail === detail,
    )
})
