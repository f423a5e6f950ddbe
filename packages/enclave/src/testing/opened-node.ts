/** A node's HSM and store key, opened as only the holder of both can. */
import type { Clock, Random } from '@quorate/base'
import { openHsm } from '@quorate/hsm'
import { openNodeHsm } from '../signer-process/node-hsm.ts'
import { Vault } from '../signer-process/vault.ts'

export type NodeFiles = {
  readonly hsmDirectory: string
  readonly storeId: string
  readonly sealedSecrets: Uint8Array
}

export type OpenedNode = { readonly vault: Vault; close(): Promise<void> }

/** @throws enclave/store-mismatch for files that are no node's */
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
  const device = await openHsm(config, { clock })
  const { storeId, sealedSecrets } = files
  const { hsm } = await openNodeHsm({
    device,
    storeId,
    known: null,
    keyLabel: null,
    identityLabel: null,
    isFresh: false,
    random,
  })
  const vault = await Vault.open({ hsm, storeId, sealed: sealedSecrets, random })
  return {
    vault,
    async close() {
      vault[Symbol.dispose]()
      await device.close()
    },
  }
}
