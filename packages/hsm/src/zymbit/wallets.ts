/**
 * Wallets of a Zymbit: seeds that never leave it, made with words of BIP-39 or shares of SLIP-39 that do.
 * Keys below a seed are made with `deriveKey` of the provider, whose parent is the id of the wallet.
 *
 * If the process of the device ends while a wallet is made, the device may have it and nobody its words:
 * `list` shows it, and `remove` is what is left to do.
 */
import { isFault, Secret } from '@quorate/base'
import type { HostedHsm } from '../host/hosted-hsm.ts'
import type { KeyId, KeyInfo } from '../provider.ts'
import type { Slip39Shape, Wallet, WalletRequest } from './commands.ts'
import { demandZymbit } from './device.ts'
import { Taking } from './share-taking.ts'
import type { WalletNode } from './wallet-nodes.ts'

/** Words, passphrases and passwords are UTF-8. Whoever gets a secret disposes of it. */
export type Words = Secret<Uint8Array>

export type Slip39Options = WalletRequest & Slip39Shape & { readonly passphrase?: Words }

/** Makes the shares one after the other, group by group; the wallet exists with the last one. */
export type ShareMaking = {
  /**
   * The next share. `password`: of the device's own kind, which no other wallet understands.
   * @throws hsm/wallet-session-lost when the process of the device has ended meanwhile: all shares are worthless
   */
  next(password?: Words): Promise<{ readonly share: Words; readonly wallet?: Wallet }>
  cancel(): Promise<void>
}

/** Takes shares in any order. */
export type ShareTaking = {
  /**
   * The wallet once there are enough, else how many the started groups lack at least.
   * @throws math/bad-share, math/bad-shares before the device has seen a share that cannot be right,
   *   hsm/shares-refused where it got no seed out of enough of them, hsm/wallet-session-lost
   */
  add(
    words: Words,
    password?: Words,
  ): Promise<{ readonly wallet: Wallet } | { readonly missing: number }>
  cancel(): Promise<void>
}

export type ZymbitWallets = {
  list(): Promise<readonly Wallet[]>
  /** A wallet whose seed nobody can recover. @throws hsm/wallet-exists */
  create(request: WalletRequest): Promise<Wallet>
  /** With 24 words of BIP-39. @throws hsm/wallet-exists */
  createWithWords(
    request: WalletRequest,
    passphrase?: Words,
  ): Promise<{ readonly wallet: Wallet; readonly words: Words }>
  /** @throws hsm/shares-refused for words that are no mnemonic of 24, hsm/wallet-exists */
  restore(request: WalletRequest, words: Words, passphrase?: Words): Promise<Wallet>
  /** No key can be made until the session ends. @throws hsm/wallet-session-open, hsm/wallet-exists, hsm/bad-argument */
  makeShares(options: Slip39Options): Promise<ShareMaking>
  /** No key can be made until the session ends. @throws hsm/wallet-session-open, hsm/wallet-exists */
  takeShares(request: WalletRequest, passphrase?: Words): Promise<ShareTaking>
  /** Ends a session that the device still has, whoever opened it. */
  cancelSession(): Promise<void>
  /** Where a key or a seed stands. @throws hsm/bad-argument for a key of no wallet */
  nodeOf(id: KeyId): Promise<WalletNode>
  /** The key at an address such as m/44'/60'. @throws hsm/wallet-not-found */
  keyAt(wallet: string, address: string): Promise<KeyInfo>
  /** For ever. `confirm`: the text of `confirmations.removeWallet`. @throws hsm/confirmation-mismatch */
  remove(name: string, confirm: string): Promise<void>
}

const EMPTY = new Uint8Array()
const bytesOf = (words: Words | undefined): Uint8Array => words?.expose() ?? EMPTY

/** @throws hsm/bad-argument for another device */
export async function zymbitWallets(hsm: HostedHsm): Promise<ZymbitWallets> {
  demandZymbit((await hsm.info()).type)
  const cancelSession = (): Promise<void> => hsm.ask('cancelShares', undefined)
  /** A session whose process has ended still locks the device. */
  const inSession = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action()
    } catch (error) {
      if (isFault(error, 'hsm/wallet-session-lost')) await cancelSession()
      throw error
    }
  }
  return {
    list: () => hsm.ask('wallets', undefined),
    async create(request) {
      const asked = { request, passphrase: EMPTY, hasMnemonic: false }
      return (await hsm.ask('createWallet', asked)).wallet
    },
    async createWithWords(request, passphrase) {
      const asked = { request, passphrase: bytesOf(passphrase), hasMnemonic: true }
      const { wallet, mnemonic = EMPTY } = await hsm.ask('createWallet', asked)
      return { wallet, words: new Secret(mnemonic) }
    },
    restore: (request, words, passphrase) =>
      hsm.ask('restoreWallet', {
        request,
        mnemonic: words.expose(),
        passphrase: bytesOf(passphrase),
      }),
    async makeShares({ name, algorithm, passphrase, ...shape }) {
      const request = { name, algorithm }
      const session = await hsm.ask('beginShares', {
        request,
        shape,
        passphrase: bytesOf(passphrase),
      })
      return {
        async next(password) {
          const { share, wallet } = await inSession(() =>
            hsm.ask('nextShare', { session, password: bytesOf(password) }),
          )
          return { share: new Secret(share), ...(wallet !== undefined && { wallet }) }
        },
        cancel: cancelSession,
      }
    },
    async takeShares(request, passphrase) {
      const session = await hsm.ask('beginRecovery', { request, passphrase: bytesOf(passphrase) })
      return new Taking({
        cancel: cancelSession,
        give: (words, password) =>
          inSession(async () => {
            const asked = { session, words, password }
            return (await hsm.ask('addShare', asked)).wallet
          }),
      })
    },
    cancelSession,
    nodeOf: (id) => hsm.ask('walletNode', id),
    keyAt: (wallet, address) => hsm.ask('walletKey', { wallet, address }),
    remove: (name, confirm) => hsm.ask('removeWallet', { name, confirm }),
  }
}
