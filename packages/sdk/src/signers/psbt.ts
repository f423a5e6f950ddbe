/**
 * A wallet as a signer of Bitcoin's PSBTs, for @scure/btc-signer, bitcoinjs-lib and whatever else
 * reads and writes them:
 *
 *   tx = Transaction.fromPSBT(await signer.signPsbt(tx.toPSBT()))             in the place of tx.sign(privateKey)
 *   psbt.combine(Psbt.fromBuffer(await signer.signPsbt(psbt.toBuffer())))     in the place of psbt.signAllInputs(keyPair)
 *
 * There is no signing of a single hash, as those libraries' own signers do it: nobody could read it.
 */
import type { WalletSigner } from './wallet-signer.ts'

export type PsbtSigner = {
  readonly address: string
  /** 33 bytes, compressed, before any tweak. */
  readonly publicKey: Uint8Array
  /** The PSBT (version 0 or 2, binary) with the wallet's signatures in it, those of others kept. */
  signPsbt(psbt: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
}

/** `wallet` must be of a network like Bitcoin. */
export const psbtSigner = (wallet: WalletSigner): PsbtSigner => ({
  address: wallet.address,
  publicKey: wallet.publicKey,
  async signPsbt(psbt) {
    const { bytes } = await wallet.sign(Uint8Array.from(psbt), { format: 'psbt' })
    return Uint8Array.from(bytes)
  },
})
