/** What @solana/kit makes, our adapter signs; what our adapter writes, kit and WebCrypto accept. */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { test } from 'node:test'
import { concatBytes, fromHex, toHex } from '@quorate/base'
import { findAdapter, type UnsignedTx } from '@quorate/chains'
import { checkSolana, makeSolanaTransfer, sampleBlockhash, sampleRecipient } from '@quorate/referee'
import {
  AccountRole,
  address,
  appendTransactionMessageInstructions,
  type Blockhash,
  compileTransaction,
  createNoopSigner,
  createTransactionMessage,
  getTransactionEncoder,
  type Instruction,
  type Nonce,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  setTransactionMessageLifetimeUsingDurableNonce,
} from '@solana/kit'
import { getTransferSolInstruction } from '@solana-program/system'

const PKCS8 = fromHex('302e020100300506032b657004220420')
const secret = createPrivateKey({
  key: Buffer.from(concatBytes(PKCS8, new Uint8Array(32).fill(7))),
  format: 'der',
  type: 'pkcs8',
})
const publicKey = Uint8Array.from(
  createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32),
)
const key = { scheme: 'ed25519', publicKey } as const
const adapter = findAdapter('solana-devnet')
const from = adapter.address(key)

const parse = (unsigned: Uint8Array): UnsignedTx =>
  adapter.parse({ unsigned, context: new Uint8Array(0), key })
const signed = (tx: UnsignedTx) =>
  tx
    .attach(
      new Map(
        tx.prepare().map(({ id, message }) => [id, Uint8Array.from(sign(null, message, secret))]),
      ),
    )
    .serialise()

const transferHex = (lamports: string): string =>
  makeSolanaTransfer({
    from,
    to: sampleRecipient(from),
    lamports,
    blockhash: sampleBlockhash(from),
  })

test('a transfer made by kit is viewed, signed with node:crypto and accepted by kit', async () => {
  const unsigned = transferHex('1500000000')
  const tx = parse(fromHex(unsigned))
  const view = tx.view()
  assert.deepEqual(view.from, [from])
  assert.deepEqual(
    view.outputs.map(({ to, amount }) => [to, amount]),
    [[sampleRecipient(from), 1_500_000_000n]],
  )
  assert.equal(view.fee!.amount, 5_000n)
  assert.equal(view.isComplete, true)

  const { bytes, txid } = signed(tx)
  const verdict = await checkSolana({ unsigned, signed: toHex(bytes) })
  assert.deepEqual(verdict.reasons, [])
  assert.equal(verdict.isValid, true)
  assert.equal(verdict.txid, txid)
  assert.equal(verdict.message, toHex(tx.prepare()[0]!.message))
  assert.equal(toHex(bytes), `01${verdict.signature}${verdict.message}`)
})

const blockhash = { blockhash: sampleBlockhash(from) as Blockhash, lastValidBlockHeight: 1n }
const payer = address(from)
const pay = (amount: bigint): Instruction =>
  getTransferSolInstruction({
    source: createNoopSigner(payer),
    destination: address(sampleRecipient(from)),
    amount,
  })
const wireOf = (message: Parameters<typeof compileTransaction>[0]): Uint8Array =>
  Uint8Array.from(getTransactionEncoder().encode(compileTransaction(message)))
const compile = (version: 'legacy' | 0, instructions: readonly Instruction[]): Uint8Array =>
  wireOf(
    appendTransactionMessageInstructions(
      instructions,
      setTransactionMessageLifetimeUsingBlockhash(
        blockhash,
        setTransactionMessageFeePayer(payer, createTransactionMessage({ version })),
      ),
    ),
  )

for (const version of ['legacy', 0] as const)
  test(`several transfers with compute budget, version ${version}`, async () => {
    const budget = (data: string): Instruction => ({
      programAddress: address('ComputeBudget111111111111111111111111111111'),
      accounts: [],
      data: fromHex(data),
    })
    const unsigned = compile(version, [
      budget('02a0860100'),
      budget('0340420f0000000000'),
      pay(1n),
      pay(2n),
    ])
    const tx = parse(unsigned)
    const view = tx.view()
    assert.equal(view.kind, 'batch')
    assert.equal(view.isComplete, true)
    assert.deepEqual(
      view.outputs.map(({ amount }) => amount),
      [1n, 2n],
    )
    assert.equal(view.fee!.amount, 105_000n)
    const { bytes } = signed(tx)
    assert.deepEqual(
      (await checkSolana({ unsigned: toHex(unsigned), signed: toHex(bytes) })).reasons,
      [],
    )
  })

test('a durable nonce made by kit is recognised', () => {
  const nonceAccountAddress = address(sampleRecipient('nonce'))
  const unsigned = wireOf(
    appendTransactionMessageInstructions(
      [pay(1n)],
      setTransactionMessageLifetimeUsingDurableNonce(
        {
          nonce: sampleBlockhash('nonce') as unknown as Nonce,
          nonceAccountAddress,
          nonceAuthorityAddress: payer,
        },
        setTransactionMessageFeePayer(payer, createTransactionMessage({ version: 0 })),
      ),
    ),
  )
  const view = parse(unsigned).view()
  assert.equal(view.isComplete, true)
  assert.ok(view.notes.some((note) => note.includes(`durable nonce ${nonceAccountAddress}`)))
})

test('a recipient behind an address table made by kit is not understood', () => {
  const table = address(sampleRecipient('table'))
  const { data, programAddress } = pay(1n)
  const unsigned = compile(0, [
    {
      programAddress,
      data: data!,
      accounts: [
        { address: payer, role: AccountRole.WRITABLE_SIGNER },
        {
          address: address(sampleRecipient(from)),
          addressIndex: 4,
          lookupTableAddress: table,
          role: AccountRole.WRITABLE,
        } as never,
      ],
    },
  ])
  const view = parse(unsigned).view()
  assert.equal(view.isComplete, false)
  assert.deepEqual(view.outputs, [])
})

test('the referee finds every fault it is there to find', async () => {
  const unsigned = transferHex('5')
  const good = toHex(signed(parse(fromHex(unsigned))).bytes)
  const forged = fromHex(good)
  forged[7]! ^= 1
  assert.match(
    (await checkSolana({ unsigned, signed: toHex(forged) })).reasons[0]!,
    /does not verify/,
  )
  const other = toHex(signed(parse(fromHex(transferHex('6')))).bytes)
  assert.deepEqual((await checkSolana({ unsigned, signed: other })).reasons, [
    'its message is another one',
  ])
  await assert.rejects(checkSolana({ unsigned, signed: unsigned }))
})
