/**
 * A wallet as an account of viem:
 *
 *   const account = toAccount(viemSource(viem, signer))
 *
 * in the place of `privateKeyToAccount('0x…')`. The functions of viem are handed in, so this package
 * does not depend on it. There is no `sign` for hashes: nobody could read what is signed.
 */
import { fromHex, toHex, utf8 } from '@quorate/base'
import { encodeTypedData, personalMessage } from '@quorate/chains'
import type { WalletSigner } from './wallet-signer.ts'

export type Hex = `0x${string}`

type Serializer = (transaction: never, signature?: never) => Hex | Promise<Hex>

/** Of the module `viem`. */
export type ViemFunctions = {
  readonly serializeTransaction: Serializer
  readonly parseTransaction: (serialized: never) => object
}

/** What `toAccount` of `viem/accounts` takes. */
export type ViemSource = {
  readonly address: Hex
  readonly signMessage: (given: {
    readonly message: string | { readonly raw: Hex | Uint8Array }
  }) => Promise<Hex>
  readonly signTransaction: (
    transaction: object,
    options?: { readonly serializer?: Serializer | undefined },
  ) => Promise<Hex>
  readonly signTypedData: (typedData: object) => Promise<Hex>
}

const hex = (bytes: Uint8Array): Hex => `0x${toHex(bytes)}`
const unhex = (text: Hex): Uint8Array => fromHex(text.slice(2).toLowerCase())

/** `signer` must be of a network like Ethereum. */
export function viemSource(viem: ViemFunctions, signer: WalletSigner): ViemSource {
  const sign = async (unsigned: Uint8Array): Promise<Hex> =>
    hex((await signer.sign(unsigned)).bytes)
  return {
    address: signer.address as Hex,
    signMessage: ({ message }) => sign(personalMessage(bytesOf(message))),
    signTypedData: ({ ...typedData }) => sign(encodeTypedData(partsOf(typedData))),
    async signTransaction(transaction, { serializer = viem.serializeTransaction } = {}) {
      // Blobs are not signed, only their hashes; they are put back beside the signature.
      const hasBlobs = (transaction as { type?: unknown }).type === 'eip4844'
      const bare = hasBlobs ? { ...transaction, sidecars: false } : transaction
      const signed = await sign(unhex(await serializer(bare as never)))
      return hasBlobs
        ? serializer(transaction as never, viem.parseTransaction(signed as never) as never)
        : signed
    },
  }
}

const bytesOf = (message: string | { readonly raw: Hex | Uint8Array }): Uint8Array => {
  if (typeof message === 'string') return utf8(message)
  return typeof message.raw === 'string' ? unhex(message.raw) : message.raw
}

/** Callers may leave the domain out. */
const partsOf = (typedData: object): object => {
  const {
    domain = {},
    types,
    primaryType,
    message,
  } = typedData as {
    readonly [key: string]: unknown
  }
  return { types, primaryType, domain, message }
}
