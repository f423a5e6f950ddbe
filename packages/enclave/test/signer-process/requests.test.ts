import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterRecord } from '@quorate/auth'
import { type FaultCode, isFault } from '@quorate/base'
import { usable } from '#src/signer-process/requests.js'

const clusterOf = (environment: ClusterRecord['environment']): ClusterRecord =>
  ({ environment }) as ClusterRecord
const [STRONG, WEAK] = ['CGGMP24-secp256k1-SHA256-128-v1', 'CGGMP24-secp256k1-SHA256-112-v1']
const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)

test('the suite of tests is refused outside development', () => {
  assert.equal(
    usable('ethereum-sepolia', WEAK, clusterOf('development')).suites.includes(WEAK),
    true,
  )
  for (const environment of ['staging', 'production'] as const) {
    assert.throws(
      () => usable('ethereum-sepolia', WEAK, clusterOf(environment)),
      isCode('enclave/weak-suite'),
    )
    assert.ok(usable('ethereum', STRONG, clusterOf(environment)))
  }
})

test('the suite chooses the form of address', () => {
  const cluster = clusterOf('development')
  assert.equal(usable('bitcoin-testnet4', STRONG, cluster).scheme, 'ecdsa-secp256k1')
  const taproot = 'FROST-secp256k1-SHA256-TR-v1'
  assert.equal(usable('bitcoin-testnet4', taproot, cluster).scheme, 'bip340-secp256k1')
  assert.throws(() => usable('solana-devnet', STRONG, cluster), isCode('enclave/wrong-suite'))
  assert.throws(() => usable('ethereum', STRONG, cluster), isCode('enclave/mainnet-in-development'))
})
