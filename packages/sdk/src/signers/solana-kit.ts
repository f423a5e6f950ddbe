/**
 * A wallet as a signer of Solana kit, for transactions and off-chain messages:
 *
 *   const signer = kitSigner(kit, wallet)
 *
 * in the place of `await generateKeyPairSigner()`. Functions of kit are handed in, so this package
 * does not depend on it. Messages without the form of an off-chain message are refused: their bytes
 * could be those of a transaction.
 */
import { concatBytes, equalBytes, Fault } from '@quorate/base'
import type { WalletSigner } from './wallet-signer.ts'

const SIGNATURE_BYTES = 64
const VERSION_FLAG = 0x80
const OFFCHAIN = 0xff

/** Of the module `@solana/kit`. */
export type KitFunctions<Address extends string, Signature extends Uint8Array> = {
  readonly address: (text: string) => Address
  readonly signatureBytes: (bytes: Uint8Array) => Signature
}

type Signatures<Address extends string, Signature> = Readonly<Record<Address, Signature>>

/** What kit calls a partial signer, of transactions and of messages. */
export type KitSigner<Address extends string, Signature> = {
  readonly address: Address
  signTransactions(
    transactions: readonly { readonly messageBytes: ArrayLike<number> }[],
  ): Promise<readonly Signatures<Address, Signature>[]>
  signMessages(
    messages: readonly { readonly content: ArrayLike<number> }[],
  ): Promise<readonly Signatures<Address, Signature>[]>
}

/** `wallet` must be of Solana. */
export function kitSigner<Address extends string, Signature extends Uint8Array>(
  kit: KitFunctions<Address, Signature>,
  wallet: WalletSigner,
): KitSigner<Address, Signature> {
  const address = kit.address(wallet.address)

  async function sign(unsigned: Uint8Array): Promise<Signatures<Address, Signature>> {
    const { bytes } = await wallet.sign(unsigned)
    const signature = kit.signatureBytes(onlySignature(bytes))
    return { [address]: signature } as Record<Address, Signature>
  }
  return {
    address,
    signTransactions: (transactions) =>
      Promise.all(
        transactions.map(({ messageBytes }) => sign(unsignedOf(Uint8Array.from(messageBytes)))),
      ),
    // Not async at once: of several messages either all are fit to be signed, or none is.
    async signMessages(messages) {
      const contents = messages.map(({ content }) => Uint8Array.from(content))
      if (contents.some(([first]) => first !== OFFCHAIN)) throw new Fault('sdk/not-readable')
      return Promise.all(contents.map(sign))
    },
  }
}

/** The message behind empty places for its signatures: those of others do not matter for ours. */
function unsignedOf(message: Uint8Array): Uint8Array {
  const [first = 0, second = 0] = message
  const count = first >= VERSION_FLAG ? second : first
  return concatBytes(Uint8Array.of(count), new Uint8Array(SIGNATURE_BYTES * count), message)
}

/** The only signature that is there, since no other one was given. */
function onlySignature(signed: Uint8Array): Uint8Array {
  const empty = new Uint8Array(SIGNATURE_BYTES)
  for (let at = 1; at < 1 + SIGNATURE_BYTES * signed[0]!; at += SIGNATURE_BYTES) {
    const signature = signed.slice(at, at + SIGNATURE_BYTES)
    if (!equalBytes(signature, empty)) return signature
  }
  throw new Fault('sdk/does-not-verify')
}
