/** What has to be typed, to the letter, before the device does what nobody can undo. */
import { Fault } from '@quorate/base'

export const confirmations = {
  lockBinding: (serial: string): string => `lock the binding of ${serial} for ever`,
  selfDestruct: (serial: string, channel: number): string =>
    `a breach of channel ${channel} destroys every key of ${serial}`,
  removeWallet: (serial: string, name: string): string =>
    `remove the wallet ${name} of ${serial} with all its keys`,
} as const

/** @throws hsm/confirmation-mismatch with what is to be typed */
export function demandConfirmation(given: string, expected: string): void {
  if (given !== expected)
    throw new Fault('hsm/confirmation-mismatch', { detail: `type: ${expected}` })
}
