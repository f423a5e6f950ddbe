/** Reads the share that a node holds, as only the holder of its HSM and store together can. */
import type { Random } from '@quorate/base'
import { hsmSealer, hsmSigner, openHsm } from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import { partyId } from '@quorate/threshold'
import type { WalletRow } from '../channel/calls.ts'
import { openShare } from '../signer-process/shares.ts'
import { Vault } from '../signer-process/vault.ts'
import { Wallets } from '../signer-process/wallets.ts'

export type HeldShare = {
  readonly hsmDirectory: string
  readonly storeId: string
  readonly sealedSecrets: Uint8Array
  readonly row: WalletRow
  /** Index of the node. */
  readonly self: number
}

/** The encoded share, 32 bytes. */
export async function readShare(
  { hsmDirectory, storeId, sealedSecrets, row, self }: HeldShare,
  random: Random,
): Promise<Uint8Array> {
  const { provider, custody } = await openHsm(
    { type: 'simulated', directory: hsmDirectory, environment: 'development' },
    systemClock,
  )
  const keys = await provider.list()
  const idOf = (label: string) => keys.find((key) => key.label === label)!.id
  const hsm = {
    custody,
    identity: await hsmSigner(provider, idOf('quorate-node-identity')),
    sealer: hsmSealer(provider, idOf('quorate-node-store')),
  }
  const vault = await Vault.open({ hsm, storeId, sealed: sealedSecrets, random })
  const { share } = openShare(vault, partyId(self), new Wallets().put(row))
  const bytes = share.expose().slice()
  share[Symbol.dispose]()
  vault[Symbol.dispose]()
  await provider.close()
  return bytes
}
