/** Shared by the short and the long runs: what a parser may do with bytes that nobody vouches for. */
import assert from 'node:assert/strict'
import { isFault, toHex } from '@quorate/base'
import { type ChainAdapter, findAdapter, type KeyRef } from '@quorate/chains'
import fc from 'fast-check'
import { formCoin, formSample } from './bitcoin/coins.js'
import {
  erin,
  frank,
  PAID_SAMPLE,
  paidCoin,
  SUITE,
  TRANSFER_FIELDS,
  unsignedTx,
} from './ecdsa-wallets.js'
import { EVM_SAMPLES } from './evm/samples.js'
import {
  alice,
  bob,
  carol,
  coinOf,
  messageOf,
  NO_CONTEXT,
  psbtOf,
  SAMPLE,
  TRANSFER,
  wireOf,
} from './wallets.js'

export type Target = {
  readonly name: string
  readonly adapter: ChainAdapter
  readonly key: KeyRef
  readonly samples: { readonly [name: string]: Uint8Array }
  /** What random bytes begin with, so that some of them get past the first check. */
  readonly prefixes: readonly (readonly number[])[]
}

export const bitcoinTarget: Target = {
  name: 'Taproot',
  adapter: findAdapter('bitcoin-testnet4'),
  key: alice.key,
  samples: {
    'several coins and change': psbtOf(SAMPLE),
    'coins of others, a lock time, key origins': psbtOf({
      inputs: [
        coinOf(alice, 0, 90_000n, {
          sequence: 5,
          sighashType: 1,
          tapBip32Derivation: [
            [alice.key.publicKey.slice(1), { hashes: [], der: { fingerprint: 7, path: [86, 1] } }],
          ],
        }),
        coinOf(bob, 1, 90_000n, { sighashType: 3 }),
      ],
      outputs: SAMPLE.outputs,
      lockTime: 850_000,
    }),
    'version 2': psbtOf({ ...SAMPLE, version: 2 }),
  },
  prefixes: [[], [0x70, 0x73, 0x62, 0x74, 0xff]],
}

export const p2wpkhTarget: Target = {
  name: 'P2WPKH',
  adapter: findAdapter('bitcoin-testnet4', SUITE),
  key: erin.key,
  samples: {
    'several coins and change': psbtOf(PAID_SAMPLE),
    'coins of others with and without their transaction, a lock time': psbtOf({
      inputs: [
        paidCoin(erin, 0, 90_000n, { sequence: 5, sighashType: 1 }),
        paidCoin(frank, 1, 50_000n),
        coinOf(bob, 2, 40_000n),
      ],
      outputs: PAID_SAMPLE.outputs,
      lockTime: 850_000,
    }),
    'version 2': psbtOf({ ...PAID_SAMPLE, version: 2 }),
  },
  prefixes: [[], [0x70, 0x73, 0x62, 0x74, 0xff]],
}

export const olderTarget: Target = {
  name: 'P2PKH and P2SH-P2WPKH',
  adapter: findAdapter('bitcoin-testnet4', SUITE),
  key: erin.key,
  samples: {
    'coins at two addresses': psbtOf({
      ...formSample('p2pkh', erin),
      inputs: [formCoin('p2pkh', erin, 0, 70_000n), formCoin('p2sh-p2wpkh', erin, 1, 50_000n)],
    }),
    'version 2': psbtOf({ ...formSample('p2sh-p2wpkh', erin), version: 2 }),
  },
  prefixes: [[0x70, 0x73, 0x62, 0x74, 0xff]],
}

export const cashTarget: Target = {
  name: 'Bitcoin Cash',
  adapter: findAdapter('bitcoin-cash-chipnet'),
  key: erin.key,
  samples: { 'several coins and change': psbtOf(formSample('p2pkh', erin)) },
  prefixes: [[0x70, 0x73, 0x62, 0x74, 0xff]],
}

const CALL = Uint8Array.from([0xa9, 0x05, 0x9c, 0xbb, ...new Uint8Array(64).fill(1, 12)])

export const evmTarget: Target = {
  name: 'Ethereum',
  adapter: findAdapter('ethereum-sepolia'),
  key: erin.key,
  samples: {
    'a transfer': unsignedTx(TRANSFER_FIELDS),
    'a token transfer with an access list': unsignedTx({
      ...TRANSFER_FIELDS,
      data: CALL,
      accessList: [[new Uint8Array(20).fill(9), [new Uint8Array(32), new Uint8Array(32).fill(1)]]],
    }),
    'a creation': unsignedTx({ ...TRANSFER_FIELDS, to: new Uint8Array(0), data: CALL }),
    ...EVM_SAMPLES,
  },
  prefixes: [
    [],
    [2],
    [2, 0xc0],
    [2, 0xf8],
    [2, 0xef, 0x83, 0xaa, 0x36, 0xa7],
    [0xe9],
    [4, 0xf8],
    [5, 0xdc],
    [0x19],
    [0x7b, 0x22],
  ],
}

const lookups = [Uint8Array.from([...new Uint8Array(32).fill(3), 2, 1, 2, 1, 3])]
export const solanaTarget: Target = {
  name: 'Solana',
  adapter: findAdapter('solana'),
  key: carol.key,
  samples: {
    'version 0': wireOf(messageOf({ ...TRANSFER, lookups })),
    legacy: wireOf(messageOf({ ...TRANSFER, isLegacy: true })),
    'bare message': messageOf(TRANSFER),
  },
  prefixes: [[], [0x80, 1, 0, 1], [1, ...new Uint8Array(64), 0x80, 1, 0, 1]],
}

export const TARGETS: readonly Target[] = [
  bitcoinTarget,
  p2wpkhTarget,
  olderTarget,
  cashTarget,
  solanaTarget,
  evmTarget,
]

/** What people see and what is signed, as one text; `undefined` where the bytes are refused with a fault of ours. */
export function meaning({ adapter, key }: Target, unsigned: Uint8Array): string | undefined {
  try {
    const tx = adapter.parse({ unsigned, context: NO_CONTEXT, key })
    const view = JSON.stringify(tx.view(), (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    )
    const items = tx
      .prepare()
      .map(({ id, message, publicKey }) => `${id} ${toHex(message)} ${toHex(publicKey)}`)
    return [view, ...items].join('\n')
  } catch (error) {
    assert.ok(isFault(error), String(error))
    assert.ok(error.code.startsWith('chains/'), error.code)
    return undefined
  }
}

/** Flips one bit of every byte of `sample`, each time another one. */
export function flipEveryByte(
  target: Target,
  sample: Uint8Array,
  bit: (at: number) => number,
): void {
  const original = meaning(target, sample)
  assert.notEqual(original, undefined)
  for (let at = 0; at < sample.length; at++) {
    const flipped = sample.slice()
    flipped[at]! ^= 1 << bit(at)
    assert.notEqual(meaning(target, flipped), original, `byte ${at}`)
  }
}

/** Random bytes, and samples with a few bytes changed or cut off; `check` sees each of them. */
export function fuzz(target: Target, numRuns: number, check: (bytes: Uint8Array) => void): void {
  fc.assert(
    fc.property(
      fc.constantFrom(...target.prefixes),
      fc.uint8Array({ maxLength: 1200 }),
      (prefix, bytes) => check(Uint8Array.from([...prefix, ...bytes])),
    ),
    { numRuns },
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(target.samples)),
      fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      fc.option(fc.nat(500), { freq: 4 }),
      (sample, edits, end) => {
        const bytes = sample.slice(0, end ?? sample.length)
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value
        check(bytes)
      },
    ),
    { numRuns: 2 * numRuns },
  )
}
