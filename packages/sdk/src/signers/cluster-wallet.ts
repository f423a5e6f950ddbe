/**
 * A wallet whose key is shared among the nodes of a cluster. The nodes read the document for
 * themselves, ask the wallet's policy, and sign together; what comes back is put together and
 * verified here, so that the node that answers is believed in nothing.
 */
import type { SignatureJson, WalletJson } from '@quorate/api'
import { equalBytes, Fault, fromHex, toHex } from '@quorate/base'
import {
  findAdapter,
  type KeyRef,
  type SerialisedTx,
  type SignItem,
  type UnsignedTx,
} from '@quorate/chains'
import { deriveChild, secp256k1 } from '@quorate/math'
import type { NodeClient, OnProgress } from '../client.ts'
import { NO_CONTEXT, type SignOptions, type WalletSigner } from './wallet-signer.ts'

export type ClusterWallet = {
  readonly client: Pick<NodeClient, 'call' | 'sign'>
  /** Id of the wallet. */
  readonly wallet: string
  /**
   * Of the wallet on the network, as it was told when the wallet was made. It is what ties the signer
   * to the wallet: the node that is asked may lie.
   */
  readonly address: string
  /** Slug or CAIP-2 id; the wallet's own unless given. */
  readonly network?: string
  /** Non-hardened derivation steps below the wallet's key. */
  readonly path?: readonly number[]
  readonly onProgress?: OnProgress
}

/** @throws sdk/other-wallet, chains/unknown-network, chains/unsupported-suite, and the node's own faults */
export async function clusterWallet(given: ClusterWallet): Promise<WalletSigner> {
  const { client, path = [], onProgress } = given
  const params = { id: given.wallet }
  const wallet = await client.call('getWallet', { params })
  const adapter = findAdapter(given.network ?? wallet.network, wallet.suite)
  const key = keyAt(wallet, path)
  const address = adapter.address(key)
  const known = adapter.addresses?.(key).map((each) => each.address) ?? [address]
  if (!known.includes(adapter.parseAddress(given.address))) throw new Fault('sdk/other-wallet')
  const network = adapter.network.slug
  return {
    ...key,
    network,
    address,
    async sign(unsigned, { context = NO_CONTEXT, format }: SignOptions = {}) {
      const tx = adapter.parse({ unsigned, context, key })
      // A refresh gives the same key a new generation, an administrator gives it a new policy.
      const now = await client.call('getWallet', { params })
      if (!equalBytes(keyAt(now, path).publicKey, key.publicKey))
        throw new Fault('sdk/other-wallet')
      const { result } = await client.sign(
        now,
        { network, unsigned, context, path },
        { onProgress },
      )
      return attached(tx, result.signatures, format)
    },
  }
}

/** The key of the wallet, or the one below it. @throws sdk/unsupported-key where none can be derived */
function keyAt(wallet: WalletJson, path: readonly number[]): KeyRef {
  const { scheme, chainCode } = wallet
  const groupKey = fromHex(wallet.groupKey)
  if (path.length === 0) return { scheme, publicKey: groupKey }
  if (chainCode === undefined)
    throw new Fault('sdk/unsupported-key', { detail: 'no keys can be derived from it' })
  const { publicKey } = deriveChild(secp256k1.decode(groupKey), fromHex(chainCode), path)
  return { scheme, publicKey: secp256k1.encode(publicKey) }
}

/** @throws sdk/does-not-verify */
function attached(
  tx: UnsignedTx,
  signatures: readonly SignatureJson[],
  format: SignOptions['format'],
): SerialisedTx {
  const items = tx.prepare()
  if (signatures.length !== items.length) throw new Fault('sdk/does-not-verify')
  const found = items.map((item, i) => [item.id, signatureOf(item, signatures[i]!)] as const)
  // Verifies every one of them.
  return tx.attach(new Map(found)).serialise(format)
}

function signatureOf(item: SignItem, { message, signature }: SignatureJson): Uint8Array {
  if (message !== toHex(item.message)) throw new Fault('sdk/does-not-verify')
  return fromHex(signature)
}
