/**
 * A chain with the id of Sepolia in memory: ethereumjs runs every transaction in a block of its own,
 * behind as much of the JSON-RPC as viem and ethers ask for.
 */
import { type Block, createBlock } from '@ethereumjs/block'
import { createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common'
import { createTxFromRLP, type TypedTransaction } from '@ethereumjs/tx'
import {
  type Account,
  type Address,
  bytesToHex,
  createAccount,
  createAddressFromString,
  hexToBytes,
  type PrefixedHexString,
} from '@ethereumjs/util'
import { createVM, type RunTxResult, runTx } from '@ethereumjs/vm'
import { serveRpc } from './json-rpc-server.ts'

const CHAIN_ID = 11_155_111
const BASE_FEE = 1_000_000_000n
const BLOCK_GAS = 30_000_000n

type Hex = PrefixedHexString
type Call = {
  readonly from?: Hex
  readonly to?: Hex | null
  readonly value?: Hex
  readonly data?: Hex
  readonly input?: Hex
}
type Mined = {
  readonly tx: TypedTransaction
  readonly block: Block
  readonly result: RunTxResult
}

export type LocalEvm = { readonly url: string; close(): Promise<void> }

const quantity = (value: bigint | number): Hex => `0x${value.toString(16)}`

/** Every address of `rich` begins with a hundred coins. */
export async function startEvm(rich: readonly string[]): Promise<LocalEvm> {
  const common = createCustomCommon({ chainId: CHAIN_ID, name: 'local' }, Mainnet, {
    hardfork: Hardfork.Prague,
  })
  const vm = await createVM({ common })
  const { stateManager } = vm
  for (const address of rich)
    await stateManager.putAccount(
      createAddressFromString(address),
      createAccount({ balance: 100n * 10n ** 18n }),
    )
  const blockAt = (number: number): Block =>
    createBlock(
      {
        header: {
          number,
          baseFeePerGas: BASE_FEE,
          gasLimit: BLOCK_GAS,
          timestamp: 1_700_000_000 + 12 * number,
        },
      },
      { common, skipConsensusFormatValidation: true },
    )
  const blocks = [blockAt(0)]
  const mined = new Map<string, Mined>()
  const hashOf = (block: Block): Hex => bytesToHex(block.hash())

  const accountOf = async (address: Hex): Promise<Account> =>
    (await stateManager.getAccount(createAddressFromString(address))) ?? createAccount({})

  async function simulate(call: Call): Promise<{ readonly gas: bigint; readonly output: Hex }> {
    const copy = await vm.shallowCopy()
    const address = (text: Hex | null | undefined): Address | undefined =>
      text === undefined || text === null ? undefined : createAddressFromString(text)
    const [caller, to] = [address(call.from), address(call.to)]
    const data = hexToBytes(call.data ?? call.input ?? '0x')
    const { execResult } = await copy.evm.runCall({
      ...(caller !== undefined && { caller, origin: caller }),
      ...(to !== undefined && { to }),
      value: BigInt(call.value ?? 0),
      data,
      gasLimit: BLOCK_GAS,
      block: blocks.at(-1)!,
    })
    if (execResult.exceptionError !== undefined) throw new Error('execution reverted')
    // Some more than it takes: each byte at the price of one that is not zero.
    const gas = 60_000n + 40n * BigInt(data.length) + execResult.executionGasUsed
    const isPayment = data.length === 0 && execResult.executionGasUsed === 0n
    return { gas: isPayment ? 21_000n : gas, output: bytesToHex(execResult.returnValue) }
  }

  const blockJson = (block: Block | undefined): object | null =>
    block === undefined
      ? null
      : {
          ...block.toJSON().header,
          number: quantity(block.header.number),
          hash: hashOf(block),
          size: '0x200',
          totalDifficulty: '0x0',
          transactions: [...mined].flatMap(([hash, { block: of }]) => (of === block ? [hash] : [])),
          uncles: [],
        }
  const placeOf = (hash: Hex, { tx, block }: Mined) => ({
    transactionHash: hash,
    transactionIndex: '0x0',
    blockHash: hashOf(block),
    blockNumber: quantity(block.header.number),
    from: tx.getSenderAddress().toString(),
    to: tx.to?.toString() ?? null,
  })
  const asked = (tag: Hex | 'latest' | 'pending'): Block | undefined =>
    tag.startsWith('0x') ? blocks[Number(tag)] : blocks.at(-1)

  const server = await serveRpc({
    eth_chainId: () => quantity(CHAIN_ID),
    net_version: () => String(CHAIN_ID),
    eth_blockNumber: () => quantity(blocks.length - 1),
    eth_getBlockByNumber: (tag: Hex) => blockJson(asked(tag)),
    eth_gasPrice: () => quantity(2n * BASE_FEE),
    eth_maxPriorityFeePerGas: () => quantity(BASE_FEE),
    eth_getBalance: async (address: Hex) => quantity((await accountOf(address)).balance),
    eth_getTransactionCount: async (address: Hex) => quantity((await accountOf(address)).nonce),
    eth_getCode: async (address: Hex) =>
      bytesToHex(await stateManager.getCode(createAddressFromString(address))),
    eth_call: async (call: Call) => (await simulate(call)).output,
    eth_estimateGas: async (call: Call) => quantity((await simulate(call)).gas),
    async eth_sendRawTransaction(raw: Hex) {
      const tx = createTxFromRLP(hexToBytes(raw), { common })
      const block = blockAt(blocks.length)
      // Verifies the signature, and charges whom it leads to.
      const result = await runTx(vm, { tx, block })
      const hash = bytesToHex(tx.hash())
      blocks.push(block)
      mined.set(hash, { tx, block, result })
      return hash
    },
    eth_getTransactionByHash(hash: Hex) {
      const found = mined.get(hash)
      if (found === undefined) return null
      const { to, from, ...place } = placeOf(hash, found)
      return { ...found.tx.toJSON(), ...place, to, from, hash, gas: quantity(found.tx.gasLimit) }
    },
    eth_getTransactionReceipt(hash: Hex) {
      const found = mined.get(hash)
      if (found === undefined) return null
      const { tx, result } = found
      return {
        ...placeOf(hash, found),
        type: quantity(tx.type),
        status: result.execResult.exceptionError === undefined ? '0x1' : '0x0',
        contractAddress: result.createdAddress?.toString() ?? null,
        gasUsed: quantity(result.totalGasSpent),
        cumulativeGasUsed: quantity(result.totalGasSpent),
        effectiveGasPrice: quantity(2n * BASE_FEE),
        logs: [],
        logsBloom: `0x${'00'.repeat(256)}`,
      }
    },
  })
  return server
}
