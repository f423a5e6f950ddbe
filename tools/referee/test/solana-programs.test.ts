/** Instructions, derived addresses, tables and texts: ours against @solana/kit and the official System client. */
import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { test } from 'node:test'
import { concatBytes, fromHex } from '@quorate/base'
import {
  associatedTokenAddress,
  buildSolanaTokenTransfer,
  buildSolanaTransfer,
  encodeOffchain,
  encodeSolanaContext,
  findAdapter,
  findProgramAddress,
  type SolanaContext,
  type UnsignedTx,
} from '@quorate/chains'
import { sampleBlockhash, sampleRecipient } from '@quorate/referee'
import {
  address,
  appendTransactionMessageInstructions,
  type Blockhash,
  compileOffchainMessageEnvelope,
  compileTransaction,
  compressTransactionMessageUsingAddressLookupTables,
  createNoopSigner,
  createTransactionMessage,
  decompileTransactionMessage,
  getAddressDecoder,
  getAddressEncoder,
  getCompiledTransactionMessageDecoder,
  getOffchainMessageEnvelopeDecoder,
  getOffchainMessageEnvelopeEncoder,
  getProgramDerivedAddress,
  getTransactionDecoder,
  getTransactionEncoder,
  type Instruction,
  type Nonce,
  type OffchainMessage,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  setTransactionMessageLifetimeUsingDurableNonce,
  verifyOffchainMessageEnvelope,
} from '@solana/kit'
import {
  getAllocateInstruction,
  getAllocateWithSeedInstruction,
  getAssignInstruction,
  getAssignWithSeedInstruction,
  getAuthorizeNonceAccountInstruction,
  getCreateAccountInstruction,
  getCreateAccountWithSeedInstruction,
  getInitializeNonceAccountInstruction,
  getTransferSolInstruction,
  getTransferSolWithSeedInstruction,
  getUpgradeNonceAccountInstruction,
  getWithdrawNonceAccountInstruction,
} from '@solana-program/system'
import fc from 'fast-check'

const secret = createPrivateKey({
  key: Buffer.from(
    concatBytes(fromHex('302e020100300506032b657004220420'), new Uint8Array(32).fill(7)),
  ),
  format: 'der',
  type: 'pkcs8',
})
const publicKey = Uint8Array.from(
  createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32),
)
const key = { scheme: 'ed25519', publicKey } as const
const adapter = findAdapter('solana-devnet')
const own = adapter.address(key)
const me = createNoopSigner(address(own))
const other = address(sampleRecipient('other'))
const program = address(sampleRecipient('program'))
const blockhash = sampleBlockhash(own)
const EMPTY = new Uint8Array(0)

const viewOf = (
  unsigned: Uint8Array,
  context: SolanaContext = {},
): ReturnType<UnsignedTx['view']> =>
  adapter.parse({ unsigned, context: encodeSolanaContext(context), key }).view()

const begun = setTransactionMessageLifetimeUsingBlockhash(
  { blockhash: blockhash as Blockhash, lastValidBlockHeight: 1n },
  setTransactionMessageFeePayer(me.address, createTransactionMessage({ version: 0 })),
)
const bytesOf = (message: Parameters<typeof compileTransaction>[0]): Uint8Array =>
  Uint8Array.from(getTransactionEncoder().encode(compileTransaction(message)))
const unsignedOf = (...instructions: readonly Instruction[]): Uint8Array =>
  bytesOf(appendTransactionMessageInstructions(instructions, begun))

const SEED = 'seed'
/** As the System program makes it, but by node:crypto. */
const seeded = getAddressDecoder().decode(
  createHash('sha256')
    .update(publicKey)
    .update(SEED)
    .update(Uint8Array.from(getAddressEncoder().encode(program)))
    .digest(),
)

test('every instruction of the official System client is read', () => {
  const made = seeded
  const nonceAccount = other
  const cases: readonly (readonly [Instruction, string, boolean])[] = [
    [
      getCreateAccountInstruction({
        payer: me,
        newAccount: createNoopSigner(other),
        lamports: 9n,
        space: 10,
        programAddress: program,
      }),
      `makes ${other} an account of 10 bytes for program ${program}`,
      true,
    ],
    [
      getAssignInstruction({ account: me, programAddress: program }),
      `gives the account ${own} with all its SOL to program ${program}`,
      false,
    ],
    [
      getTransferSolInstruction({ source: me, destination: other, amount: 9n }),
      'the fee pays 1 signature',
      true,
    ],
    [
      getCreateAccountWithSeedInstruction({
        payer: me,
        newAccount: made,
        base: me.address,
        seed: SEED,
        amount: 9n,
        space: 10,
        programAddress: program,
      }),
      `makes ${made} an account of 10 bytes for program ${program}`,
      true,
    ],
    [
      getWithdrawNonceAccountInstruction({
        nonceAccount,
        recipientAccount: program,
        nonceAuthority: me,
        withdrawAmount: 9n,
      }),
      `takes it out of the nonce account ${other}`,
      true,
    ],
    [
      getInitializeNonceAccountInstruction({ nonceAccount, nonceAuthority: program }),
      `makes ${other} a nonce account, which ${program} controls`,
      true,
    ],
    [
      getAuthorizeNonceAccountInstruction({
        nonceAccount,
        nonceAuthority: me,
        newNonceAuthority: program,
      }),
      `gives the nonce account ${other} with all its SOL to ${program}`,
      false,
    ],
    [
      getAllocateInstruction({ newAccount: createNoopSigner(other), space: 10 }),
      `makes room for 10 bytes in ${other}`,
      true,
    ],
    [
      getAllocateWithSeedInstruction({
        newAccount: made,
        baseAccount: me,
        base: me.address,
        seed: SEED,
        space: 10,
        programAddress: program,
      }),
      `gives the account ${made} with all its SOL to program ${program}`,
      false,
    ],
    [
      getAssignWithSeedInstruction({
        account: made,
        baseAccount: me,
        base: me.address,
        seed: SEED,
        programAddress: program,
      }),
      `gives the account ${made} with all its SOL to program ${program}`,
      false,
    ],
    [
      getTransferSolWithSeedInstruction({
        source: made,
        baseAccount: me,
        destination: other,
        amount: 9n,
        fromSeed: SEED,
        fromOwner: program,
      }),
      `takes it out of ${made}`,
      true,
    ],
    [
      getUpgradeNonceAccountInstruction({ nonceAccount }),
      `renews the nonce account ${other}`,
      true,
    ],
  ]
  for (const [instruction, text, isComplete] of cases) {
    const { notes, warnings, outputs, ...view } = viewOf(unsignedOf(instruction))
    assert.ok(
      [...notes, ...warnings].some((line) => line.includes(text)),
      text,
    )
    assert.equal(view.isComplete, isComplete, text)
    assert.ok(outputs.every(({ amount }) => amount === 9n))
  }
})

type Read = {
  readonly payer: string
  readonly lifetime: unknown
  readonly instructions: readonly Instruction[]
}

/** As kit reads it. */
function decompiled(unsigned: Uint8Array): Read {
  const { messageBytes } = getTransactionDecoder().decode(unsigned)
  const message = getCompiledTransactionMessageDecoder().decode(messageBytes)
  const { feePayer, lifetimeConstraint, instructions } = decompileTransactionMessage(message)
  return { payer: feePayer.address, lifetime: lifetimeConstraint, instructions }
}
const plain = ({ programAddress, accounts = [], data = EMPTY }: Instruction) => ({
  programAddress,
  accounts: accounts.map((account) => ({ address: account.address, role: account.role })),
  data: Buffer.from(data).toString('hex'),
})

test('what our builders make, kit reads as what its own builders make', () => {
  const lifetime = { nonce: blockhash, nonceAccount: program }
  const ours = decompiled(
    buildSolanaTransfer({ from: own, to: other, lamports: 9n, lifetime }).unsigned,
  )
  const theirs = appendTransactionMessageInstructions(
    [getTransferSolInstruction({ source: me, destination: other, amount: 9n })],
    setTransactionMessageLifetimeUsingDurableNonce(
      {
        nonce: blockhash as unknown as Nonce,
        nonceAccountAddress: program,
        nonceAuthorityAddress: me.address,
      },
      setTransactionMessageFeePayer(me.address, createTransactionMessage({ version: 0 })),
    ),
  )
  assert.equal(ours.payer, own)
  assert.deepEqual(ours.lifetime, { nonce: blockhash })
  assert.deepEqual(
    ours.instructions.map(plain),
    decompiled(bytesOf(theirs)).instructions.map(plain),
  )
})

test('a transfer of tokens has the accounts and roles of the token programs', () => {
  const mint = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU'
  const token = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'
  const { unsigned } = buildSolanaTokenTransfer({
    from: own,
    to: own,
    mint,
    amount: 5n,
    decimals: 6,
    lifetime: { blockhash },
  })
  const account = associatedTokenAddress(own, mint, token)
  const [create, pay] = decompiled(unsigned).instructions.map(plain)
  assert.equal(create!.data, '01')
  assert.deepEqual(
    create!.accounts.map((each) => each.address),
    [own, account, own, mint, '11111111111111111111111111111111', token],
  )
  assert.deepEqual(pay, {
    programAddress: token,
    // The message gives every account the most that any instruction asks of it.
    accounts: [
      { address: account, role: 1 },
      { address: mint, role: 0 },
      { address: account, role: 1 },
      { address: own, role: 3 },
    ],
    data: '0c050000000000000006',
  })
})

test('program addresses are those of kit', async () => {
  const encoder = getAddressEncoder()
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 32 }), { maxLength: 5 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      async (seeds, owner) => {
        const programAddress = getAddressDecoder().decode(owner)
        const [theirs, bump] = await getProgramDerivedAddress({ programAddress, seeds })
        assert.deepEqual(findProgramAddress(seeds, programAddress), { address: theirs, bump })
      },
    ),
    { numRuns: 40 },
  )
  const token = address('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA')
  const [account] = await getProgramDerivedAddress({
    programAddress: address('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL'),
    seeds: [other, token, program].map((each) => encoder.encode(each)),
  })
  assert.equal(associatedTokenAddress(other, program, token), account)
})

test('a payee that kit puts into an address table is shown as claimed', () => {
  const table = address(sampleRecipient('table'))
  const message = compressTransactionMessageUsingAddressLookupTables(
    appendTransactionMessageInstructions(
      [getTransferSolInstruction({ source: me, destination: other, amount: 9n })],
      begun,
    ),
    { [table]: [program, other] },
  )
  const unsigned = bytesOf(message)
  assert.equal(viewOf(unsigned).isComplete, false)
  const view = viewOf(unsigned, { loaded: { writable: [other], readonly: [] } })
  assert.deepEqual(
    view.outputs.map(({ to, amount, isClaimed }) => [to, amount, isClaimed]),
    [[other, 9n, true]],
  )
})

test('off-chain messages of kit are signed, and kit verifies them', async () => {
  const requiredSignatories = [{ address: me.address }]
  const messages = [
    {
      version: 0,
      applicationDomain: program,
      content: { format: 0, text: 'Sign in' },
      requiredSignatories,
    },
    {
      version: 0,
      applicationDomain: program,
      content: { format: 1, text: 'Grüezi' },
      requiredSignatories,
    },
    { version: 1, content: 'Grüezi', requiredSignatories },
  ] as unknown as readonly OffchainMessage[]
  for (const message of messages) {
    const envelope = compileOffchainMessageEnvelope(message)
    const unsigned = Uint8Array.from(getOffchainMessageEnvelopeEncoder().encode(envelope))
    const tx = adapter.parse({ unsigned, context: EMPTY, key })
    const [item] = tx.prepare()
    assert.deepEqual(item!.message, Uint8Array.from(envelope.content))
    const signature = Uint8Array.from(sign(null, item!.message, secret))
    const { bytes } = tx.attach(new Map([[item!.id, signature]])).serialise()
    await verifyOffchainMessageEnvelope(getOffchainMessageEnvelopeDecoder().decode(bytes))
    if (message.version === 1)
      assert.deepEqual(encodeOffchain('Grüezi', [publicKey]), Uint8Array.from(envelope.content))
  }
})
