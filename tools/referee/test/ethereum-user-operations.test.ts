/** User operations against viem's account abstraction: each version, with and without factory and paymaster. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ENTRY_POINTS,
  type EntryPointVersion,
  encodeUserOperation,
  findAdapter,
} from '@quorate/chains'
import fc from 'fast-check'
import { pointFromScalar, sign } from 'tiny-secp256k1'
import { hashMessage, keccak256, recoverMessageAddress, toHex } from 'viem'
import {
  entryPoint06Address,
  entryPoint07Address,
  entryPoint08Address,
  getUserOperationHash,
} from 'viem/account-abstraction'

const secretKey = new Uint8Array(32).fill(7)
const key = { scheme: 'ecdsa-secp256k1', publicKey: pointFromScalar(secretKey, true)! } as const
const adapter = findAdapter('base')
const from = adapter.address(key)
const chainId = 8453

const bytes = fc.uint8Array({ maxLength: 60 }).map((each) => toHex(each))
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((each) => toHex(each))
const gas = fc.bigInt({ min: 0n, max: 2n ** 120n - 1n })
const core = {
  sender: address,
  nonce: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  callData: bytes,
  callGasLimit: gas,
  verificationGasLimit: gas,
  preVerificationGas: gas,
  maxFeePerGas: gas,
  maxPriorityFeePerGas: gas,
}
const NOTHING = fc.constant({})
const unpacked = fc
  .tuple(
    fc.record(core),
    fc.oneof(NOTHING, fc.record({ factory: address, factoryData: bytes })),
    fc.oneof(
      NOTHING,
      fc.record({
        paymaster: address,
        paymasterVerificationGasLimit: gas,
        paymasterPostOpGasLimit: gas,
        paymasterData: bytes,
      }),
    ),
  )
  .map((parts) => Object.assign({}, ...parts) as object)
const prefixed = fc.oneof(
  fc.constant('0x'),
  fc.tuple(address, bytes).map(([start, rest]) => start + rest.slice(2)),
)
const OPERATIONS: { readonly [V in EntryPointVersion]: fc.Arbitrary<object> } = {
  '0.6': fc.record({ ...core, initCode: prefixed, paymasterAndData: prefixed }),
  '0.7': unpacked,
  '0.8': unpacked,
}

test('entry points have the addresses that viem has', () => {
  assert.deepEqual(ENTRY_POINTS, {
    '0.6': entryPoint06Address,
    '0.7': entryPoint07Address,
    '0.8': entryPoint08Address,
  })
})

for (const version of ['0.6', '0.7', '0.8'] as const)
  test(`hashes of entry point ${version}`, async () => {
    await fc.assert(
      fc.asyncProperty(OPERATIONS[version], async (userOperation) => {
        const theirs = getUserOperationHash({
          chainId,
          entryPointAddress: ENTRY_POINTS[version] as `0x${string}`,
          entryPointVersion: version,
          userOperation: { ...userOperation, signature: '0x' } as never,
        })
        const parse = (signs: 'hash' | 'message') =>
          adapter.parse({
            unsigned: encodeUserOperation({
              chainId: BigInt(chainId),
              entryPoint: ENTRY_POINTS[version],
              signs,
              userOperation,
            }),
            context: new Uint8Array(0),
            key,
          })
        assert.equal(keccak256(parse('hash').prepare()[0]!.message), theirs)
        const tx = parse('message')
        const hash = keccak256(tx.prepare()[0]!.message, 'bytes')
        assert.equal(toHex(hash), hashMessage({ raw: theirs }))
        const signed = tx.attach(new Map([['user-operation', sign(hash, secretKey)]])).serialise()
        assert.equal(signed.txid, theirs)
        const { signature } = JSON.parse(Buffer.from(signed.bytes).toString()) as {
          signature: `0x${string}`
        }
        assert.equal(await recoverMessageAddress({ message: { raw: theirs }, signature }), from)
      }),
      { numRuns: 20 },
    )
  })
