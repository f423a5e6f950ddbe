/**
 * What it takes to read an unsigned transaction and to put a signature into it, beside the libraries
 * that wallets of each network use, in the same run.
 *
 *   prepare-attach   unsigned bytes → what is to be signed; 64-byte signature → verified, signed bytes
 *   view             unsigned bytes → what it does, in plain words; libraries have no such thing
 *
 * Both sides begin and end with the same bytes, and verify the signature: ours with noble, viem with
 * noble, bitcoinjs-lib with libsecp256k1, Solana kit with the platform's Ed25519. Ours also refuses
 * what is not written in the one canonical form, which the libraries do not look at.
 *
 *   evm       an EIP-1559 transfer of coins, beside viem
 *   bitcoin   a PSBT of two P2WPKH coins with their previous transactions, beside bitcoinjs-lib
 *   solana    a transfer of SOL in a version 0 message, beside Solana kit
 */
import { webcrypto } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { equalBytes } from '@quorate/base'
import {
  buildBitcoinTransfer,
  buildEvmTransfer,
  buildSolanaTransfer,
  type ChainAdapter,
  digestOf,
  findAdapter,
  type KeyRef,
  type SignItem,
  type UnsignedTx,
  type Utxo,
} from '@quorate/chains'
import * as kit from '@solana/kit'
import { Psbt, payments, Transaction } from 'bitcoinjs-lib'
import * as ecc from 'tiny-secp256k1'
import * as viem from 'viem'
import { type Bench, type Row, row } from './report.ts'

const ECDSA = 'CGGMP24-secp256k1-SHA256-128-v1'
const SECRET = new Uint8Array(32).fill(0x2a)
/** Transactions of each kind, taken in turns, so that no parity of a signature is favoured. */
const SAMPLES = 8
const ROUNDS = 25

type Signatures = readonly Uint8Array[]
type Sample = { readonly unsigned: Uint8Array; readonly signatures: Signatures }
type Baseline = (sample: Sample) => Promise<Uint8Array>

type Kind = {
  readonly name: string
  readonly adapter: ChainAdapter
  readonly key: KeyRef
  make(n: number): Uint8Array
  readonly baseline: Baseline
}

export const chains: Bench = {
  about: 'Parsing, preparing and attaching of one transaction; baselines: viem, bitcoinjs-lib, kit',
  async *run() {
    for (const kind of [evm(), bitcoin(), solana()]) yield* measure(kind)
  },
}

async function* measure(kind: Kind): AsyncIterable<Row> {
  const { name, adapter, key, baseline } = kind
  const read = (unsigned: Uint8Array): UnsignedTx =>
    adapter.parse({ unsigned, context: new Uint8Array(0), key })
  const samples = Array.from({ length: SAMPLES }, (_, n): Sample => {
    const unsigned = kind.make(n)
    return { unsigned, signatures: read(unsigned).prepare().map(signed) }
  })
  const own = ({ unsigned, signatures }: Sample): Promise<Uint8Array> => {
    const tx = read(unsigned)
    const found = new Map(tx.prepare().map(({ id }, i) => [id, signatures[i]!]))
    return Promise.resolve(tx.attach(found).serialise().bytes)
  }
  for (const sample of samples)
    if (!equalBytes(await own(sample), await baseline(sample)))
      throw new Error(`${name}: the library makes other bytes`)
  const view = ({ unsigned }: Sample): Promise<unknown> => Promise.resolve(read(unsigned).view())
  const times = await inTurns(samples, [own, baseline, view])
  yield row(`chains/${name}/prepare-attach`, times[0]!, times[1])
  yield row(`chains/${name}/view`, times[2]!)
}

/** Median milliseconds of each work, on all samples in turns; the first round warms up. */
async function inTurns(
  samples: readonly Sample[],
  works: readonly ((sample: Sample) => Promise<unknown>)[],
): Promise<readonly number[]> {
  const times: number[][] = works.map(() => [])
  for (let round = -1; round < ROUNDS; round++)
    for (const sample of samples)
      for (const [i, work] of works.entries()) {
        const start = performance.now()
        await work(sample)
        if (round >= 0) times[i]!.push(performance.now() - start)
      }
  return times.map((all) => all.toSorted((a, b) => a - b)[all.length >> 1]!)
}

const signed = (item: SignItem): Uint8Array =>
  item.scheme === 'ecdsa-secp256k1'
    ? secp256k1.sign(digestOf(item.hash, item.message), SECRET, { prehash: false })
    : ed25519.sign(item.message, SECRET)

const ecdsaKey: KeyRef = {
  scheme: 'ecdsa-secp256k1',
  publicKey: secp256k1.getPublicKey(SECRET, true),
}

function evm(): Kind {
  const network = 'ethereum-sepolia'
  const adapter = findAdapter(network)
  const address = adapter.address(ecdsaKey)
  return {
    name: 'evm',
    adapter,
    key: ecdsaKey,
    make: (n) =>
      buildEvmTransfer({
        network,
        to: `0x${'ab'.repeat(20)}`,
        amount: 10n ** 15n,
        nonce: BigInt(n),
        fees: { maxFeePerGas: 30n * 10n ** 9n, maxPriorityFeePerGas: 10n ** 9n },
      }).unsigned,
    async baseline({ unsigned, signatures: [signature] }) {
      const tx = viem.parseTransaction(`0x02${viem.toHex(unsigned).slice(4)}`)
      const hash = viem.keccak256(viem.serializeTransaction(tx))
      const [r, s] = [viem.toHex(signature!.slice(0, 32)), viem.toHex(signature!.slice(32))]
      for (const yParity of [0, 1])
        if ((await viem.recoverAddress({ hash, signature: { r, s, yParity } })) === address)
          return viem.toBytes(viem.serializeTransaction(tx, { r, s, yParity }))
      throw new Error('not of this key')
    },
  }
}

function bitcoin(): Kind {
  const network = 'bitcoin'
  const adapter = findAdapter(network, ECDSA)
  const { publicKey } = ecdsaKey
  const script = payments.p2wpkh({ pubkey: publicKey }).output!
  const coin = (n: number): Utxo => {
    const previous = new Transaction()
    previous.addInput(new Uint8Array(32).fill(1), n)
    previous.addOutput(script, 30_000n)
    return { txid: previous.getId(), vout: 0, previousTx: previous.toBuffer() }
  }
  const to = [{ address: adapter.address(ecdsaKey), amount: 50_000n }]
  return {
    name: 'bitcoin',
    adapter,
    key: ecdsaKey,
    make: (n) =>
      buildBitcoinTransfer({
        network,
        key: ecdsaKey,
        coins: [coin(2 * n), coin(2 * n + 1)],
        to,
        feeRate: 3,
      }).unsigned,
    baseline({ unsigned, signatures }) {
      const psbt = Psbt.fromBuffer(unsigned)
      signatures.forEach((signature, i) => {
        psbt.signInput(i, { publicKey, sign: () => signature })
        if (!psbt.validateSignaturesOfInput(i, isValid)) throw new Error('not of this key')
      })
      return Promise.resolve(psbt.finalizeAllInputs().extractTransaction().toBuffer())
    },
  }
}

const isValid = (key: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean =>
  ecc.verify(hash, key, signature, true)

function solana(): Kind {
  const adapter = findAdapter('solana-devnet')
  const key: KeyRef = { scheme: 'ed25519', publicKey: ed25519.getPublicKey(SECRET) }
  const from = adapter.address(key)
  const address = kit.address(from)
  const hashOf = (n: number): string =>
    kit.getAddressDecoder().decode(new Uint8Array(32).fill(n + 1))
  return {
    name: 'solana',
    adapter,
    key,
    make: (n) =>
      buildSolanaTransfer({
        from,
        to: hashOf(100),
        lamports: 1_000_000n,
        lifetime: { blockhash: hashOf(n) },
      }).unsigned,
    async baseline({ unsigned, signatures: [signature] }) {
      const transaction = kit.getTransactionDecoder().decode(unsigned)
      const own = kit.signatureBytes(signature!)
      const full = { ...transaction, signatures: { ...transaction.signatures, [address]: own } }
      kit.assertIsFullySignedTransaction(full)
      const raw = Uint8Array.from(kit.getAddressEncoder().encode(address))
      const verifier = await webcrypto.subtle.importKey('raw', raw, 'Ed25519', true, ['verify'])
      if (!(await kit.verifySignature(verifier, own, full.messageBytes)))
        throw new Error('not of this key')
      return Uint8Array.from(kit.getTransactionEncoder().encode(full))
    },
  }
}
