/** A node's HSM and store key, opened as only the holder of both can. */
import type { Clock, Random } from '@quorate/base'
import { type HsmProvider, hsmSealer, hsmSigner, openHsm } from '@quorate/hsm'
import { Vault } from '../signer-process/vault.ts'

export type NodeFiles = {
  readonly hsmDirectory: string
  readonly storeId: string
  readonly sealedSecrets: Uint8Array
}

export type OpenedNode = { readonly vault: Vault; close(): Promise<void> }

/** @throws enclave/store-mismatch, hsm/key-not-found for files that are no node's */
export async function openNode(
  files: NodeFiles,
  clock: Clock,
  random: Random,
): Promise<OpenedNode> {
  const config = {
    type: 'simulated',
    directory: files.hsmDirectory,
    environment: 'development',
  } as const
  const { provider, custody } = await openHsm(config, clock)
  const hsm = {
    custody,
    identity: await hsmSigner(provider, await keyOf(provider, 'quorate-node-identity')),
    sealer: hsmSealer(provider, await keyOf(provider, 'quorate-node-store')),
  }
  const { storeId, sealedSecrets } = files
  const vault = await Vault.open({ hsm, storeId, sealed: sealedSecrets, random })
  return {
    vault,
    async close() {
      vault[Symbol.dispose]()
      await provider.close()
    },
  }
}

const keyOf = async (provider: HsmProvider, label: string) => (await provider.find({ label })).id
