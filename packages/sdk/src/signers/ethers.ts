/**
 * A wallet as a signer of ethers, version 6:
 *
 *   const signer = ethersSigner(ethers, wallet, provider)
 *
 * in the place of `new Wallet(privateKey, provider)`. The module is handed in, so this package does
 * not depend on it.
 */
import { Fault, fromHex, toHex, utf8 } from '@quorate/base'
import { encodeTypedData, personalMessage } from '@quorate/chains'
import type { WalletSigner } from './wallet-signer.ts'

type Transaction = {
  readonly unsignedSerialized: string
  readonly serialized: string
  signature: unknown
}
type Request = { to?: unknown; from?: unknown }
type Populated = { readonly domain: object; readonly value: unknown }

/** What is used of the module `ethers`. */
export type EthersModule<Signer> = {
  readonly AbstractSigner: abstract new (provider?: never) => Signer
  readonly Transaction: { from(transaction: never): Transaction }
  readonly TypedDataEncoder: {
    resolveNames(domain: never, types: never, value: never, resolve: never): Promise<Populated>
    getPayload(domain: never, types: never, value: never): unknown
  }
  readonly copyRequest: (request: never) => object
  readonly resolveAddress: (target: never, resolver?: never) => string | Promise<string>
}

type Base = abstract new (
  provider: unknown,
) => { readonly provider: { resolveName?(name: string): Promise<string | null> } | null }

const prefixed = (bytes: Uint8Array): string => `0x${toHex(bytes)}`
const unprefixed = (text: string): Uint8Array => fromHex(text.slice(2).toLowerCase())

/** `wallet` must be of a network like Ethereum; `provider` is one of ethers. */
export function ethersSigner<Signer>(
  ethers: EthersModule<Signer>,
  wallet: WalletSigner,
  provider?: unknown,
): Signer {
  const signed = async (unsigned: Uint8Array): Promise<string> =>
    prefixed((await wallet.sign(unsigned)).bytes)

  class QuorateSigner extends (ethers.AbstractSigner as unknown as Base) {
    getAddress(): Promise<string> {
      return Promise.resolve(wallet.address)
    }

    connect(other: unknown): Signer {
      return ethersSigner(ethers, wallet, other)
    }

    /** Names are looked up with the provider, as ethers' own wallet does. */
    async signTransaction(request: Request): Promise<string> {
      // ethers hands in either a plain request or a `Transaction`, whose fields are getters.
      const { from, ...rest } = ethers.copyRequest(request as never) as Request
      const resolve = (target: unknown): Promise<string> =>
        Promise.resolve(ethers.resolveAddress(target as never, this as never))
      if (from !== undefined && from !== null && (await resolve(from)) !== wallet.address)
        throw new Fault('sdk/other-address')
      const to = rest.to === undefined || rest.to === null ? rest.to : await resolve(rest.to)
      const transaction = ethers.Transaction.from({ ...rest, to } as never)
      const bytes = await signed(unprefixed(transaction.unsignedSerialized))
      // Blobs are not signed, only their hashes; the transaction still has them.
      transaction.signature = ethers.Transaction.from(bytes as never).signature
      return transaction.serialized
    }

    signMessage(message: string | Uint8Array): Promise<string> {
      return signed(personalMessage(typeof message === 'string' ? utf8(message) : message))
    }

    async signTypedData(domain: object, types: object, value: object): Promise<string> {
      const { TypedDataEncoder } = ethers
      const lookUp = async (name: string): Promise<string> => {
        const found = await this.provider?.resolveName?.(name)
        if (found === undefined || found === null)
          throw new Fault('chains/bad-address', { detail: 'a name that is not known' })
        return found
      }
      const known = await TypedDataEncoder.resolveNames(
        domain as never,
        types as never,
        value as never,
        lookUp as never,
      )
      const payload = TypedDataEncoder.getPayload(
        known.domain as never,
        types as never,
        known.value as never,
      )
      return signed(encodeTypedData(payload))
    }
  }
  return new QuorateSigner(provider) as Signer
}
