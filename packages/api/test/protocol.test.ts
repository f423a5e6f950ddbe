import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROTOCOL_NAMES, PROTOCOLS, parseProtocol, protocolOfSuite } from '@quorate/api'
import { type FaultCode, isFault } from '@quorate/base'

const fails = (code: FaultCode) => (error: unknown) => isFault(error, code)

test('every name of a protocol means an exact one', () => {
  for (const protocol of PROTOCOLS) assert.equal(parseProtocol(protocol), protocol)
  assert.equal(parseProtocol('cggmp21'), 'cggmp24')
  for (const name of PROTOCOL_NAMES) assert.ok(PROTOCOLS.includes(parseProtocol(name)))
  for (const wrong of ['', 'FROST', 'gg20', 'cggmp', 'toString', '__proto__'])
    assert.throws(() => parseProtocol(wrong), fails('api/unknown-protocol'))
})

test('a suite tells its protocol', () => {
  assert.equal(protocolOfSuite('FROST-ED25519-SHA512-v1'), 'frost')
  assert.equal(protocolOfSuite('FROST-secp256k1-SHA256-TR-v1'), 'frost')
  assert.equal(protocolOfSuite('CGGMP24-secp256k1-SHA256-128-v1'), 'cggmp24')
  for (const wrong of ['', 'frost', 'CGGMP21-secp256k1-SHA256-128-v1'])
    assert.throws(() => protocolOfSuite(wrong), fails('api/unknown-protocol'))
})
