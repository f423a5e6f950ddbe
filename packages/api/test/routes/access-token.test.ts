import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AccessToken,
  checkAccessToken,
  holdsAccessToken,
  MAX_TOKEN_MS,
  signAccessToken,
  type TokenCheck,
  type TokenHolder,
} from '@quorate/api'
import { isFault } from '@quorate/base'
import * as fc from 'fast-check'
import { CLUSTER, fill, id, NOW, signer, verifyEd25519 } from '../sample.ts'

const client = signer(4)
const HOST = '127.0.0.1:7600'
const token: AccessToken = {
  v: 1,
  cluster: CLUSTER,
  client: id('cli', 1),
  role: 'signer',
  host: HOST,
  createdAt: NOW,
  expiresAt: NOW + 60_000,
  nonce: fill(16, 7),
}
const holder: TokenHolder = { key: client.publicKey, role: 'signer' }
const check = (change: Partial<TokenCheck<TokenHolder>> = {}): TokenCheck<TokenHolder> => ({
  cluster: CLUSTER,
  host: HOST,
  now: NOW,
  find: (wanted) => (wanted === token.client ? holder : undefined),
  verify: verifyEd25519,
  ...change,
})
const codeOf = (authorization: string, change: Partial<TokenCheck<TokenHolder>> = {}): string => {
  try {
    checkAccessToken(authorization, check(change))
    return 'taken'
  } catch (error) {
    assert.ok(isFault(error))
    return error.code
  }
}

test('a token is taken for its client, at its host in any spelling, until it expires', async () => {
  const header = await signAccessToken(client, { ...token, host: HOST.toUpperCase() })
  assert.match(header, /^Bearer [\w-]+$/)
  assert.ok(holdsAccessToken(header))
  assert.equal(checkAccessToken(header, check()), holder)
  assert.equal(codeOf(header, { host: HOST.toUpperCase() }), 'taken')
  assert.equal(codeOf(header, { now: token.expiresAt - 1 }), 'taken')
  assert.equal(codeOf(header, { now: token.expiresAt }), 'auth/expired')
  assert.equal(codeOf(header, { now: NOW - 30_001 }), 'auth/expired')
})

test('it is worth nothing elsewhere, for another role, or under another key', async () => {
  const header = await signAccessToken(client, token)
  const refused = 'auth/unauthenticated'
  assert.equal(codeOf(header, { host: '127.0.0.1:7601' }), refused)
  assert.equal(codeOf(header, { cluster: fill(32, 9) }), refused)
  assert.equal(codeOf(header, { find: () => undefined }), refused)
  assert.equal(codeOf(header, { find: () => ({ ...holder, role: 'operator' }) }), refused)
  assert.equal(codeOf(header, { find: () => ({ ...holder, key: signer(5).publicKey }) }), refused)
  assert.equal(codeOf(await signAccessToken(signer(5), token)), refused)
})

test('a client cannot make one that lasts', async () => {
  const long = { ...token, expiresAt: NOW + MAX_TOKEN_MS + 1 }
  assert.equal(codeOf(await signAccessToken(client, long)), 'auth/expired')
  const most = { ...token, expiresAt: NOW + MAX_TOKEN_MS }
  assert.equal(codeOf(await signAccessToken(client, most)), 'taken')
})

test('no altered or made-up token is taken', async () => {
  const header = await signAccessToken(client, token)
  fc.assert(
    fc.property(
      fc.nat(header.length - 8),
      fc.constantFrom('A', 'b', '_', '=', '.'),
      (at, letter) => {
        const altered = header.slice(0, 7 + at) + letter + header.slice(8 + at)
        return altered === header || codeOf(altered) === 'auth/unauthenticated'
      },
    ),
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 900 }), (text) => {
      assert.equal(codeOf(`Bearer ${text}`), 'auth/unauthenticated')
    }),
  )
})
