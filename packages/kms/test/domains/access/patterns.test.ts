import assert from 'node:assert/strict'
import test from 'node:test'
import { isFault } from '@quorate/base'
import {
  addressBytes,
  areDisjoint,
  isAllowedAddress,
  isSubnet,
  neighbourhood,
  parseNetwork,
} from '#src/domains/access/cidr.js'
import {
  areDisjointPatterns,
  coversName,
  coversPath,
  namePattern,
  pathPattern,
} from '#src/domains/access/glob.js'
import { checkRules, type Rule } from '#src/domains/access/model.js'

const isBadRule = (error: unknown): boolean => isFault(error, 'kms/bad-rule')

test('paths', () => {
  const matches = (pattern: string, path: string): boolean => pathPattern(pattern).matches(path)
  for (const path of ['/', '/a', '/a/b/c']) assert.ok(matches('/**', path))
  assert.ok(matches('/', '/') && !matches('/', '/a'))
  assert.ok(matches('/app/**', '/app') && matches('/app/**', '/app/x/y'))
  assert.ok(!matches('/app/**', '/apple') && !matches('/app/**', '/'))
  assert.ok(matches('/*/keys', '/app/keys') && !matches('/*/keys', '/app/x/keys'))
  assert.ok(matches('/**/keys', '/keys') && matches('/**/keys', '/a/b/keys'))
  assert.ok(matches('/team-*/**', '/team-a/x') && !matches('/team-*/**', '/steam-a'))
  for (const bad of ['', 'app', '/a//b', '/a/', '/a**', '/a/x**/b', `/${'a'.repeat(256)}`])
    assert.throws(() => pathPattern(bad), isBadRule, bad)
})

test('a star takes any text, and costs no more than the product of the lengths', () => {
  assert.ok(namePattern('DB_*_URL').matches('DB_MAIN_URL'))
  assert.ok(!namePattern('DB_*_URL').matches('DB_URL'))
  assert.ok(namePattern('*').matches(''))
  assert.ok(!namePattern('a.c').matches('abc'))
  assert.equal(namePattern(`${'*a'.repeat(120)}b`).matches('a'.repeat(20_000)), false)
})

test('a pattern covers another, and two are apart, only where that is sure', () => {
  assert.ok(coversName('DB_*', 'DB_*_URL') && !coversName('DB_*_URL', 'DB_*'))
  assert.ok(
    coversPath('/a/**', '/a/*/b') && coversPath('/a/**', '/a') && coversPath('/**', '/**/x'),
  )
  assert.ok(!coversPath('/a/*', '/a/**') && !coversPath('/a/*/**', '/a/**'))
  assert.ok(areDisjointPatterns('/a/**', '/b/**') && areDisjointPatterns('dev', 'prod*'))
  assert.ok(!areDisjointPatterns('/a/**', '/a') && !areDisjointPatterns('*x', 'y*'))
})

test('addresses are exact', () => {
  assert.deepEqual([...addressBytes('192.0.2.1')!], [192, 0, 2, 1])
  assert.deepEqual([...addressBytes('::ffff:192.0.2.1')!], [192, 0, 2, 1])
  assert.deepEqual([...addressBytes('::ffff:c000:201')!], [192, 0, 2, 1])
  assert.equal(addressBytes('fe80::1%eth0')?.length, 16)
  for (const bad of ['', '1.2.3', '01.2.3.4', '1.2.3.4.5', 'local', '::g', '1.2.3.4/8'])
    assert.equal(addressBytes(bad), undefined, bad)
  const allowed = (address: string, ...networks: readonly string[]): boolean =>
    isAllowedAddress(address, networks.map(parseNetwork))
  assert.ok(allowed('10.255.0.1', '10.0.0.0/8') && !allowed('11.0.0.1', '10.0.0.0/8'))
  assert.ok(allowed('10.0.0.7', '10.0.0.6/31') && !allowed('10.0.0.8', '10.0.0.6/31'))
  assert.ok(
    allowed('2001:db8:ffff::1', '2001:db8::/32') && !allowed('2001:db9::1', '2001:db8::/32'),
  )
  assert.ok(!allowed('::1', '0.0.0.0/0') && !allowed('127.0.0.1', '::/0'))
  assert.ok(
    allowed('local', 'local') &&
      !allowed('127.0.0.1', 'local') &&
      !allowed('local', '0.0.0.0/0', '::/0'),
  )
  assert.ok(!allowed('not an address', '0.0.0.0/0', 'local'))
  for (const bad of [
    '10.0.0.1/8',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/08',
    'x',
    'fe80::1%lo/64',
    '10.0.0.0/',
  ])
    assert.throws(() => parseNetwork(bad), isBadRule, bad)
})

test('networks within networks', () => {
  const [wide, narrow, apart] = ['10.0.0.0/8', '10.2.0.0/16', '10.3.0.0/16'].map(parseNetwork) as [
    never,
    never,
    never,
  ]
  assert.ok(isSubnet(narrow, wide) && !isSubnet(wide, narrow) && isSubnet(wide, wide))
  assert.ok(areDisjoint(narrow, apart) && !areDisjoint(narrow, wide) && !areDisjoint(wide, narrow))
  assert.ok(areDisjoint(parseNetwork('::/0'), parseNetwork('0.0.0.0/0')))
  assert.ok(areDisjoint(parseNetwork('local'), parseNetwork('0.0.0.0/0')))
  assert.ok(!areDisjoint(parseNetwork('local'), parseNetwork('local')))
})

test('one who has an IPv6 network counts once', () => {
  assert.equal(neighbourhood('2001:db8::1'), neighbourhood('2001:db8::ffff:1'))
  assert.notEqual(neighbourhood('2001:db8:0:1::1'), neighbourhood('2001:db8::1'))
  assert.notEqual(neighbourhood('192.0.2.1'), neighbourhood('192.0.2.2'))
})

test('rules that mean nothing are refused', () => {
  const rule = (more: Partial<Rule>): readonly Rule[] => [
    { effect: 'allow', actions: ['secret.read'], ...more },
  ]
  assert.doesNotThrow(() => checkRules(rule({ when: { hours: { from: '08:00', to: '24:00' } } })))
  const bad: readonly Partial<Rule>[] = [
    { actions: ['secret.reed'] },
    { actions: ['secrets.*'] },
    { actions: ['project.read'], when: { environments: ['prod'] } },
    { when: { hours: { from: '18:00', to: '08:00' } } },
    { when: { notBefore: '2026-01-02T00:00:00.000Z', notAfter: '2026-01-01T00:00:00.000Z' } },
    { when: { notBefore: '2026-02-30T00:00:00.000Z' } },
    { when: { addresses: ['10.0.0.1/8'] } },
    { when: { paths: ['app'] } },
  ]
  for (const each of bad)
    assert.throws(() => checkRules(rule(each)), isBadRule, JSON.stringify(each))
})
