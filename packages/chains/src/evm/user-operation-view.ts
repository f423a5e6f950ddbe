/** What a user operation has a smart account do, in the words of its owner. */
import type { TxView } from '@quorate/api'
import { formatAmount } from '../amount.ts'
import { formatAddress } from './address.ts'
import { effectsOfAccount } from './calls.ts'
import { claimWarnings, type TokenClaims } from './context.ts'
import type { Effects, Scope } from './effects.ts'
import type { EvmNetwork } from './networks.ts'
import {
  leadingAddress,
  maxPrefund,
  type UserOperation,
  userOperationId,
} from './user-operation.ts'
import { foreignWarnings, viewOfEffects } from './view.ts'

/** `own` is the 20-byte address of the wallet, whose signature the account is asked to take. */
export function viewOfUserOperation(
  operation: UserOperation,
  network: EvmNetwork,
  own: Uint8Array,
  claims: TokenClaims,
): TxView {
  const scope: Scope = { network, own, claims }
  const { sender, nonce, version, initCode, paymasterAndData } = operation
  const effects = effectsOf(operation, scope)
  const fee = maxPrefund(operation)
  const isPlain = initCode.length === 0 && paymasterAndData.length === 0
  return {
    ...viewOfEffects(effects, scope, [sender]),
    fee: { asset: network.asset, amount: fee, isClaimed: false },
    // A factory and a paymaster are called besides, and nothing is known of what they do.
    calls: isPlain ? effects.calls : undefined,
    allowances: isPlain ? effects.allowances : undefined,
    // Whether the wallet owns the account, and what its code makes of the calls, is not in the bytes.
    isComplete: false,
    notes: [
      `user operation ${userOperationId(operation)} of the account ${formatAddress(sender)}, entry point ${version}, nonce ${nonce}`,
      operation.signs === 'hash'
        ? 'signed by its hash'
        : 'signed by its hash as a personal message (EIP-191)',
      'the fee is the most that is set aside for it',
      ...effects.notes,
    ],
    warnings: [
      ...(initCode.length > 0
        ? [`has the factory ${leadingAddress(initCode)} make the account first`]
        : []),
      ...(paymasterAndData.length > 0
        ? [
            `the paymaster ${leadingAddress(paymasterAndData)} pays the fee, and may take something else for it`,
          ]
        : []),
      ...effects.warnings,
      ...foreignWarnings(effects, [own, sender]),
      ...claimWarnings(network, claims),
      ...(fee > network.highFee
        ? [`the fee of up to ${formatAmount(fee, network.asset)} is unusually high`]
        : []),
    ],
  }
}

function effectsOf({ sender, entryPoint, callData }: UserOperation, scope: Scope): Effects {
  if (callData.length === 0)
    return {
      kind: 'call',
      from: [],
      outputs: [],
      calls: [],
      allowances: [],
      isComplete: false,
      notes: [],
      warnings: [],
    }
  return effectsOfAccount(
    { caller: entryPoint, payer: entryPoint, to: sender, value: 0n, data: callData },
    scope,
  )
}
