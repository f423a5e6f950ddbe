/** The calls of token standards: ERC-20, 721, 1155, 2612, and Permit2's allowances. */
import { equalBytes } from '@quorate/base'
import { type AbiValue, type Signature, signatureOf } from './abi.ts'
import { formatAddress } from './address.ts'
import {
  type Allowance,
  allowanceOf,
  allowanceWarning,
  operatorAllowance,
  operatorWarning,
  PERMIT2,
  UNBOUNDED,
} from './approvals.ts'
import {
  amountWords,
  type Call,
  type Effects,
  harmless,
  isZero,
  type Move,
  payerOf,
  payment,
  type Scope,
  tokenNotes,
  tokenOutput,
  understoodInPart,
} from './effects.ts'
import { knownToken } from './tokens.ts'

export type Method = {
  readonly signature: Signature
  /** What a call with these arguments does. The note that names the method is added by the caller. */
  effects(args: readonly AbiValue[], call: Call, scope: Scope): Effects
}

/** `Args` are the values that the types of `text` decode to. */
const method = <Args extends readonly AbiValue[]>(
  text: string,
  effects: (args: Args, call: Call, scope: Scope) => Effects,
): Method => ({
  signature: signatureOf(text),
  effects: (args, call, scope) => effects(args as Args, call, scope),
})

type Bytes = Uint8Array

export const TOKEN_METHODS: readonly Method[] = [
  method<[Bytes, bigint]>('transfer(address,uint256)', ([to, amount], call, scope) =>
    moves(call.caller, [{ standard: 'erc20', contract: call.to, to, amount }], call, scope),
  ),
  method<[Bytes, Bytes, bigint]>(
    'transferFrom(address,address,uint256)',
    ([from, to, amount], call, scope) => transferFrom(from, to, amount, call, scope),
  ),
  method<[Bytes, bigint]>('approve(address,uint256)', ([spender, amount], call, scope) =>
    allows({ token: call.to, holder: call.caller, spender, amount }, call, scope),
  ),
  method<[Bytes, bigint]>('increaseAllowance(address,uint256)', ([spender, amount], call, scope) =>
    understoodInPart('call', call, scope, {
      // What it may take already is not in the bytes.
      allowances: [
        allowanceOf({ token: call.to, holder: call.caller, spender, amount: UNBOUNDED }, scope),
      ],
      notes: tokenNotes(scope, call.to, amount),
      warnings: [
        `${allowanceWarning({ token: call.to, holder: call.caller, spender, amount }, scope)}, on top of what it may take already`,
      ],
    }),
  ),
  method<[Bytes, bigint]>('decreaseAllowance(address,uint256)', ([spender, amount], call, scope) =>
    harmless(call, scope, [
      `lets ${formatAddress(spender)} take ${amountWords(scope, call.to, amount)} less of the token ${formatAddress(call.to)} than before`,
    ]),
  ),
  method<[Bytes, Bytes, bigint, bigint, bigint, Bytes, Bytes]>(
    'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)',
    ([holder, spender, amount], call, scope) =>
      allows({ token: call.to, holder, spender, amount }, call, scope),
  ),
  method<[Bytes, Bytes, bigint, bigint, boolean, bigint, Bytes, Bytes]>(
    'permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)',
    ([holder, spender, , , isAllowed], call, scope) =>
      allows({ token: call.to, holder, spender, amount: isAllowed ? UNBOUNDED : 0n }, call, scope),
  ),
  method<[Bytes, Bytes, bigint, bigint]>(
    'approve(address,address,uint160,uint48)',
    ([token, spender, amount, until], call, scope) => {
      const effects = allows({ token, holder: call.caller, spender, amount, until }, call, scope)
      return formatAddress(call.to) === PERMIT2
        ? effects
        : {
            ...effects,
            isComplete: false,
            warnings: [
              ...effects.warnings,
              `${formatAddress(call.to)} is not Permit2, whose method this is`,
            ],
          }
    },
  ),
  method<[Bytes, Bytes, bigint]>(
    'safeTransferFrom(address,address,uint256)',
    ([from, to, id], call, scope) => collectible(from, to, id, undefined, call, scope),
  ),
  method<[Bytes, Bytes, bigint, Bytes]>(
    'safeTransferFrom(address,address,uint256,bytes)',
    ([from, to, id, data], call, scope) => collectible(from, to, id, data, call, scope),
  ),
  method<[Bytes, Bytes, bigint, bigint, Bytes]>(
    'safeTransferFrom(address,address,uint256,uint256,bytes)',
    ([from, to, id, amount, data], call, scope) =>
      withHookData(
        data,
        moves(from, [{ standard: 'erc1155', contract: call.to, to, amount, id }], call, scope),
      ),
  ),
  method<[Bytes, Bytes, readonly bigint[], readonly bigint[], Bytes]>(
    'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)',
    ([from, to, ids, amounts, data], call, scope) =>
      ids.length === amounts.length
        ? withHookData(
            data,
            moves(
              from,
              ids.map((id, i) => ({
                standard: 'erc1155',
                contract: call.to,
                to,
                amount: amounts[i]!,
                id,
              })),
              call,
              scope,
            ),
          )
        : understoodInPart('call', call, scope, {
            warnings: ['moves tokens, but names not as many amounts as tokens'],
          }),
  ),
  method<[Bytes, boolean]>(
    'setApprovalForAll(address,bool)',
    ([operator, isAllowed], call, scope) =>
      isAllowed
        ? understoodInPart('call', call, scope, {
            allowances: [operatorAllowance(call.to, operator, scope)],
            warnings: [operatorWarning(call.to, call.caller, operator, scope)],
          })
        : harmless(call, scope, [
            `ends the right of ${formatAddress(operator)} over the collection ${formatAddress(call.to)}`,
          ]),
  ),
]

/** Tokens of `from` go where the moves say. */
function moves(from: Bytes, given: readonly Move[], call: Call, scope: Scope): Effects {
  const pays = call.value > 0n
  return {
    kind: given.length === 1 ? 'token' : 'batch',
    from: [formatAddress(from), ...payerOf(call)],
    outputs: [
      ...given.map((move) => tokenOutput(move, scope)),
      ...(pays ? [payment(call, scope)] : []),
    ],
    allowances: [],
    isComplete: given.length > 0,
    notes: given.flatMap(({ standard, contract, amount }) =>
      standard === 'erc20' ? tokenNotes(scope, contract, amount) : [],
    ),
    warnings: [
      ...(pays ? ['also pays the contract, which a token transfer has no use for'] : []),
      ...(given.some(({ to, contract }) => equalBytes(to, contract))
        ? ['sends the tokens to their own contract']
        : []),
      ...(given.some(({ to }) => isZero(to))
        ? ['sends the tokens to the zero address, whose key nobody has']
        : []),
    ],
  }
}

/** ERC-20 and ERC-721 have this call in common: the number is an amount or the id of one token. */
function transferFrom(from: Bytes, to: Bytes, amount: bigint, call: Call, scope: Scope): Effects {
  const effects = moves(from, [{ standard: 'erc20', contract: call.to, to, amount }], call, scope)
  return knownToken(scope.network, call.to) !== undefined
    ? effects
    : { ...effects, isComplete: false, warnings: [...effects.warnings, amountOrId(call.to)] }
}

const amountOrId = (contract: Bytes): string =>
  `the number is an amount, or, if ${formatAddress(contract)} is a collection, the id of one token`

function collectible(
  from: Bytes,
  to: Bytes,
  id: bigint,
  data: Bytes | undefined,
  call: Call,
  scope: Scope,
): Effects {
  const move: Move = { standard: 'erc721', contract: call.to, to, amount: 1n, id }
  return withHookData(data ?? new Uint8Array(0), moves(from, [move], call, scope))
}

/** A receiver that is a contract gets the data and may do with its new tokens what it says. */
const withHookData = (data: Bytes, effects: Effects): Effects =>
  data.length === 0
    ? effects
    : {
        ...effects,
        isComplete: false,
        warnings: [
          ...effects.warnings,
          `hands ${data.length} bytes that are not understood to the receiver of the tokens`,
        ],
      }

function allows(allowance: Allowance, call: Call, scope: Scope): Effects {
  const { token, spender, amount } = allowance
  const isKnown = knownToken(scope.network, token) !== undefined
  if (isKnown && amount === 0n)
    return harmless(call, scope, [
      `ends what ${formatAddress(spender)} may take of the token ${formatAddress(token)}`,
    ])
  return understoodInPart('call', call, scope, {
    allowances: [allowanceOf(allowance, scope)],
    notes: amount < 2n ** 255n ? tokenNotes(scope, token, amount) : [],
    warnings: [allowanceWarning(allowance, scope), ...(isKnown ? [] : [amountOrId(token)])],
  })
}
