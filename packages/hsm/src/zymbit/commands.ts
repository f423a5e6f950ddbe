/**
 * What only a Zymbit can be asked, as one thread of the provider host does it. Passphrases, passwords and
 * mnemonics are bytes in UTF-8, which are wiped; as texts they could not be.
 */
import type { EcdsaAlgorithm } from '../ecdsa.ts'
import type { KeyId, KeyInfo, KeyRequest } from '../provider.ts'
import type { WalletNode } from './wallet-nodes.ts'

/** How the device is, for people and for `doctor`. */
export type ZymbitState = {
  readonly model: string
  readonly firmware: string
  readonly serial: string
  /** Whether it answers to this machine only, and whether that can still be undone. */
  readonly isBound: boolean
  readonly isBindingLocked: boolean
  /** Absent where this model does not tell. */
  readonly batteryVolts?: number | undefined
  readonly cpuCelsius?: number | undefined
  /** When each channel of the perimeter was first breached, in seconds since the epoch; 0 for never. */
  readonly breaches: readonly number[]
  readonly slots: {
    readonly taken: number
    readonly free: number
    /** Taken by what no label of ours names: keys of other programs, seeds and nodes of wallets. */
    readonly unlabelled: number
  }
}

export type PerimeterAction = {
  /** The host is told; without it nobody hears of a breach but by asking. */
  readonly notify: boolean
  /** All keys are erased, for ever. */
  readonly selfDestruct: boolean
}

export type WalletRequest = {
  /** Printable ASCII, 1 to 63 characters. The device takes each name once. */
  readonly name: string
  readonly algorithm: EcdsaAlgorithm
}

export type Wallet = {
  /** Of the seed: the parent of keys that are derived. The seed itself signs nothing and is never shown. */
  readonly id: KeyId
  readonly name: string
}

export type ShareGroup = { readonly threshold: number; readonly members: number }

export type Slip39Shape = {
  readonly groupThreshold: number
  /** 1 to 14, of 1 to 14 members each. */
  readonly groups: readonly ShareGroup[]
  /** 0 to 5: the device hashes 10000·2ᵉ times, and is slow. */
  readonly iterationExponent: number
}

export type MadeWallet = { readonly wallet: Wallet; readonly mnemonic?: Uint8Array | undefined }
export type MadeShare = { readonly share: Uint8Array; readonly wallet?: Wallet | undefined }

export type ZymbitCommands = {
  state(): ZymbitState
  /** The breaches as soon as they differ from `known`, at the latest after `waitMs`. */
  perimeter(known: readonly number[], waitMs: number): readonly number[]
  clearPerimeter(): void
  setPerimeterAction(channel: number, action: PerimeterAction, confirm: string): void
  lockBinding(confirm: string): void
  lock(plaintext: Uint8Array): Uint8Array
  unlock(locked: Uint8Array): Uint8Array
  claim(slot: number, request: KeyRequest & { readonly id: KeyId }): KeyInfo
  wallets(): readonly Wallet[]
  createWallet(request: WalletRequest, passphrase: Uint8Array, hasMnemonic: boolean): MadeWallet
  restoreWallet(request: WalletRequest, mnemonic: Uint8Array, passphrase: Uint8Array): Wallet
  removeWallet(name: string, confirm: string): void
  nodeOf(id: KeyId): WalletNode
  keyAt(wallet: string, address: string): KeyInfo
  /** The name of a new session, by which it is gone on with. */
  beginShares(request: WalletRequest, shape: Slip39Shape, passphrase: Uint8Array): string
  nextShare(session: string, password: Uint8Array): MadeShare
  beginRecovery(request: WalletRequest, passphrase: Uint8Array): string
  addShare(session: string, words: Uint8Array, password: Uint8Array): Wallet | undefined
  cancelSession(): void
}
