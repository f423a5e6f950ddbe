import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSolanaTokenTransfer, encodeOffchain } from '@quorate/chains'
import { base58 } from '@scure/base'
import { joinEnvelope, splitEnvelope } from '#src/solana/message.js'
import { flipEveryByte, fuzz, meaning, solanaTarget, type Target } from '../fuzzing.js'
import { carol, dave } from '../wallets.js'
import { BLOCKHASH, call, OWN, SECOND, unsignedOf } from './samples.js'
import { TOKEN_VECTORS } from './token-vectors.js'

const TOKEN = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb'
const target: Target = {
  ...solanaTarget,
  samples: {
    ...solanaTarget.samples,
    'a transfer of tokens': buildSolanaTokenTransfer({
      from: OWN,
      to: base58.encode(dave.key.publicKey),
      mint: 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v',
      amount: 5n,
      decimals: 6,
      memo: 'memo',
      priority: { units: 1000, microLamports: 5n },
      lifetime: { nonce: BLOCKHASH, nonceAccount: SECOND },
    }).unsigned,
    'many instructions': unsignedOf(
      TOKEN_VECTORS.slice(0, 12).map(([, data, accounts]) => call(TOKEN, data, accounts)),
    ),
    'a text': encodeOffchain('Sign in', [carol.key.publicKey, dave.key.publicKey]),
  },
  prefixes: [...solanaTarget.prefixes, [0xff, 0x73, 0x6f, 0x6c, 0x61, 0x6e, 0x61]],
}

for (const [name, sample] of Object.entries(target.samples))
  test(`no flipped byte leaves both view and message the same: ${name}`, () => {
    flipEveryByte(target, sample, (at) => at % 8)
  })

test('random and mutated bytes end in a fault or in the same bytes again', () => {
  fuzz(target, 300, (bytes) => {
    if (meaning(target, bytes) === undefined) return
    const { signatures, message } = splitEnvelope(bytes)
    assert.deepEqual(signatures === undefined ? message : joinEnvelope(signatures, message), bytes)
  })
})
