/** What the provider host of a Zymbit can be asked besides, one row each. */
import { Fault, wipe } from '@quorate/base'
import type { DeviceKeyRequest, DeviceSession } from '../device.ts'
import {
  info,
  keyId,
  type Operation,
  type OperationTimes,
  once,
  QUICK,
  request,
  row,
  SLOW,
} from '../host/operation.ts'
import {
  bool,
  bytes,
  list,
  mapped,
  maybe,
  nothing,
  oneOf,
  struct,
  text,
  uint,
  view,
  type Wire,
} from '../host/wire.ts'
import type { KeyId, KeyInfo } from '../provider.ts'
import type {
  MadeShare,
  MadeWallet,
  PerimeterAction,
  ShareGroup,
  Slip39Shape,
  Wallet,
  WalletRequest,
  ZymbitCommands,
  ZymbitState,
} from './commands.ts'
import type { WalletNode } from './wallet-nodes.ts'

/** PBKDF2 on the processor of the device takes its time. */
const VERY_SLOW: OperationTimes = { callMs: 300_000, deadlineMs: 330_000 }

const MAX_LOCKED_BYTES = 1 << 17
const name = text(256)
const confirm = text(512)
/** Of a caller: a view, so that what is wiped with the frame was its only copy. */
const secretIn = view(4096)
/** To a caller: wiped as soon as it is written. */
const secretOut: Wire<Uint8Array> = {
  write(out, value) {
    bytes(4096).write(out, value)
    wipe(value)
  },
  read: (from) => bytes(4096).read(from),
}
/** A reading, exact to a thousandth. */
const thousandths: Wire<number> = mapped(
  text(32),
  (digits) => Number(digits) / 1000,
  (value) => String(Math.round(value * 1000)),
)

const state: Wire<ZymbitState> = struct<ZymbitState>({
  model: name,
  firmware: name,
  serial: name,
  isBound: bool,
  isBindingLocked: bool,
  batteryVolts: maybe(thousandths),
  cpuCelsius: maybe(thousandths),
  breaches: list(uint, 64),
  slots: struct({ taken: uint, free: uint, unlabelled: uint }),
})
const wallet: Wire<Wallet> = struct<Wallet>({ id: keyId, name })
const walletRequest: Wire<WalletRequest> = struct<WalletRequest>({
  name,
  algorithm: oneOf('p256', 'secp256k1'),
})
const node: Wire<WalletNode> = struct<WalletNode>({ wallet: name, address: name, seedSlot: uint })
const shape: Wire<Slip39Shape> = struct<Slip39Shape>({
  groupThreshold: uint,
  groups: list(struct<ShareGroup>({ threshold: uint, members: uint }), 64),
  iterationExponent: uint,
})
const madeWallet: Wire<MadeWallet> = struct<MadeWallet>({ wallet, mnemonic: maybe(secretOut) })
const madeShare: Wire<MadeShare> = struct<MadeShare>({ share: secretOut, wallet: maybe(wallet) })
/** `undefined` cannot be a whole answer. */
const restored: Wire<{ readonly wallet?: Wallet | undefined }> = struct<{
  readonly wallet?: Wallet | undefined
}>({ wallet: maybe(wallet) })

type Wait = { readonly known: readonly number[]; readonly waitMs: number }
type Action = PerimeterAction & { readonly channel: number; readonly confirm: string }
type Creation = {
  readonly request: WalletRequest
  readonly passphrase: Uint8Array
  readonly hasMnemonic: boolean
}
type Restoration = Omit<Creation, 'hasMnemonic'> & { readonly mnemonic: Uint8Array }
type Beginning = Omit<Creation, 'hasMnemonic'>
type Member = { readonly session: string; readonly password: Uint8Array }

export type ZymbitOperations = {
  readonly zymbitState: Operation<void, ZymbitState>
  readonly perimeter: Operation<Wait, readonly number[]>
  readonly clearPerimeter: Operation<void, void>
  readonly setPerimeterAction: Operation<Action, void>
  readonly lockBinding: Operation<string, void>
  readonly lockData: Operation<Uint8Array, Uint8Array>
  readonly unlockData: Operation<Uint8Array, Uint8Array>
  readonly claimSlot: Operation<
    { readonly slot: number; readonly request: DeviceKeyRequest },
    KeyInfo
  >
  readonly wallets: Operation<void, readonly Wallet[]>
  readonly createWallet: Operation<Creation, MadeWallet>
  readonly restoreWallet: Operation<Restoration, Wallet>
  readonly removeWallet: Operation<{ readonly name: string; readonly confirm: string }, void>
  readonly walletNode: Operation<KeyId, WalletNode>
  readonly walletKey: Operation<{ readonly wallet: string; readonly address: string }, KeyInfo>
  readonly beginShares: Operation<Beginning & { readonly shape: Slip39Shape }, string>
  readonly nextShare: Operation<Member, MadeShare>
  readonly beginRecovery: Operation<Beginning, string>
  readonly addShare: Operation<
    Member & { readonly words: Uint8Array },
    { readonly wallet?: Wallet | undefined }
  >
  readonly cancelShares: Operation<void, void>
}

/** @throws hsm/bad-argument for any other device */
function zymbit(session: DeviceSession): ZymbitCommands {
  if (session.zymbit !== undefined) return session.zymbit
  throw new Fault('hsm/bad-argument', { detail: 'this is no Zymbit' })
}

/** Codes from `first` on, in this order. */
export const zymbitOperations = (first: number): ZymbitOperations => ({
  zymbitState: row(first, nothing, state, SLOW, (session) => zymbit(session).state()),
  perimeter: row(
    first + 1,
    struct<Wait>({ known: list(uint, 64), waitMs: uint }),
    list(uint, 64),
    QUICK,
    (session, { known, waitMs }) => zymbit(session).perimeter(known, waitMs),
  ),
  clearPerimeter: row(first + 2, nothing, nothing, QUICK, (session) =>
    zymbit(session).clearPerimeter(),
  ),
  setPerimeterAction: row(
    first + 3,
    struct<Action>({ channel: uint, notify: bool, selfDestruct: bool, confirm }),
    nothing,
    QUICK,
    (session, action) => zymbit(session).setPerimeterAction(action.channel, action, action.confirm),
  ),
  lockBinding: once(
    row(first + 4, confirm, nothing, SLOW, (session, typed) => zymbit(session).lockBinding(typed)),
  ),
  lockData: row(
    first + 5,
    view(MAX_LOCKED_BYTES),
    bytes(MAX_LOCKED_BYTES),
    SLOW,
    (session, plaintext) => zymbit(session).lock(plaintext),
  ),
  unlockData: row(
    first + 6,
    view(MAX_LOCKED_BYTES),
    bytes(MAX_LOCKED_BYTES),
    SLOW,
    (session, locked) => zymbit(session).unlock(locked),
  ),
  claimSlot: once(
    row(first + 7, struct({ slot: uint, request }), info, SLOW, (session, what) =>
      zymbit(session).claim(what.slot, what.request),
    ),
  ),
  wallets: row(first + 8, nothing, list(wallet, 1024), SLOW, (session) =>
    zymbit(session).wallets(),
  ),
  createWallet: once(
    row(
      first + 9,
      struct<Creation>({ request: walletRequest, passphrase: secretIn, hasMnemonic: bool }),
      madeWallet,
      SLOW,
      (session, what) =>
        zymbit(session).createWallet(what.request, what.passphrase, what.hasMnemonic),
    ),
  ),
  restoreWallet: once(
    row(
      first + 10,
      struct<Restoration>({ request: walletRequest, mnemonic: secretIn, passphrase: secretIn }),
      wallet,
      SLOW,
      (session, what) =>
        zymbit(session).restoreWallet(what.request, what.mnemonic, what.passphrase),
    ),
  ),
  removeWallet: once(
    row(first + 11, struct({ name, confirm }), nothing, SLOW, (session, what) =>
      zymbit(session).removeWallet(what.name, what.confirm),
    ),
  ),
  walletNode: row(first + 12, keyId, node, SLOW, (session, id) => zymbit(session).nodeOf(id)),
  walletKey: row(first + 13, struct({ wallet: name, address: name }), info, SLOW, (session, what) =>
    zymbit(session).keyAt(what.wallet, what.address),
  ),
  beginShares: once(
    row(
      first + 14,
      struct<Beginning & { readonly shape: Slip39Shape }>({
        request: walletRequest,
        passphrase: secretIn,
        shape,
      }),
      name,
      VERY_SLOW,
      (session, what) => zymbit(session).beginShares(what.request, what.shape, what.passphrase),
    ),
  ),
  nextShare: once(
    row(
      first + 15,
      struct<Member>({ session: name, password: secretIn }),
      madeShare,
      VERY_SLOW,
      (session, what) => zymbit(session).nextShare(what.session, what.password),
    ),
  ),
  beginRecovery: once(
    row(
      first + 16,
      struct<Beginning>({ request: walletRequest, passphrase: secretIn }),
      name,
      SLOW,
      (session, what) => zymbit(session).beginRecovery(what.request, what.passphrase),
    ),
  ),
  addShare: once(
    row(
      first + 17,
      struct<Member & { readonly words: Uint8Array }>({
        session: name,
        password: secretIn,
        words: secretIn,
      }),
      restored,
      VERY_SLOW,
      (session, what) => {
        const found = zymbit(session).addShare(what.session, what.words, what.password)
        return found === undefined ? {} : { wallet: found }
      },
    ),
  ),
  cancelShares: row(first + 18, nothing, nothing, SLOW, (session) =>
    zymbit(session).cancelSession(),
  ),
})
