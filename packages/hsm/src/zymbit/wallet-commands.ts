/** Wallets (BIP-32) of the device: seeds, what recovers them, and keys below them. */
import { Fault, TAGS, utf8, wipe } from '@quorate/base'
import type { DeviceKeyRequest } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import type { KeyId, KeyInfo } from '../provider.ts'
import type { Wallet, WalletRequest, ZymbitCommands } from './commands.ts'
import { confirmations, demandConfirmation } from './confirm.ts'
import type { ZymbitContext } from './context.ts'
import { asFaults, faultOf, isRefusal } from './faults.ts'
import { KEY_TYPES } from './library.ts'
import { inBase64, type Slip39Session } from './slip39-session.ts'
import { infoOf, type SlotKey, type SlotKeys } from './slot-keys.ts'
import { makeChild, parseNodePath, slotOfNode, stepBelow, type WalletNode } from './wallet-nodes.ts'

type Seed = Wallet & { readonly slot: number }

const EMPTY = new Uint8Array()

/** @throws hsm/bad-argument */
function checkWallet({ name, algorithm }: WalletRequest): void {
  if (!/^[\x21-\x7e](?:[\x20-\x7e]{0,61}[\x21-\x7e])?$/.test(name))
    throw new Fault('hsm/bad-argument', {
      detail: 'the name of a wallet has 1 to 63 characters of ASCII, no space at its ends',
    })
  if (!Object.hasOwn(KEY_TYPES, algorithm))
    throw new Fault('hsm/bad-argument', { detail: 'wallets are of p256 or secp256k1' })
}

export class WalletCommands
  implements
    Pick<
      ZymbitCommands,
      | 'wallets'
      | 'createWallet'
      | 'restoreWallet'
      | 'nodeOf'
      | 'keyAt'
      | 'beginShares'
      | 'nextShare'
      | 'beginRecovery'
      | 'addShare'
      | 'cancelSession'
    >
{
  readonly #context: ZymbitContext
  readonly #serial: string
  readonly #keys: () => SlotKeys
  readonly #session: Slip39Session

  constructor(
    context: ZymbitContext,
    serial: string,
    keys: () => SlotKeys,
    session: Slip39Session,
  ) {
    this.#context = context
    this.#serial = serial
    this.#keys = keys
    this.#session = session
  }

  wallets(): readonly Wallet[] {
    return asFaults(() => this.#seeds().map(({ id, name }) => ({ id, name })))
  }

  createWallet(
    request: WalletRequest,
    passphrase: Uint8Array,
    hasMnemonic: boolean,
  ): { wallet: Wallet; mnemonic?: Uint8Array } {
    this.#mayMake(request)
    if (!hasMnemonic && passphrase.length > 0)
      throw new Fault('hsm/bad-argument', { detail: 'a passphrase belongs to a mnemonic' })
    return asFaults(() =>
      this.#context.scope((library) => {
        const out = hasMnemonic ? library.out() : 0
        const slot = this.#context.call(
          'zkGenWalletMasterSeedWithBIP39',
          ...this.#terms(request, passphrase),
          out,
        )
        const mnemonic = hasMnemonic ? library.takeText(out) : undefined
        const wallet = this.#walletAt(slot, request.name)
        return mnemonic === undefined ? { wallet } : { wallet, mnemonic }
      }),
    )
  }

  restoreWallet(request: WalletRequest, mnemonic: Uint8Array, passphrase: Uint8Array): Wallet {
    this.#mayMake(request)
    try {
      const slot = this.#context.scope((library) =>
        this.#context.call(
          'zkRestoreWalletMasterSeedFromBIP39Mnemonic',
          ...this.#terms(request, passphrase),
          library.putText(mnemonic),
        ),
      )
      return this.#walletAt(slot, request.name)
    } catch (error) {
      if (isRefusal(error)) throw new Fault('hsm/shares-refused', { detail: 'a mnemonic' })
      throw faultOf(error)
    }
  }

  /** The slots that are free now. */
  removeWallet(name: string, confirm: string): readonly number[] {
    const { slot } = this.#seedNamed(name)
    demandConfirmation(confirm, confirmations.removeWallet(this.#serial, name))
    const nodes = this.#keys()
      .taken()
      .filter((each) => each !== slot && this.#keys().nodeOf(each)?.seedSlot === slot)
    // The seed last: while it is there, an interrupted removal can be gone on with.
    const all = [...nodes, slot]
    for (const each of all) this.#remove(each)
    return all
  }

  nodeOf(id: KeyId): WalletNode {
    return asFaults(() => {
      const { node } = this.#parentOf(id)
      return node
    })
  }

  keyAt(wallet: string, address: string): KeyInfo {
    return asFaults(() => {
      const seed = this.#seedNamed(wallet)
      const slot = slotOfNode(this.#context, nodeOfSeed(seed), normalised(address))
      const key = slot === undefined ? undefined : this.#keys().at(slot)
      if (key === undefined) throw new Fault('hsm/wallet-not-found', { detail: 'of nodes' })
      return infoOf(key)
    })
  }

  /**
   * The key at `path` below the seed or node `parent`. Nodes on the way are made where they are missing, and
   * stay. @throws hsm/bad-argument for a wallet of the other curve, hsm/key-exists where the node has a label
   */
  derive(parent: KeyId, path: string, { algorithm }: DeviceKeyRequest): SlotKey {
    this.#session.demandNone()
    const steps = parseNodePath(path)
    let { slot, node } = this.#parentOf(parent)
    let isNew = false
    for (const step of steps) {
      const address = stepBelow(node.address, step)
      const found = slotOfNode(this.#context, node, address)
      isNew = found === undefined
      slot = found ?? makeChild(this.#context, slot, step)
      if (isNew) this.#keys().forget(slot)
      node = { ...node, address }
    }
    const key = this.#keys().at(slot)
    if (key === undefined || key.node?.address !== node.address)
      throw new DeviceFault('hsm/wrong-result', { detail: 'another node than the one asked for' })
    if (key.isIndexed) throw new Fault('hsm/key-exists', { detail: 'the node has a label' })
    if (key.algorithm === algorithm) return key
    if (isNew) this.#remove(slot)
    throw new Fault('hsm/bad-argument', { detail: `the wallet is of ${key.algorithm}` })
  }

  beginShares(...args: Parameters<Slip39Session['beginShares']>): string {
    this.#mayMake(args[0])
    return this.#session.beginShares(...args)
  }

  nextShare(session: string, password: Uint8Array): { share: Uint8Array; wallet?: Wallet } {
    const { share, slot } = this.#session.next(session, password)
    return slot === undefined ? { share } : { share, wallet: this.#walletAt(slot) }
  }

  beginRecovery(request: WalletRequest, passphrase: Uint8Array): string {
    this.#mayMake(request)
    return this.#session.beginRecovery(request, passphrase)
  }

  addShare(session: string, words: Uint8Array, password: Uint8Array): Wallet | undefined {
    const slot = this.#session.add(session, words, password)
    return slot === undefined ? undefined : this.#walletAt(slot)
  }

  cancelSession(): void {
    this.#session.cancel()
  }

  /** @throws hsm/bad-argument, hsm/wallet-session-open, hsm/wallet-exists */
  #mayMake(request: WalletRequest): void {
    checkWallet(request)
    this.#session.demandNone()
    asFaults(() => {
      if (this.#seeds().some(({ name }) => name === request.name))
        throw new Fault('hsm/wallet-exists')
    })
  }

  /** The arguments that all calls with a mnemonic begin with. For use in a scope. */
  #terms({ name, algorithm }: WalletRequest, passphrase: Uint8Array): readonly number[] {
    const { library } = this.#context
    const secret = inBase64(passphrase)
    try {
      const [variant, wallet] = [library.putText(EMPTY), library.putText(utf8(name))]
      // No generator key: the seed would not be that of the standard.
      const generator = library.putText(EMPTY)
      return [KEY_TYPES[algorithm], variant, wallet, generator, 0, library.putText(secret)]
    } finally {
      wipe(secret)
    }
  }

  #seeds(): readonly Seed[] {
    return this.#keys()
      .taken()
      .flatMap((slot) => {
        const node = this.#keys().nodeOf(slot)
        return node?.address === 'm' ? [this.#seedOf(slot, node.wallet)] : []
      })
  }

  #seedOf(slot: number, name: string): Seed {
    return { slot, name, id: this.#keys().idFor(TAGS.hsmZymbitWallet, utf8(name)) }
  }

  /** @throws hsm/wallet-not-found */
  #seedNamed(name: string): Seed {
    const seed = this.#seeds().find((each) => each.name === name)
    if (seed === undefined) throw new Fault('hsm/wallet-not-found')
    return seed
  }

  #walletAt(slot: number, name?: string): Wallet {
    this.#keys().forget(slot)
    const node = this.#keys().nodeOf(slot)
    if (node === undefined || (name ?? node.wallet) !== node.wallet)
      throw new DeviceFault('hsm/wrong-result', { detail: 'another wallet than the one asked for' })
    const { id } = this.#seedOf(slot, node.wallet)
    return { id, name: node.wallet }
  }

  /** A seed or a node, by its id. @throws hsm/key-not-found, hsm/bad-argument for a key of no wallet */
  #parentOf(id: KeyId): { slot: number; node: WalletNode } {
    const seed = this.#seeds().find((each) => each.id === id)
    if (seed !== undefined) return { slot: seed.slot, node: nodeOfSeed(seed) }
    const { slot, node } = this.#keys().find({ id })
    if (node === undefined)
      throw new Fault('hsm/bad-argument', { detail: 'the key belongs to no wallet' })
    return { slot, node }
  }

  #remove(slot: number): void {
    try {
      this.#context.removeKey(slot)
    } catch (error) {
      // Gone with its seed, or by another process.
      if (!isRefusal(error) || this.#keys().taken().includes(slot)) throw error
    }
    this.#keys().forget(slot)
  }
}

const nodeOfSeed = ({ name, slot }: Seed): WalletNode => ({
  wallet: name,
  address: 'm',
  seedSlot: slot,
})

/** The one spelling of the device. @throws hsm/bad-argument */
const normalised = (address: string): string =>
  parseNodePath(address).reduce((above, step) => stepBelow(above, step), 'm')
