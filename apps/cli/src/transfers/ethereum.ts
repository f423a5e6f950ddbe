/** Transfers on Ethereum and networks like it. */
import { bug, Fault } from '@quorate/base'
import {
  buildEvmTokenTransfer,
  buildEvmTransfer,
  EVM_TOKENS,
  type EvmFees,
  type EvmNetwork,
  type EvmTransfer,
  parseAmount,
  type Token,
  unitOf,
} from '@quorate/chains'
import type { Account } from '../account.ts'
import type { Given } from '../command.ts'
import { feesOf, gasOf, nonceOf } from '../remote/ethereum.ts'
import { amountOf, bigOf, type Family, NONCE, orAsk, type TransferTask } from './family.ts'

const GWEI = { symbol: 'gwei', decimals: 9 }

export const ethereum: Family = {
  options: {
    nonce: NONCE,
    'max-fee': {
      kind: 'text',
      value: 'WEI',
      about: 'Ethereum: the most to pay for each gas, e.g. 20gwei',
    },
    'priority-fee': {
      kind: 'text',
      value: 'WEI',
      about: 'Ethereum: of it, the most to give to the validator',
    },
    'gas-price': {
      kind: 'text',
      value: 'WEI',
      about: 'Ethereum: one price for each gas, in a legacy transaction',
    },
    'gas-limit': {
      kind: 'text',
      value: 'GAS',
      about:
        'Ethereum: the most gas to use (default: as the node says, 21000, or 100000 for tokens)',
    },
  },
  async transfer(task) {
    const { given, account } = task
    const { asset } = networkOf(account)
    const amount = amountOf(given, unitOf(asset))
    const to = account.adapter.parseAddress(given.required('to'))
    return buildEvmTransfer(await common(task, { to, amount }, { to, value: amount, data: '0x' }))
  },
  tokens: {
    options: {},
    async transfer(task) {
      const { given, account } = task
      const { token, unit } = tokenOf(given, account)
      const amount = amountOf(given, unit)
      const to = account.adapter.parseAddress(given.required('to'))
      const data = `0x${TRANSFER_SELECTOR}${word(BigInt(to))}${word(amount)}`
      const call = { to: token, value: 0n, data }
      return buildEvmTokenTransfer({ ...(await common(task, { to, amount }, call)), token })
    },
  },
}

/** Of `transfer(address,uint256)`. */
const TRANSFER_SELECTOR = 'a9059cbb'
const word = (value: bigint): string => value.toString(16).padStart(64, '0')

const networkOf = ({ adapter: { network } }: Account): EvmNetwork =>
  network.adapter === 'evm' ? network : bug('not a network like Ethereum')

/** What every transfer takes; `call` is what gas is estimated for. */
async function common(
  task: TransferTask,
  payment: Pick<EvmTransfer, 'to' | 'amount'>,
  call: { readonly to: string; readonly value: bigint; readonly data: string },
): Promise<EvmTransfer> {
  const { given, account, endpoint } = task
  const { address } = account
  const gasLimit =
    bigOf(given, 'gas-limit') ??
    (endpoint === undefined ? undefined : await gasOf(endpoint, { from: address, ...call }))
  return {
    network: account.network,
    ...payment,
    nonce: await orAsk(bigOf(given, 'nonce'), task, 'nonce', (node) => nonceOf(node, address)),
    fees: await orAsk(givenFees(given), task, 'max-fee and --priority-fee', feesOf),
    ...(gasLimit !== undefined && { gasLimit }),
  }
}

/** @throws cli/bad-value, cli/missing-argument, chains/bad-amount */
function givenFees(given: Given): EvmFees | undefined {
  const [maxFee, priorityFee, gasPrice] = ['max-fee', 'priority-fee', 'gas-price'].map((name) => {
    const text = given.text(name)
    return text === undefined ? undefined : parseAmount(text, [GWEI])
  })
  if (gasPrice !== undefined) {
    if (maxFee === undefined && priorityFee === undefined) return { gasPrice }
    throw new Fault('cli/bad-value', { detail: '--gas-price stands alone' })
  }
  if (maxFee === undefined && priorityFee === undefined) return undefined
  if (maxFee === undefined || priorityFee === undefined)
    throw new Fault('cli/missing-argument', { detail: '--max-fee and --priority-fee go together' })
  return { maxFeePerGas: maxFee, maxPriorityFeePerGas: priorityFee }
}

/** @throws cli/missing-argument, chains/bad-address, chains/unknown-token */
function tokenOf(
  given: Given,
  { adapter, network }: Account,
): { readonly token: string; readonly unit: Token | undefined } {
  const text = given.required('token')
  const known = EVM_TOKENS[network] ?? []
  if (!text.startsWith('0x')) {
    const unit = known.find(({ symbol }) => symbol === text)
    if (unit === undefined) throw new Fault('chains/unknown-token')
    return { token: unit.address, unit }
  }
  const token = adapter.parseAddress(text)
  return { token, unit: known.find(({ address }) => address === token) }
}
