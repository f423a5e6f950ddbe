/** The Zymbit itself, for those who have one: its state, its perimeter, its binding, and data that it locks. */
import { Fault } from '@quorate/base'
import type { HostedHsm } from '../host/hosted-hsm.ts'
import type { KeyInfo, KeyRequest } from '../provider.ts'
import type { PerimeterAction, ZymbitState } from './commands.ts'

export type ZymbitDevice = {
  state(): Promise<ZymbitState>
  /** Sealed by the device: only it opens this, on this machine alone. 1 to 65536 bytes; there is no AAD. */
  lock(plaintext: Uint8Array): Promise<Uint8Array>
  /** @throws hsm/cannot-open */
  unlock(locked: Uint8Array): Promise<Uint8Array>
  /**
   * What a breach of channel 0 or 1 does from now on; the device cannot be asked what it is set to.
   * `confirm`: for self-destruction the text of `confirmations.selfDestruct`. @throws hsm/confirmation-mismatch
   */
  setPerimeterAction(channel: 0 | 1, action: PerimeterAction, confirm?: string): Promise<void>
  /** Forgets all breaches and arms the perimeter again: until then a channel reports its first breach only. */
  clearPerimeter(): Promise<void>
  /** For ever. `confirm`: the text of `confirmations.lockBinding`. @throws hsm/confirmation-mismatch */
  lockBinding(confirm: string): Promise<void>
  /**
   * Gives a label of ours to a key that has none: of another program, or one whose label file was lost, then
   * with the id and algorithm that it had. @throws hsm/key-not-found, hsm/key-exists, hsm/bad-argument
   */
  claim(slot: number, request: KeyRequest & { readonly id: KeyInfo['id'] }): Promise<KeyInfo>
}

/** @throws hsm/bad-argument for another device */
export function demandZymbit(type: string): void {
  if (type !== 'zymbit') throw new Fault('hsm/bad-argument', { detail: 'this is no Zymbit' })
}

/** @throws hsm/bad-argument for another device */
export async function zymbitDevice(hsm: HostedHsm): Promise<ZymbitDevice> {
  demandZymbit((await hsm.info()).type)
  return {
    state: () => hsm.ask('zymbitState', undefined),
    lock: (plaintext) => hsm.ask('lockData', plaintext),
    unlock: (locked) => hsm.ask('unlockData', locked),
    setPerimeterAction: (channel, { notify, selfDestruct }, confirm = '') =>
      hsm.ask('setPerimeterAction', { channel, notify, selfDestruct, confirm }),
    clearPerimeter: () => hsm.ask('clearPerimeter', undefined),
    lockBinding: (confirm) => hsm.ask('lockBinding', confirm),
    async claim(slot, request) {
      const info = await hsm.ask('claimSlot', { slot, request })
      hsm.pin(info)
      return info
    },
  }
}
