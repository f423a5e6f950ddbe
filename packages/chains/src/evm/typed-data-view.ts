/** What typed data lets others do: permits, transfers by authorization, transactions of a Safe. */
import type { TxAllowance, TxView } from '@quorate/api'
import { equalBytes } from '@quorate/base'
import { formatAddress } from './address.ts'
import { type Allowance, allowanceOf, allowanceWarning, PERMIT2, UNBOUNDED } from './approvals.ts'
import { refundWarning } from './batches.ts'
import { effectsOfCall } from './calls.ts'
import { claimWarnings, type TokenClaims } from './context.ts'
import { type Effects, type Scope, tokenNotes, tokenOutput, untilWords } from './effects.ts'
import { refuse } from './fields.ts'
import type { EvmNetwork } from './networks.ts'
import { knownToken } from './tokens.ts'
import type { TypedData, TypedValue } from './typed-data.ts'
import { foreignWarnings, viewOfEffects } from './view.ts'

const MAX_LINES = 64
const MAX_LINE = 512

type Struct = ReadonlyMap<string, TypedValue>
type Recognised = (message: Struct, contract: Uint8Array, scope: Scope) => Effects

const address = (struct: Struct, name: string): Uint8Array => struct.get(name) as Uint8Array
const number = (struct: Struct, name: string): bigint => struct.get(name) as bigint

const TOKEN_PERMISSIONS = 'TokenPermissions(address token,uint256 amount)'
const PERMIT_DETAILS = 'PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)'
const AUTHORIZATION_FIELDS =
  'address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce'

/** By encodeType, so that a struct of the same name with other fields is not taken for it. */
const RECOGNISED: ReadonlyMap<string, Recognised> = new Map<string, Recognised>([
  [
    'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)',
    (message, contract, scope) =>
      permit(message, 'owner', number(message, 'value'), contract, scope),
  ],
  [
    'Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)',
    (message, contract, scope) =>
      permit(message, 'holder', message.get('allowed') === true ? UNBOUNDED : 0n, contract, scope),
  ],
  [
    `PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)${PERMIT_DETAILS}`,
    (message, contract, scope) =>
      permit2(message, [message.get('details') as Struct], 'expiration', contract, scope),
  ],
  [
    `PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)${PERMIT_DETAILS}`,
    (message, contract, scope) =>
      permit2(message, message.get('details') as readonly Struct[], 'expiration', contract, scope),
  ],
  [
    `PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)${TOKEN_PERMISSIONS}`,
    (message, contract, scope) =>
      permit2(message, [message.get('permitted') as Struct], 'deadline', contract, scope),
  ],
  [
    `PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline)${TOKEN_PERMISSIONS}`,
    (message, contract, scope) =>
      permit2(message, message.get('permitted') as readonly Struct[], 'deadline', contract, scope),
  ],
  [`TransferWithAuthorization(${AUTHORIZATION_FIELDS})`, transferByAuthorization],
  [`ReceiveWithAuthorization(${AUTHORIZATION_FIELDS})`, transferByAuthorization],
  [
    'SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)',
    safeTransaction,
  ],
])

/** Permit2 with a witness: the same fields first, then one of the application's own. */
const WITNESS =
  /^Permit(Batch)?WitnessTransferFrom\(TokenPermissions(\[\])? permitted,address spender,uint256 nonce,uint256 deadline,[^,()]+\)/

/** Names of fields that give somebody rights, in data that is not known otherwise. */
const SPENDERS = ['spender', 'operator', 'delegate', 'delegatee']
const ORDERS = ['OrderComponents', 'Order', 'BulkOrder']

/** `own` is the 20-byte address of the wallet. @throws chains/malformed-transaction for fields a known type cannot have */
export function viewOfTypedData(
  typed: TypedData,
  network: EvmNetwork,
  own: Uint8Array,
  claims: TokenClaims,
): TxView {
  const scope: Scope = { network, own, claims }
  const effects = effectsOf(typed, scope)
  return {
    ...viewOfEffects(effects, scope, [own]),
    fee: undefined,
    notes: [`signs typed data of the type ${typed.primaryType}`, ...effects.notes, ...lines(typed)],
    warnings: [
      ...effects.warnings,
      ...foreignWarnings(effects, [own]),
      ...domainWarnings(typed),
      ...claimWarnings(network, claims),
    ],
  }
}

function effectsOf(typed: TypedData, scope: Scope): Effects {
  const { encodedType, message, domain, primaryType } = typed
  const contract = domain.get('verifyingContract')
  if (contract instanceof Uint8Array) {
    const known = RECOGNISED.get(encodedType)
    if (known !== undefined) {
      const effects = known(message, contract, scope)
      return { ...effects, isComplete: effects.isComplete && domain.has('chainId') }
    }
    if (WITNESS.test(encodedType)) {
      const permitted = message.get('permitted')
      const list = Array.isArray(permitted) ? permitted : [permitted]
      return permit2(message, list as readonly Struct[], 'deadline', contract, scope)
    }
  }
  return offChain({
    warnings: [
      ...SPENDERS.flatMap((name) => {
        const given = message.get(name)
        return given instanceof Uint8Array && given.length === 20
          ? [`seems to give rights over this wallet's money to ${formatAddress(given)}`]
          : []
      }),
      ...(ORDERS.includes(primaryType)
        ? ['seems to be an order, which lets others take what it offers for what it asks']
        : []),
      ...(primaryType === 'PackedUserOperation'
        ? ['is a user operation: give it as one, so that its calls can be read']
        : []),
      'what follows from this signature is up to whoever reads it, and is not understood',
    ],
  })
}

/** A signature that others carry to a contract, now or later, is never complete. */
const offChain = ({
  allowances,
  notes = [],
  warnings,
}: {
  readonly allowances?: readonly TxAllowance[]
  readonly notes?: readonly string[]
  readonly warnings: readonly string[]
}): Effects => ({
  kind: 'opaque',
  from: [],
  outputs: [],
  calls: [],
  allowances,
  isComplete: false,
  notes,
  warnings,
})

function permit(
  message: Struct,
  holder: 'owner' | 'holder',
  amount: bigint,
  token: Uint8Array,
  scope: Scope,
): Effects {
  const deadline = number(message, holder === 'owner' ? 'deadline' : 'expiry')
  const allowance: Allowance = {
    token,
    holder: address(message, holder),
    spender: address(message, 'spender'),
    amount,
  }
  return offChain({
    allowances: [allowanceOf(allowance, scope)],
    notes: [
      ...(amount === UNBOUNDED ? [] : tokenNotes(scope, token, amount)),
      `whoever has the signature can use it ${untilWords(deadline)}`,
    ],
    warnings: [allowanceWarning(allowance, scope)],
  })
}

function permit2(
  message: Struct,
  permitted: readonly Struct[],
  end: 'expiration' | 'deadline',
  contract: Uint8Array,
  scope: Scope,
): Effects {
  const spender = address(message, 'spender')
  const allowances: readonly Allowance[] = permitted.map((each) => ({
    token: address(each, 'token'),
    holder: scope.own,
    spender,
    amount: permit2Amount(number(each, 'amount')),
    until: number(end === 'deadline' ? message : each, end),
  }))
  return offChain({
    allowances: allowances.map((each) => allowanceOf(each, scope)),
    notes: permitted.flatMap((each) =>
      tokenNotes(scope, address(each, 'token'), number(each, 'amount')),
    ),
    warnings: [
      ...allowances.map((each) => allowanceWarning(each, scope)),
      ...(formatAddress(contract) === PERMIT2
        ? []
        : [`${formatAddress(contract)} is not Permit2, whose type this is`]),
    ],
  })
}

/** Permit2 keeps 160 bits, and takes the most of them for "unlimited". */
const permit2Amount = (amount: bigint): bigint => (amount === 2n ** 160n - 1n ? UNBOUNDED : amount)

/** EIP-3009: exactly one transfer, so a token that the table knows makes it complete. */
function transferByAuthorization(message: Struct, token: Uint8Array, scope: Scope): Effects {
  const amount = number(message, 'value')
  const to = address(message, 'to')
  const validAfter = number(message, 'validAfter')
  return {
    kind: 'token',
    from: [formatAddress(address(message, 'from'))],
    outputs: [tokenOutput({ standard: 'erc20', contract: token, to, amount }, scope)],
    calls: [],
    allowances: [],
    isComplete:
      knownToken(scope.network, token) !== undefined &&
      equalBytes(address(message, 'from'), scope.own),
    notes: [
      ...tokenNotes(scope, token, amount),
      `whoever has the signature can make the transfer ${untilWords(number(message, 'validBefore'))}`,
      ...(validAfter > 0n ? [`but not before the Unix time ${validAfter}`] : []),
    ],
    warnings: [],
  }
}

function safeTransaction(message: Struct, safe: Uint8Array, scope: Scope): Effects {
  const operation = number(message, 'operation')
  if (operation > 1n) refuse('an operation that Safe does not have')
  const effects = effectsOfCall(
    {
      caller: safe,
      payer: safe,
      to: address(message, 'to'),
      value: number(message, 'value'),
      data: address(message, 'data'),
      isDelegate: operation === 1n,
    },
    scope,
  )
  return {
    ...effects,
    isComplete: false,
    notes: [
      `is a transaction of the Safe ${formatAddress(safe)}, its number ${number(message, 'nonce')}, which needs as many signatures as the Safe says`,
      ...effects.notes,
    ],
    warnings: [
      ...effects.warnings,
      ...(number(message, 'gasPrice') > 0n
        ? [refundWarning(safe, address(message, 'gasToken'), address(message, 'refundReceiver'))]
        : []),
    ],
  }
}

function domainWarnings({ domain }: TypedData): readonly string[] {
  return [
    ...(domain.has('chainId') ? [] : ['names no chain, so it may be used on any']),
    ...(domain.has('verifyingContract') ? [] : ['names no contract that it is meant for']),
  ]
}

/** Everything that is signed, value by value. */
function lines({ leaves }: TypedData): readonly string[] {
  const shown = leaves
    .slice(0, MAX_LINES)
    .map(({ path, text }) =>
      text.length <= MAX_LINE
        ? `${path}: ${text}`
        : `${path}: ${text.slice(0, MAX_LINE)}… (${text.length} characters)`,
    )
  const left = leaves.length - shown.length
  return left === 0 ? shown : [...shown, `and ${left} more values, which are not shown`]
}
