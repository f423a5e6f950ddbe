/** Transactions that another wallet signed: what they do, and the same bytes again from its signatures. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scheme, TxView } from '@quorate/api'
import { findAdapter } from '@quorate/chains'
import { base58, base64 } from '@scure/base'
import { WALLET_CORE } from './wallet-core.js'

const adapter = findAdapter('solana-devnet')
const SCHEME: Scheme = 'ed25519'

type Expected = {
  readonly kind: TxView['kind']
  /** Payee and amount, `token` before the amounts of tokens. */
  readonly pays: readonly string[]
  readonly fee: bigint
  readonly note?: string
}

const EXPECTED: { readonly [name: string]: Expected } = {
  'transfer v0': {
    kind: 'transfer',
    fee: 5000n,
    pays: ['6pEfiZjMycJY4VA2FtAbKgYvRwzXDpxY58Xp4b7FQCz9 5000'],
  },
  'transfer with memo and references': {
    kind: 'transfer',
    fee: 5000n,
    pays: ['71e8mDsh3PR6gN64zL1HjwuxyKpgRXrPDUJT7XXojsVd 10000000'],
    note: 'with the memo "HelloSolanaMemo"',
  },
  'transfer with durable nonce': {
    kind: 'transfer',
    fee: 5000n,
    pays: ['3UVYmECPPMZSCqWKfENfuoTv51fTDTWicX9xmBD2euKe 1000'],
    note: 'does not expire',
  },
  'transfer with priority fee': {
    kind: 'transfer',
    fee: 5001n,
    pays: ['HwHDGHYeYfXdzwvCZu7zm21SzQ7ZLBGTLNkuscyFdpvZ 1001'],
    note: 'a priority fee of 1 lamports',
  },
  'delegate stake no stake account': {
    kind: 'transfer',
    fee: 5000n,
    pays: ['GQDDc5EVGJZFC7AvpEJ8eoCQ75Yy4gr7eu17frCjvQRQ 42'],
    note: 'may withdraw',
  },
  'deactivate all stake': { kind: 'call', fee: 5000n, pays: [] },
  'withdraw all stake': {
    kind: 'batch',
    fee: 5000n,
    pays: [
      'zVSpQnbBZ7dyUWzXhrUQRsTYYNzoAdJWHsHSqhPj3Xu 42',
      'zVSpQnbBZ7dyUWzXhrUQRsTYYNzoAdJWHsHSqhPj3Xu 67',
    ],
  },
  'create token account': {
    kind: 'call',
    fee: 5000n,
    pays: ['B1iGmDJdvmxyUiYM8UEo2Uw2D58EmUrw4KyLYMmrhf8V 2039280'],
  },
  'token transfer': {
    kind: 'token',
    fee: 5000n,
    pays: ['3WUX9wASxyScbA7brDipioKfXS1XEYkQ4vo3Kej9bKei token 4000'],
  },
  'create and transfer token 2': {
    kind: 'token',
    fee: 5000n,
    pays: [
      '3WUX9wASxyScbA7brDipioKfXS1XEYkQ4vo3Kej9bKei 2039280',
      '3WUX9wASxyScbA7brDipioKfXS1XEYkQ4vo3Kej9bKei token 4000',
    ],
    note: 'transfers 0.004 USDC',
  },
  'create nonce account': {
    kind: 'transfer',
    fee: 10000n,
    pays: ['6vNrYDm6EHcvBALY7HywuDWpTSc6uGt3y2nf5MuG1TmJ 10000000'],
  },
  'withdraw nonce account': {
    kind: 'transfer',
    fee: 5000n,
    pays: ['3UVYmECPPMZSCqWKfENfuoTv51fTDTWicX9xmBD2euKe 10000000'],
  },
  'advance nonce account': { kind: 'call', fee: 5000n, pays: [], note: 'does not expire' },
  'create and transfer token with external fee payer': {
    kind: 'token',
    fee: 10000n,
    pays: [
      'E54BymfdhXQtzDSGtgiJayauEMdB2gJjPqoDjzfbCXwj 2039280',
      'E54BymfdhXQtzDSGtgiJayauEMdB2gJjPqoDjzfbCXwj token 4000',
    ],
  },
  'create and transfer token 2022': {
    kind: 'token',
    fee: 5000n,
    pays: [
      'EbHdsfVpWzeQV4TceYQ2xENS8meBHyztyTKVSFtgHPUw 2672640',
      'EbHdsfVpWzeQV4TceYQ2xENS8meBHyztyTKVSFtgHPUw token 1000000000',
    ],
  },
  'sponsored transfer': {
    kind: 'batch',
    fee: 5000n,
    pays: [
      'DwvTHUygHJ2xdHBHT1HgvHaJfqHkPbS5omrGEEGpLHDc token 10000',
      'EkBtoCtDihccznHSF3P64kvcTt5xNxQ2jxYMjPXVH3DX 200000',
    ],
  },
}

const bytesOf = (text: string): Uint8Array =>
  /[+/=0]/.test(text) ? base64.decode(text) : base58.decode(text)

for (const [name, text] of Object.entries(WALLET_CORE))
  test(name, () => {
    const signed = bytesOf(text)
    const count = signed[0]!
    const message = signed.slice(1 + 64 * count)
    const keysAt = message[0] === 0x80 ? 5 : 4
    const expected = EXPECTED[name]!
    for (let i = 0; i < count; i++) {
      const [from, to] = [1 + 64 * i, 65 + 64 * i]
      const unsigned = signed.slice()
      unsigned.fill(0, from, to)
      const publicKey = message.slice(keysAt + 32 * i, keysAt + 32 * i + 32)
      const tx = adapter.parse({
        unsigned,
        context: new Uint8Array(0),
        key: { scheme: SCHEME, publicKey },
      })
      const view = tx.view()
      assert.equal(view.kind, expected.kind)
      assert.equal(view.fee!.amount, expected.fee)
      assert.deepEqual(
        view.outputs.map(({ to: payee, asset, amount }) =>
          [payee, ...(asset === 'SOL' ? [] : ['token']), amount].join(' '),
        ),
        expected.pays,
      )
      if (expected.note !== undefined)
        assert.ok(
          view.notes.some((note) => note.includes(expected.note!)),
          view.notes.join('\n'),
        )
      const { bytes } = tx.attach(new Map([['message', signed.slice(from, to)]])).serialise()
      assert.deepEqual(bytes, signed)
      assert.deepEqual(tx.verify(signed), [])
    }
  })
